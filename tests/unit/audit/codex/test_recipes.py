"""The recipes of several wheels at once."""

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import pytest

from factory.audit.codex.recipes import infer_recipes
from factory.audit.index import PublishedWheel
from factory.audit.remote_zip import Fetched
from factory.audit.wheel_file import WheelFiles
from factory.system.parallel import Stopped
from tests.audits import FakeIndex, audit_context, audited_file, good_release


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingFiles(WheelFiles):
    """Fails when the second wheel is opened, and keeps the first one waiting until the run is stopped."""

    stop: threading.Event
    is_waiting: threading.Event

    def open(self, wheel: PublishedWheel, fetched: Fetched) -> NoReturn:  # noqa: ARG002
        if wheel.version == "2":
            assert self.is_waiting.wait(10), "the first wheel was not opened"
            raise ArithmeticError("an error that is no property of the wheel")
        self.is_waiting.set()
        assert self.stop.wait(10), "the run was not stopped"
        raise Stopped


def test_an_error_stops_the_other_wheels(tmp_path: Path) -> None:
    release = good_release(tmp_path / "packages")
    context = audit_context(FakeIndex(files={}), tmp_path / "packages", tmp_path)
    files = FailingFiles(
        tools=context.tools,
        scratch=context.scratch,
        stop=context.tools.stop,
        is_waiting=threading.Event(),
    )
    first = audited_file(release.wheel.write(tmp_path))
    second = replace(first, reference=replace(first.reference, version="2"))
    with pytest.raises(ArithmeticError):
        infer_recipes([first, second], release.read_packages, files, context)
    assert context.tools.stop.is_set()

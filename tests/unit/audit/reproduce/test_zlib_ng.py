"""The environment with zlib-ng: the file that it installs, and the probe of its encoder."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from factory.audit.reproduce.zlib_ng import zlib_ng_toolchain
from factory.build.toolchain import Lock, Toolchain, lock_for, lock_named
from factory.core.errors import HostError
from factory.system.process import Command, Completed
from tests.fake_runner import Expected, FakeRunner
from tests.toolchains import running_toolchain

ANSWER = json.dumps(
    {
        "executable": "/env/bin/python",
        "implementation": "CPython",
        "python": "3.12.1",
        "name": "zlib-ng",
        "version": "2.3.3",
        "answer": "cd" * 32,
    }
)
LOCK = lock_for("1.33.0")


def make(lock: Lock) -> Toolchain:
    assert lock.name == "hatchling-1.33.0-with-zlib-ng-1.1.0"
    assert lock.content == LOCK.content + b"\n" + lock_named("zlib-ng-1.1.0").content
    return replace(running_toolchain(), python=Path("/env/bin/python"), lock=lock)


def test_the_environment_reports_another_encoder(tmp_path: Path) -> None:
    runner = FakeRunner(
        Expected(
            argv=["/env/bin/python", "-I", "-c"], completed=Completed(returncode=0, output=f"{tmp_path}\n")
        ),
        Expected(argv=["/env/bin/python", "-I"], completed=Completed(returncode=0, output=ANSWER)),
    )
    toolchain = zlib_ng_toolchain(LOCK, make, env={"PIP_CERT": "ca.pem"}, runner=runner)
    runner.assert_done()
    assert toolchain.lock == LOCK
    assert (toolchain.interpreter.deflate.name, toolchain.interpreter.deflate.is_reference) == (
        "zlib-ng",
        False,
    )
    assert (tmp_path / "zlib-is-zlib-ng.pth").read_text() == (
        'import sys, zlib_ng.zlib_ng; sys.modules["zlib"] = zlib_ng.zlib_ng\n'
    )
    assert runner.commands[0] == Command(argv=runner.commands[0].argv, env={"PIP_CERT": "ca.pem"})


def test_an_environment_that_fails_is_an_error() -> None:
    runner = FakeRunner(Expected(argv=["/env/bin/python"], completed=Completed(returncode=1)))
    with pytest.raises(HostError, match="/env/bin/python does not print"):
        zlib_ng_toolchain(LOCK, make, env={}, runner=runner)

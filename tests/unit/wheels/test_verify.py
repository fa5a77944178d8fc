"""The verification of the wheels of a run."""

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.errors import HostError, VerificationError
from factory.core.model import ChannelName, ReleaseAssets
from factory.core.progress import ProgressTask, SilentProgress
from factory.core.tags import CodexTag
from factory.manifest.dist import Dist
from factory.system.process import Command, Completed
from factory.verify.stock.stock_findings import StockTool
from factory.verify.stock.stock_tools import StockTools
from factory.wheels.plan import WheelsPlan, WheelsRequest
from factory.wheels.verify import verify_wheels
from tests.runs import run_context
from tests.wheels import PACKAGE, built_wheel, own_wheel

TAG = CodexTag.parse("0.163.0")


def plan(out: Path) -> WheelsPlan:
    return WheelsPlan(
        request=WheelsRequest(tag=TAG, platforms=None, out=out),
        released=ReleaseAssets(tag=TAG, channel=ChannelName.NPM, assets=()),
        wheels=(),
        not_released=(),
        dist=Dist(directory=out / "0.163.0"),
    )


def test_unpacked_executables_are_removed(tmp_path: Path) -> None:
    wheel = built_wheel(own_wheel(), tmp_path)
    (verified,) = verify_wheels([wheel], plan(tmp_path), run_context(tmp_path / "cache"), tmp_path)
    assert verified.wheel == wheel
    assert list(tmp_path.glob("verify-*")) == []


class RecordingTools:
    """Records the directory of each stock tool, and starts none: they all fail."""

    def __init__(self) -> None:
        self.directories: list[Path] = []

    def run(self, command: Command) -> Completed:
        self.directories.append(Path(command.argv[-1]).parent)
        return Completed(returncode=1)


class RecordingProgress:
    """Records the labels of tasks."""

    def __init__(self) -> None:
        self.labels: list[str] = []

    def plan(self, sizes: Mapping[str, int]) -> None:
        raise AssertionError(sizes)

    def task(self, label: str, *, total_bytes: int | None = None) -> AbstractContextManager[ProgressTask]:
        self.labels.append(label)
        return SilentProgress().task(label, total_bytes=total_bytes)


def test_each_wheel_has_a_task_and_a_directory_in_scratch(tmp_path: Path) -> None:
    wheel = built_wheel(own_wheel(), tmp_path)
    scratch, tools, progress = tmp_path / "scratch", RecordingTools(), RecordingProgress()
    scratch.mkdir()
    context = replace(
        run_context(tmp_path / "cache", progress=progress),
        stock_tools=StockTools(runner=tools, installed=frozenset(StockTool)),
    )
    verify_wheels([wheel], plan(tmp_path), context, scratch)

    assert progress.labels == ["verify manylinux_2_17_x86_64"]
    (directory,) = tools.directories
    assert directory.parents[1] == scratch
    assert directory.parent.name.startswith("verify-manylinux_2_17_x86_64-")


class FailingProgress:
    """Fails at the first task, and lets the second begin when the run has been stopped."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._tasks = 0

    def plan(self, sizes: Mapping[str, int]) -> None:
        raise AssertionError(sizes)

    def task(self, label: str, *, total_bytes: int | None = None) -> AbstractContextManager[ProgressTask]:
        self._tasks += 1
        if self._tasks == 1:
            raise HostError("the disk is full")
        assert self.stop.wait(10), "the run was not stopped"
        return SilentProgress().task(label, total_bytes=total_bytes)


def test_an_error_stops_the_run(tmp_path: Path) -> None:
    progress = FailingProgress()
    context = replace(run_context(tmp_path / "cache", progress=progress), stop=progress.stop, jobs=1)
    wheel = built_wheel(own_wheel(), tmp_path)
    with pytest.raises(HostError, match="the disk is full"):
        verify_wheels([wheel, wheel], plan(tmp_path), context, tmp_path)
    assert progress.stop.is_set()


def test_the_errors_of_all_wheels_are_reported_together(tmp_path: Path) -> None:
    platforms = ("manylinux_2_17_x86_64", "win_amd64", "win_arm64")
    good, *broken = (own_wheel(platform) for platform in platforms)
    wheels = [built_wheel(good, tmp_path, platforms[0])]
    for wheel, platform in zip(broken, platforms[1:], strict=True):
        without = wheel.without(f"{PACKAGE}/codex-path/rg.exe")
        wheels.append(built_wheel(without, tmp_path, platform))

    with pytest.raises(VerificationError) as caught:
        verify_wheels(wheels, plan(tmp_path), run_context(tmp_path / "cache"), tmp_path)
    assert "factory show check" in caught.value.hint
    rejected = [line.split()[0] for line in str(caught.value).splitlines() if not line.startswith(" ")]
    assert rejected == [wheel.name for wheel in broken]
    assert str(caught.value).count(f"payload-missing: {PACKAGE}/codex-path/rg.exe") == 2

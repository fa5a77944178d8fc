"""Reading and checking a wheel ends: by a limit of time, or when the run is interrupted."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from factory.system.parallel import Stopped
from factory.verify.checks.registry import find_all
from factory.verify.reading.read import read_wheel
from factory.verify.reading.unpack import UnpackLimits
from factory.verify.reading.watch import TimedOut, Watch
from tests.wheels import good_wheel


def test_a_watch_lets_work_go_on_until_its_limit() -> None:
    Watch.begin(60).poll()
    with pytest.raises(TimedOut) as late:
        Watch(seconds=60, ends_at_s=time.monotonic()).poll()
    assert str(late.value) == "it took longer than 60 s to check the wheel"
    assert late.value.hint == (
        "Raise the limit with '--limit seconds=NUMBER', if the wheel is from somebody you trust."
    )


def test_an_interrupted_run_ends_reading_and_checking(tmp_path: Path) -> None:
    path, stop = good_wheel().write(tmp_path), threading.Event()
    contents = read_wheel(path, scratch=tmp_path, stop=stop)
    find_all(contents)
    stop.set()
    for work in (lambda: read_wheel(path, scratch=tmp_path, stop=stop), lambda: find_all(contents)):
        with pytest.raises(Stopped):
            work()


def test_a_wheel_that_takes_too_long_is_not_judged(tmp_path: Path) -> None:
    path = good_wheel().write(tmp_path)
    contents = read_wheel(path, scratch=tmp_path, limits=UnpackLimits(seconds=900))
    assert contents.watch is not None
    assert contents.watch.seconds == 900
    late = replace(contents, watch=Watch(seconds=1, ends_at_s=0.0))
    with pytest.raises(TimedOut):
        find_all(late)
    with pytest.raises(TimedOut):
        _ = replace(contents, watch=late.watch).assessments

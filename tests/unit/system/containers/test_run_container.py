import threading
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from factory.core.errors import HostError
from factory.system.containers.engine import (
    OWNER_LABEL,
    ContainerLimits,
    ContainerSpec,
    ContainerState,
    EngineFull,
    EngineLost,
    EngineRefused,
)
from factory.system.containers.run_container import ContainerExit, ContainerResult, run_container
from factory.system.parallel import Stopped
from tests.fake_engine import DONE, IMAGE, RUNNING, FakeEngine, Scripted

SPEC = ContainerSpec(
    name="codex-wheel-factory-ab-probe",
    image=IMAGE.id,
    argv=("true",),
    env={},
    user="65532:65532",
    mounts=(),
    scratch=PurePosixPath("/scratch"),
    limits=ContainerLimits(scratch_bytes=1, memory_bytes=2, file_bytes=1, processes=1, time_s=60.0),
    labels={OWNER_LABEL: "ab"},
)


def run(
    engine: FakeEngine, spec: ContainerSpec = SPEC, stop: threading.Event | None = None
) -> ContainerResult:
    return run_container(spec, engine, stop=stop or threading.Event(), poll_s=0.001)


def test_a_container_is_waited_for_and_gone() -> None:
    engine = FakeEngine(Scripted(states=(RUNNING, RUNNING, DONE), log=b"done"))
    assert run(engine) == ContainerResult(reason=ContainerExit.DONE, exit_code=0, log=b"done")
    assert engine.containers == {}


@pytest.mark.parametrize(
    ("state", "log", "ending"),
    [
        (ContainerState(exit_code=1), b"Traceback", ContainerExit.FAILED),
        (ContainerState(exit_code=137, is_out_of_memory=True), b"", ContainerExit.OUT_OF_MEMORY),
        (
            ContainerState(exit_code=1),
            b"OSError: [Errno 28] No space left on device",
            ContainerExit.OUT_OF_SCRATCH,
        ),
        (ContainerState(exit_code=1), b"OSError: [Errno 27] File too large", ContainerExit.OUT_OF_SCRATCH),
        (ContainerState(exit_code=0), b"a note: No space left on device", ContainerExit.DONE),
    ],
)
def test_why_it_ended_is_told_apart(state: ContainerState, log: bytes, ending: ContainerExit) -> None:
    engine = FakeEngine(Scripted(states=(state,), log=log))
    assert run(engine).reason is ending
    assert engine.containers == {}


def test_a_container_whose_time_is_up_is_ended() -> None:
    engine = FakeEngine(Scripted(states=(RUNNING,), log=b"half"))
    spec = replace(SPEC, limits=replace(SPEC.limits, time_s=0.0))
    assert run(engine, spec) == ContainerResult(reason=ContainerExit.OUT_OF_TIME, exit_code=None, log=b"half")
    assert engine.containers == {}


def test_a_run_that_must_end_takes_its_container_along() -> None:
    stop = threading.Event()
    stop.set()
    engine = FakeEngine(Scripted(states=(RUNNING,)))
    with pytest.raises(Stopped):
        run(engine, stop=stop)
    assert engine.containers == {}


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("create", EngineRefused("making container x", "bind source path does not exist")),
        ("create", EngineFull("making container x", "no space left on device")),
        ("start", EngineRefused("starting a container", "exec format error")),
        ("log", EngineRefused("reading a container's log", "configured logging driver does not support it")),
    ],
)
def test_a_refusal_leaves_no_container(method: str, error: HostError) -> None:
    engine = FakeEngine(Scripted(refusals={method: error}))
    with pytest.raises(type(error)) as caught:
        run(engine)
    assert caught.value is error
    assert engine.containers == {}


def test_an_engine_that_dies_is_the_error_that_is_shown() -> None:
    engine = FakeEngine(Scripted(refusals={"state": EngineLost("waiting for a container", "broken pipe")}))
    with pytest.raises(EngineLost, match="stopped answering while waiting for a container: broken pipe"):
        run(engine)
    assert len(engine.containers) == 1, "it cannot be removed now; the next run does that"

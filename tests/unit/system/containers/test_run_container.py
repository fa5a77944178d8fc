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
    engine_lost,
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


def test_a_container_runs_until_it_ends_and_is_removed() -> None:
    engine = FakeEngine(Scripted(states=(RUNNING, RUNNING, DONE), log=b"done"))
    assert run(engine) == ContainerResult(reason=ContainerExit.DONE, exit_code=0, log=b"done")
    assert engine.containers == {}


@pytest.mark.parametrize(
    ("state", "log", "reason"),
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
def test_the_reason_for_the_end_is_found(state: ContainerState, log: bytes, reason: ContainerExit) -> None:
    engine = FakeEngine(Scripted(states=(state,), log=log))
    assert run(engine).reason is reason
    assert engine.containers == {}


def test_a_container_over_its_time_is_removed() -> None:
    engine = FakeEngine(Scripted(states=(RUNNING,), log=b"half"))
    spec = replace(SPEC, limits=replace(SPEC.limits, time_s=0.0))
    assert run(engine, spec) == ContainerResult(reason=ContainerExit.OUT_OF_TIME, exit_code=None, log=b"half")
    assert engine.containers == {}


def test_a_stopped_run_removes_its_container() -> None:
    stop = threading.Event()
    stop.set()
    engine = FakeEngine(Scripted(states=(RUNNING,)))
    with pytest.raises(Stopped):
        run(engine, stop=stop)
    assert engine.containers == {}


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("create", HostError("bind source path does not exist")),
        ("start", HostError("exec format error")),
        ("log", HostError("configured logging driver does not support it")),
    ],
)
def test_an_engine_error_leaves_no_container(method: str, error: HostError) -> None:
    engine = FakeEngine(Scripted(refusals={method: error}))
    with pytest.raises(type(error)) as caught:
        run(engine)
    assert caught.value is error
    assert engine.containers == {}


def test_a_lost_engine_is_the_error_reported() -> None:
    engine = FakeEngine(Scripted(refusals={"state": engine_lost("waiting for a container", "broken pipe")}))
    with pytest.raises(HostError, match="stopped answering while waiting for a container: broken pipe"):
        run(engine)
    assert len(engine.containers) == 1, "the next run removes it"

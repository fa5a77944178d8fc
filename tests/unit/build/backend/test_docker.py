import threading
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from factory.build.backend.docker import (
    DockerBuildPlan,
    plan_docker_build,
    plan_probe,
    probe_image,
    run_docker_build,
)
from factory.build.backend.output import BuildFailed, WheelOutput
from factory.build.deflate_check import ProbeFailed
from factory.build.toolchain import Lock
from factory.core.errors import BuildError, HostError
from factory.core.progress import SilentProgress
from factory.system.containers.engine import (
    ContainerLimits,
    ContainerSpec,
    ContainerState,
    Image,
    Mount,
    engine_lost,
)
from factory.system.containers.images import require_image
from tests.fake_engine import IMAGE, NAME, RUNNING, FakeEngine, Scripted, probed
from tests.wheels import staged_runtime

LOCK = Lock(name="hatchling-1.33.0", content=b"hatchling==1.33.0\n")
PYTHON = "/opt/factory/toolchains/hatchling-1.33.0-2d2cc26e473c53aa/bin/python"
OWNER = "00112233"
WHEEL = "openai_codex_cli_bin-0.163.0-py3-none-win_arm64.whl"
BUILD = ("-m", "build", "--wheel", "--no-isolation", "--outdir", "/out", "/stage")


def output_in(directory: Path) -> WheelOutput:
    return WheelOutput(
        staged=staged_runtime(directory / "stage", "win_arm64"),
        scratch=directory / "scratch",
        dist=directory / "dist",
        log=directory / "logs" / f"{WHEEL}.log",
    )


def plan_in(directory: Path) -> DockerBuildPlan:
    return plan_docker_build(
        output_in(directory), stage_bytes=200_000_000, image=IMAGE, lock=LOCK, owner=OWNER
    )


def test_the_whole_plan_of_a_container() -> None:
    assert plan_in(Path("/srv")) == DockerBuildPlan(
        spec=ContainerSpec(
            name="codex-wheel-factory-00112233-win_arm64",
            image=IMAGE.id,
            argv=("timeout", "--signal=KILL", "1860", PYTHON, *BUILD),
            env={
                "HOME": "/scratch",
                "LC_ALL": "C.UTF-8",
                "NO_COLOR": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONHASHSEED": "0",
                "PYTHONNOUSERSITE": "1",
                "TEMP": "/scratch",
                "TMP": "/scratch",
                "TMPDIR": "/scratch",
                "TZ": "UTC",
            },
            user="65532:65532",
            mounts=(
                Mount(source=Path("/srv/stage"), target=PurePosixPath("/stage"), is_read_only=True),
                Mount(source=Path("/srv/scratch/out"), target=PurePosixPath("/out"), is_read_only=False),
            ),
            scratch=PurePosixPath("/scratch"),
            limits=ContainerLimits(
                scratch_bytes=218_777_216,
                memory_bytes=755_648_128,
                file_bytes=218_777_216,
                processes=64,
                time_s=1800.0,
            ),
            labels={"codex-wheel-factory.owner": "00112233"},
        ),
        output=output_in(Path("/srv")),
    )


def test_the_probe_sees_nothing_of_this_host() -> None:
    spec = plan_probe(image=IMAGE, python=PurePosixPath(PYTHON), owner=OWNER)
    assert spec.mounts == ()
    assert spec.argv[:6] == ("timeout", "--signal=KILL", "180", PYTHON, "-I", "-c")


def wheel(name: str = WHEEL) -> Callable[[ContainerSpec], None]:
    """Return the effect of a successful build: it writes an archive."""

    def write(spec: ContainerSpec) -> None:
        out = next(mount.source for mount in spec.mounts if not mount.is_read_only)
        with zipfile.ZipFile(out / name, "w") as archive:
            archive.writestr("codex_cli_bin/__init__.py", b"")

    return write


def run(directory: Path, scripted: Scripted, stop: threading.Event | None = None) -> FakeEngine:
    engine = FakeEngine(scripted)
    try:
        stop = stop or threading.Event()
        run_docker_build(plan_in(directory), engine=engine, progress=SilentProgress(), stop=stop)
    finally:
        assert engine.containers == {} or engine.is_lost
        assert not (directory / "scratch").exists()
    return engine


def there(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def test_a_wheel_is_placed_and_belongs_to_the_user(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / f"{WHEEL}.log").write_text("of an earlier run that failed")
    run(tmp_path, Scripted(argv=BUILD, states=(RUNNING, ContainerState(exit_code=0)), effect=wheel()))
    assert there(tmp_path) == [f"dist/{WHEEL}"]
    assert (tmp_path / "dist" / WHEEL).stat().st_uid == tmp_path.stat().st_uid


@pytest.mark.parametrize(
    ("state", "log", "reason", "hint"),
    [
        (ContainerState(exit_code=2), b"why", "exit status 2 in the container", "Read the log; the staged"),
        (
            ContainerState(exit_code=137, is_out_of_memory=True),
            b"why",
            "the container used up its 756 MB of memory",
            "The limit follows from the size of the stage",
        ),
        (
            ContainerState(exit_code=1),
            b"OSError: [Errno 28] No space left on device",
            "the container filled its 219 MB of scratch space",
            "Free space on the output disk",
        ),
    ],
)
def test_a_failed_build_keeps_its_log_and_nothing_else(
    tmp_path: Path, state: ContainerState, log: bytes, reason: str, hint: str
) -> None:
    with pytest.raises(BuildFailed) as caught:
        run(tmp_path, Scripted(states=(state,), log=log, effect=wheel()))
    path = tmp_path / "logs" / f"{WHEEL}.log"
    assert str(caught.value) == f"building {WHEEL} failed in the backend: {reason}; log: {path}"
    assert caught.value.hint.startswith(hint)
    assert caught.value.exit_code == 23
    assert path.read_bytes() == log
    assert there(tmp_path) == [f"logs/{WHEEL}.log"]


def test_an_engine_that_dies_leaves_no_incomplete_wheel(tmp_path: Path) -> None:
    lost = engine_lost("waiting for a container", "broken pipe")
    with pytest.raises(HostError, match="stopped answering"):
        run(tmp_path, Scripted(refusals={"state": lost}, effect=wheel()))
    assert there(tmp_path) == []


def to_a_secret(spec: ContainerSpec) -> None:
    (spec.mounts[1].source / WHEEL).symlink_to("/etc/passwd")


@pytest.mark.parametrize("effect", [lambda _: None, wheel("other.whl"), to_a_secret])
def test_another_output_is_refused(tmp_path: Path, effect: Callable[[ContainerSpec], None]) -> None:
    with pytest.raises(BuildError, match="in its place"):
        run(tmp_path, Scripted(effect=effect))
    assert there(tmp_path) == []


def test_an_image_is_found_by_its_name() -> None:
    assert require_image(FakeEngine(), NAME) == IMAGE


@pytest.mark.parametrize(
    ("engine", "reference", "sentence"),
    [
        (
            FakeEngine(images={}),
            NAME,
            "the container engine has no image codex-wheel-factory:local",
        ),
        (
            FakeEngine(images={"factory": IMAGE}),
            "factory@sha256:" + "2b" * 32,
            f"the container engine's image factory is not factory@sha256:{'2b' * 32}: its id is {IMAGE.id}",
        ),
        (
            FakeEngine(images={}),
            "factory@sha256:" + "2b" * 32,
            f"the container engine has no image factory@sha256:{'2b' * 32}",
        ),
        (
            FakeEngine(images={NAME: Image(id=IMAGE.id, architecture="arm64")}),
            NAME,
            "image codex-wheel-factory:local is for arm64, but the engine runs amd64",
        ),
    ],
)
def test_an_unusable_image_is_refused(engine: FakeEngine, reference: str, sentence: str) -> None:
    with pytest.raises(HostError) as caught:
        require_image(engine, reference)
    assert str(caught.value) == sentence
    assert caught.value.hint


def probe(scripted: Scripted) -> str:
    engine = FakeEngine(scripted)
    found = probe_image(
        PurePosixPath(PYTHON),
        image=IMAGE,
        lock=LOCK,
        owner=OWNER,
        engine=engine,
        stop=threading.Event(),
    )
    assert engine.containers == {}
    return f"{found.implementation} {found.version}, {found.deflate.name} {found.deflate.version}"


def test_the_interpreter_of_an_image_is_identified_in_a_container() -> None:
    assert probe(probed()) == "CPython 3.11.2, zlib 1.2.13"


def test_an_image_without_the_environment_of_the_lock_is_refused() -> None:
    log = b"timeout: failed to run command: No such file or directory"
    with pytest.raises(
        HostError, match=r"has no environment for the lock hatchling-1\.33\.0: no /opt/factory"
    ):
        probe(Scripted(states=(ContainerState(exit_code=127),), log=log))


@pytest.mark.parametrize(
    ("scripted", "reason"),
    [
        (Scripted(states=(ContainerState(exit_code=1),), log=b"no zlib"), "failed\nno zlib"),
        (Scripted(log=b"hello"), "it printed 'hello'"),
    ],
)
def test_an_interpreter_that_does_not_work_is_refused(scripted: Scripted, reason: str) -> None:
    with pytest.raises(ProbeFailed, match=reason):
        probe(scripted)

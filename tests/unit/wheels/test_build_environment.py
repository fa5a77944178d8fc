import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from factory.build import deflate_probe
from factory.build.backend.output import BuildFailed
from factory.build.builder import BuilderName, Engine
from factory.build.deflate_check import DeflateIdentity, OtherDeflate, deflate_identity
from factory.build.toolchain import Toolchain
from factory.core.digests import Sha256
from factory.core.errors import HostError, UsageError
from factory.core.targets import Platform, Target
from factory.manifest.manifest import Manifest
from factory.release.channels.directory import DirectoryChannel
from factory.system.containers.engine import (
    ContainerEngine,
    ContainerSetup,
    ContainerSpec,
    ContainerState,
    no_engine,
)
from factory.system.parallel import Stopped
from factory.system.process import Command, SubprocessRunner
from factory.wheels.context import RunContext
from factory.wheels.plan import WheelsRequest, plan_wheels
from factory.wheels.run import WheelsRun, make_wheels
from tests.backends import HookRunner
from tests.fake_engine import IMAGE, NAME, FakeEngine, Scripted, answering, probed
from tests.packages import TAG, release_directory
from tests.runs import run_context
from tests.toolchains import running_toolchain

BUILD = ("-m", "build", "--wheel", "--no-isolation", "--outdir", "/out", "/stage")
OTHER_ANSWER = "00" * 32


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    targets = (Target.WINDOWS_AARCH64,)
    return release_directory(tmp_path_factory.mktemp("release") / "packages", targets=targets)


def building(spec: ContainerSpec) -> None:
    """Build the stage with the backend of this interpreter, as the image would."""
    at = {str(mount.target): str(mount.source) for mount in spec.mounts}
    argv = [at.get(word, word) for word in spec.argv[spec.argv.index("-m") :]]
    runner = HookRunner(runner=SubprocessRunner())
    completed = runner.run(Command(argv=(sys.executable, *argv), env={"PYTHONHASHSEED": "0"}))
    assert completed.returncode == 0, completed.output


BUILT = Scripted(argv=BUILD, effect=building)


class Unreachable:
    """A container engine that does not answer."""

    def __init__(self, error: HostError) -> None:
        self._error = error

    def __enter__(self) -> ContainerEngine:
        raise self._error

    def __exit__(self, *_: object) -> None:
        raise AssertionError("it was never entered")


def other_toolchain() -> Toolchain:
    here = running_toolchain()
    deflate = DeflateIdentity(name="zlib-ng", version="2.2.4", answer=Sha256(OTHER_ANSWER))
    return replace(here, interpreter=replace(here.interpreter, deflate=deflate))


def context_with(directory: Path, engine: FakeEngine | HostError) -> tuple[RunContext, list[str]]:
    """Return a run context with a container engine, or an unreachable one, and the list of its messages."""
    said: list[str] = []

    def open_engine() -> AbstractContextManager[ContainerEngine]:
        return Unreachable(engine) if isinstance(engine, HostError) else answering(engine)

    containers = ContainerSetup(open_engine=open_engine, image=NAME)
    return replace(run_context(directory / "cache"), containers=containers, report=said.append), said


REQUEST = WheelsRequest(
    tag=TAG, platforms=(Platform.parse("win_arm64"),), out=Path("dist"), builder=BuilderName.AUTO
)


def make(request: WheelsRequest, packages: Path, directory: Path, context: RunContext) -> WheelsRun:
    return make_wheels(
        plan_wheels(replace(request, out=directory / "dist"), DirectoryChannel(packages)), context
    )


def left(directory: Path) -> list[str]:
    return [str(path) for path in (directory / "dist").rglob("*") if path.is_file()]


def test_auto_chooses_a_container_and_reports_it(packages: Path, tmp_path: Path) -> None:
    engine = FakeEngine(probed(), BUILT)
    context, said = context_with(tmp_path, engine)
    toolchain = make(REQUEST, packages, tmp_path, context).manifest.toolchain

    assert said == [f"builder: docker, image {IMAGE.id} (Docker 20.10.24 answers and has the image)"]
    assert toolchain.builder == "docker"
    assert toolchain.reason == "Docker 20.10.24 answers and has the image"
    assert toolchain.image == IMAGE.id
    assert toolchain.engine == "backend"
    assert toolchain.python == "CPython 3.11.2"
    assert engine.containers == {}
    engine.assert_done()
    assert list((tmp_path / "cache" / "containers").iterdir()) == []


def test_a_container_writes_the_bytes_of_the_assembler(packages: Path, tmp_path: Path) -> None:
    context, _ = context_with(tmp_path / "one", FakeEngine(probed(), BUILT))
    contained = make(REQUEST, packages, tmp_path / "one", context).manifest.wheels
    context, _ = context_with(tmp_path / "two", no_engine("there is no socket"))
    native = make(REQUEST, packages, tmp_path / "two", context).manifest.wheels
    assert [wheel.sha256 for wheel in contained] == [wheel.sha256 for wheel in native]


def test_the_engines_can_be_compared_when_the_backend_is_in_a_container(
    packages: Path, tmp_path: Path
) -> None:
    context, _ = context_with(tmp_path, FakeEngine(probed(), BUILT))
    request = replace(REQUEST, builder=BuilderName.DOCKER, is_engine_checked=True)
    manifest = make(request, packages, tmp_path, context).manifest
    assert (manifest.toolchain.builder, manifest.toolchain.engine) == ("docker", "backend")
    assert manifest.toolchain.reason == "asked for"


LACKING: tuple[tuple[Callable[[], FakeEngine | HostError], str], ...] = (
    (lambda: no_engine("there is no /run/docker.sock"), "no container engine answers"),
    (lambda: HostError("this user may not use it: Permission denied"), "this user may not use it"),
    (lambda: FakeEngine(images={}), "the container engine has no image codex-wheel-factory:local"),
    (
        lambda: FakeEngine(architecture="arm64"),
        "image codex-wheel-factory:local is for amd64, but the engine runs arm64",
    ),
    (
        lambda: FakeEngine(Scripted(states=(ContainerState(exit_code=127),))),
        f"image {IMAGE.id} has no environment for the lock hatchling-1.33.0",
    ),
    (
        lambda: FakeEngine(probed(OTHER_ANSWER)),
        "the deflate encoder of the image's Python (zlib 1.2.13) gives other bytes than stock zlib",
    ),
)


@pytest.mark.parametrize(("engine", "reason"), LACKING, ids=[reason[:30] for _, reason in LACKING])
def test_auto_builds_on_this_host_if_no_container_is_usable(
    engine: Callable[[], FakeEngine | HostError], reason: str, packages: Path, tmp_path: Path
) -> None:
    context, said = context_with(tmp_path, engine())
    toolchain = make(REQUEST, packages, tmp_path, context).manifest.toolchain
    assert (toolchain.builder, toolchain.engine, toolchain.image) == ("native", "assembler", None)
    assert toolchain.reason == reason
    assert said == [f"builder: native ({reason})"]


@pytest.mark.parametrize(
    ("engine", "used"),
    [(None, "assembler"), (Engine.ASSEMBLER, "assembler"), (Engine.BACKEND, "backend")],
)
def test_this_host_uses_the_requested_engine_or_the_assembler(
    packages: Path, tmp_path: Path, engine: Engine | None, used: str
) -> None:
    request = replace(REQUEST, builder=BuilderName.NATIVE, engine=engine)
    toolchain = make(request, packages, tmp_path, run_context(tmp_path / "cache")).manifest.toolchain
    assert (toolchain.builder, toolchain.engine, toolchain.reason) == ("native", used, "asked for")


@pytest.fixture
def other_encoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give this process another encoder, but not the toolchain."""
    running_toolchain()
    deflate_identity.cache_clear()
    monkeypatch.setattr(deflate_probe, "answer", lambda: OTHER_ANSWER)
    yield
    deflate_identity.cache_clear()


@pytest.mark.usefixtures("other_encoder")
def test_this_process_s_encoder_must_be_the_reference(packages: Path, tmp_path: Path) -> None:
    context = run_context(tmp_path / "cache")
    with pytest.raises(OtherDeflate, match="the deflate encoder of this Python"):
        make(replace(REQUEST, builder=BuilderName.NATIVE), packages, tmp_path, context)
    assert context.stop.is_set()
    assert left(tmp_path) == []


def test_a_stopped_run_does_not_build_on_this_host_instead(packages: Path, tmp_path: Path) -> None:
    context, reported = context_with(tmp_path, Stopped())
    with pytest.raises(Stopped):
        make(REQUEST, packages, tmp_path, context)
    assert reported == left(tmp_path) == []


def test_auto_with_the_assembler_opens_no_container_engine(packages: Path, tmp_path: Path) -> None:
    context, said = context_with(tmp_path, FakeEngine())
    make(replace(REQUEST, engine=Engine.ASSEMBLER), packages, tmp_path, context)
    assert said == ["builder: native (the assembler was asked for, which runs on this host)"]


def test_without_a_usable_builder_both_reasons_are_reported(packages: Path, tmp_path: Path) -> None:
    context, _ = context_with(tmp_path, no_engine("there is no /run/docker.sock"))
    context = replace(context, toolchain_for=lambda _: other_toolchain())
    with pytest.raises(HostError) as caught:
        make(REQUEST, packages, tmp_path, context)
    assert str(caught.value) == (
        "no usable builder: no container engine answers: there is no /run/docker.sock; and "
        "the deflate encoder of this Python (zlib-ng 2.2.4) gives other bytes than stock zlib"
    )
    assert caught.value.hint == (
        "Make the builder image with 'make image', or use an interpreter that links stock zlib."
    )
    assert caught.value.exit_code == 25
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("engine", "error"),
    [
        (no_engine("there is no socket"), "no container engine answers: there is no socket"),
        (FakeEngine(images={}), "the container engine has no image codex-wheel-factory:local"),
    ],
)
def test_a_requested_container_is_required(
    engine: FakeEngine | HostError, error: str, packages: Path, tmp_path: Path
) -> None:
    context, said = context_with(tmp_path, engine)
    with pytest.raises(HostError, match=error):
        make(replace(REQUEST, builder=BuilderName.DOCKER), packages, tmp_path, context)
    assert said == left(tmp_path) == []


def test_a_run_without_configured_containers_is_an_error(packages: Path, tmp_path: Path) -> None:
    request = replace(REQUEST, builder=BuilderName.DOCKER)
    with pytest.raises(HostError, match="no container engine answers"):
        make(request, packages, tmp_path, run_context(tmp_path / "cache"))


def test_the_assembler_does_not_run_in_a_container(packages: Path, tmp_path: Path) -> None:
    context, _ = context_with(tmp_path, FakeEngine())
    request = replace(REQUEST, builder=BuilderName.DOCKER, engine=Engine.ASSEMBLER)
    with pytest.raises(UsageError, match="runs on this host only, not with --builder docker") as caught:
        make(request, packages, tmp_path, context)
    assert caught.value.hint == (
        "Omit --engine, or use --check-engine to compare the bytes of assembler and container."
    )


def test_a_failed_build_in_a_container_leaves_only_its_log(packages: Path, tmp_path: Path) -> None:
    failed = Scripted(states=(ContainerState(exit_code=1),), log=b"Traceback")
    engine = FakeEngine(probed(), failed)
    context, _ = context_with(tmp_path, engine)
    with pytest.raises(BuildFailed):
        make(REQUEST, packages, tmp_path, context)
    assert engine.containers == {}
    assert left(tmp_path) == []
    (log,) = (tmp_path / "cache" / "logs").iterdir()
    assert log.read_bytes() == b"Traceback"


def test_another_reason_for_the_builder_builds_no_wheel_again(packages: Path, tmp_path: Path) -> None:
    first, _ = context_with(tmp_path, no_engine("there is no socket"))
    assert len(make(REQUEST, packages, tmp_path, first).built) == 1
    second, _ = context_with(tmp_path, FakeEngine(images={}))
    assert make(REQUEST, packages, tmp_path, second).built == ()


def test_another_builder_builds_the_wheels_again(packages: Path, tmp_path: Path) -> None:
    first, _ = context_with(tmp_path, no_engine("there is no socket"))
    make(REQUEST, packages, tmp_path, first)
    second, _ = context_with(tmp_path, FakeEngine(probed(), BUILT))
    assert len(make(REQUEST, packages, tmp_path, second).built) == 1


def test_manifests_without_reason_and_image_are_read(packages: Path, tmp_path: Path) -> None:
    context, _ = context_with(tmp_path, no_engine("there is no socket"))
    document = make(REQUEST, packages, tmp_path, context).manifest.to_json()
    toolchain = document["toolchain"]
    assert isinstance(toolchain, dict)
    del toolchain["reason"], toolchain["image"]
    read = Manifest.parse(json.dumps(document)).toolchain
    assert (read.reason, read.image) == ("", None)

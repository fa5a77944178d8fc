"""``--builder cibuildwheel``: its context, the owner of its containers, and missing parts."""

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from factory.build.builder import BuilderName
from factory.build.deflate_check import OtherDeflate
from factory.build.toolchain import Lock, Toolchain, lock_for
from factory.core.errors import HostError
from factory.system.containers.engine import ContainerState
from factory.system.process import Command, Completed, SubprocessRunner
from factory.wheels.context import Client, RunContext
from tests.fake_engine import IMAGE, FakeEngine, Scripted, probed
from tests.packages import release_directory
from tests.toolchains import running_toolchain
from tests.unit.wheels.test_build_environment import OTHER_ANSWER, REQUEST, context_with, left, make

CIBUILDWHEEL = replace(REQUEST, builder=BuilderName.CIBUILDWHEEL)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_directory(tmp_path_factory.mktemp("release") / "packages")


@dataclass
class FakeCibuildwheel:
    """Builds the project with the backend of this interpreter, instead of in a container."""

    commands: list[Command] = field(default_factory=list)

    def run(self, command: Command) -> Completed:
        assert "cibuildwheel" in command.argv
        self.commands.append(command)
        out = command.argv[command.argv.index("--output-dir") + 1]
        argv = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ".")
        return SubprocessRunner().run(replace(command, argv=argv))


def with_client(directory: Path, engine: FakeEngine) -> tuple[RunContext, FakeCibuildwheel]:
    """Return a run context with a ``docker`` on its PATH."""
    client = directory / "bin" / "docker"
    client.parent.mkdir(parents=True)
    client.touch(mode=0o755)
    runner = FakeCibuildwheel()
    context, _ = context_with(directory, engine)
    client_side = Client(
        env={"PATH": str(client.parent), "DOCKER_HOST": "unix:///engine.sock"},
        fetch_wheels=lambda locks, _: directory / "+".join(lock.name for lock in locks),
    )
    return replace(context, runner=runner, client=client_side), runner


def test_cibuildwheel_writes_the_same_bytes_in_a_labelled_container(packages: Path, tmp_path: Path) -> None:
    locks: list[str] = []

    def toolchain_for(lock: Lock) -> Toolchain:
        locks.append(lock.name)
        return running_toolchain()

    engine = FakeEngine(probed())
    context, runner = with_client(tmp_path / "one", engine)
    made = make(
        CIBUILDWHEEL, packages, tmp_path / "one", replace(context, toolchain_for=toolchain_for)
    ).manifest
    context, _ = context_with(tmp_path / "two", FakeEngine())
    native = make(replace(REQUEST, builder=BuilderName.NATIVE), packages, tmp_path / "two", context).manifest

    assert [wheel.sha256 for wheel in made.wheels] == [wheel.sha256 for wheel in native.wheels]
    assert (made.toolchain.builder, made.toolchain.image) == ("cibuildwheel", IMAGE.id)
    assert made.toolchain.lock == lock_for("1.33.0").sha256
    assert locks == ["cibuildwheel-4.3.5"]
    (command,) = runner.commands
    (probe,) = engine.specs
    (label,) = probe.labels.items()
    wheels = tmp_path / "one" / "hatchling-1.33.0+virtualenv-21.15.0"
    assert f"--label={label[0]}={label[1]}" in command.env["CIBW_CONTAINER_ENGINE"]
    assert f"source={wheels},target=/toolchain,readonly" in command.env["CIBW_CONTAINER_ENGINE"]
    assert command.env["CIBW_MANYLINUX_X86_64_IMAGE"] == IMAGE.id
    assert command.env["DOCKER_HOST"] == "unix:///engine.sock"
    assert probe.argv[3:5] == ("/opt/python/cp311-cp311/bin/python", "-I")


def test_without_the_docker_program_no_build_starts(packages: Path, tmp_path: Path) -> None:
    context, _ = context_with(tmp_path, FakeEngine())
    elsewhere = Client(env={"PATH": str(tmp_path / "no programs")}, fetch_wheels=lambda *_: tmp_path)
    for lacking in (context, replace(context, client=elsewhere)):
        with pytest.raises(HostError, match="the docker program, which is not on PATH") as caught:
            make(CIBUILDWHEEL, packages, tmp_path, lacking)
        assert "--builder docker" in caught.value.hint
        assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("scripted", "error", "reason"),
    [
        (
            Scripted(states=(ContainerState(exit_code=127),)),
            HostError,
            (
                f"image {IMAGE.id} has no environment for the lock hatchling-1.33.0:"
                " no /opt/python/cp311-cp311/bin/python"
            ),
        ),
        (
            probed(OTHER_ANSWER),
            OtherDeflate,
            "the deflate encoder of the image's Python (zlib 1.2.13) gives other bytes than stock zlib",
        ),
    ],
)
def test_an_unusable_image_is_refused(
    packages: Path, tmp_path: Path, scripted: Scripted, error: type[HostError], reason: str
) -> None:
    context, runner = with_client(tmp_path, FakeEngine(scripted))
    with pytest.raises(error) as caught:
        make(CIBUILDWHEEL, packages, tmp_path, context)
    assert str(caught.value).startswith(reason)
    assert runner.commands == []
    assert left(tmp_path) == []

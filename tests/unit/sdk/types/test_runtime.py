"""A runtime that writes its schema, and the ways in which it can fail."""

import sys
from pathlib import Path

import pytest

from factory.core.errors import BuildError, FactoryError, HostError, UpstreamError
from factory.core.json_reader import MalformedJson
from factory.core.model import ChannelName, ReleaseAssets
from factory.core.tags import CodexTag
from factory.core.targets import Architecture, OperatingSystem, Target
from factory.release.payload import PackageSource
from factory.sdk.types.runtime import (
    Launch,
    TypesWorkspace,
    choose_runtime,
    launches_on,
    require_schema_command,
    write_schema,
)
from factory.sdk.types.schema import BUNDLE, SchemaBundle
from factory.system.host import Host
from factory.system.process import Completed, Runner, SubprocessRunner
from tests.fake_runner import Expected, FakeRunner
from tests.packages import TAG, package_directory, release_files
from tests.protocols import bundle, runtime, script

QEMU = Path("/usr/bin/qemu-aarch64-static")
TARGET = Target.LINUX_X86_64
posix = pytest.mark.skipif(sys.platform == "win32", reason="starts a shell script")


def host(
    system: OperatingSystem | None = OperatingSystem.LINUX,
    architecture: Architecture | None = Architecture.X86_64,
    *,
    emulators: dict[Architecture, Path] | None = None,
) -> Host:
    return Host(
        operating_system=system,
        architecture=architecture,
        python=Path(sys.executable),
        emulators=emulators or {},
        env={},
    )


def write(tmp_path: Path, executable: bytes, runner: Runner | None = None) -> SchemaBundle:
    files = release_files(TARGET) | {"bin/codex": (executable, 0o755)}
    source = PackageSource.directory(package_directory(tmp_path / "released", files))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    workspace = TypesWorkspace(scratch=scratch, runner=runner or SubprocessRunner(), env={})
    return write_schema(source, Launch(target=TARGET), TAG, workspace)


@pytest.mark.parametrize(
    ("here", "launches"),
    [
        (host(), [(Target.LINUX_X86_64, ())]),
        (
            host(emulators={Architecture.AARCH64: QEMU}),
            [(Target.LINUX_X86_64, ()), (Target.LINUX_AARCH64, (str(QEMU),))],
        ),
        (
            host(architecture=Architecture.AARCH64, emulators={Architecture.AARCH64: QEMU}),
            [(Target.LINUX_AARCH64, ())],
        ),
        (
            host(OperatingSystem.MACOS, Architecture.AARCH64, emulators={Architecture.X86_64: QEMU}),
            [(Target.MACOS_AARCH64, ())],
        ),
        (host(OperatingSystem.WINDOWS), [(Target.WINDOWS_X86_64, ())]),
    ],
)
def test_a_host_starts_its_own_target_and_on_linux_emulated_ones(
    here: Host, launches: list[tuple[Target, tuple[str, ...]]]
) -> None:
    assert [(launch.target, launch.launcher) for launch in launches_on(here)] == launches


def test_a_target_can_be_named() -> None:
    emulating = host(emulators={Architecture.AARCH64: QEMU})
    (launch,) = launches_on(emulating, only=Target.LINUX_AARCH64)
    assert launch == Launch(target=Target.LINUX_AARCH64, launcher=(str(QEMU),))
    with pytest.raises(HostError, match="cannot start executables for aarch64-apple-darwin"):
        launches_on(emulating, only=Target.MACOS_AARCH64)


def test_an_unknown_host_starts_nothing() -> None:
    with pytest.raises(HostError, match="cannot start any runtime of Codex"):
        launches_on(host(None, None))


def test_a_release_without_a_package_for_this_host_is_an_error() -> None:
    released = ReleaseAssets(tag=TAG, channel=ChannelName.NPM, assets=())
    with pytest.raises(
        UpstreamError, match=r"channel npm has no package of rust-v0\.163\.0 for x86_64-unknown-linux-musl$"
    ):
        choose_runtime(released, launches_on(host()))


@posix
def test_a_runtime_may_print_while_it_writes_its_schema(tmp_path: Path) -> None:
    assert write(tmp_path, runtime()) == bundle()


@posix
def test_a_runtime_gets_its_own_home_and_no_other_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    at_home = '[ "$HOME" = "$(pwd)" ] && [ "$CODEX_HOME" = "$HOME" ] && ls -A | wc -l'
    with pytest.raises(BuildError, match=r"output: 0 no key$"):
        write(tmp_path, script(at_home, "echo ${OPENAI_API_KEY-no key}"))


@posix
@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("echo 'no such library' >&2", "exit 3"), "failed (exit status 3); output: no such library"),
        (("kill -SEGV $$",), "failed (killed by SIGSEGV)"),
        (("printf 'a\\033[2J\\000b'",), "wrote no schema; output: a?[2J?b"),
        (("exit 0",), "wrote no schema"),
    ],
)
def test_a_runtime_that_fails_is_an_error(tmp_path: Path, lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(BuildError) as failed:
        write(tmp_path, script(*lines))
    assert str(failed.value) == f"rust-v0.163.0: 'codex app-server generate-json-schema' {message}"
    assert failed.value.exit_code == 23
    assert failed.value.hint


@posix
def test_a_schema_that_is_not_json_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MalformedJson, match="not JSON"):
        write(tmp_path, script(f'echo "thread panicked" > "$4/{BUNDLE}"'))


def test_a_runtime_that_hangs_is_an_error(tmp_path: Path) -> None:
    ended = Completed(returncode=-9, output="no end within 60 s")
    hangs = FakeRunner(Expected(argv=["app-server", "generate-json-schema", "--out"], completed=ended))
    with pytest.raises(BuildError, match=r"failed \(killed by SIGKILL\); output: no end within 60 s"):
        write(tmp_path, b"#!", hangs)
    assert hangs.commands[0].timeout_s == 60.0


@posix
def test_a_runtime_for_another_processor_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FactoryError, match="cannot start"):
        write(tmp_path, b"\x7fELF, but not one that runs")


@pytest.mark.parametrize("version", ["0.8.0", "0.57.0"])
def test_a_release_without_the_command_is_refused_before_it_is_downloaded(version: str) -> None:
    with pytest.raises(UpstreamError, match=f"rust-v{version} cannot write the schema") as refused:
        require_schema_command(CodexTag.parse(version))
    assert refused.value.hint == "Name a release from 0.58.0 on."


@pytest.mark.parametrize("version", ["0.58.0-alpha.1", "0.58.0", "0.163.0", "1.0.0"])
def test_a_release_with_the_command_is_accepted(version: str) -> None:
    require_schema_command(CodexTag.parse(version))

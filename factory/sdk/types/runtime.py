"""Let a release's own runtime write the schema of its protocol, on a host that can start it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from factory.core.errors import BuildError, HostError, UpstreamError
from factory.core.model import ReleaseAsset, ReleaseAssets
from factory.core.tags import CodexTag
from factory.core.targets import OperatingSystem, Target
from factory.release.payload import Layout, PackageSource, layout_of
from factory.sdk.types.schema import BUNDLE, SchemaBundle
from factory.system.files import writing
from factory.system.process import Command, Runner
from factory.verify.smoke import Host

_TIMEOUT_S = 60.0
_TAIL_CHARACTERS = 300


class CannotStartTarget(HostError):
    """This host can start no runtime of a target."""

    hint = "Use another host, or install qemu-user-static; 'factory doctor' tells what is here."

    def __init__(self, what: str) -> None:
        super().__init__(f"this host can start {what}")


class NoRuntime(UpstreamError):
    """A release has no package that this host could start."""

    def __init__(self, released: ReleaseAssets, targets: Sequence[Target]) -> None:
        wanted = " or ".join(target.value for target in targets)
        super().__init__(
            f"channel {released.channel} has no package of {released.tag} for {wanted}",
            hint="Try another channel, another host, or --schema-dir with schemas written elsewhere.",
        )


class RuntimeFailed(BuildError):
    """A runtime did not write its schema."""

    hint = "Start the same command by hand. If it fails there too, the release is broken on this host."

    def __init__(self, tag: CodexTag, reason: str, output: str) -> None:
        tail = " ".join(output[-_TAIL_CHARACTERS:].split())
        printable = "".join(character if character.isprintable() else "?" for character in tail)
        said = f"; it said: {printable}" if printable else ""
        super().__init__(f"{tag}: 'codex app-server generate-json-schema' {reason}{said}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A target whose executables this host starts, and what stands before their path: an emulator."""

    target: Target
    launcher: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TypesWorkspace:
    """Where and with what a process is started.

    Attributes:
        scratch: An empty directory; nothing in it outlives the run.
        runner: What starts processes.
        env: What every process on this host needs; nothing else reaches it.
    """

    scratch: Path
    runner: Runner
    env: Mapping[str, str]


def launches_on(host: Host, *, only: Target | None = None) -> tuple[Launch, ...]:
    """Return which targets a host can start, its own first.

    A Linux executable of Codex is static, so that the C library does not matter.

    Raises:
        CannotStartTarget: There is none, or not the one that was asked for.
    """
    own = [
        Launch(target=target)
        for target in Target
        if (target.operating_system, target.architecture) == (host.operating_system, host.architecture)
    ]
    emulated = [
        Launch(target=target, launcher=(str(host.emulators[target.architecture]),))
        for target in Target
        if host.operating_system is OperatingSystem.LINUX is target.operating_system
        and target.architecture is not host.architecture
        and target.architecture in host.emulators
    ]
    launches = tuple(launch for launch in (*own, *emulated) if only in {None, launch.target})
    if not launches:
        raise CannotStartTarget("no runtime of Codex" if only is None else f"no executable for {only}")
    return launches


def choose_runtime(released: ReleaseAssets, launches: Sequence[Launch]) -> tuple[ReleaseAsset, Launch]:
    """Return the first package that can be started here.

    Raises:
        NoRuntime: The release has none.
    """
    for launch in launches:
        asset = released.for_target(launch.target)
        if asset is not None:
            return asset, launch
    raise NoRuntime(released, [launch.target for launch in launches])


def write_schema(
    source: PackageSource, launch: Launch, tag: CodexTag, workspace: TypesWorkspace
) -> SchemaBundle:
    """Take the codex executable out of a package and let it write its schema.

    It is started with a home of its own and nothing of the caller's environment, after the
    package's digest was checked.

    Raises:
        RuntimeFailed: It crashed, did not end in time, or wrote nothing.
        UnusableSchema: What it wrote is no schema of a protocol.
        FactoryError: The package cannot be read.
    """
    executable = _executable(source, launch.target, workspace.scratch / "package")
    home, out = workspace.scratch / "home", workspace.scratch / "schema"
    with writing(workspace.scratch):
        home.mkdir()
        out.mkdir()
    completed = workspace.runner.run(
        Command(
            argv=(*launch.launcher, str(executable), "app-server", "generate-json-schema", "--out", str(out)),
            env={**workspace.env, "HOME": str(home), "CODEX_HOME": str(home), "TMPDIR": str(home)},
            cwd=home,
            timeout_s=_TIMEOUT_S,
        )
    )
    if completed.returncode != 0:
        raise RuntimeFailed(tag, f"did not work ({completed.reason})", completed.output)
    if not (out / BUNDLE).exists():
        raise RuntimeFailed(tag, "wrote no schema", completed.output)
    return SchemaBundle.read(out)


def _executable(source: PackageSource, target: Target, directory: Path) -> Path:
    wanted = {PurePosixPath(layout.executable(target)) for layout in Layout}
    payload = source.extract(target, place=lambda path: (directory / path,) if path in wanted else ())
    executable = directory / layout_of(payload).executable(target)
    with writing(directory):
        executable.chmod(0o700)
    return executable

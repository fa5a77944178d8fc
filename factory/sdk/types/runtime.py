"""Start a release's own runtime to write the schema of its protocol."""

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
from factory.system.host import Host
from factory.system.process import Command, Runner

_FIRST_RELEASE = (0, 58)
"""The first release with ``codex app-server generate-json-schema``."""
_TIMEOUT_S = 60.0
_TAIL_CHARACTERS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A target whose executables this host can start, and the emulator that it needs for that, if any."""

    target: Target
    launcher: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TypesWorkspace:
    """What the runtime and the generator need to run.

    Attributes:
        scratch: An empty directory that is removed after the run.
        env: The variables that every process on this host needs; the user's others are not passed on.
    """

    scratch: Path
    runner: Runner
    env: Mapping[str, str]


def launches_on(host: Host, *, only: Target | None = None) -> tuple[Launch, ...]:
    """Return the targets that a host can start, its own first.

    The C library does not matter: the Linux executables of Codex are static.

    Raises:
        HostError: It can start no target, or not the named one.
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
        what = "any runtime of Codex" if only is None else f"executables for {only}"
        raise HostError(
            f"this host cannot start {what}",
            hint="Use another host, or install qemu-user-static; 'factory doctor' shows what is installed.",
        )
    return launches


def require_schema_command(tag: CodexTag) -> None:
    """Refuse a release without the command that writes a schema, before it is downloaded.

    Raises:
        UpstreamError: The release is too old.
    """
    if tag.release[:2] < _FIRST_RELEASE:
        raise UpstreamError(
            f"{tag} cannot write the schema of its protocol:"
            " releases before 0.58.0 have no 'codex app-server generate-json-schema'",
            hint="Name a release from 0.58.0 on.",
        )


def choose_runtime(released: ReleaseAssets, launches: Sequence[Launch]) -> tuple[ReleaseAsset, Launch]:
    """Return the release's first package that can be started here.

    Raises:
        UpstreamError: The release has no such package.
    """
    for launch in launches:
        asset = released.for_target(launch.target)
        if asset is not None:
            return asset, launch
    wanted = " or ".join(launch.target.value for launch in launches)
    raise UpstreamError(
        f"channel {released.channel} has no package of {released.tag} for {wanted}",
        hint="Try another channel or host, or --schema-dir with a schema that was written elsewhere.",
    )


def write_schema(
    source: PackageSource, launch: Launch, tag: CodexTag, workspace: TypesWorkspace
) -> SchemaBundle:
    """Extract the codex executable from a package and run it to write its schema.

    The package's digest is checked first. The executable gets a home directory of its own and none of
    the user's environment.

    Raises:
        BuildError: It failed, did not end in time, or wrote no schema.
        UnusableSchema: It wrote something else than a protocol's schema.
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
        raise _failed(tag, f"failed ({completed.reason})", completed.output)
    if not (out / BUNDLE).exists():
        raise _failed(tag, "wrote no schema", completed.output)
    return SchemaBundle.read(out)


def _executable(source: PackageSource, target: Target, directory: Path) -> Path:
    wanted = {PurePosixPath(layout.executable(target)) for layout in Layout}
    payload = source.extract(target, place=lambda path: (directory / path,) if path in wanted else ())
    executable = directory / layout_of(payload).executable(target)
    with writing(directory):
        executable.chmod(0o700)
    return executable


def _failed(tag: CodexTag, reason: str, output: str) -> BuildError:
    tail = " ".join(output[-_TAIL_CHARACTERS:].split())
    printable = "".join(character if character.isprintable() else "?" for character in tail)
    shown = f"; output: {printable}" if printable else ""
    return BuildError(
        f"{tag}: 'codex app-server generate-json-schema' {reason}{shown}",
        hint="Run the same command by hand. If it fails there too, the release is broken on this host.",
    )

"""The runtime under test: one wheel, whose bytes are known, and how this host starts it."""

from dataclasses import dataclass
from pathlib import Path

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from factory.build.template import DISTRIBUTION
from factory.core.digests import Sha256
from factory.core.errors import HostError, UsageError
from factory.core.tags import CodexTag
from factory.core.targets import OperatingSystem, Platform
from factory.manifest.manifest import Manifest, WheelRecord
from factory.system.files import WrongDigest
from factory.verify.smoke import Host, Libc


class NoRuntime(UsageError):
    """What was given is no wheel of the runtime."""

    hint = "Name a manifest.json, the directory that has it, or a wheel of the runtime."

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is no runtime to try: {reason}")


class CannotTry(HostError):
    """This host cannot start a wheel's executable."""

    hint = "Run it on a host of that platform; 'factory doctor' tells what this one can start."


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeWheel:
    """A wheel of the runtime, with the digest that it must have when it is installed."""

    wheel: Path
    sha256: Sha256
    tag: CodexTag
    platform: Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchMethod:
    """How an executable is started.

    Attributes:
        how: For a person, and for the evidence.
        emulator: What stands before it; None where the processor is this host's own.
    """

    how: str
    emulator: Path | None = None


def launch_method(platform: Platform, host: Host) -> LaunchMethod:
    """Decide how a platform's executable is started here.

    Raises:
        CannotTry: It cannot be.
    """
    system, architecture = platform.target.operating_system, platform.target.architecture
    if system is not host.operating_system:
        raise CannotTry(f"{platform} is for {system.value}, and this host is not")
    if platform.tag.startswith("musllinux_") and host.libc is not Libc.MUSL:
        raise CannotTry(f"{platform} needs a musl system to be installed on, and this host is none")
    if architecture is host.architecture:
        return LaunchMethod(how="natively")
    emulator = host.emulators.get(architecture) if system is OperatingSystem.LINUX else None
    if emulator is None:
        raise CannotTry(f"{platform} needs a processor of {architecture}, and there is no emulator here")
    return LaunchMethod(how=f"under {emulator.name}", emulator=emulator)


def read_runtime_wheel(path: Path) -> RuntimeWheel:
    """Take a wheel as it lies there.

    Raises:
        NoRuntime: It is none of the runtime's.
        MalformedTag: Its version is no release's.
    """
    try:
        name, version, _, tags = parse_wheel_filename(path.name)
        digest = Sha256.of_file(path)
    except InvalidWheelFilename as error:
        raise NoRuntime(path, "its name is no wheel's") from error
    except OSError as error:
        raise NoRuntime(path, error.strerror or str(error)) from error
    if name != DISTRIBUTION:
        raise NoRuntime(path, f"it is a wheel of {name}")
    platform = Platform.of_tag(min(tag.platform for tag in tags))
    return RuntimeWheel(wheel=path, sha256=digest, tag=CodexTag.parse(str(version)), platform=platform)


def choose_runtime_wheel(
    manifest: Manifest, directory: Path, *, platform: Platform | None, host: Host
) -> RuntimeWheel:
    """Take a manifest's wheel for a platform, else the first one that this host starts without help.

    Raises:
        NoRuntime: It has none.
        WrongDigest: The file is not the one that was verified.
    """
    record = _chosen(manifest, platform, host)
    if record is None:
        wanted = "this host" if platform is None else str(platform)
        raise NoRuntime(directory, f"it has no wheel for {wanted}")
    runtime = read_runtime_wheel(directory / record.name)
    if runtime.sha256 != record.sha256:
        raise WrongDigest(record.name, promised=record.sha256.digest, seen=runtime.sha256.digest)
    return runtime


def _chosen(manifest: Manifest, platform: Platform | None, host: Host) -> WheelRecord | None:
    if platform is not None:
        return manifest.wheel(platform)
    return next((record for record in manifest.wheels if _is_native(record, host)), None)


def _is_native(record: WheelRecord, host: Host) -> bool:
    try:
        return launch_method(Platform.of_tag(record.platform), host).emulator is None
    except CannotTry:
        return False

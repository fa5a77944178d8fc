"""Choose the runtime wheel to test, and how this host starts its executable."""

from dataclasses import dataclass
from pathlib import Path

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from factory.build.template import DISTRIBUTION
from factory.core.digests import Sha256
from factory.core.errors import HostError, UsageError
from factory.core.platform_tags import platform_of_tag
from factory.core.tags import CodexTag
from factory.core.targets import OperatingSystem, Platform
from factory.manifest.manifest import Manifest, WheelRecord
from factory.system.files import WrongDigest
from factory.system.host import Host, Libc


class CannotLaunch(HostError):
    """This host cannot start the executable of a wheel."""

    hint = "Run it on a host of that platform; 'factory doctor' lists what this host can start."


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeWheel:
    """A wheel of the runtime, with the digest that is required when it is installed."""

    wheel: Path
    sha256: Sha256
    tag: CodexTag
    platform: Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchMethod:
    """How an executable is started.

    Attributes:
        how: Printed and recorded: ``natively`` or ``under qemu-aarch64-static``.
        emulator: The program that runs the executable; None if this host's processor can.
    """

    how: str
    emulator: Path | None = None


def launch_method(platform: Platform, host: Host) -> LaunchMethod:
    """Return how this host starts the executable of a platform's wheel.

    Raises:
        CannotLaunch: It cannot.
    """
    system, architecture = platform.target.operating_system, platform.target.architecture
    if system is not host.operating_system:
        raise CannotLaunch(f"{platform} is for {system.value}, and this host is not")
    if platform.tag.startswith("musllinux_") and host.libc is not Libc.MUSL:
        raise CannotLaunch(f"{platform} can only be installed on a musl system, and this host is not one")
    if architecture is host.architecture:
        return LaunchMethod(how="natively")
    emulator = host.emulators.get(architecture) if system is OperatingSystem.LINUX else None
    if emulator is None:
        raise CannotLaunch(f"{platform} needs an {architecture} processor, and no emulator is installed")
    return LaunchMethod(how=f"under {emulator.name}", emulator=emulator)


def read_runtime_wheel(path: Path) -> RuntimeWheel:
    """Read a wheel's tag, platform and digest from its file name and its bytes.

    Raises:
        UsageError: It cannot be read, or is not a wheel of the runtime.
        MalformedTag: Its version is not that of a Codex release.
    """
    try:
        name, version, _, tags = parse_wheel_filename(path.name)
        digest = Sha256.of_file(path)
    except InvalidWheelFilename as error:
        raise _unusable(path, "its name is not a wheel's") from error
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    if name != DISTRIBUTION:
        raise _unusable(path, f"it is a wheel of {name}")
    platform = platform_of_tag(min(tag.platform for tag in tags))
    return RuntimeWheel(wheel=path, sha256=digest, tag=CodexTag.parse(str(version)), platform=platform)


def choose_runtime_wheel(
    manifest: Manifest, directory: Path, *, platform: Platform | None, host: Host
) -> RuntimeWheel:
    """Return a manifest's wheel for a platform, or else the first one that this host starts natively.

    Raises:
        UsageError: The manifest has no such wheel.
        WrongDigest: The file is not the one that was verified.
    """
    record = _chosen_record(manifest, platform, host)
    if record is None:
        wanted = "this host" if platform is None else str(platform)
        raise _unusable(directory, f"it has no wheel for {wanted}")
    runtime = read_runtime_wheel(directory / record.name)
    if runtime.sha256 != record.sha256:
        raise WrongDigest(record.name, expected=record.sha256.digest, actual=runtime.sha256.digest)
    return runtime


def _chosen_record(manifest: Manifest, platform: Platform | None, host: Host) -> WheelRecord | None:
    if platform is not None:
        return manifest.wheel(platform)
    return next((record for record in manifest.wheels if _is_native(record, host)), None)


def _is_native(record: WheelRecord, host: Host) -> bool:
    try:
        return launch_method(platform_of_tag(record.platform), host).emulator is None
    except CannotLaunch:
        return False


def _unusable(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"cannot test {path}: {reason}",
        hint="Name a manifest.json, the directory that has it, or a wheel of the runtime.",
    )

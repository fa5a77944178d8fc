"""Take the one wheel that a front end made, wherever it ran, and put it in its place."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from factory.build.backend.zip_host import set_zip_host
from factory.build.builder import WheelFile
from factory.core.digests import Sha256
from factory.core.errors import BuildError
from factory.core.targets import Platform
from factory.system.files import writing


class BuildFailed(BuildError):
    """The front end or the backend failed."""

    hint = "Read the log; the staged directory can be built by hand with 'python -m build --wheel'."

    def __init__(self, wheel_name: str, reason: str, log: Path | None, *, hint: str = "") -> None:
        super().__init__(f"building {wheel_name} failed in the backend: {reason}; log: {log}", hint=hint)


class UnexpectedOutput(BuildError):
    """The backend ended well, but what came out is not the one planned wheel."""

    hint = "Stage the runtime again: its name, version or platform tag may have been edited."

    def __init__(self, wheel_name: str, found: tuple[str, ...], log: Path | None) -> None:
        seen = ", ".join(found) or "nothing"
        super().__init__(f"building {wheel_name} gave {seen} in its place; log: {log}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelOutput:
    """Where a front end puts a wheel, and what becomes of it.

    Attributes:
        wheel_name: The one file that must come out.
        platform: Its platform.
        out: Where the front end puts it.
        destination: Where it goes once it is whole, on the same disk.
        create_system: The zip host that its directory names.
        log: What the build said; it stays when the build fails, and is removed when the wheel is placed.
    """

    wheel_name: str
    platform: Platform
    out: Path
    destination: Path
    create_system: int
    log: Path | None


def only_file(output: WheelOutput) -> Path:
    """Return the one planned file that came out.

    Raises:
        UnexpectedOutput: Another one did, or several, or something that is no file.
    """
    found = tuple(sorted(path.name for path in output.out.iterdir()))
    wheel = output.out / output.wheel_name
    if found != (output.wheel_name,) or wheel.is_symlink() or not wheel.is_file():
        raise UnexpectedOutput(output.wheel_name, found, output.log)
    return wheel


def place(output: WheelOutput, wheel: Path) -> WheelFile:
    """Move a wheel to its place, whole or not at all.

    It is hashed before the rename; its bytes are the backend's but for the zip host, which is the recipe's.

    Raises:
        UnexpectedOutput: It is no zip archive.
        CannotWrite: The destination does not take it.
    """
    try:
        set_zip_host(wheel, output.create_system)
    except zipfile.BadZipFile as error:
        raise UnexpectedOutput(output.wheel_name, ("a file that is no zip archive",), output.log) from error
    sha256 = Sha256.of_file(wheel)
    size_bytes = wheel.stat().st_size
    with writing(output.destination):
        output.destination.parent.mkdir(parents=True, exist_ok=True)
        wheel.replace(output.destination)
        if output.log is not None:
            output.log.unlink(missing_ok=True)
    return WheelFile(path=output.destination, size_bytes=size_bytes, sha256=sha256)

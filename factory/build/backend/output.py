"""Check the output of a front end, and move the wheel to its final place."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from factory.build.backend.zip_host import set_zip_host
from factory.build.builder import WheelFile
from factory.build.stage import StagedRuntime
from factory.core.digests import Sha256
from factory.core.errors import BuildError
from factory.system.files import writing


class BuildFailed(BuildError):
    """The front end or the backend failed."""

    hint = "Read the log; the staged directory can be built by hand with 'python -m build --wheel'."

    def __init__(self, wheel_name: str, reason: str, log: Path | None, *, hint: str = "") -> None:
        super().__init__(f"building {wheel_name} failed in the backend: {reason}; log: {log}", hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelOutput:
    """The files that the build of one wheel writes.

    Attributes:
        scratch: A directory for this build alone; it must not exist, and is removed afterwards.
        dist: The directory for the wheel, on the same disk: a rename moves the complete wheel there.
        log: Kept only if the build fails.
    """

    staged: StagedRuntime
    scratch: Path
    dist: Path
    log: Path

    @property
    def out(self) -> Path:
        """The directory that the front end writes the wheel to."""
        return self.scratch / "out"


def only_file(output: WheelOutput) -> Path:
    """Return the wheel that the front end wrote.

    Raises:
        BuildError: There is another file, or the wheel is not a regular file.
    """
    name = output.staged.wheel_name
    found = sorted(path.name for path in output.out.iterdir())
    wheel = output.out / name
    if found != [name] or wheel.is_symlink() or not wheel.is_file():
        raise _unexpected_output(output, ", ".join(found) or "nothing")
    return wheel


def place_wheel(output: WheelOutput, wheel: Path) -> WheelFile:
    """Set the zip host of the recipe, and move the wheel to ``dist``; all other bytes are the backend's.

    Raises:
        BuildError: The file is not a zip archive.
        CannotWrite: The directory is not writable.
    """
    try:
        set_zip_host(wheel, output.staged.recipe.container.create_system)
    except zipfile.BadZipFile as error:
        raise _unexpected_output(output, "a file that is not a zip archive") from error
    size_bytes, sha256 = wheel.stat().st_size, Sha256.of_file(wheel)
    destination = output.dist / output.staged.wheel_name
    with writing(destination):
        output.dist.mkdir(parents=True, exist_ok=True)
        wheel.replace(destination)
        output.log.unlink(missing_ok=True)
    return WheelFile(path=destination, size_bytes=size_bytes, sha256=sha256)


def _unexpected_output(output: WheelOutput, found: str) -> BuildError:
    return BuildError(
        f"building {output.staged.wheel_name} gave {found} in its place; log: {output.log}",
        hint="Stage the runtime again: its name, version or platform tag may have been edited.",
    )

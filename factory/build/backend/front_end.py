"""What the front ends have in common: their interface, and the environment variables of a build."""

from pathlib import Path
from typing import Protocol

from factory.build.builder import WheelFile
from factory.build.stage import StagedRuntime


class FrontEnd(Protocol):
    """Builds staged runtimes with ``python -m build``, on this host or in a container."""

    def build(self, staged: StagedRuntime, *, scratch: Path, dist: Path) -> WheelFile:
        """Build one wheel into ``dist``; after an error ``dist`` is unchanged.

        Args:
            staged: The project to build; it is not changed.
            scratch: A directory for this build alone; it must not exist, and is removed afterwards.
            dist: A directory on the same disk as ``scratch``.

        Raises:
            BuildError: The build failed; its log is kept.
            HostError: The container engine failed, or a directory is not writable.
        """


def scrubbed_env(scratch: Path) -> dict[str, str]:
    """Return variables that hide the user and the place of a build.

    ``SOURCE_DATE_EPOCH`` and ``CODEX_CLI_BIN_PLATFORM_TAG`` are absent on purpose: the recipe decides
    the times, and the stage contains the tag.
    """
    temporary = str(scratch / "tmp")
    return {
        "HOME": str(scratch / "home"),
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "TEMP": temporary,
        "TMP": temporary,
        "TMPDIR": temporary,
        "TZ": "UTC",
    }

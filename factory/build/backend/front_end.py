"""The seam between staging a runtime and building it: where, and by whose hands, the front end runs."""

from pathlib import Path
from typing import Protocol

from factory.build.builder import WheelFile
from factory.build.recipe import Recipe
from factory.core.model import StagedRuntime


class FrontEnd(Protocol):
    """What turns a staged runtime into a wheel with ``python -m build``: on this host or in a container."""

    def build(self, staged: StagedRuntime, recipe: Recipe, *, scratch: Path, dist: Path) -> WheelFile:
        """Build one wheel into ``dist``, whole or not at all.

        Args:
            staged: What to build; it is read and stays as it is.
            recipe: The recipe it was staged by, which has the zip host.
            scratch: A directory of this build alone; it must not exist yet, and is gone afterwards.
            dist: The directory that gets the wheel, on the disk of ``scratch``.

        Raises:
            BuildError: The build failed; the log is kept beside ``scratch``.
            HostError: There is no place to build in.
        """

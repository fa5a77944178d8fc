"""The layouts of release packages, below their target's root."""

from enum import StrEnum

from factory.core.errors import IntegrityError
from factory.core.model import Payload
from factory.core.targets import Target


class Layout(StrEnum):
    """The layout of a release package."""

    PACKAGE = "package"
    LEGACY = "legacy"

    def executable(self, target: Target) -> str:
        """Return the path of the codex executable."""
        match self:
            case Layout.PACKAGE:
                return f"bin/codex{target.executable_suffix}"
            case Layout.LEGACY:
                return f"codex/codex{target.executable_suffix}"


def layout_of(payload: Payload) -> Layout:
    """Return the layout that has the codex executable where the payload has it.

    Raises:
        IntegrityError: The payload fits no layout, or both.
    """
    found = [layout for layout in Layout if payload.file(layout.executable(payload.target)) is not None]
    if len(found) == 1:
        return found[0]
    paths = " or ".join(layout.executable(payload.target) for layout in Layout)
    reason = "it mixes two layouts" if found else f"it has no {paths}"
    raise IntegrityError(
        f"the release package for {payload.target} has an unknown layout: {reason}",
        hint="Check that this is a Codex release package; a new layout needs support in the factory.",
    )

"""How a release package is laid out below its target's root."""

from enum import StrEnum

from factory.core.errors import IntegrityError
from factory.core.model import Payload
from factory.core.targets import Target


class UnknownLayout(IntegrityError):
    """The codex executable is not where a release package has it."""

    hint = "Check that this is a Codex release package; the factory must learn a layout that is new."

    def __init__(self, target: Target, reason: str) -> None:
        super().__init__(f"the release package for {target} has an unknown layout: {reason}")


class Layout(StrEnum):
    """How a release package is laid out."""

    PACKAGE = "package"
    LEGACY = "legacy"

    def executable(self, target: Target) -> str:
        """Return where the codex executable is."""
        match self:
            case Layout.PACKAGE:
                return f"bin/codex{target.executable_suffix}"
            case Layout.LEGACY:
                return f"codex/codex{target.executable_suffix}"


def layout_of(payload: Payload) -> Layout:
    """Tell a payload's layout by where its codex executable is.

    Raises:
        UnknownLayout: It is in none of the places, or in both.
    """
    found = [layout for layout in Layout if payload.file(layout.executable(payload.target)) is not None]
    match found:
        case [layout]:
            return layout
        case []:
            places = " or ".join(layout.executable(payload.target) for layout in Layout)
            raise UnknownLayout(payload.target, f"there is no {places}")
        case _:
            raise UnknownLayout(payload.target, "it mixes two layouts")

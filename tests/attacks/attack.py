"""An attack: how a good wheel, manifest or statement is changed, and what the change touches."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.wheels import Wheel

Document = dict[str, object]


class Touches(StrEnum):
    """What an attack on a wheel changes."""

    INSTALLATION = "installation"
    """What is installed, or which archive an installer reads: no command may pass the wheel."""
    CONTAINER = "container"
    """Bytes of the archive that install the same files: no audit may say that the bytes were rebuilt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelAttack:
    """A changed wheel with a consistent RECORD, unless RECORD is what is attacked."""

    name: str
    touches: Touches
    make: Callable[[Wheel], Wheel]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestAttack:
    """A changed manifest beside good wheels."""

    name: str
    change: Callable[[Document], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementAttack:
    """A changed envelope of a statement that was made and signed for a good wheel.

    Attributes:
        make: Takes the signed envelope, returns the attacker's file.
    """

    name: str
    make: Callable[[bytes], bytes]

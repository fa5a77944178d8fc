"""One way of breaking a wheel, and the one check that must see it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.wheels import Wheel


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakage:
    """A good wheel broken in just one way.

    Attributes:
        name: What was done to it, as a pytest id.
        check: The id of the check that must find it; no other check may.
        make: Makes the broken wheel from the good one of its platform.
        platform: Of the good wheel.
    """

    name: str
    check: str
    make: Callable[[Wheel], Wheel]
    platform: str = "manylinux_2_17_x86_64"

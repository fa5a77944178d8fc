"""One way to break a wheel, and the one check that must find it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.wheels import Wheel


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakage:
    """One defect of a wheel.

    Attributes:
        name: The defect; completes "a wheel with ..." and is the pytest id.
        check: The id of the check that must find it; no other check may.
        make: Makes the broken wheel from the good one of its platform.
    """

    name: str
    check: str
    make: Callable[[Wheel], Wheel]
    platform: str = "manylinux_2_17_x86_64"

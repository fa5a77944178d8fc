"""One way to break a wheel, and the one check that must find it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.wheels import Wheel


@dataclass(frozen=True, slots=True)
class Breakage:
    """One defect of a wheel.

    Attributes:
        name: The defect; completes "a wheel with ..." and is the pytest id.
        check: The id of the check that must find it; no other check may.
        make: Makes the broken wheel from the good one of its platform.
        is_of_another_project: Whether the broken wheel is not one of this project.
    """

    name: str
    check: str
    make: Callable[[Wheel], Wheel]
    platform: str = "manylinux_2_17_x86_64"
    is_of_another_project: bool = False

    @property
    def expected(self) -> set[str]:
        """The checks that find something: for a wheel of another project, a note says so as well."""
        return {self.check, "project-other"} if self.is_of_another_project else {self.check}


@dataclass(frozen=True, slots=True)
class Twin:
    """A sound wheel that resembles a broken one; no check may find anything.

    Attributes:
        has_new_content: Whether no reviewed wheel has such content: the checks of the closed world report it.
    """

    name: str
    make: Callable[[Wheel], Wheel]
    platform: str = "manylinux_2_17_x86_64"
    has_new_content: bool = False


def with_text(file: str, old: str, new: str) -> Callable[[Wheel], Wheel]:
    """Return a function that replaces a text in a member."""
    return lambda wheel: wheel.edited_text(file, old, new)


def with_content(name: str, content: bytes) -> Callable[[Wheel], Wheel]:
    """Return a function that replaces the content of a member."""
    return lambda wheel: wheel.edited(name, lambda member: replace(member, content=content))


def without(name: str) -> Callable[[Wheel], Wheel]:
    """Return a function that removes a member."""
    return lambda wheel: wheel.without(name)

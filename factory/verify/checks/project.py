"""Which project a wheel belongs to; some checks are about the contents of this project's wheels only."""

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from factory.build.template import DISTRIBUTION, PACKAGE
from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info_files import dist_info_directories, metadata_fields
from factory.verify.reading.contents import WheelContents

check = Checks[WheelContents](standard="docs/baseline.md")


def is_of_this_project(wheel: WheelContents) -> bool:
    """Whether any part of a wheel claims this project; tools differ in which part they use."""
    if wheel.expected is not None:
        return True
    names = [wheel.name.partition("-")[0]]
    names += [directory.partition("-")[0] for directory in dist_info_directories(wheel)]
    for field, values in (metadata_fields(wheel) or {}).items():
        names += values if field.lower() == "name" else ()
    tops = {member.name.partition("/")[0].casefold() for member in wheel.members}
    return any(canonicalize_name(name) == DISTRIBUTION for name in names) or any(
        top.partition(".")[0] == PACKAGE for top in tops
    )


@check(
    "project-other",
    Severity.NOTE,
    title=f"The wheel is one of {DISTRIBUTION}",
    protects="Readers of the report: nothing is known about what another project's wheel should contain.",
    remedy="No action if the wheel is another project's.",
)
def _find_other_project(wheel: WheelContents) -> Iterator[Fault]:
    if not is_of_this_project(wheel):
        yield Fault(wheel.name, f"the checks of what wheels of {DISTRIBUTION} contain were left out")


CHECKS = check.registered()

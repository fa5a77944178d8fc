"""All checks of ``factory verify`` and what each one looks at, for lists and explanations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from factory.core.errors import UsageError
from factory.core.model import Severity
from factory.verify import smoke
from factory.verify.checks import across, listing, registry
from factory.verify.checks.check import Check, SubjectT
from factory.verify.stock import stock_tools
from factory.verify.waivers import NEVER_WAIVED, Waiver


class Scope(StrEnum):
    """What a check looks at."""

    WHEEL = "wheel"
    PROJECT = "wheel of this project"
    RELEASE = "release"
    MANIFEST = "manifest"
    STOCK_TOOL = "stock tool"
    START = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDescription:
    """The description of a check: the attributes of `Check`, its scope, and whether waivers may cover it."""

    id: str
    title: str
    severity: Severity
    protects: str
    standard: str
    remedy: str
    scope: Scope
    is_waivable: bool


def catalogue() -> tuple[CheckDescription, ...]:
    """Return the descriptions of all checks, in the order in which findings are shown."""
    return (
        *_entries(registry.CHECKS, Scope.WHEEL),
        *_entries(stock_tools.CHECKS, Scope.STOCK_TOOL),
        *_entries(smoke.CHECKS, Scope.START),
        *_entries(across.CHECKS, Scope.RELEASE),
        *_entries(listing.CHECKS, Scope.MANIFEST),
    )


@cache
def by_id() -> Mapping[str, CheckDescription]:
    """Return the descriptions of all checks by their ids."""
    return {listed.id: listed for listed in catalogue()}


def entry(check_id: str) -> CheckDescription:
    """Return the description of one check.

    Raises:
        UsageError: There is no check with that id.
    """
    if (found := by_id().get(check_id)) is not None:
        return found
    raise UsageError(f"there is no check {check_id!r}", hint="'factory show checks' lists them.")


def require_known(waivers: Iterable[Waiver]) -> None:
    """Refuse waivers for unknown checks: a misspelt waiver would never cover a finding.

    Raises:
        UsageError: A waiver names an unknown check.
    """
    for waiver in waivers:
        entry(waiver.check)


def _entries(checks: Iterable[Check[SubjectT]], scope: Scope) -> tuple[CheckDescription, ...]:
    return tuple(
        CheckDescription(
            id=check.id,
            title=check.title,
            severity=check.severity,
            protects=check.protects,
            standard=check.standard,
            remedy=check.remedy,
            scope=Scope.PROJECT if check.is_for_project else scope,
            is_waivable=check.id not in NEVER_WAIVED,
        )
        for check in checks
    )

"""What the checks find in a wheel of the zoo, compared with the zoo's own baseline."""

from collections.abc import Iterable
from pathlib import Path

from factory.core.model import Finding, Severity
from factory.verify.checks.closed_world import CLOSED_WORLD_IDS, Reference
from factory.verify.checks.registry import find_all, make_checks
from factory.verify.reading.contents import WheelContents
from factory.verify.reading.read import read_wheel
from tests.authority import TRUST
from tests.baselines import BASELINE
from tests.wheels import Wheel

CLOSED_WORLD = CLOSED_WORLD_IDS
_CHECKS = make_checks(Reference(baseline=lambda: BASELINE))


def findings_of(wheel: Wheel, directory: Path) -> tuple[Finding, ...]:
    """Return all findings in a wheel."""
    scratch = directory / "scratch"
    scratch.mkdir()
    return find_all(read_wheel(wheel.write(directory), scratch=scratch, trust=TRUST), _CHECKS)


def errors_of(contents: WheelContents) -> tuple[str, ...]:
    """Return the checks that find an error, without those that compare with the reviewed baseline."""
    findings = find_all(contents, _CHECKS)
    errors = {finding.check for finding in findings if finding.severity is Severity.ERROR}
    return tuple(sorted(errors - CLOSED_WORLD))


def checks_like(check: str, findings: Iterable[Finding]) -> set[str]:
    """Return the checks that found something, of the kind of one check.

    The checks of the closed world find again what other checks say of a changed text or an added
    member, so the two kinds are compared apart.
    """
    return {
        finding.check for finding in findings if (finding.check in CLOSED_WORLD) == (check in CLOSED_WORLD)
    }

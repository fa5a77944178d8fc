"""The reviewed list of published wheels, and the small ones of it against the index."""

import pytest

from factory.core.digests import Sha256
from factory.verify.catalogue import catalogue
from tests.zoo_real.__main__ import verified
from tests.zoo_real.reviewed import ConfirmedError, ReviewedWheel, confirmed_checks, reviewed_wheels

WHEELS = reviewed_wheels()
SMALL = [wheel for wheel in WHEELS if wheel.is_in_gate]
ONE = ReviewedWheel(
    file="tool-1.0-cp311-abi3-macosx_11_0_arm64.whl",
    sha256=Sha256("0" * 64),
    is_in_gate=False,
    errors=(ConfirmedError(check="macho-signature", place="tool/run", confirmed="llvm-otool"),),
    others={"archive-times": 2},
)


def test_the_list_has_wheels_of_many_projects_and_systems() -> None:
    assert len({wheel.file for wheel in WHEELS}) == len(WHEELS) >= 40
    assert len({wheel.file.partition("-")[0] for wheel in WHEELS}) >= 20
    for system in ("manylinux", "musllinux", "macosx", "win_amd64", "win_arm64"):
        assert any(system in wheel.file for wheel in WHEELS)


def test_every_finding_is_of_a_check_and_confirmed() -> None:
    severities = {check.id: check.severity.value for check in catalogue()}
    for wheel in WHEELS:
        assert all(severities[error.check] == "error" and error.confirmed for error in wheel.errors)
        assert all(severities[check] != "error" for check in wheel.others)
    seen = {check for wheel in WHEELS for check in wheel.others}
    assert set(confirmed_checks()) == seen
    assert all(confirmed_checks().values())


def finding(check: str, place: str, severity: str = "error") -> dict[str, str]:
    return {"check": check, "place": place, "severity": severity}


REVIEWED = [finding("macho-signature", "tool/run"), *([finding("archive-times", "x", "warning")] * 2)]


def test_the_reviewed_findings_are_no_difference() -> None:
    assert ONE.differences(REVIEWED) == []


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        (REVIEWED[1:], ["no error macho-signature at tool/run"]),
        ([*REVIEWED, finding("path-file", "a.pth")], ["new error path-file at a.pth"]),
        ([*REVIEWED, REVIEWED[0]], ["new error macho-signature at tool/run"]),
        (REVIEWED[:-1], ["archive-times: 1, reviewed 2"]),
        ([*REVIEWED, finding("archive-host", "x", "note")], ["archive-host: 1, reviewed 0"]),
    ],
)
def test_differences(findings: list[dict[str, str]], expected: list[str]) -> None:
    assert ONE.differences(findings) == expected


def test_pip_takes_exactly_this_file() -> None:
    assert ONE.requirement == f"tool==1.0 --hash=sha256:{'0' * 64}"
    assert ONE.pip_options == (
        "--platform",
        "macosx_11_0_arm64",
        "--abi",
        "abi3",
        "--python-version",
        "311",
    )


@pytest.mark.network
@pytest.mark.parametrize("wheel", SMALL, ids=lambda wheel: wheel.file)
def test_a_small_published_wheel_has_the_reviewed_findings(wheel: ReviewedWheel) -> None:
    assert wheel.differences(verified(wheel).findings) == []

from pathlib import Path

import pytest

from factory.core.targets import PLATFORMS
from factory.verify.checks.registry import CHECKS
from tests.wheels import good_wheel
from tests.zoo.breakage import Breakage, Twin
from tests.zoo.catalogue import TWINS, ZOO
from tests.zoo.judge import CLOSED_WORLD, checks_like, findings_of


@pytest.mark.parametrize("platform", [platform.tag for platform in PLATFORMS])
def test_a_good_wheel_has_no_finding(platform: str, tmp_path: Path) -> None:
    assert findings_of(good_wheel(platform), tmp_path) == ()


@pytest.mark.parametrize("breakage", ZOO, ids=lambda breakage: breakage.name)
def test_a_broken_wheel_has_only_its_own_finding(breakage: Breakage, tmp_path: Path) -> None:
    findings = findings_of(breakage.make(good_wheel(breakage.platform)), tmp_path)
    assert checks_like(breakage.check, findings) == breakage.expected, findings


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.name)
def test_a_sound_wheel_that_resembles_a_broken_one_has_no_finding(twin: Twin, tmp_path: Path) -> None:
    findings = findings_of(twin.make(good_wheel(twin.platform)), tmp_path)
    of_closed_world = [finding for finding in findings if finding.check in CLOSED_WORLD]
    assert findings == tuple(of_closed_world)
    assert bool(of_closed_world) is twin.has_new_content


def test_names_of_breakages_are_unique() -> None:
    names = [breakage.name for breakage in ZOO]
    assert len(names) == len(set(names))


def test_breakages_name_existing_checks() -> None:
    assert {breakage.check for breakage in ZOO} <= {check.id for check in CHECKS}

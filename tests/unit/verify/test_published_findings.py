"""docs/published-findings.md is consistent with itself and with the existing checks."""

import re

from factory.verify.catalogue import catalogue
from tests.published import PAGE, findings_by_wheel

SECTIONS = re.findall(
    r"^### ([a-z0-9-]+)(?: and ([a-z0-9-]+))?:", PAGE.read_text(encoding="utf-8"), re.MULTILINE
)
CONFIRMED = {check for pair in SECTIONS for check in pair if check}


def test_it_lists_all_wheels() -> None:
    versions = [version for version, _ in findings_by_wheel()]
    counts = {version: versions.count(version) for version in versions}
    assert counts == {"0.163.0": 8, "0.147.0": 8, "0.133.0": 6, "0.131.0": 6}


def test_every_finding_is_confirmed_by_hand() -> None:
    found = {check for _, findings in findings_by_wheel().values() for check in findings}
    assert found == {check for check in CONFIRMED if not check.startswith("release-")}


def test_every_check_that_it_names_exists() -> None:
    assert {check.id for check in catalogue()} >= CONFIRMED


def test_every_section_is_under_its_severity() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for check in catalogue():
        before, found, _ = text.partition(f"### {check.id}:")
        if found:
            assert before.rpartition("\n## ")[2].startswith(f"{check.severity.value.capitalize()}s"), check.id

from pathlib import Path

from tests.wheels import Wheel, good_wheel
from tests.zoo.judge import CLOSED_WORLD, findings_of
from tests.zoo.sboms import with_sbom


def found_in(wheel: Wheel, directory: Path) -> list[tuple[str, str, str]]:
    """Return what is wrong with a wheel, except that reviewed wheels have their document at another place."""
    found = [finding for finding in findings_of(wheel, directory) if finding.check not in CLOSED_WORLD]
    return [(finding.check, finding.place, finding.evidence) for finding in found]


def test_a_bill_of_materials_that_matches_the_wheel_has_no_finding(tmp_path: Path) -> None:
    assert found_in(with_sbom(good_wheel()), tmp_path) == []


def test_formats_other_than_cyclonedx_are_not_checked(tmp_path: Path) -> None:
    assert found_in(good_wheel().with_info("sboms/codex.spdx.json", "no JSON"), tmp_path) == []


def test_a_document_that_lists_no_files_may_omit_executables(tmp_path: Path) -> None:
    claims_nothing = '{"bomFormat": "CycloneDX", "components": [{"type": "library", "name": "v8"}]}'
    assert found_in(good_wheel().with_info("sboms/codex.cdx.json", claims_nothing), tmp_path) == []


def test_the_finding_shows_both_digests(tmp_path: Path) -> None:
    wheel = with_sbom(good_wheel(), lambda text: text.replace('"content": "', '"content": "0'))
    (check, place, evidence), *_ = found_in(wheel, tmp_path)
    assert (check, place) == ("sbom-content", "codex_cli_bin/bin/codex")
    assert evidence.startswith("SHA-256 is ")
    assert "; the bill of materials lists 0" in evidence

from pathlib import Path

from factory.verify.inspection import inspect
from tests.wheels import Wheel, good_wheel
from tests.zoo.sboms import with_sbom


def found_in(wheel: Wheel, directory: Path) -> list[tuple[str, str, str]]:
    scratch = directory / "scratch"
    scratch.mkdir()
    findings = inspect(wheel.write(directory), scratch=scratch).findings
    return [(finding.check, finding.place, finding.evidence) for finding in findings]


def test_a_bill_of_materials_that_agrees_with_the_wheel_is_no_finding(tmp_path: Path) -> None:
    assert found_in(with_sbom(good_wheel()), tmp_path) == []


def test_another_format_than_cyclonedx_is_left_alone(tmp_path: Path) -> None:
    assert found_in(good_wheel().with_info("sboms/codex.spdx.json", "no JSON"), tmp_path) == []


def test_a_document_that_claims_no_files_is_not_held_to_any(tmp_path: Path) -> None:
    claims_nothing = '{"bomFormat": "CycloneDX", "components": [{"type": "library", "name": "v8"}]}'
    assert found_in(good_wheel().with_info("sboms/codex.cdx.json", claims_nothing), tmp_path) == []


def test_the_finding_tells_both_digests(tmp_path: Path) -> None:
    wheel = with_sbom(good_wheel(), lambda text: text.replace('"content": "', '"content": "0'))
    (check, place, evidence), *_ = found_in(wheel, tmp_path)
    assert (check, place) == ("sbom-content", "codex_cli_bin/bin/codex")
    assert evidence.startswith("its SHA-256 is ")
    assert ", listed is 0" in evidence

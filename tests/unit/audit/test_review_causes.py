"""Causes from reviews and differences about the same member."""

from dataclasses import replace

import pytest

from factory.audit.review_causes import combined_causes
from factory.audit.verdict import Cause
from factory.core.model import Severity
from factory.core.trust_level import Level, TrustAssessment
from factory.verify.baseline.member_kinds import MemberKind, MemberReview
from factory.verify.reading.contents import WheelContents
from factory.verify.reading.read import read_wheel
from tests.authority import SIGNED_AT, TRUST
from tests.wheels import PACKAGE, good_wheel

CODEX = f"{PACKAGE}/bin/codex.exe"
JSON = f"{PACKAGE}/codex-package.json"


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> WheelContents:
    directory = tmp_path_factory.mktemp("contents")
    read = read_wheel(good_wheel("win_amd64").write(directory), scratch=directory, trust=TRUST)
    assert {one.level for one in read.assessments} == {Level.AUTHORSHIP_VERIFIED}
    return read


def difference(id_: str, place: str = CODEX, severity: Severity = Severity.WARNING) -> Cause:
    return Cause(id=id_, severity=severity, place=place, sentence="It differs.", evidence="bytes differ")


def of(kind: MemberKind, place: str = CODEX) -> MemberReview:
    return MemberReview(name=place, kind=kind, evidence="as seen")


def test_the_cause_of_a_signed_executable_names_the_signer_and_the_day(contents: WheelContents) -> None:
    (cause,) = combined_causes([of(MemberKind.PAYLOAD_OF_OTHER_RELEASE)], [], contents)
    signer = contents.assessments[0].signature
    assert signer is not None
    assert signer.signer is not None
    assert cause.evidence == f"as seen; signed by {signer.signer.name} on {SIGNED_AT:%Y-%m-%d}"
    assert (cause.id, cause.severity) == ("executable-of-another-release", Severity.ERROR)
    assert cause.place == CODEX


def assessed(contents: WheelContents, *assessments: TrustAssessment) -> WheelContents:
    """Return contents with other assessments of the executables."""
    other = replace(contents)
    other.__dict__["assessments"] = assessments  # where the cached property keeps its value
    return other


def test_each_executable_has_its_own_signature(contents: WheelContents) -> None:
    unsigned, signed = contents.assessments[:2]
    changed = assessed(contents, replace(unsigned, level=Level.INTEGRITY_ONLY), signed)
    (cause,) = combined_causes([of(MemberKind.PAYLOAD_UNKNOWN, signed.place)], [], changed)
    assert "; signed by " in cause.evidence
    (cause,) = combined_causes([of(MemberKind.PAYLOAD_UNKNOWN, unsigned.place)], [], changed)
    assert cause.evidence == "as seen"


def test_a_signature_without_a_time_has_no_day(contents: WheelContents) -> None:
    one = contents.assessments[0]
    assert one.signature is not None
    assert one.signature.signer is not None
    timeless = assessed(contents, replace(one, signature=replace(one.signature, signed_at=None)))
    (cause,) = combined_causes([of(MemberKind.PAYLOAD_UNKNOWN, one.place)], [], timeless)
    assert cause.evidence == f"as seen; signed by {one.signature.signer.name}"


def test_an_author_without_a_signature_is_not_named(contents: WheelContents) -> None:
    one = contents.assessments[0]
    unsigned = assessed(contents, replace(one, signature=None))
    (cause,) = combined_causes([of(MemberKind.PAYLOAD_UNKNOWN, one.place)], [], unsigned)
    assert cause.evidence == "as seen"


@pytest.mark.parametrize(
    ("kind", "place", "id_"),
    [
        (MemberKind.PAYLOAD_UNKNOWN, CODEX, "executable-not-upstream"),
        (MemberKind.PAYLOAD_UNKNOWN, JSON, "payload-unknown"),
        (MemberKind.PAYLOAD_MOVED, CODEX, "executable-moved"),
        (MemberKind.PAYLOAD_MOVED, JSON, "payload-moved"),
        (MemberKind.DEPENDENCY, CODEX, "dependency"),
    ],
)
def test_the_id_says_whether_an_executable_is_wrong(
    kind: MemberKind, place: str, id_: str, contents: WheelContents
) -> None:
    (cause,) = combined_causes([of(kind, place)], [], contents)
    assert (cause.id, cause.sentence) == (id_, kind.sentence)
    assert ("signed by" in cause.evidence) is (place == CODEX)


@pytest.mark.parametrize(
    ("kind", "differs", "id_"),
    [
        (MemberKind.PAYLOAD_UNKNOWN, "executable-re-signed", "executable-re-signed"),
        (MemberKind.PAYLOAD_OF_OTHER_RELEASE, "executable-re-signed", "executable-of-another-release"),
        (MemberKind.PAYLOAD_UNKNOWN, "text", "executable-not-upstream"),
        (MemberKind.FOREIGN, "text", "text"),
    ],
)
def test_a_difference_that_is_more_exact_names_the_cause(
    kind: MemberKind, differs: str, id_: str, contents: WheelContents
) -> None:
    (cause,) = combined_causes([of(kind)], [difference(differs)], contents)
    assert (cause.id, cause.severity) == (id_, Severity.ERROR)
    assert cause.evidence.startswith("as seen; bytes differ")

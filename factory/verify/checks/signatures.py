"""Checks of who signed the executables."""

from collections.abc import Iterator

from factory.core.model import Severity
from factory.core.trust_level import Level, TrustAssessment
from factory.executables.image_bytes import MalformedImage
from factory.executables.signatures.signers import (
    expected_signer,
    is_unexpected,
    signed_apart,
    without_authorship,
)
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.project import is_of_this_project
from factory.verify.reading.contents import WheelContents

check = Checks[WheelContents]()
check_for_project = Checks[WheelContents](is_for_project=True)


def _readable(wheel: WheelContents) -> Iterator[TrustAssessment]:
    """Yield the assessments of well-formed images; `image-unreadable` reports the others."""
    for assessment in wheel.assessments:
        member = wheel.member(assessment.place)
        if member is not None and not isinstance(wheel.facts_of(member), MalformedImage):
            yield assessment


@check(
    "signature-not-valid",
    Severity.ERROR,
    title="Every signature inside an executable is valid",
    protects="Users: the file was changed after it was signed, or the signer is unknown.",
    standard="Microsoft, Windows Authenticode Portable Executable Signature Format; Apple, cs_blobs.h",
    remedy="Use the file of the release; 'factory show signers' shows why the signature is not valid.",
)
def _find_not_valid(wheel: WheelContents) -> Iterator[Fault]:
    for assessment in _readable(wheel):
        is_unknown = assessment.level is Level.ROOT_UNKNOWN and is_of_this_project(wheel)
        if assessment.level is Level.SIGNATURE_NOT_VALID or is_unknown:
            yield Fault(assessment.place, assessment.reason)


@check(
    "signature-root-unknown",
    Severity.WARNING,
    title="Every signature of another project's executables leads to a pinned root",
    protects="Anyone who trusts the name in the signature: it was not verified.",
    standard="factory.executables.signatures.policy, the pinned roots; Windows trusts more",
    remedy="Check the signature on Windows, for example with 'signtool verify /pa'.",
)
def _find_unknown_root(wheel: WheelContents) -> Iterator[Fault]:
    if is_of_this_project(wheel):
        return  # its signers are known: signature-not-valid reports it
    for assessment in _readable(wheel):
        if assessment.level is Level.ROOT_UNKNOWN:
            yield Fault(assessment.place, assessment.reason)


@check_for_project(
    "signer-unexpected",
    Severity.ERROR,
    title="Every signature is from the signer of the releases",
    protects="Anyone who trusts the maker: another signer's signature can be valid as well.",
    standard="factory.executables.signatures.signers, the table of expected signers with its sources",
    remedy="Do not run the file until you know who signed it and why.",
)
def _find_unexpected(wheel: WheelContents) -> Iterator[Fault]:
    for assessment in _readable(wheel):
        signature = assessment.signature
        if is_unexpected(assessment) and signature is not None and signature.signer is not None:
            seen = f"signed by {signature.signer.name!r} ({signature.signer.identifier or 'no identifier'})"
            yield Fault(assessment.place, f"{seen}, not {expected_signer(signature.scheme)}")


@check(
    "signer-revoked",
    Severity.ERROR,
    title="No signer's certificate is known to be revoked",
    protects="Users: the system refuses or deletes the program, and the key may be in other hands.",
    standard="factory.executables.signatures.revoked, the list of known revocations with its sources",
    remedy="Use a release that was signed with another certificate.",
)
def _find_revoked(wheel: WheelContents) -> Iterator[Fault]:
    for assessment in _readable(wheel):
        if assessment.level is Level.SIGNER_REVOKED:
            yield Fault(assessment.place, assessment.reason)


@check(
    "signing-times-apart",
    Severity.WARNING,
    title="One signer's executables were signed within a day",
    protects="Users: an older executable of the same signer, with known faults, can replace a new one.",
    standard="Measured: a release's executables are signed within minutes of each other (docs/trust.md)",
    remedy="Compare the older executable with the release package; 'factory show signers' names its release.",
)
def _find_times_apart(wheel: WheelContents) -> Iterator[Fault]:
    for place, evidence in signed_apart(_readable(wheel)):
        yield Fault(place, evidence)


@check(
    "authorship-required",
    Severity.ERROR,
    title="Every executable has a verified author, where --require-authorship asks for it",
    protects="Users of --require-authorship; without that option the check finds no fault.",
    standard="docs/trust.md; factory.executables.signatures.signers lists the companions without signatures",
    remedy="Use files that their maker signed, or do not require authorship for this platform.",
)
def _find_not_authored(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.trust.required.covers(wheel.platforms):
        for assessment in without_authorship(wheel.assessments):
            yield Fault(assessment.place, f"{assessment.level}: {assessment.reason}")


CHECKS = (*check.registered(), *check_for_project.registered())

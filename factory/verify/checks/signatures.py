"""Checks of who signed the executables: the ladder of trust, as findings."""

from collections.abc import Iterator

from factory.core.model import Severity
from factory.core.trust_level import Level, TrustAssessment
from factory.executables.signatures.signers import expected_signer, is_unexpected, without_authorship
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.images import is_readable
from factory.verify.reading.contents import WheelContents

check = Checks[WheelContents]()


def _sound(contents: WheelContents) -> Iterator[TrustAssessment]:
    """Yield the assessments of images that keep to their format; `image-unreadable` reports the others."""
    for assessment in contents.assessments:
        member = contents.member(assessment.place)
        if member is not None and is_readable(member):
            yield assessment


@check(
    "signature-not-valid",
    Severity.ERROR,
    title="Every signature inside an executable holds",
    protects="Whoever runs it: it was changed after its maker signed it, or is signed by nobody known.",
    standard="Microsoft, Windows Authenticode Portable Executable Signature Format; Apple, cs_blobs.h",
    remedy="Use the release's own file; 'factory trust' says what of the signature does not hold.",
)
def _find_not_valid(contents: WheelContents) -> Iterator[Fault]:
    for assessment in _sound(contents):
        if assessment.level is Level.SIGNATURE_NOT_VALID:
            yield Fault(assessment.place, assessment.reason)


@check(
    "signer-unexpected",
    Severity.ERROR,
    title="Whoever signed an executable is who signs the releases",
    protects="Whoever trusts the maker: a signature of somebody else can hold as well.",
    standard="factory.executables.signatures.signers, the table of expected signers with its sources",
    remedy="Find out who signed it and why, before anybody runs it.",
)
def _find_unexpected(contents: WheelContents) -> Iterator[Fault]:
    for assessment in _sound(contents):
        signature = assessment.signature
        if is_unexpected(assessment) and signature is not None and signature.signer is not None:
            seen = f"signed by {signature.signer.name!r} ({signature.signer.identifier or 'no identifier'})"
            yield Fault(assessment.place, f"{seen}, not {expected_signer(signature.scheme)}")


@check(
    "authorship-required",
    Severity.ERROR,
    title="Where it is required, every executable's author is proved",
    protects="Whoever asked for it with --require-authorship; nothing else asks.",
    standard="docs/trust.md; companions that nobody signs are in factory.executables.signatures.signers",
    remedy="Use files whose maker signed them, or do not require it of this platform.",
)
def _find_not_authored(contents: WheelContents) -> Iterator[Fault]:
    if contents.trust.required.covers(contents.platforms):
        for assessment in without_authorship(contents.assessments):
            yield Fault(assessment.place, f"{assessment.level}: {assessment.reason}")


CHECKS = check.registered()

"""Signers over a history: one that changes between releases is worth a look, whoever it is now."""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from factory.audit.verdict import Verdict
from factory.core.trust_level import Level, Signer, TrustAssessment


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerChange:
    """An executable whose signer is another than in the release before.

    Attributes:
        wheel: The later wheel.
        member: Its executable.
        before: Who signed it before, and `now` who signed it; nobody where nobody is proved.
    """

    wheel: str
    member: str
    before: str
    now: str


def signer_changes(verdicts: Sequence[Verdict]) -> tuple[SignerChange, ...]:
    """Return each change of a proved signer; verdicts are in order of release.

    Executables are followed by platform and file name, since directories changed between
    releases. One that was never signed is no change, and one that loses its signature is.
    """
    return tuple(_changes(verdicts))


def _changes(verdicts: Sequence[Verdict]) -> Iterator[SignerChange]:
    last: dict[tuple[str, str], TrustAssessment] = {}
    for verdict in verdicts:
        for assessment in verdict.assessments:
            key = (verdict.platform, posixpath.basename(assessment.place))
            before = last.get(key)
            if before is not None and _told(before) != _told(assessment):
                yield SignerChange(
                    wheel=verdict.name, member=assessment.place, before=_told(before), now=_told(assessment)
                )
            last[key] = assessment


def _told(assessment: TrustAssessment) -> str:
    """Name who is proved to have signed; certificates change with every signature, identities do not."""
    signer = None if assessment.signature is None else assessment.signature.signer
    if assessment.level is not Level.AUTHORSHIP_VERIFIED or signer is None:
        return "nobody"
    return _named(signer)


def _named(signer: Signer) -> str:
    name = signer.organization or signer.name
    return f"{name} ({signer.identifier})" if signer.identifier else name

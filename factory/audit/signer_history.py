"""Find executables whose signer changed between releases."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from factory.audit.verdict import Verdict
from factory.core.trust_level import Level, TrustAssessment

UNVERIFIED = "no verified signer"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerChange:
    """An executable with another signer than in the release before, or with a signer in only one of them."""

    wheel: str
    member: str
    before: str
    now: str


def signer_changes(verdicts: Sequence[Verdict]) -> tuple[SignerChange, ...]:
    """Return each change of a verified signer; the verdicts are in the order of releases.

    Executables are identified by platform and file name, because directories changed between releases.
    A lost signature is a change, too.
    """
    last: dict[tuple[str, str], str] = {}
    changes: list[SignerChange] = []
    for verdict in verdicts:
        for assessment in verdict.assessments:
            key = (verdict.platform, posixpath.basename(assessment.place))
            now = _signer_of(assessment)
            before = last.get(key, now)
            if before != now:
                changes.append(
                    SignerChange(wheel=verdict.name, member=assessment.place, before=before, now=now)
                )
            last[key] = now
    return tuple(changes)


def _signer_of(assessment: TrustAssessment) -> str:
    """Name the verified signer by identity, since certificates are renewed."""
    signer = None if assessment.signature is None else assessment.signature.signer
    if assessment.level is not Level.AUTHORSHIP_VERIFIED or signer is None:
        return UNVERIFIED
    name = signer.organization or signer.name
    return f"{name} ({signer.identifier})" if signer.identifier else name

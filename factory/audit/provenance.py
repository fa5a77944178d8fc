"""Verify the attestations that an index serves for a wheel (PEP 740), without network access.

An attestation proves that a workflow uploaded these bytes, not that they are the released ones, and
most wheels have no attestation. So the result is shown beside the verdict and does not change it.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from factory.audit.index import PublishedWheel
from factory.audit.verdict import Cause, ProvenanceState, ServedProvenance
from factory.core.digests import Sha256
from factory.core.errors import UpstreamError
from factory.core.extras import Extra, NotDecided, needs
from factory.core.model import Severity
from factory.core.printable import escaped
from factory.system.http import HttpClient

if TYPE_CHECKING:
    from pypi_attestations import Provenance

Verify = Callable[[bytes, str, Sha256], ServedProvenance]
"""Verifies a provenance document for a file with some name and digest."""

_ACCEPT = "application/vnd.pypi.integrity.v1+json"
_MAX_DOCUMENT_BYTES = 4 << 20


def verify_provenance(document: bytes, name: str, sha256: Sha256) -> ServedProvenance:
    """Verify a provenance document against a file's name and digest.

    Every attestation in it must be for this file and by the publisher that the index names for it.
    The trusted root of sigstore is the one included in the library.
    """
    try:
        with needs(Extra.SIGN, "the provenance"):
            from pypi_attestations import Provenance  # noqa: PLC0415 - sigstore is slow to import
            from sigstore.errors import TUFError  # noqa: PLC0415 - as above
    except NotDecided as error:
        return ServedProvenance(state=ProvenanceState.NOT_JUDGED, reason=error.with_hint)
    try:
        publishers = tuple(_published_by(Provenance.model_validate_json(document), name, sha256))
        if not publishers:
            raise ValueError("it has no attestation")  # noqa: TRY301 - all reasons are reported below
    except (OSError, TUFError) as error:  # the trusted root is missing; the document may be valid
        return ServedProvenance(state=ProvenanceState.NOT_SEEN, reason=f"it cannot be verified here: {error}")
    except Exception as error:  # noqa: BLE001 - certificate parsers raise errors of any class
        reason = escaped(str(error).partition("\n")[0])
        return ServedProvenance(state=ProvenanceState.NOT_VALID, reason=reason)
    return ServedProvenance(
        state=ProvenanceState.VERIFIED, reason="", publishers=tuple(dict.fromkeys(publishers))
    )


def look_up(
    wheel: PublishedWheel, client: HttpClient, *, verify: Verify = verify_provenance
) -> ServedProvenance:
    """Download and verify the provenance that an index serves for a wheel, if it serves any."""
    if wheel.provenance is None:
        return ServedProvenance(state=ProvenanceState.NONE, reason=wheel.no_provenance)
    try:
        document = client.get(
            wheel.provenance.url, headers={"Accept": _ACCEPT}, max_bytes=_MAX_DOCUMENT_BYTES
        )
    except UpstreamError as error:
        return ServedProvenance(state=ProvenanceState.NOT_SEEN, reason=str(error))
    return verify(document, wheel.name, wheel.sha256)


def provenance_causes(name: str, served: ServedProvenance) -> tuple[Cause, ...]:
    """Return a cause if the provenance is not valid: the claim about who published the wheel is false."""
    if served.state is not ProvenanceState.NOT_VALID:
        return ()
    return (
        Cause(
            id="provenance-not-valid",
            severity=Severity.ERROR,
            place=name,
            sentence="The index serves a provenance for this file that is not valid.",
            evidence=served.reason,
        ),
    )


def _published_by(provenance: "Provenance", name: str, sha256: Sha256) -> Iterator[str]:
    from pypi_attestations import Distribution  # noqa: PLC0415 - sigstore is slow to import

    distribution = Distribution(name=name, digest=sha256.hex)
    for bundle in provenance.attestation_bundles:
        if not bundle.attestations:
            raise ValueError(f"the index names the publisher {bundle.publisher.kind} without an attestation")
        for attestation in bundle.attestations:
            attestation.verify(bundle.publisher, distribution, offline=True)
            described = bundle.publisher.model_dump(exclude_none=True).values()
            yield escaped(" ".join(str(value) for value in described))

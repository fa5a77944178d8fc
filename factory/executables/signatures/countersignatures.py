"""The time that an Authenticode signature was countersigned at, in either of the two forms there are."""

from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from factory.executables.signatures.certificates import ChainRules, TrustedRoot, find_chain
from factory.executables.signatures.cms import SignerInfo, check_signer, parse_signer
from factory.executables.signatures.invalid import InvalidSignature
from factory.executables.signatures.timestamps import check_timestamp

TOKEN = "1.3.6.1.4.1.311.3.3.1"  # noqa: S105 - an attribute's identifier
"""Microsoft's attribute for an RFC 3161 token."""

COUNTERSIGNATURE = "1.2.840.113549.1.9.6"
"""PKCS #9's own attribute, which older tools write."""

_DATA = "1.2.840.113549.1.7.1"


def counter_signed_at(
    signer: SignerInfo,
    carried: tuple[x509.Certificate, ...],
    *,
    roots: tuple[TrustedRoot, ...],
    now: datetime,
) -> datetime | None:
    """Return when a signature existed, by an authority under a trusted root; None when nobody says.

    Raises:
        InvalidSignature: A countersignature is there and does not hold.
    """
    match signer.unsigned_attributes.get(TOKEN, ()), signer.unsigned_attributes.get(COUNTERSIGNATURE, ()):
        case (), ():
            return None
        case (token,), ():
            return check_timestamp(token, signature=signer.signature, roots=roots, now=now).at
        case (), (encoded,):
            return _countersigned_at(
                encoded,
                signer,
                carried,
                ChainRules(roots=roots, purpose=ExtendedKeyUsageOID.TIME_STAMPING),
                now,
            )
        case _:
            raise InvalidSignature("it has several countersignatures, which may name several times")


def _countersigned_at(
    encoded: bytes,
    signer: SignerInfo,
    carried: tuple[x509.Certificate, ...],
    rules: ChainRules,
    now: datetime,
) -> datetime:
    counter = parse_signer(encoded, carried)
    leaf = check_signer(counter, content=signer.signature, content_type=_DATA)
    at = counter.claimed_at
    if at is None:
        raise InvalidSignature("the countersignature names no time")
    if at > now:
        raise InvalidSignature(f"the countersignature is from the future: {at:%Y-%m-%dT%H:%M:%SZ}")
    find_chain(leaf, carried=carried, rules=rules, at=at)
    return at

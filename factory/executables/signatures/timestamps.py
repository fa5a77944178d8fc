"""Verify the times of signatures: RFC 3161 timestamps, and PKCS #9 countersignatures in Authenticode.

Both are proof by an authority that a signature value existed at a time.
"""

from dataclasses import dataclass
from datetime import datetime

from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from factory.executables.signatures.asn1 import decoding, require_readable, utc_time
from factory.executables.signatures.certificates import Chain, ChainRules, TrustedRoot, find_chain
from factory.executables.signatures.cms import (
    STRONG,
    HashName,
    SignerInfo,
    check_signer,
    parse_signed_data,
    parse_signer,
)
from factory.executables.signatures.result import InvalidSignature

TOKEN = "1.3.6.1.4.1.311.3.3.1"  # noqa: S105 - an attribute's identifier
"""Microsoft's attribute for an RFC 3161 token."""

COUNTERSIGNATURE = "1.2.840.113549.1.9.6"
"""The PKCS #9 attribute for a countersignature, which older tools write."""

_DATA = "1.2.840.113549.1.7.1"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
# Apple's authority still signs with SHA-1 (measured on signatures of October 2026). Its tokens have a
# serial number and a time that the requester cannot choose, so a collision does not help to forge
# one. SHA-1 is accepted here, and reported.
_ACCEPTED = STRONG | {HashName.SHA1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp:
    """A verified timestamp.

    Attributes:
        at: The signature existed at this time (UTC).
        chain: From the authority's certificate to a trusted root.
        digest: The hash algorithm of the authority's signature.
    """

    at: datetime
    chain: Chain
    digest: HashName

    @property
    def is_weak(self) -> bool:
        """Whether the hash algorithm is one that is accepted only in timestamps."""
        return self.digest not in STRONG


def check_timestamp(
    token: bytes, *, signature: bytes, roots: tuple[TrustedRoot, ...], now: datetime
) -> Timestamp:
    """Verify a timestamp token for a signature value.

    Args:
        token: The encoded token, a CMS message.
        signature: The signature value.
        roots: The trusted roots of timestamp authorities.
        now: Later timestamps are rejected.

    Raises:
        InvalidSignature: The token is not valid, is for another signature, or is not by a trusted authority.
    """
    data = parse_signed_data(token)
    if data.content_type != _TST_INFO or data.content is None:
        raise InvalidSignature("the timestamp is not a timestamp token")
    at = _time(data.content, signature)
    if at > now:
        raise InvalidSignature(f"the timestamp is from the future: {at:%Y-%m-%dT%H:%M:%SZ}")
    signer = data.signer
    leaf = check_signer(signer, content=data.content, content_type=_TST_INFO, accepted=_ACCEPTED)
    _check_signing_certificate(signer, leaf)
    rules = ChainRules(roots=roots, purpose=ExtendedKeyUsageOID.TIME_STAMPING)
    chain = find_chain(leaf, included=data.certificates, rules=rules, at=at)
    return Timestamp(at=at, chain=chain, digest=signer.digest)


def countersigned_at(
    signer: SignerInfo,
    included: tuple[x509.Certificate, ...],
    *,
    roots: tuple[TrustedRoot, ...],
    now: datetime,
) -> datetime | None:
    """Return the countersigned time of an Authenticode signature; None without a countersignature.

    Raises:
        InvalidSignature: The countersignature is not valid.
    """
    match signer.unsigned_attributes.get(TOKEN, ()), signer.unsigned_attributes.get(COUNTERSIGNATURE, ()):
        case (), ():
            return None
        case (token,), ():
            return check_timestamp(token, signature=signer.signature, roots=roots, now=now).at
        case (), (encoded,):
            rules = ChainRules(roots=roots, purpose=ExtendedKeyUsageOID.TIME_STAMPING)
            return _check_countersignature(encoded, signer, included, rules, now)
        case _:
            raise InvalidSignature("it has several countersignatures, which may disagree about the time")


def _check_countersignature(
    encoded: bytes,
    signer: SignerInfo,
    included: tuple[x509.Certificate, ...],
    rules: ChainRules,
    now: datetime,
) -> datetime:
    counter = parse_signer(encoded, included)
    leaf = check_signer(counter, content=signer.signature, content_type=_DATA)
    at = counter.claimed_at
    if at is None:
        raise InvalidSignature("the countersignature has no time")
    if at > now:
        raise InvalidSignature(f"the countersignature is from the future: {at:%Y-%m-%dT%H:%M:%SZ}")
    find_chain(leaf, included=included, rules=rules, at=at)
    return at


def _time(content: bytes, signature: bytes) -> datetime:
    require_readable(content, "the timestamp")
    with decoding("the timestamp"):
        info = tsp.TSTInfo.load(content, strict=True)
        imprint = info["message_imprint"]
        algorithm = HashName.parse(imprint["hash_algorithm"]["algorithm"].native)
        hashed = bytes(imprint["hashed_message"])
        at = info["gen_time"]
    if hashed != algorithm.digest(signature):
        raise InvalidSignature("the timestamp is for another signature")
    return utc_time(at, "the timestamp's time")


def _check_signing_certificate(signer: SignerInfo, leaf: x509.Certificate) -> None:
    """Check that the signed attributes name this certificate (ESSCertID, RFC 5035), as RFC 3161 requires."""
    encoded = leaf.public_bytes(Encoding.DER)
    with decoding("the timestamp's signing certificate"):
        if _SIGNING_CERTIFICATE_V2 in signer.attributes:
            value = tsp.SigningCertificateV2.load(signer.attribute(_SIGNING_CERTIFICATE_V2), strict=True)
            algorithm = HashName.parse(value["certs"][0]["hash_algorithm"]["algorithm"].native)
        else:
            value = tsp.SigningCertificate.load(signer.attribute(_SIGNING_CERTIFICATE), strict=True)
            algorithm = HashName.SHA1
        named = bytes(value["certs"][0]["cert_hash"])
    if named != algorithm.digest(encoded):
        raise InvalidSignature("the timestamp names another certificate than that of its signer")

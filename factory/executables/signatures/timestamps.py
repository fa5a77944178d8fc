"""Timestamps that an authority signed (RFC 3161): proof that a signature existed at a time."""

from dataclasses import dataclass
from datetime import datetime

from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from factory.executables.signatures.asn1 import decoding, require_readable, utc_time
from factory.executables.signatures.certificates import Chain, ChainRules, TrustedRoot, find_chain
from factory.executables.signatures.cms import STRONG, HashName, SignerInfo, check_signer, parse_signed_data
from factory.executables.signatures.invalid import InvalidSignature

_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
# Apple's authority signs with SHA-1 to this day (measured on signatures of October 2026). Its
# tokens hold a serial number and a time that the requester cannot choose, so that finding
# collisions does not forge one; it is accepted here and told.
_ACCEPTED = STRONG | {HashName.SHA1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp:
    """A time that an authority vouches for.

    Attributes:
        at: No later than this the signature existed, UTC.
        chain: From the authority's certificate to a trusted root.
        digest: The hash that the authority signs with.
    """

    at: datetime
    chain: Chain
    digest: HashName

    @property
    def is_weak(self) -> bool:
        """Whether the authority signs with a hash that is accepted from nobody else."""
        return self.digest not in STRONG


def check_timestamp(
    token: bytes, *, signature: bytes, roots: tuple[TrustedRoot, ...], now: datetime
) -> Timestamp:
    """Check that a timestamp token is of this signature value.

    Args:
        token: The encoded token, a CMS message.
        signature: The signature value that it should be of.
        roots: Where the authority's chain may end.
        now: A token from the future is refused.

    Raises:
        InvalidSignature: It is not, or nobody trusted signed it.
    """
    data = parse_signed_data(token)
    if data.content_type != _TST_INFO or data.content is None:
        raise InvalidSignature("the timestamp is no timestamp token")
    at = _time(data.content, signature)
    if at > now:
        raise InvalidSignature(f"the timestamp is from the future: {at:%Y-%m-%dT%H:%M:%SZ}")
    signer = data.signer
    leaf = check_signer(signer, content=data.content, content_type=_TST_INFO, accepted=_ACCEPTED)
    _check_named(signer, leaf)
    rules = ChainRules(roots=roots, purpose=ExtendedKeyUsageOID.TIME_STAMPING)
    chain = find_chain(leaf, carried=data.certificates, rules=rules, at=at)
    return Timestamp(at=at, chain=chain, digest=signer.digest)


def _time(content: bytes, signature: bytes) -> datetime:
    require_readable(content, "the timestamp")
    with decoding("the timestamp"):
        info = tsp.TSTInfo.load(content, strict=True)
        imprint = info["message_imprint"]
        algorithm = HashName.parse(imprint["hash_algorithm"]["algorithm"].native)
        hashed = bytes(imprint["hashed_message"])
        at = info["gen_time"]
    if hashed != algorithm.digest(signature):
        raise InvalidSignature("the timestamp is of another signature")
    return utc_time(at, "the timestamp's time")


def _check_named(signer: SignerInfo, leaf: x509.Certificate) -> None:
    """Check that the signed attributes name this certificate (ESSCertID, RFC 5035): RFC 3161 asks for it."""
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
        raise InvalidSignature("the timestamp names another certificate than its signer's")

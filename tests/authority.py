"""A certification authority for tests, with keys and signatures derived from names.

Two calls therefore give equal bytes, and no private key is stored. Only the tests trust this
authority.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from factory.core.digests import Sha256
from factory.core.trust_level import Scheme
from factory.executables.signatures.certificates import TrustedRoot
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.revoked import RevokedCertificate

SIGNED_AT = datetime(2026, 10, 15, 20, 18, 40, tzinfo=UTC)
"""The default time of all signatures."""

TIME_STAMPING = ExtendedKeyUsageOID.TIME_STAMPING.dotted_string
CODE_SIGNING = ExtendedKeyUsageOID.CODE_SIGNING.dotted_string
SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
COUNTERSIGNATURE = "1.2.840.113549.1.9.6"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
_DIGESTS = {
    "sha1": ("1.3.14.3.2.26", hashes.SHA1()),  # noqa: S303 - must be rejected
    "sha256": ("2.16.840.1.101.3.4.2.1", hashes.SHA256()),
    "sha384": ("2.16.840.1.101.3.4.2.2", hashes.SHA384()),
}
_ECDSA = {"sha1": "1.2.840.10045.4.1", "sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The subject and the extensions of a certificate.

    Attributes:
        name: The common name; the key is derived from it.
        unit: The organizational unit: Apple's Team ID.
        marks: Private extensions in dotted form; critical on a leaf, as Apple's are.
        path_length: The number of authorities that an authority may have below it.
        usages: Extended key usages in dotted form.
    """

    name: str
    organization: str = "Test Authority"
    unit: str | None = None
    marks: tuple[str, ...] = ()
    serial: int = 1
    path_length: int | None = None
    usages: tuple[str, ...] = ()
    is_authority: bool = False
    not_before: datetime = SIGNED_AT - timedelta(days=1)
    not_after: datetime = SIGNED_AT + timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A certificate with its key, and the certificates of the authorities above it, the root last."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """The DER of the certificate and of those above it."""
        return tuple(
            certificate.public_bytes(Encoding.DER) for certificate in (self.certificate, *self.chain)
        )

    @property
    def fingerprint(self) -> Sha256:
        """The SHA-256 of its certificate."""
        return Sha256(self.certificate.fingerprint(hashes.SHA256()).hex())


@cache
def key_of(name: str) -> ec.EllipticCurvePrivateKey:
    """Return the key for a name."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big") >> 1
    return ec.derive_private_key(number, ec.SECP256R1())


@cache
def issued(subject: Subject, issuer: Identity | None = None) -> Identity:
    """Issue a certificate; without an issuer, it is self-signed."""
    key, name = key_of(subject.name), _name(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(hashlib.sha256(repr(subject).encode()).digest()[:8], "big") | 1)
        .not_valid_before(subject.not_before)
        .not_valid_after(subject.not_after)
        .add_extension(
            x509.BasicConstraints(ca=subject.is_authority, path_length=subject.path_length), critical=True
        )
    )
    for mark in subject.marks:
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(mark), b"\x05\x00")
        builder = builder.add_extension(extension, critical=not subject.is_authority)
    if subject.usages:
        usages = [x509.ObjectIdentifier(usage) for usage in subject.usages]
        is_alone = subject.usages == (TIME_STAMPING,)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=is_alone)
    signing_key = key if issuer is None else issuer.key
    certificate = builder.sign(signing_key, hashes.SHA256(), ecdsa_deterministic=True)
    chain = () if issuer is None else (issuer.certificate, *issuer.chain)
    return Identity(certificate=certificate, chain=chain, key=key)


def _name(subject: Subject) -> x509.Name:
    parts = {
        NameOID.ORGANIZATION_NAME: subject.organization,
        NameOID.ORGANIZATIONAL_UNIT_NAME: subject.unit,
        NameOID.COMMON_NAME: subject.name,
    }
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts.items() if text is not None])


def authority(name: str, issuer: Identity | None = None) -> Identity:
    """Return an authority that is valid for decades."""
    decades = timedelta(days=9000)
    subject = Subject(
        name=name, is_authority=True, not_before=SIGNED_AT - decades, not_after=SIGNED_AT + decades
    )
    return issued(subject, issuer)


ROOT = authority("Test Root")
ISSUER = authority("Test Issuer", ROOT)
TIME_AUTHORITY = issued(
    Subject(
        name="Test Time",
        usages=(TIME_STAMPING,),
        not_before=SIGNED_AT - timedelta(days=100),
        not_after=SIGNED_AT + timedelta(days=100),
    ),
    ISSUER,
)


_ROOTS = (TrustedRoot(name="Test Root", sha256=ROOT.fingerprint),)
TRUST = TrustPolicy(
    apple_roots=_ROOTS,
    microsoft_roots=_ROOTS,
    now=SIGNED_AT + timedelta(days=30),
    revoked=(
        RevokedCertificate(
            scheme=Scheme.APPLE,
            serial="0x973e79e0c0da045b",
            team="2DC432GLL2",
            signed="`tests.images.apple_signature.LEAKED`",
            known_since=date(2026, 11, 1),
            source="the tests",
        ),
        RevokedCertificate(
            scheme=Scheme.AUTHENTICODE,
            serial="0x3f49220643f9d48b",
            team="1.3.6.1.4.1.311.97.34411380.685553541.718322805.135574919",
            signed="`tests.images.authenticode.LEAKED`",
            known_since=date(2026, 11, 1),
            source="the tests",
        ),
    ),
)
"""A policy with the test root, a month after the signatures, and two certificates that were revoked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The input of CMS signed data (RFC 5652).

    Attributes:
        content_type: In dotted form.
        content: The encoded content: an octet string in CMS, any DER in PKCS #7; empty if detached.
        covered: The bytes that are hashed; in PKCS #7 without the tag and length of the content.
        digest: The hash algorithm, by its name in `hashlib`.
    """

    content_type: str
    content: bytes
    covered: bytes
    digest: str = "sha256"


def sequence(*parts: bytes) -> bytes:
    """Encode a SEQUENCE."""
    return tagged(0x30, b"".join(parts))


def set_of(*parts: bytes) -> bytes:
    """Encode a SET OF in DER order."""
    return tagged(0x31, b"".join(sorted(parts)))


def octets(content: bytes) -> bytes:
    """Encode an OCTET STRING."""
    return tagged(0x04, content)


def oid(dotted: str) -> bytes:
    """Encode an OBJECT IDENTIFIER."""
    return bytes(core.ObjectIdentifier(dotted).dump())


def integer(value: int) -> bytes:
    """Encode an INTEGER."""
    return bytes(core.Integer(value).dump())


def tagged(tag: int, content: bytes) -> bytes:
    """Encode a tag, a length and a content (X.690)."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def attribute(dotted: str, *values: bytes) -> bytes:
    """Encode a CMS attribute."""
    return sequence(oid(dotted), set_of(*values))


def digest_algorithm(digest: str) -> bytes:
    """Encode an AlgorithmIdentifier of a digest."""
    return sequence(oid(_DIGESTS[digest][0]), tagged(0x05, b""))


def signer_info(
    message: Message, identity: Identity, *, attributes: Sequence[bytes] = (), unsigned: Sequence[bytes] = ()
) -> bytes:
    """Sign a message.

    Args:
        message: The input.
        identity: The signer.
        attributes: Signed attributes besides content type and digest.
        unsigned: Unsigned attributes.
    """
    signed = (
        attribute(CONTENT_TYPE, oid(message.content_type)),
        attribute(MESSAGE_DIGEST, octets(hashlib.new(message.digest, message.covered).digest())),
        *attributes,
    )
    signature = signature_over(set_of(*signed), identity, digest=message.digest)
    return encoded_signer_info(identity, signed, signature, unsigned=unsigned, digest=message.digest)


def signature_over(content: bytes, identity: Identity, *, digest: str = "sha256") -> bytes:
    """Sign some bytes."""
    return identity.key.sign(content, ec.ECDSA(_DIGESTS[digest][1], deterministic_signing=True))


def encoded_signer_info(
    identity: Identity, signed: Sequence[bytes], signature: bytes, *, unsigned: Sequence[bytes], digest: str
) -> bytes:
    """Encode a SignerInfo with a given signature."""
    certificate = identity.certificate
    return sequence(
        integer(1),
        sequence(certificate.issuer.public_bytes(), integer(certificate.serial_number)),
        digest_algorithm(digest),
        tagged(0xA0, b"".join(sorted(signed))),
        sequence(oid(_ECDSA[digest])),
        octets(signature),
        tagged(0xA1, b"".join(sorted(unsigned))) if unsigned else b"",
    )


def signed_data(
    message: Message, signers: Sequence[bytes], certificates: Sequence[bytes], *, version: int = 1
) -> bytes:
    """Encode a ContentInfo with SignedData.

    Args:
        message: The input.
        signers: Encoded SignerInfos.
        certificates: Certificates in DER.
        version: 1 in PKCS #7, 3 if the content type is not data.
    """
    body = sequence(
        integer(version),
        set_of(digest_algorithm(message.digest)),
        sequence(oid(message.content_type), tagged(0xA0, message.content) if message.content else b""),
        tagged(0xA0, b"".join(certificates)) if certificates else b"",
        set_of(*signers),
    )
    return sequence(oid(SIGNED_DATA), tagged(0xA0, body))


def timestamp_token(
    imprinted: bytes, *, at: datetime = SIGNED_AT, by: Identity = TIME_AUTHORITY, digest: str = "sha256"
) -> bytes:
    """Return an RFC 3161 token over some bytes."""
    info = sequence(
        integer(1),
        oid("1.3.6.1.4.1.311.97.1.1"),
        sequence(digest_algorithm(digest), octets(hashlib.new(digest, imprinted).digest())),
        integer(1),
        core.GeneralizedTime(at).dump(),
    )
    message = Message(content_type=TST_INFO, content=octets(info), covered=info)
    named = sequence(sequence(sequence(octets(hashlib.sha256(by.certificates[0]).digest()))))
    signer = signer_info(message, by, attributes=[attribute(_SIGNING_CERTIFICATE_V2, named)])
    return signed_data(message, [signer], by.certificates, version=3)


def countersignature(imprinted: bytes, *, at: datetime = SIGNED_AT, by: Identity = TIME_AUTHORITY) -> bytes:
    """Return a PKCS #9 countersignature over a signature's bytes."""
    message = Message(content_type="1.2.840.113549.1.7.1", content=b"", covered=imprinted)
    return signer_info(message, by, attributes=[attribute(SIGNING_TIME, core.UTCTime(at).dump())])

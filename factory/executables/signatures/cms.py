"""Decode and verify signed data of the Cryptographic Message Syntax (RFC 5652).

A signer signs a set of attributes, one of which is the digest of the content. Signers without
attributes are rejected: code signatures always have them, and if both forms were accepted, one could
be passed off as the other.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from asn1crypto import cms, core
from cryptography import x509
from cryptography.exceptions import InvalidSignature as WrongSignature
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from factory.core.counted import counted
from factory.executables.signatures.asn1 import (
    decoding,
    identifier,
    load_certificate,
    octets,
    require_readable,
    utc_time,
)
from factory.executables.signatures.result import InvalidSignature

MAX_CERTIFICATES = 24
_MAX_SIGNERS = 4
_MAX_ATTRIBUTES = 32
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_TIME = "1.2.840.113549.1.9.5"


class HashName(StrEnum):
    """The supported hash algorithms; SHA-1 only where a caller accepts it."""

    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"

    @classmethod
    def parse(cls, name: str) -> "HashName":
        """Parse asn1crypto's name of an algorithm.

        Raises:
            InvalidSignature: The algorithm is not supported, for example MD5.
        """
        try:
            return cls(name)
        except ValueError as error:
            raise InvalidSignature(f"the hash algorithm {name} is not accepted") from error

    @property
    def algorithm(self) -> hashes.HashAlgorithm:
        """The algorithm in `cryptography`."""
        match self:
            case HashName.SHA1:
                return hashes.SHA1()  # noqa: S303 - Apple's timestamps use it; callers report it
            case HashName.SHA256:
                return hashes.SHA256()
            case HashName.SHA384:
                return hashes.SHA384()
            case HashName.SHA512:
                return hashes.SHA512()

    def digest(self, content: bytes) -> bytes:
        """Return the digest of some bytes."""
        return hashlib.new(self.value, content, usedforsecurity=False).digest()


STRONG = frozenset({HashName.SHA256, HashName.SHA384, HashName.SHA512})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerInfo:
    """One signer of signed data, decoded but not verified.

    Attributes:
        certificate: The included certificate that the signer names, if there is one.
        digest: The hash algorithm of the content and of the attributes.
        scheme: ``rsassa_pkcs1v15``, ``rsassa_pss`` or ``ecdsa``.
        salt_bytes: The length of the salt, of ``rsassa_pss`` only.
        signed: The signed bytes: the attributes, encoded as a SET.
        attributes: The signed attributes, by dotted identifier, with encoded values.
    """

    certificate: x509.Certificate | None
    digest: HashName
    scheme: str
    salt_bytes: int
    signed: bytes
    attributes: Mapping[str, tuple[bytes, ...]]
    unsigned_attributes: Mapping[str, tuple[bytes, ...]]
    signature: bytes

    def attribute(self, dotted: str) -> bytes:
        """Return the only value of a signed attribute.

        Raises:
            InvalidSignature: The attribute is missing or has several values.
        """
        values = self.attributes.get(dotted, ())
        if len(values) != 1:
            raise InvalidSignature(f"the signed attribute {dotted} has {counted(len(values), 'value')}")
        return values[0]

    @property
    def claimed_at(self) -> datetime | None:
        """The signing time that the signer claims, without a timestamp.

        Raises:
            InvalidSignature: It is not a valid time.
        """
        if _SIGNING_TIME not in self.attributes:
            return None
        with decoding("the signing time"):
            time = core.UTCTime.load(self.attribute(_SIGNING_TIME), strict=True)
        return utc_time(time, "the signing time")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedData:
    """Signed data, decoded but not verified.

    Attributes:
        content_type: Dotted identifier of the content.
        content: The content without its tag and length; None if it is detached.
    """

    content_type: str
    content: bytes | None
    certificates: tuple[x509.Certificate, ...]
    signers: tuple[SignerInfo, ...]

    @property
    def signer(self) -> SignerInfo:
        """The only signer.

        Raises:
            InvalidSignature: There is not exactly one signer; no specification says which of several counts.
        """
        if len(self.signers) != 1:
            raise InvalidSignature(f"it has {counted(len(self.signers), 'signer')} instead of one")
        return self.signers[0]


def parse_signed_data(encoded: bytes) -> SignedData:
    """Decode signed data; zero bytes may follow it, as Authenticode's padding.

    Raises:
        InvalidSignature: It cannot be decoded, or exceeds a limit.
    """
    require_readable(encoded, "the CMS message")
    with decoding("the CMS message"):
        message = cms.ContentInfo.load(encoded)
        if any(encoded[len(message.dump()) :]):
            raise InvalidSignature("bytes follow the CMS message")
        if message["content_type"].native != "signed_data":
            raise InvalidSignature("the CMS message is not signed data")
        data = message["content"]
        certificates = _certificates(data)
        signers = _at_most(_MAX_SIGNERS, data["signer_infos"], "signers")
        return SignedData(
            content_type=data["encap_content_info"]["content_type"].dotted,
            content=_content(data["encap_content_info"]),
            certificates=tuple(certificates.values()),
            signers=tuple(_signer(info, certificates) for info in signers),
        )


def parse_signer(encoded: bytes, included: tuple[x509.Certificate, ...]) -> SignerInfo:
    """Decode a SignerInfo by itself, which is a countersignature (RFC 5652, 11.4).

    Args:
        encoded: The SignerInfo.
        included: The certificates of the message that it is in.

    Raises:
        InvalidSignature: It cannot be decoded.
    """
    require_readable(encoded, "the countersignature")
    with decoding("the countersignature"):
        certificates = {
            (found.issuer.public_bytes(), core.Integer(found.serial_number).contents): found
            for found in included
        }
        return _signer(cms.SignerInfo.load(encoded, strict=True), certificates)


def check_signer(
    signer: SignerInfo,
    *,
    content: bytes,
    content_type: str,
    accepted: frozenset[HashName] = STRONG,
) -> x509.Certificate:
    """Check that a signer's key signed this content, and return the certificate of the key.

    Whether to trust that certificate is decided by `certificates.find_chain`.

    Raises:
        InvalidSignature: The signature is not valid, for the given reason.
    """
    if signer.digest not in accepted:
        raise InvalidSignature(f"it is signed with {signer.digest}, which is too weak")
    if identifier(signer.attribute(_CONTENT_TYPE), "the content type") != content_type:
        raise InvalidSignature("the signed content type does not match")
    if octets(signer.attribute(_MESSAGE_DIGEST), "the message digest") != signer.digest.digest(content):
        raise InvalidSignature("the signed digest is not that of the content")
    if signer.certificate is None:
        raise InvalidSignature("the signer's certificate is not included")
    try:
        _check_key(signer, signer.certificate)
    except WrongSignature as error:
        raise InvalidSignature("the signature was not made by the certificate's key") from error
    except (UnsupportedAlgorithm, ValueError) as error:
        raise InvalidSignature("the certificate's key cannot be used") from error
    return signer.certificate


def _check_key(signer: SignerInfo, certificate: x509.Certificate) -> None:
    algorithm = signer.digest.algorithm
    match certificate.public_key(), signer.scheme:
        case rsa.RSAPublicKey() as key, "rsassa_pkcs1v15":
            key.verify(signer.signature, signer.signed, padding.PKCS1v15(), algorithm)
        case rsa.RSAPublicKey() as key, "rsassa_pss":
            pss = padding.PSS(mgf=padding.MGF1(algorithm), salt_length=signer.salt_bytes)
            key.verify(signer.signature, signer.signed, pss, algorithm)
        case ec.EllipticCurvePublicKey() as key, "ecdsa":
            key.verify(signer.signature, signer.signed, ec.ECDSA(algorithm))
        case _, scheme:
            raise InvalidSignature(f"the certificate's key does not support {scheme} signatures")


def _certificates(data: cms.SignedData) -> dict[tuple[bytes, bytes], x509.Certificate]:
    """Return the included certificates by issuer and serial number, which signers name them by."""
    choices = _at_most(MAX_CERTIFICATES, data["certificates"], "certificates")
    found: dict[tuple[bytes, bytes], x509.Certificate] = {}
    for choice in choices:
        if choice.name == "certificate":
            fields = choice.chosen["tbs_certificate"]
            key = (fields["issuer"].dump(), fields["serial_number"].contents)
            found.setdefault(key, load_certificate(choice.chosen.dump()))
    return found


def _signer(info: cms.SignerInfo, certificates: dict[tuple[bytes, bytes], x509.Certificate]) -> SignerInfo:
    signed = info["signed_attrs"].dump()
    if signed[:1] != b"\xa0" or signed[1:2] == b"\x80":
        raise InvalidSignature("its signed attributes are missing or not encoded as DER")
    digest = HashName.parse(info["digest_algorithm"]["algorithm"].native)
    scheme, salt_bytes = _scheme(info["signature_algorithm"], digest)
    return SignerInfo(
        certificate=_named(info["sid"], certificates),
        digest=digest,
        scheme=scheme,
        salt_bytes=salt_bytes,
        signed=b"\x31" + signed[1:],
        attributes=_attributes(info["signed_attrs"]),
        unsigned_attributes=_attributes(info["unsigned_attrs"]),
        signature=bytes(info["signature"]),
    )


def _named(
    sid: cms.SignerIdentifier, certificates: dict[tuple[bytes, bytes], x509.Certificate]
) -> x509.Certificate | None:
    if sid.name == "issuer_and_serial_number":
        return certificates.get((sid.chosen["issuer"].dump(), sid.chosen["serial_number"].contents))
    wanted = bytes(sid.chosen)
    return next((found for found in certificates.values() if _key_identifier(found) == wanted), None)


def _key_identifier(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return None


def _scheme(algorithm: cms.SignedDigestAlgorithm, digest: HashName) -> tuple[str, int]:
    """Return the scheme and the length of the salt; all hashes in it must be the signer's."""
    name = algorithm["algorithm"].native
    if name == "rsassa_pkcs1v15":
        return "rsassa_pkcs1v15", 0
    hash_names = {algorithm.hash_algo}
    salt_bytes = 0
    if name == "rsassa_pss":
        parameters = algorithm["parameters"]
        hash_names.add(parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native)
        salt_bytes = parameters["salt_length"].native
    if hash_names != {digest.value}:
        raise InvalidSignature("the signature and the content use different hash algorithms")
    return algorithm.signature_algo, salt_bytes


def _attributes(attributes: cms.CMSAttributes) -> dict[str, tuple[bytes, ...]]:
    found: dict[str, tuple[bytes, ...]] = {}
    for attribute in _at_most(_MAX_ATTRIBUTES, attributes, "attributes"):
        dotted = attribute["type"].dotted
        if dotted in found:
            raise InvalidSignature(f"the attribute {dotted} occurs twice")
        values = _at_most(_MAX_ATTRIBUTES, attribute["values"], "values of an attribute")
        found[dotted] = tuple(value.dump() for value in values)
    return found


def _at_most(limit: int, values: core.SetOf, what: str) -> core.SetOf:
    if isinstance(values, core.Void):
        return ()
    if len(values) > limit:
        raise InvalidSignature(f"it has {len(values)} {what}; the limit is {limit}")
    return values


def _content(encapsulated: core.Sequence) -> bytes | None:
    value = encapsulated["content"]
    if isinstance(value, core.Any):
        value = value.parse()
    if isinstance(value, core.Void):
        return None
    if isinstance(value, core.OctetString | core.ParsableOctetString):
        return bytes(value)
    return bytes(value.contents)

"""Signed data of the Cryptographic Message Syntax (RFC 5652), as code signatures use it.

A signer signs a set of attributes, and one of these is the digest of the content.
Signers without attributes are refused: no code signature has them, and accepting both
forms would let one be passed off as the other.
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

from factory.executables.signatures.asn1 import (
    decoding,
    identifier,
    load_certificate,
    octets,
    require_readable,
    utc_time,
)
from factory.executables.signatures.invalid import InvalidSignature

MAX_CERTIFICATES = 24
_MAX_SIGNERS = 4
_MAX_ATTRIBUTES = 32
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_TIME = "1.2.840.113549.1.9.5"


class HashName(StrEnum):
    """The hash algorithms that are read; SHA-1 only where a caller says so."""

    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"

    @classmethod
    def parse(cls, name: str) -> "HashName":
        """Parse asn1crypto's name of an algorithm.

        Raises:
            InvalidSignature: It is none of these: MD5, say.
        """
        try:
            return cls(name)
        except ValueError as error:
            raise InvalidSignature(f"the hash algorithm {name} is not accepted") from error

    @property
    def algorithm(self) -> hashes.HashAlgorithm:
        """What `cryptography` calls it."""
        match self:
            case HashName.SHA1:
                return hashes.SHA1()  # noqa: S303 - Apple's timestamps have it; callers flag it
            case HashName.SHA256:
                return hashes.SHA256()
            case HashName.SHA384:
                return hashes.SHA384()
            case HashName.SHA512:
                return hashes.SHA512()

    def digest(self, content: bytes) -> bytes:
        """Hash some bytes."""
        return hashlib.new(self.value, content, usedforsecurity=False).digest()


STRONG = frozenset({HashName.SHA256, HashName.SHA384, HashName.SHA512})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerInfo:
    """One signer of signed data, decoded and not yet checked.

    Attributes:
        certificate: The carried certificate that it names, if there is one.
        digest: The hash of the content and of the attributes.
        scheme: ``rsassa_pkcs1v15``, ``rsassa_pss`` or ``ecdsa``.
        salt_bytes: The salt's length, of ``rsassa_pss`` only.
        signed: What was signed: the attributes, encoded as a SET.
        attributes: Signed attributes: dotted identifier to encoded values.
        unsigned_attributes: Attributes that nobody signed.
        signature: The signature value.
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
        """Return the one value of a signed attribute.

        Raises:
            InvalidSignature: It is absent, or has several values.
        """
        values = self.attributes.get(dotted, ())
        if len(values) != 1:
            raise InvalidSignature(f"the signed attribute {dotted} has {len(values)} values")
        return values[0]

    @property
    def claimed_at(self) -> datetime | None:
        """When the signer says that it signed, which nobody else vouches for.

        Raises:
            InvalidSignature: What it says is no time.
        """
        if _SIGNING_TIME not in self.attributes:
            return None
        with decoding("the signing time"):
            time = core.UTCTime.load(self.attribute(_SIGNING_TIME), strict=True)
        return utc_time(time, "the signing time")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedData:
    """Signed data, decoded and not yet checked.

    Attributes:
        content_type: Dotted identifier of what is signed.
        content: The content without its tag and length; None where it is detached.
        certificates: All that it carries.
        signers: At least one.
    """

    content_type: str
    content: bytes | None
    certificates: tuple[x509.Certificate, ...]
    signers: tuple[SignerInfo, ...]

    @property
    def signer(self) -> SignerInfo:
        """The only signer.

        Raises:
            InvalidSignature: There are several; which of them counts is nowhere written.
        """
        if len(self.signers) != 1:
            raise InvalidSignature(f"it has {len(self.signers)} signers, and one is expected")
        return self.signers[0]


def parse_signed_data(encoded: bytes) -> SignedData:
    """Decode signed data; zero bytes may follow it, as Authenticode pads.

    Raises:
        InvalidSignature: It is none, or has more of something than any real one.
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


def parse_signer(encoded: bytes, carried: tuple[x509.Certificate, ...]) -> SignerInfo:
    """Decode a signer that stands alone, as a countersignature does (RFC 5652, 11.4).

    Args:
        encoded: The SignerInfo.
        carried: The certificates of the message that it is in.

    Raises:
        InvalidSignature: It is none.
    """
    require_readable(encoded, "the countersignature")
    with decoding("the countersignature"):
        certificates = {
            (found.issuer.public_bytes(), core.Integer(found.serial_number).contents): found
            for found in carried
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

    Whose certificate that is, and whether to trust it, is `certificates.find_chain`'s question.

    Raises:
        InvalidSignature: It does not hold; the reason says which part.
    """
    if signer.digest not in accepted:
        raise InvalidSignature(f"it is signed with {signer.digest}, which is too weak")
    if identifier(signer.attribute(_CONTENT_TYPE), "the content type") != content_type:
        raise InvalidSignature("the signed content type is another")
    if octets(signer.attribute(_MESSAGE_DIGEST), "the message digest") != signer.digest.digest(content):
        raise InvalidSignature("the signed digest is another than the content's")
    if signer.certificate is None:
        raise InvalidSignature("the signer's certificate is not carried")
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
            raise InvalidSignature(f"the certificate's key does not make {scheme} signatures")


def _certificates(data: cms.SignedData) -> dict[tuple[bytes, bytes], x509.Certificate]:
    """Return what is carried by what a signer names it by: issuer and serial number, or key identifier."""
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
        raise InvalidSignature("it signs no attributes, or does not encode them as DER")
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
    """Return the scheme and the salt's length; the scheme's hash has to be the signer's one hash."""
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
        raise InvalidSignature("the signature's hash is another than the content's")
    return algorithm.signature_algo, salt_bytes


def _attributes(attributes: cms.CMSAttributes) -> dict[str, tuple[bytes, ...]]:
    found: dict[str, tuple[bytes, ...]] = {}
    for attribute in _at_most(_MAX_ATTRIBUTES, attributes, "attributes"):
        dotted = attribute["type"].dotted
        if dotted in found:
            raise InvalidSignature(f"the attribute {dotted} is there twice")
        values = _at_most(_MAX_ATTRIBUTES, attribute["values"], "values of an attribute")
        found[dotted] = tuple(value.dump() for value in values)
    return found


def _at_most(limit: int, values: core.SetOf, what: str) -> core.SetOf:
    if isinstance(values, core.Void):
        return ()
    if len(values) > limit:
        raise InvalidSignature(f"it has {len(values)} {what}, and {limit} are read")
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

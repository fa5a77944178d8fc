"""Verify the CMS message of an Apple code signature: who signed the CodeDirectories, and when.

Apple's additions to CMS are in its published Security sources (``CMSEncoder``, ``SecCertificate``):
two signed attributes that cover every CodeDirectory, and private extensions that say what a
certificate was issued for.
"""

import plistlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.parsers.expat import ExpatError

from asn1crypto import algos, core
from cryptography import x509
from cryptography.x509.oid import NameOID

from factory.core.trust_level import Signer
from factory.executables.signatures.apple_directory import CodeDirectory
from factory.executables.signatures.asn1 import decoding, octets
from factory.executables.signatures.certificates import Chain, ChainRules, TrustedRoot, find_chain, name_of
from factory.executables.signatures.cms import SignedData, SignerInfo, check_signer, parse_signed_data
from factory.executables.signatures.result import InvalidSignature
from factory.executables.signatures.timestamps import Timestamp, check_timestamp

_DATA = "1.2.840.113549.1.7.1"
_TIMESTAMP = "1.2.840.113549.1.9.16.2.14"
_CDHASHES_PLIST = "1.2.840.113635.100.9.1"
_CDHASHES = "1.2.840.113635.100.9.2"
_DEVELOPER_ID = x509.ObjectIdentifier("1.2.840.113635.100.6.1.13")
_DEVELOPER_ID_ISSUER = x509.ObjectIdentifier("1.2.840.113635.100.6.2.6")
# Critical extensions of the certificates for development, distribution and Developer ID.
_LEAF_MARKS = frozenset(
    x509.ObjectIdentifier(f"1.2.840.113635.100.6.1.{number}") for number in (2, 4, 7, 12, 13)
)


class _DirectoryDigest(core.Sequence):  # type: ignore[misc]  # asn1crypto is untyped
    _fields = [("algorithm", algos.DigestAlgorithmId), ("digest", core.OctetString)]  # noqa: RUF012


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorship:
    """The verified signer of a code signature.

    Attributes:
        serial: The serial number of the signer's certificate.
        signed_at: The time in the timestamp, if there is one.
        remarks: Short statements about the kind of certificate and the timestamp authority.
    """

    signer: Signer
    serial: str
    signed_at: datetime | None
    remarks: tuple[str, ...]


def check_authorship(
    encoded: bytes, directories: Sequence[CodeDirectory], *, roots: tuple[TrustedRoot, ...], now: datetime
) -> Authorship:
    """Verify the CMS message of a code signature.

    Without a timestamp, the certificates must be valid now: the signature becomes invalid when
    they expire.

    Args:
        encoded: The message.
        directories: The CodeDirectories that it signs, the primary one first.
        roots: The trusted roots of signers and timestamp authorities.
        now: Later times are rejected.

    Raises:
        InvalidSignature: The message is not valid.
    """
    data = parse_signed_data(encoded)
    if data.content is not None:
        raise InvalidSignature("the signature covers its own content, not the CodeDirectory")
    signer = data.signer
    leaf = check_signer(signer, content=directories[0].encoded, content_type=_DATA)
    _check_directories(signer, directories)
    timestamp = _timestamp(signer, roots, now)
    chain = _chain(data, leaf, roots, timestamp, now)
    is_developer_id = _is_developer_id(chain)
    team = name_of(leaf, NameOID.ORGANIZATIONAL_UNIT_NAME)
    for directory in directories:
        _check_team(directory, team, is_required=is_developer_id)
    return Authorship(
        signer=chain.signer(identifier=directories[0].team),
        serial=chain.serial,
        signed_at=None if timestamp is None else timestamp.at,
        remarks=(_certificate_remark(is_developer_id=is_developer_id), _time_remark(timestamp, signer)),
    )


def _check_directories(signer: SignerInfo, directories: Sequence[CodeDirectory]) -> None:
    """Check that the signed attributes list every directory; the message digest covers only the first."""
    if _CDHASHES in signer.attributes:
        named = _named_digests(signer)
        for directory in directories:
            if (directory.hash.algorithm, directory.digest) not in named:
                raise InvalidSignature(f"the signer did not sign the {directory.hash.title} CodeDirectory")
    if _CDHASHES_PLIST in signer.attributes:
        cdhashes = _listed_cdhashes(octets(signer.attribute(_CDHASHES_PLIST), "the list of cdhashes"))
        if cdhashes != sorted(directory.cdhash for directory in directories):
            raise InvalidSignature("the signer's list of cdhashes does not match the CodeDirectories")
    elif len(directories) > 1 and _CDHASHES not in signer.attributes:
        raise InvalidSignature("the signer did not sign its alternate CodeDirectories")


def _named_digests(signer: SignerInfo) -> set[tuple[str, bytes]]:
    with decoding("the digests of the CodeDirectories"):
        values = [_DirectoryDigest.load(value, strict=True) for value in signer.attributes[_CDHASHES]]
        return {(value["algorithm"].native, bytes(value["digest"])) for value in values}


def _listed_cdhashes(encoded: bytes) -> list[bytes]:
    try:
        document = plistlib.loads(encoded, fmt=plistlib.FMT_XML)
    except (ExpatError, ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise InvalidSignature("the list of cdhashes cannot be decoded") from error
    cdhashes = document.get("cdhashes") if isinstance(document, dict) else None
    if not isinstance(cdhashes, list):
        return []
    return sorted(cdhash for cdhash in cdhashes if isinstance(cdhash, bytes))


def _timestamp(signer: SignerInfo, roots: tuple[TrustedRoot, ...], now: datetime) -> Timestamp | None:
    match signer.unsigned_attributes.get(_TIMESTAMP):
        case None:
            return None
        case (token,):
            return check_timestamp(token, signature=signer.signature, roots=roots, now=now)
        case _:
            raise InvalidSignature("the signature has several timestamps")


def _chain(
    data: SignedData,
    leaf: x509.Certificate,
    roots: tuple[TrustedRoot, ...],
    timestamp: Timestamp | None,
    now: datetime,
) -> Chain:
    rules = ChainRules(roots=roots, understood=_LEAF_MARKS)
    at = now if timestamp is None else timestamp.at
    try:
        return find_chain(leaf, included=data.certificates, rules=rules, at=at)
    except InvalidSignature as error:
        if timestamp is not None:
            raise
        reason = f"{error.reason} (as of today, because there is no timestamp)"
        raise InvalidSignature(reason) from error


def _is_developer_id(chain: Chain) -> bool:
    leaf, issuer = chain.certificates[:2]
    return _has_mark(leaf, _DEVELOPER_ID) and _has_mark(issuer, _DEVELOPER_ID_ISSUER)


def _has_mark(certificate: x509.Certificate, mark: x509.ObjectIdentifier) -> bool:
    return any(extension.oid == mark for extension in certificate.extensions)


def _check_team(directory: CodeDirectory, team: str | None, *, is_required: bool) -> None:
    """Check that the signed Team ID is that of the certificate; Apple's own programs have no Team ID."""
    if directory.team is None and not is_required:
        return
    if directory.team != team:
        said = "no team" if directory.team is None else f"team {directory.team}"
        raise InvalidSignature(f"it names {said}, but its certificate is of team {team}")


def _certificate_remark(*, is_developer_id: bool) -> str:
    return "a Developer ID Application certificate" if is_developer_id else "no Developer ID certificate"


def _time_remark(timestamp: Timestamp | None, signer: SignerInfo) -> str:
    if timestamp is None:
        claimed = signer.claimed_at
        return "no timestamp" + (f"; the signer claims {claimed:%Y-%m-%dT%H:%M:%SZ}" if claimed else "")
    authority = timestamp.chain.signer()
    weakness = f", which signs with {timestamp.digest}" if timestamp.is_weak else ""
    return f"timestamp by {authority.name} under {authority.root}{weakness}"

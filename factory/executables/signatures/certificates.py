"""Build and verify a chain from a signer's certificate to a pinned root, as of a given time.

`cryptography` builds paths only for web servers and their clients, and rejects what code signing
uses: private critical extensions, and roots that are known by fingerprint. The rules here are those
of RFC 5280 that code signing chains need; anything else (name constraints, other critical
extensions) is rejected. Revocation is not asked for: that needs the network, and its answer changes;
`factory.executables.signatures.revoked` lists the revocations that are known.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature as WrongSignature
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from factory.core.counted import counted
from factory.core.digests import Sha256
from factory.core.trust_level import Signer
from factory.executables.signatures.cms import MAX_CERTIFICATES
from factory.executables.signatures.result import InvalidSignature, UnknownRoot

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)

_MAX_LENGTH = 6
_MAX_CHECKS = 48
_MIN_RSA_BITS = 2048
_MAX_RSA_BITS = 8192
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_UNDERSTOOD = frozenset(
    {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedRoot:
    """A trusted root certificate.

    Attributes:
        name: Its common name, for display.
        sha256: The fingerprint that identifies it.
        certificate: The certificate, if signatures do not include it.
    """

    name: str
    sha256: Sha256
    certificate: x509.Certificate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRules:
    """The requirements for a chain.

    Attributes:
        purpose: The extended key usage that the leaf must have.
        understood: Critical extensions that the caller checks.
    """

    roots: tuple[TrustedRoot, ...]
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.CODE_SIGNING
    understood: frozenset[x509.ObjectIdentifier] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A valid chain, the signer's certificate first and the root last."""

    certificates: tuple[x509.Certificate, ...]
    root: TrustedRoot

    @property
    def leaf(self) -> x509.Certificate:
        """The signer's certificate."""
        return self.certificates[0]

    @property
    def serial(self) -> str:
        """The serial number of the leaf: ``0x`` and lower-case hex digits."""
        return f"{self.leaf.serial_number:#x}"

    def signer(self, *, identifier: str | None = None) -> Signer:
        """Return the signer that the leaf names.

        Args:
            identifier: The platform's identifier of the signer.
        """
        return Signer(
            name=name_of(self.leaf, NameOID.COMMON_NAME) or self.leaf.subject.rfc4514_string(),
            organization=name_of(self.leaf, NameOID.ORGANIZATION_NAME),
            identifier=identifier,
            root=self.root.name,
        )


def name_of(certificate: x509.Certificate, kind: x509.ObjectIdentifier) -> str | None:
    """Return the only attribute of this kind in the subject; None if there are none or several."""
    match certificate.subject.get_attributes_for_oid(kind):
        case [attribute]:
            return str(attribute.value)
        case _:
            return None


def find_chain(
    leaf: x509.Certificate,
    *,
    included: tuple[x509.Certificate, ...],
    rules: ChainRules,
    at: datetime,
) -> Chain:
    """Find a chain from a certificate to a trusted root that is valid at a time.

    Raises:
        InvalidSignature: There is no such chain; the reason is that of the last chain tried.
        UnknownRoot: No chain ends in a trusted root.
    """
    known = (*included, *(root.certificate for root in rules.roots if root.certificate is not None))
    if len(known) > 2 * MAX_CERTIFICATES:
        raise InvalidSignature(f"it includes {counted(len(known), 'certificate')}")
    rejection: InvalidSignature = UnknownRoot()
    for path, root in _Search(known=known, roots=rules.roots).paths((leaf,)):
        try:
            _check_path(path, rules, at)
        except InvalidSignature as error:
            rejection = error
        else:
            return Chain(certificates=path, root=root)
    raise rejection


class _Search:
    """Finds paths by names and signatures, with a limit on the signatures that are checked.

    Certificates with one name that sign each other make exponentially many paths.
    """

    def __init__(self, *, known: tuple[x509.Certificate, ...], roots: tuple[TrustedRoot, ...]) -> None:
        self._known = known
        self._roots = {root.sha256.hex: root for root in roots}
        self._checks_left = _MAX_CHECKS

    def paths(
        self, path: tuple[x509.Certificate, ...]
    ) -> Iterator[tuple[tuple[x509.Certificate, ...], TrustedRoot]]:
        last = path[-1]
        root = self._roots.get(last.fingerprint(hashes.SHA256()).hex())
        if root is not None and len(path) > 1:
            yield path, root
        elif len(path) < _MAX_LENGTH:
            for issuer in self._known:
                if issuer not in path and self._is_issued_by(last, issuer):
                    yield from self.paths((*path, issuer))

    def _is_issued_by(self, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
        if certificate.issuer != issuer.subject:
            return False
        self._checks_left -= 1
        if self._checks_left < 0:
            raise InvalidSignature(f"its certificates need more than {_MAX_CHECKS} signature checks")
        try:
            if not isinstance(certificate.signature_hash_algorithm, _HASHES):
                return False
            certificate.verify_directly_issued_by(issuer)
        except (WrongSignature, UnsupportedAlgorithm, ValueError, TypeError):
            return False
        return True


def _check_path(path: tuple[x509.Certificate, ...], rules: ChainRules, at: datetime) -> None:
    for certificate in path:
        _check_time(certificate, at)
        _check_key(certificate)
        _check_extensions(certificate, rules)
    _check_leaf(path[0], rules)
    for below, certificate in enumerate(path[1:]):
        _check_authority(certificate, below, rules)


def _check_time(certificate: x509.Certificate, at: datetime) -> None:
    name = _shown(certificate)
    if at < certificate.not_valid_before_utc:
        raise InvalidSignature(f"{name} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}")
    if at > certificate.not_valid_after_utc:
        raise InvalidSignature(f"{name} expired on {certificate.not_valid_after_utc:%Y-%m-%d}")


def _check_key(certificate: x509.Certificate) -> None:
    match _public_key(certificate):
        case rsa.RSAPublicKey(key_size=bits) if _MIN_RSA_BITS <= bits <= _MAX_RSA_BITS:
            pass
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1() | ec.SECP384R1() | ec.SECP521R1()):
            pass
        case _:
            raise InvalidSignature(f"{_shown(certificate)} has a key of an unsupported kind or size")


def _public_key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None


def _check_extensions(certificate: x509.Certificate, rules: ChainRules) -> None:
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD | rules.understood:
            raise InvalidSignature(
                f"{_shown(certificate)} has the critical extension {extension.oid.dotted_string}"
            )


def _check_leaf(leaf: x509.Certificate, rules: ChainRules) -> None:
    usage = _key_usage(leaf)
    if usage is not None and not usage.digital_signature:
        raise InvalidSignature(f"{_shown(leaf)} does not allow signatures")
    purposes = _purposes(leaf)
    if purposes is None or rules.purpose not in purposes:
        raise InvalidSignature(f"{_shown(leaf)} is not issued for this purpose")


def _check_authority(certificate: x509.Certificate, below: int, rules: ChainRules) -> None:
    """Check a certificate that issued another.

    Args:
        certificate: The issuer.
        below: The number of authorities between it and the leaf.
        rules: The purpose that it must allow, if it restricts purposes.
    """
    constraints = _extension(certificate, x509.BasicConstraints)
    usage = _key_usage(certificate)
    if constraints is None or not constraints.ca or (usage is not None and not usage.key_cert_sign):
        raise InvalidSignature(f"{_shown(certificate)} must not issue certificates")
    if constraints.path_length is not None and below > constraints.path_length:
        raise InvalidSignature(f"{_shown(certificate)} does not allow a chain of this length")
    purposes = _purposes(certificate)
    if purposes is not None and not {rules.purpose, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & purposes:
        raise InvalidSignature(f"{_shown(certificate)} issues certificates for other purposes")


def _key_usage(certificate: x509.Certificate) -> x509.KeyUsage | None:
    return _extension(certificate, x509.KeyUsage)


def _purposes(certificate: x509.Certificate) -> set[x509.ObjectIdentifier] | None:
    usages = _extension(certificate, x509.ExtendedKeyUsage)
    return None if usages is None else set(usages)


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _shown(certificate: x509.Certificate) -> str:
    return f"the certificate of {name_of(certificate, NameOID.COMMON_NAME) or 'an unnamed subject'!r}"

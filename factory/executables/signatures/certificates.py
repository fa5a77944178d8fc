"""From a signer's certificate to a pinned root, at one time.

Python's `cryptography` builds paths for web servers and their clients only, and refuses
what code signing has: private critical extensions, roots known by fingerprint. The rules
here are RFC 5280's as far as code signing chains go; what they do not know (name
constraints, other critical extensions) is refused. Revocation is not looked at: it needs
the network, and its answer changes.
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

from factory.core.digests import Sha256
from factory.core.trust_level import Signer
from factory.executables.signatures.cms import MAX_CERTIFICATES
from factory.executables.signatures.invalid import InvalidSignature

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
    """A root that is trusted, by its fingerprint.

    Attributes:
        name: Its common name, for people.
        sha256: The SHA-256 of its whole encoding.
        certificate: Itself, where signatures do not carry it.
    """

    name: str
    sha256: Sha256
    certificate: x509.Certificate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRules:
    """What a chain has to be.

    Attributes:
        roots: Where it may end.
        purpose: The extended key usage that the leaf must have.
        understood: Critical extensions that the caller judges itself.
    """

    roots: tuple[TrustedRoot, ...]
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.CODE_SIGNING
    understood: frozenset[x509.ObjectIdentifier] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A chain that holds, the signer's certificate first and the root last."""

    certificates: tuple[x509.Certificate, ...]
    root: TrustedRoot

    @property
    def leaf(self) -> x509.Certificate:
        """The signer's certificate."""
        return self.certificates[0]

    def signer(self, *, identifier: str | None = None) -> Signer:
        """Tell whose the leaf is.

        Args:
            identifier: What the platform knows the signer by.
        """
        return Signer(
            name=name_of(self.leaf, NameOID.COMMON_NAME) or self.leaf.subject.rfc4514_string(),
            organization=name_of(self.leaf, NameOID.ORGANIZATION_NAME),
            identifier=identifier,
            root=self.root.name,
        )


def name_of(certificate: x509.Certificate, kind: x509.ObjectIdentifier) -> str | None:
    """Return the only part of that kind of the subject's name; None where there is none or several."""
    match certificate.subject.get_attributes_for_oid(kind):
        case [attribute]:
            return str(attribute.value)
        case _:
            return None


def find_chain(
    leaf: x509.Certificate,
    *,
    carried: tuple[x509.Certificate, ...],
    rules: ChainRules,
    at: datetime,
) -> Chain:
    """Find a chain from a certificate to a trusted root that holds at a time.

    Raises:
        InvalidSignature: There is none; the reason is that of the last one tried.
    """
    known = (*carried, *(root.certificate for root in rules.roots if root.certificate is not None))
    if len(known) > 2 * MAX_CERTIFICATES:
        raise InvalidSignature(f"it carries {len(known)} certificates")
    refused = InvalidSignature("its certificate leads to no trusted root")
    for path, root in _Search(known=known, roots=rules.roots).paths((leaf,)):
        try:
            _check_path(path, rules, at)
        except InvalidSignature as error:
            refused = error
        else:
            return Chain(certificates=path, root=root)
    raise refused


class _Search:
    """Paths by names and signatures, with a bound on the signatures that are checked.

    Certificates of one name that sign each other make exponentially many paths.
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
            raise InvalidSignature(f"more than {_MAX_CHECKS} signatures of certificates would be checked")
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
        raise InvalidSignature(f"{name} is valid only from {certificate.not_valid_before_utc:%Y-%m-%d}")
    if at > certificate.not_valid_after_utc:
        raise InvalidSignature(f"{name} expired on {certificate.not_valid_after_utc:%Y-%m-%d}")


def _check_key(certificate: x509.Certificate) -> None:
    match _public_key(certificate):
        case rsa.RSAPublicKey(key_size=bits) if _MIN_RSA_BITS <= bits <= _MAX_RSA_BITS:
            pass
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1() | ec.SECP384R1() | ec.SECP521R1()):
            pass
        case _:
            raise InvalidSignature(f"{_shown(certificate)} has a key of a kind or size that is not accepted")


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
        raise InvalidSignature(f"{_shown(leaf)} is not for signatures")
    purposes = _purposes(leaf)
    if purposes is None or rules.purpose not in purposes:
        raise InvalidSignature(f"{_shown(leaf)} is not for this purpose")


def _check_authority(certificate: x509.Certificate, below: int, rules: ChainRules) -> None:
    """Check a certificate that issued another.

    Args:
        certificate: It.
        below: How many authorities are between it and the leaf.
        rules: The purpose it has to allow, if it limits purposes.
    """
    constraints = _extension(certificate, x509.BasicConstraints)
    usage = _key_usage(certificate)
    if constraints is None or not constraints.ca or (usage is not None and not usage.key_cert_sign):
        raise InvalidSignature(f"{_shown(certificate)} may not issue certificates")
    if constraints.path_length is not None and below > constraints.path_length:
        raise InvalidSignature(f"{_shown(certificate)} may not issue so long a chain")
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
    return f"the certificate of {name_of(certificate, NameOID.COMMON_NAME) or 'a nameless subject'!r}"

"""The edge to asn1crypto, which is untyped and decodes lazily.

Apple's messages have indefinite lengths (BER), so a strict DER decoder will not do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from asn1crypto import core
from asn1crypto import x509 as asn1_x509
from cryptography import x509

from factory.executables.signatures.invalid import InvalidSignature

MAX_ENCODED_BYTES = 1 << 18
"""The real ones have 5 to 20 kB. asn1crypto reads nested indefinite lengths once for each level."""


@contextmanager
def decoding(what: str) -> Iterator[None]:
    """Turn whatever asn1crypto raises on bad bytes, at any look at a value, into one error.

    Raises:
        InvalidSignature: The bytes are no such structure.
    """
    try:
        yield
    except (LookupError, OverflowError, RecursionError, TypeError, ValueError, AttributeError) as error:
        raise InvalidSignature(f"{what} cannot be decoded") from error


def require_readable(encoded: bytes, what: str) -> None:
    """Refuse more bytes than any real structure has.

    Raises:
        InvalidSignature: It is too large.
    """
    if len(encoded) > MAX_ENCODED_BYTES:
        raise InvalidSignature(f"{what} has {len(encoded)} bytes, and {MAX_ENCODED_BYTES} are read")


def load_certificate(encoded: bytes) -> x509.Certificate:
    """Decode a certificate, with the parts that `cryptography` would decode only when they are used.

    Raises:
        InvalidSignature: It is none.
    """
    with decoding("a certificate that it carries"):
        # `cryptography` only warns, and warnings are the whole process's business.
        if asn1_x509.Certificate.load(encoded, strict=True).serial_number <= 0:
            raise InvalidSignature("a certificate that it carries has no positive serial number")
    try:
        certificate = x509.load_der_x509_certificate(encoded)
        _ = certificate.subject, certificate.issuer, certificate.extensions
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except (
        ValueError,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise InvalidSignature("a certificate that it carries cannot be decoded") from error
    return certificate


def octets(encoded: bytes, what: str) -> bytes:
    """Decode one OCTET STRING."""
    with decoding(what):
        return bytes(core.OctetString.load(encoded, strict=True))


def identifier(encoded: bytes, what: str) -> str:
    """Decode one OBJECT IDENTIFIER as dotted numbers."""
    with decoding(what):
        return str(core.ObjectIdentifier.load(encoded, strict=True).dotted)


def utc_time(value: core.AbstractTime, what: str) -> datetime:
    """Return a decoded time; one without a zone is refused, since it could be any."""
    with decoding(what):
        native = value.native
    if not isinstance(native, datetime) or native.tzinfo is None:
        raise InvalidSignature(f"{what} is no time in UTC")
    return native

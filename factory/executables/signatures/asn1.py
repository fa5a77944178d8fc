"""Typed access to asn1crypto, which is untyped and decodes lazily.

Apple's messages use indefinite lengths (BER), which a strict DER decoder rejects.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from asn1crypto import core
from asn1crypto import x509 as asn1_x509
from cryptography import x509

from factory.core.counted import counted
from factory.executables.signatures.result import InvalidSignature

MAX_ENCODED_BYTES = 1 << 18
"""Real messages have 5 to 20 kB. asn1crypto reads nested indefinite lengths once for each level."""


@contextmanager
def decoding(what: str) -> Iterator[None]:
    """Turn the errors that asn1crypto raises on invalid bytes, at any access to a value, into one.

    Raises:
        InvalidSignature: The bytes cannot be decoded.
    """
    try:
        yield
    except (LookupError, OverflowError, RecursionError, TypeError, ValueError, AttributeError) as error:
        raise InvalidSignature(f"{what} cannot be decoded") from error


def require_readable(encoded: bytes, what: str) -> None:
    """Reject a structure that is larger than any real one.

    Raises:
        InvalidSignature: It is too large.
    """
    if len(encoded) > MAX_ENCODED_BYTES:
        raise InvalidSignature(
            f"{what} has {counted(len(encoded), 'byte')}; the limit is {MAX_ENCODED_BYTES}"
        )


def load_certificate(encoded: bytes) -> x509.Certificate:
    """Decode a certificate, with the parts that `cryptography` decodes only when they are used.

    Raises:
        InvalidSignature: It cannot be decoded.
    """
    with decoding("an included certificate"):
        # `cryptography` only warns, and whether a warning is an error is up to the whole process.
        if asn1_x509.Certificate.load(encoded, strict=True).serial_number <= 0:
            raise InvalidSignature("the serial number of an included certificate is not positive")
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
        raise InvalidSignature("an included certificate cannot be decoded") from error
    return certificate


def octets(encoded: bytes, what: str) -> bytes:
    """Decode one OCTET STRING."""
    with decoding(what):
        return bytes(core.OctetString.load(encoded, strict=True))


def identifier(encoded: bytes, what: str) -> str:
    """Decode one OBJECT IDENTIFIER to its dotted form."""
    with decoding(what):
        return str(core.ObjectIdentifier.load(encoded, strict=True).dotted)


def utc_time(value: core.AbstractTime, what: str) -> datetime:
    """Return a decoded time; a time without a zone is rejected as ambiguous."""
    with decoding(what):
        native = value.native
    if not isinstance(native, datetime) or native.tzinfo is None:
        raise InvalidSignature(f"{what} is not a time in UTC")
    return native

import re
from collections.abc import Callable, Sequence
from functools import cache

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from factory.executables.signatures.cms import HashName, SignedData, check_signer, parse_signed_data
from factory.executables.signatures.result import InvalidSignature
from tests.authority import (
    ISSUER,
    MESSAGE_DIGEST,
    ROOT,
    SIGNED_AT,
    TIME_AUTHORITY,
    Message,
    attribute,
    encoded_signer_info,
    integer,
    octets,
    oid,
    sequence,
    set_of,
    signature_over,
    signed_data,
    signer_info,
    tagged,
)

DATA = "1.2.840.113549.1.7.1"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
CONTENT = b"what is signed"
MESSAGE = Message(content_type=DATA, content=b"", covered=CONTENT)
BY = TIME_AUTHORITY
SIGNED = signed_data(MESSAGE, [signer_info(MESSAGE, BY)], BY.certificates)


def check(encoded: bytes, content: bytes = CONTENT) -> x509.Certificate:
    return check_signer(parse_signed_data(encoded).signer, content=content, content_type=DATA)


def reject(encoded: bytes, reason: str, content: bytes = CONTENT) -> None:
    with pytest.raises(InvalidSignature, match=f"^{re.escape(reason)}$"):
        check(encoded, content)


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def self_signed(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Signer")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, SIGNED_AT, SIGNED_AT)
    return builder.sign(key, hashes.SHA256())


Hash = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
PKCS1 = padding.PKCS1v15()
PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)


@pytest.mark.parametrize(
    ("hash_algorithm", "rsa_padding"),
    [(hashes.SHA256(), PKCS1), (hashes.SHA384(), PKCS1), (hashes.SHA512(), PKCS1), (hashes.SHA256(), PSS)],
    ids=["sha256", "sha384", "sha512", "pss"],
)
def test_rsa_signatures_of_another_library_are_valid(
    hash_algorithm: Hash, rsa_padding: padding.PKCS1v15 | padding.PSS
) -> None:
    certificate = self_signed(rsa_key())
    encoded = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(CONTENT)
        .add_signer(certificate, rsa_key(), hash_algorithm, rsa_padding=rsa_padding)
        .sign(Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary])
    )
    assert check(encoded) == certificate
    reject(encoded, "the signed digest is not that of the content", content=b"something else")


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()], ids=["p256", "p384"])
def test_ecdsa_signatures_of_another_library_are_valid(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    certificate = self_signed(key)
    builder = pkcs7.PKCS7SignatureBuilder().set_data(CONTENT).add_signer(certificate, key, hashes.SHA384())
    options = [pkcs7.PKCS7Options.Binary]
    data = parse_signed_data(builder.sign(Encoding.DER, options))
    assert data.content == CONTENT
    assert check_signer(data.signer, content=CONTENT, content_type=DATA) == certificate


def test_the_decoded_message() -> None:
    data = parse_signed_data(SIGNED)
    assert (data.content_type, data.content) == (DATA, None)
    assert data.certificates == (BY.certificate, ISSUER.certificate, ROOT.certificate)
    assert (data.signer.digest, data.signer.scheme) == (HashName.SHA256, "ecdsa")
    assert set(data.signer.attributes) == {CONTENT_TYPE, MESSAGE_DIGEST}
    assert check(SIGNED) == BY.certificate


def test_indefinite_lengths_as_in_apples_messages() -> None:
    inner = SIGNED[_header(SIGNED) :]
    assert check(b"\x30\x80" + inner + b"\0\0") == BY.certificate


def _header(encoded: bytes) -> int:
    return 2 if encoded[1] < 0x80 else 2 + (encoded[1] & 0x7F)


def test_only_zero_bytes_may_follow() -> None:
    assert check(SIGNED + bytes(7)) == BY.certificate
    reject(SIGNED + b"\0\1", "bytes follow the CMS message")


def test_another_key() -> None:
    signed = _signed_attributes(CONTENT)
    forged = signature_over(set_of(*signed), ISSUER)
    signer = encoded_signer_info(BY, signed, forged, unsigned=[], digest="sha256")
    reject(
        signed_data(MESSAGE, [signer], BY.certificates),
        "the signature was not made by the certificate's key",
    )


def _signed_attributes(content: bytes) -> list[bytes]:
    return [
        attribute(CONTENT_TYPE, oid(DATA)),
        attribute(MESSAGE_DIGEST, octets(HashName.SHA256.digest(content))),
    ]


def signed_by(attributes: Sequence[bytes]) -> bytes:
    """Sign only these attributes."""
    signature = signature_over(set_of(*attributes), BY)
    signer = encoded_signer_info(BY, attributes, signature, unsigned=[], digest="sha256")
    return signed_data(MESSAGE, [signer], BY.certificates)


def test_attributes_must_occur_once() -> None:
    content_type, digest = _signed_attributes(CONTENT)
    reject(signed_by([content_type]), f"the signed attribute {MESSAGE_DIGEST} has 0 values")
    reject(signed_by([digest]), f"the signed attribute {CONTENT_TYPE} has 0 values")
    two = attribute(MESSAGE_DIGEST, octets(bytes(32)), octets(HashName.SHA256.digest(CONTENT)))
    reject(signed_by([content_type, two]), f"the signed attribute {MESSAGE_DIGEST} has 2 values")
    doubled = [content_type, digest, attribute(MESSAGE_DIGEST, octets(bytes(32)))]
    reject(signed_by(doubled), f"the attribute {MESSAGE_DIGEST} occurs twice")


def test_another_content_type() -> None:
    _, digest = _signed_attributes(CONTENT)
    reject(
        signed_by([attribute(CONTENT_TYPE, oid("1.2.3")), digest]), "the signed content type does not match"
    )


def test_a_signature_without_attributes() -> None:
    bare = sequence(
        integer(1),
        sequence(BY.certificate.issuer.public_bytes(), integer(BY.certificate.serial_number)),
        sequence(oid("2.16.840.1.101.3.4.2.1")),
        sequence(oid("1.2.840.10045.4.3.2")),
        octets(signature_over(CONTENT, BY)),
    )
    reject(
        signed_data(MESSAGE, [bare], BY.certificates),
        "its signed attributes are missing or not encoded as DER",
    )


@pytest.mark.parametrize("digest", ["sha1"])
def test_weak_hashes(digest: str) -> None:
    message = Message(content_type=DATA, content=b"", covered=CONTENT, digest=digest)
    encoded = signed_data(message, [signer_info(message, BY)], BY.certificates)
    reject(encoded, "it is signed with sha1, which is too weak")
    accepted = frozenset({HashName.SHA1})
    signer = parse_signed_data(encoded).signer
    found = check_signer(signer, content=CONTENT, content_type=DATA, accepted=accepted)
    assert found == BY.certificate


def test_an_unsupported_hash() -> None:
    md5 = SIGNED.replace(oid("2.16.840.1.101.3.4.2.1"), oid("2.16.840.1.101.3.4.2.4"))
    reject(md5, "the hash algorithm sha224 is not accepted")


def test_a_signature_algorithm_with_another_hash() -> None:
    other = SIGNED.replace(oid("1.2.840.10045.4.3.2"), oid("1.2.840.10045.4.3.3"))
    reject(other, "the signature and the content use different hash algorithms")


def test_a_key_of_another_kind() -> None:
    other = SIGNED.replace(
        sequence(oid("1.2.840.10045.4.3.2")) + octets(b"")[:1],
        sequence(oid("1.2.840.113549.1.1.11")) + octets(b"")[:1],
    )
    assert other != SIGNED
    with pytest.raises(InvalidSignature):
        check(other)


def test_a_certificate_that_is_not_included() -> None:
    encoded = signed_data(MESSAGE, [signer_info(MESSAGE, BY)], ISSUER.certificates)
    reject(encoded, "the signer's certificate is not included")


def test_a_malformed_certificate() -> None:
    broken = sequence(sequence(integer(1)), sequence(oid("1.2.3")), tagged(0x03, b"\0"))
    encoded = signed_data(MESSAGE, [signer_info(MESSAGE, BY)], [broken])
    with pytest.raises(InvalidSignature, match="cannot be decoded"):
        check(encoded)


def test_limits() -> None:
    signer = signer_info(MESSAGE, BY)
    many = [integer(number) for number in range(40)]
    reject(signed_data(MESSAGE, [signer], BY.certificates * 9), "it has 27 certificates; the limit is 24")
    reject(signed_data(MESSAGE, [signer] * 5, BY.certificates), "it has 5 signers; the limit is 4")
    reject(signed_data(MESSAGE, [signer] * 2, BY.certificates), "it has 2 signers instead of one")
    reject(
        signed_by([*_signed_attributes(CONTENT), attribute("1.2.3", *many)]),
        "it has 40 values of an attribute; the limit is 32",
    )
    reject(SIGNED + bytes(1 << 18), f"the CMS message has {len(SIGNED) + 262144} bytes; the limit is 262144")


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"\x30",
        b"\x30\x80" * 50_000,
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x8f" + b"\xff" * 16,
        sequence(oid("1.2.840.113549.1.7.2")),
        sequence(oid("1.2.840.113549.1.7.2"), tagged(0xA0, b"")),
        core.Integer(1).dump(),
    ],
    ids=["nothing", "a tag", "nested", "huge", "huger", "no content", "empty content", "integer"],
)
def test_a_malformed_message(encoded: bytes) -> None:
    with pytest.raises(InvalidSignature):
        parse_signed_data(encoded)


def test_another_kind_of_message() -> None:
    reject(sequence(oid(DATA), tagged(0xA0, octets(b"x"))), "the CMS message is not signed data")


def _survives(parse: Callable[[bytes], SignedData], encoded: bytes) -> None:
    try:
        signer = parse(encoded).signer
        check_signer(signer, content=CONTENT, content_type=DATA)
    except InvalidSignature:
        pass


@given(st.integers(0, len(SIGNED) - 1), st.binary(min_size=1, max_size=8))
def test_changed_bytes_do_not_crash(at: int, patch: bytes) -> None:
    _survives(parse_signed_data, SIGNED[:at] + patch + SIGNED[at + len(patch) :])


@given(st.integers(0, len(SIGNED) - 1), st.integers(0, len(SIGNED) - 1))
def test_removed_bytes_do_not_crash(start: int, end: int) -> None:
    _survives(parse_signed_data, SIGNED[:start] + SIGNED[end:])

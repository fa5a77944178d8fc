import hashlib
import re
from datetime import timedelta

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from factory.executables.signatures.certificates import TrustedRoot
from factory.executables.signatures.cms import HashName
from factory.executables.signatures.result import InvalidSignature
from factory.executables.signatures.timestamps import Timestamp, check_timestamp
from tests.authority import (
    CODE_SIGNING,
    ISSUER,
    ROOT,
    SIGNED_AT,
    TIME_AUTHORITY,
    TIME_STAMPING,
    TST_INFO,
    Identity,
    Message,
    Subject,
    attribute,
    authority,
    digest_algorithm,
    integer,
    issued,
    octets,
    oid,
    sequence,
    signed_data,
    signer_info,
    timestamp_token,
)

ROOTS = (TrustedRoot(name="Test Root", sha256=ROOT.fingerprint),)
NOW = SIGNED_AT + timedelta(days=1000)
VALUE = b"the value of a signature"
TOKEN = timestamp_token(VALUE)


def check(token: bytes, value: bytes = VALUE) -> Timestamp:
    return check_timestamp(token, signature=value, roots=ROOTS, now=NOW)


def reject(token: bytes, reason: str) -> None:
    with pytest.raises(InvalidSignature, match=f"^{re.escape(reason)}$"):
        check(token)


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384"])
def test_a_valid_token(digest: str) -> None:
    stamp = check(timestamp_token(VALUE, digest=digest))
    assert (stamp.at, stamp.chain.root, stamp.digest) == (SIGNED_AT, ROOTS[0], HashName.SHA256)
    assert stamp.chain.leaf == TIME_AUTHORITY.certificate
    assert not stamp.is_weak


def test_a_token_is_valid_after_the_certificate_of_the_authority_expired() -> None:
    assert TIME_AUTHORITY.certificate.not_valid_after_utc < NOW
    assert check(TOKEN).at == SIGNED_AT


def test_another_value() -> None:
    with pytest.raises(InvalidSignature, match=r"^the timestamp is for another signature$"):
        check(TOKEN, b"another value")


def test_a_time_after_the_certificate_of_the_authority_expired() -> None:
    late = timestamp_token(VALUE, at=SIGNED_AT + timedelta(days=200))
    reject(late, "the certificate of 'Test Time' expired on 2027-01-23")


def test_a_time_in_the_future() -> None:
    reject(
        timestamp_token(VALUE, at=NOW + timedelta(seconds=1)),
        "the timestamp is from the future: 2029-07-11T20:18:41Z",
    )


def test_an_untrusted_authority() -> None:
    other = issued(Subject(name="Other", usages=(TIME_STAMPING,)), authority("Other Root"))
    reject(
        timestamp_token(VALUE, by=other), "its certificate chain does not end in a root that is pinned here"
    )


def test_a_code_signing_certificate_must_not_sign_timestamps() -> None:
    signer = issued(Subject(name="Signer", usages=(CODE_SIGNING,)), ISSUER)
    reject(timestamp_token(VALUE, by=signer), "the certificate of 'Signer' is not issued for this purpose")


def token_of(
    *, digest: str = "sha256", named: Identity = TIME_AUTHORITY, content_type: str = TST_INFO, at: bytes = b""
) -> bytes:
    """Return a token of chosen parts that names its certificate by SHA-1, as the first version of the RFC."""
    info = sequence(
        integer(1),
        oid("1.2.3"),
        sequence(digest_algorithm("sha256"), octets(hashlib.sha256(VALUE).digest())),
        integer(1),
        at or core.GeneralizedTime(SIGNED_AT).dump(),
    )
    message = Message(content_type=content_type, content=octets(info), covered=info, digest=digest)
    fingerprint = hashlib.sha1(named.certificates[0], usedforsecurity=False).digest()
    name = attribute("1.2.840.113549.1.9.16.2.12", sequence(sequence(sequence(octets(fingerprint)))))
    signer = signer_info(message, TIME_AUTHORITY, attributes=[name])
    return signed_data(message, [signer], TIME_AUTHORITY.certificates, version=3)


def test_a_token_signed_with_sha1_is_weak() -> None:
    assert not check(token_of()).is_weak
    assert check(token_of(digest="sha1")).is_weak


def test_a_token_that_names_another_certificate() -> None:
    reject(token_of(named=ISSUER), "the timestamp names another certificate than that of its signer")


def test_a_token_of_another_type() -> None:
    reject(token_of(content_type="1.2.840.113549.1.7.1"), "the timestamp is not a timestamp token")


@pytest.mark.parametrize("at", [b"\x18\x0f99999999999999Z", b"\x17\x0d261015201840Z", b"\x18\x00"])
def test_a_malformed_time(at: bytes) -> None:
    with pytest.raises(InvalidSignature):
        check(token_of(at=at))


def test_an_empty_token() -> None:
    reject(b"", "the CMS message cannot be decoded")


@given(st.integers(0, len(TOKEN) - 1), st.integers(1, 255))
def test_a_changed_token_gives_no_other_time(at: int, change: int) -> None:
    token = bytearray(TOKEN)
    token[at] ^= change
    try:
        stamp = check(bytes(token))
    except InvalidSignature:
        return
    assert (stamp.at, stamp.chain.leaf) == (SIGNED_AT, TIME_AUTHORITY.certificate)

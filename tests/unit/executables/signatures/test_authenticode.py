import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import lief
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.core.trust_level import Level, Scheme, Signature, Signer
from factory.executables.signatures.authenticode import read_authenticode
from factory.executables.signatures.pe_certificates import authentihash, read_certificates
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.result import SignatureResult
from tests.authority import CODE_SIGNING, ISSUER, SIGNED_AT, TIME_STAMPING, TRUST, Subject, authority, issued
from tests.images import Pe
from tests.images.authenticode import (
    OPENAI,
    OPENAI_IDENTITY,
    SOMEBODY,
    Authenticode,
    signed,
    with_table,
    without_table,
)

PLAIN = Pe()
SIZE = len(PLAIN.content())
SIGNED = signed(PLAIN)
SIGNER = Signer(
    name="OpenAI OpCo, LLC", organization="OpenAI OpCo, LLC", identifier=OPENAI_IDENTITY, root="Test Root"
)
VALID = SignatureResult(
    level=Level.AUTHORSHIP_VERIFIED,
    reason="its digest, the signer's chain to a pinned root and the countersigned time are valid",
    signature=Signature(
        scheme=Scheme.AUTHENTICODE,
        signer=SIGNER,
        signed_at=datetime(2026, 10, 15, 20, 18, 40, tzinfo=UTC),
        details=("sha256 digest",),
        serials=("0x56ad9144470eb131",),
    ),
)


def read(content: bytes, directory: Path, policy: TrustPolicy = TRUST) -> SignatureResult | None:
    path = directory / "program.exe"
    path.write_bytes(content)
    return read_authenticode(path, policy)


def flipped(content: bytes, at: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


def reason_of(content: bytes, directory: Path) -> str:
    """Return the reason why a signature is not valid."""
    result = read(content, directory)
    assert result is not None
    assert result.level is Level.SIGNATURE_NOT_VALID
    return result.reason


@pytest.mark.parametrize(
    "signature",
    [Authenticode(), Authenticode(is_old_style=True), Authenticode(digest="sha384")],
    ids=["token", "countersignature", "sha384"],
)
def test_a_valid_signature(signature: Authenticode, tmp_path: Path) -> None:
    result = read(signed(PLAIN, signature), tmp_path)
    assert result is not None
    assert result.level is Level.AUTHORSHIP_VERIFIED
    assert (result.signature.signer, result.signature.signed_at) == (SIGNER, SIGNED_AT)


def test_the_whole_result_for_a_valid_signature(tmp_path: Path) -> None:
    assert read(signed(PLAIN), tmp_path) == VALID


def test_a_file_without_signature_has_no_result(tmp_path: Path) -> None:
    assert read(PLAIN.content(), tmp_path) is None
    assert read(without_table(signed(PLAIN)), tmp_path) is None


CHANGED = "its sha256 digest is not the signed one: the file was changed after signing"


@pytest.mark.parametrize(
    "at", [2, 64 + 24 + 70, SIZE - 1], ids=["a byte of the DOS header", "a header field", "last byte"]
)
def test_the_result_for_a_changed_byte_names_the_signer(at: int, tmp_path: Path) -> None:
    result = read(flipped(signed(PLAIN), at), tmp_path)
    assert result == SignatureResult(
        level=Level.SIGNATURE_NOT_VALID, reason=CHANGED, signature=VALID.signature
    )


def test_the_checksum_is_not_signed(tmp_path: Path) -> None:
    assert read(flipped(signed(PLAIN), 64 + 24 + 64), tmp_path) == VALID


def test_the_signature_of_another_file_is_not_valid(tmp_path: Path) -> None:
    other = Authenticode().over(Pe(seed="other", size_bytes=4000).content())
    assert reason_of(with_table(PLAIN.content(), [other]), tmp_path) == CHANGED


DAYS = timedelta(days=1)
LATE = issued(
    Subject(
        name="OpenAI OpCo, LLC",
        organization="OpenAI OpCo, LLC",
        usages=(CODE_SIGNING,),
        not_before=SIGNED_AT + DAYS,
        not_after=SIGNED_AT + 3 * DAYS,
    ),
    ISSUER,
)
FOREIGN = issued(
    Subject(name="OpenAI OpCo, LLC", organization="OpenAI OpCo, LLC", usages=(CODE_SIGNING,)),
    authority("Foreign Issuer", authority("Foreign Root")),
)
FOREIGN_TIME = issued(Subject(name="Foreign Time", usages=(TIME_STAMPING,)), authority("Foreign Time Root"))
NO_CODE_SIGNER = issued(Subject(name="OpenAI OpCo, LLC", usages=(TIME_STAMPING,)), ISSUER)


NO_TIME = "it has no countersigned time, which its short-lived certificate needs"
NO_ROOT = "its certificate chain does not end in a root that is pinned here"


@pytest.mark.parametrize(
    ("signatures", "reason"),
    [
        ([Authenticode(by=FOREIGN)], NO_ROOT),
        ([Authenticode(time_by=FOREIGN_TIME)], NO_ROOT),
        ([Authenticode(digest="sha1", nested=(Authenticode(by=FOREIGN),))], f"signature 2: {NO_ROOT}"),
        ([Authenticode(), Authenticode(by=FOREIGN)], f"signature 2: {NO_ROOT}"),
        ([Authenticode(by=FOREIGN), Authenticode()], NO_ROOT),
    ],
)
def test_an_unknown_root_is_a_level_of_its_own(
    signatures: list[Authenticode], reason: str, tmp_path: Path
) -> None:
    result = read(signed(PLAIN, *signatures), tmp_path)
    assert result is not None
    assert (result.level, result.reason) == (Level.ROOT_UNKNOWN, reason)


def test_the_signer_under_an_unknown_root_is_not_named(tmp_path: Path) -> None:
    result = read(signed(PLAIN, Authenticode(by=FOREIGN)), tmp_path)
    assert result is not None
    assert (result.signature.signer, result.signature.signed_at, result.signature.serials) == (None, None, ())


def test_a_file_that_was_changed_is_not_valid_even_under_an_unknown_root(tmp_path: Path) -> None:
    content = bytearray(signed(PLAIN, Authenticode(by=FOREIGN)))
    content[len(PLAIN.content()) - 1] ^= 1
    assert "the file was changed after signing" in reason_of(bytes(content), tmp_path)


def test_an_invalid_signature_outweighs_an_unknown_root(tmp_path: Path) -> None:
    content = signed(PLAIN, Authenticode(by=FOREIGN), Authenticode(at=None))
    assert reason_of(content, tmp_path) == f"signature 2: {NO_TIME}"


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (
            Authenticode(at=None),
            NO_TIME,
        ),
        (Authenticode(at=SIGNED_AT + 60 * DAYS), "the timestamp is from the future: 2026-12-14T20:18:40Z"),
        (
            Authenticode(at=SIGNED_AT + 60 * DAYS, is_old_style=True),
            "the countersignature is from the future: 2026-12-14T20:18:40Z",
        ),
        (
            Authenticode(at=SIGNED_AT + 5 * DAYS),
            "the certificate of 'OpenAI OpCo, LLC' expired on 2026-10-17",
        ),
        (Authenticode(by=LATE), "the certificate of 'OpenAI OpCo, LLC' is not valid before 2026-10-16"),
        (
            Authenticode(by=NO_CODE_SIGNER),
            "the certificate of 'OpenAI OpCo, LLC' is not issued for this purpose",
        ),
        (Authenticode(digest="sha1"), "the file's digest is sha1, which is too weak"),
        (Authenticode(certificates=()), "the signer's certificate is not included"),
        (Authenticode(certificates=OPENAI.certificates * 9), "it has 27 certificates; the limit is 24"),
        (
            Authenticode(nested=(Authenticode(at=None),)),
            f"signature 2: {NO_TIME}",
        ),
        (Authenticode(nested=(Authenticode(),) * 9), "it has more than 8 signatures"),
    ],
)
def test_an_invalid_signature(signature: Authenticode, reason: str, tmp_path: Path) -> None:
    assert reason_of(signed(PLAIN, signature), tmp_path) == reason


def test_another_signer_is_reported(tmp_path: Path) -> None:
    result = read(signed(PLAIN, Authenticode(by=SOMEBODY)), tmp_path)
    assert result is not None
    assert result.level is Level.AUTHORSHIP_VERIFIED
    assert result.signature.signer == Signer(name="Somebody", organization="Somebody", root="Test Root")


@pytest.mark.parametrize(
    "signatures",
    [(Authenticode(), Authenticode(by=SOMEBODY)), (Authenticode(nested=(Authenticode(by=SOMEBODY),)),)],
    ids=["two entries", "nested"],
)
def test_a_second_signer_is_reported(signatures: tuple[Authenticode, ...], tmp_path: Path) -> None:
    result = read(signed(PLAIN, *signatures), tmp_path)
    assert result is not None
    assert result.level is Level.AUTHORSHIP_VERIFIED
    assert result.signature.signer == SIGNER
    assert result.signature.details == ("sha256 digest", "also signed by Somebody")


def test_a_weak_signature_with_a_strong_one_nested_in_it_is_not_needed(tmp_path: Path) -> None:
    """Files for old systems are signed twice, with SHA-1 first."""
    result = read(signed(PLAIN, Authenticode(digest="sha1", by=SOMEBODY, nested=(Authenticode(),))), tmp_path)
    assert result is not None
    assert result.level is Level.AUTHORSHIP_VERIFIED
    assert result.signature.signer == SIGNER


@pytest.mark.parametrize(
    ("nested", "reason"),
    [
        (Authenticode(digest="sha1"), "signature 2: the file's digest is sha1, which is too weak"),
        (Authenticode(at=None), f"signature 2: {NO_TIME}"),
    ],
)
def test_a_strong_nested_signature_must_be_valid(nested: Authenticode, reason: str, tmp_path: Path) -> None:
    content = signed(PLAIN, Authenticode(digest="sha1", nested=(nested,)))
    assert reason_of(content, tmp_path) == reason


def test_a_file_that_was_changed_after_a_nested_signature_is_found(tmp_path: Path) -> None:
    content = bytearray(signed(PLAIN, Authenticode(digest="sha1", nested=(Authenticode(),))))
    content[len(PLAIN.content()) - 1] ^= 1
    assert "the file was changed after signing" in reason_of(bytes(content), tmp_path)


def resized(change: int) -> Callable[[bytes], bytes]:
    """Return a function that changes the size of the certificate table in the header."""

    def change_size(content: bytes) -> bytes:
        changed = bytearray(content)
        at = 64 + 24 + 112 + 8 * 4 + 4
        struct.pack_into("<I", changed, at, struct.unpack_from("<I", content, at)[0] + change)
        return bytes(changed)

    return change_size


def entry(**fields: int) -> Callable[[bytes], bytes]:
    """Return a function that changes the header of the first entry."""
    places = {"length": ("<I", 0), "revision": ("<H", 4), "kind": ("<H", 6)}

    def change_entry(content: bytes) -> bytes:
        changed = bytearray(content)
        for name, value in fields.items():
            layout, at = places[name]
            struct.pack_into(layout, changed, SIZE + at, value)
        return bytes(changed)

    return change_entry


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda content: content + b"a page appended",
            "15 unsigned bytes follow its certificates",
        ),
        (
            lambda content: content[:-8],
            f"its certificates end at {len(SIGNED)}, beyond the end of the file at {len(SIGNED) - 8}",
        ),
        (resized(-8), "8 unsigned bytes follow its certificates"),
        (entry(length=0), "a certificate entry of 0 bytes has no content"),
        (entry(length=8), "a certificate entry of 8 bytes has no content"),
        (entry(length=16), "a certificate entry has the unknown revision 0x701 or type 40962"),
        (entry(revision=0x100), "a certificate entry has the unknown revision 0x100 or type 2"),
        (entry(kind=1), "a certificate entry has the unknown revision 0x200 or type 1"),
    ],
    ids=["appended", "cut off", "short", "length 0", "no content", "too short", "revision", "type"],
)
def test_a_table_that_no_signing_tool_writes(
    change: Callable[[bytes], bytes], reason: str, tmp_path: Path
) -> None:
    assert reason_of(change(signed(PLAIN)), tmp_path) == reason


def test_bytes_after_the_message_are_rejected(tmp_path: Path) -> None:
    assert reason_of(signed(PLAIN, pad=b"payload"), tmp_path) == "bytes follow the CMS message"


def test_a_table_of_megabytes_is_not_read(tmp_path: Path) -> None:
    content = with_table(PLAIN.content(), [bytes(1 << 20)])
    assert reason_of(content, tmp_path) == "its certificates have 1048584 bytes; the limit is 1048576"


def test_a_table_within_the_headers_is_rejected(tmp_path: Path) -> None:
    changed = bytearray(signed(PLAIN))
    struct.pack_into("<II", changed, 64 + 24 + 112 + 8 * 4, 16, len(changed) - 16)
    assert reason_of(bytes(changed), tmp_path) == "its certificates start at 16, within the headers"


@given(at=st.integers(SIZE + 8, len(SIGNED) - 1), bit=st.integers(0, 7))
def test_a_changed_bit_of_the_message_gives_a_level(
    at: int, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    changed = bytearray(SIGNED)
    changed[at] ^= 1 << bit
    result = read(bytes(changed), tmp_path_factory.mktemp("flipped"))
    assert result is not None
    if result.level is Level.AUTHORSHIP_VERIFIED:  # the bit is in an unused field or in the root
        assert result.signature.signer == SIGNER
        assert result.signature.signed_at == SIGNED_AT


@given(content=st.binary(max_size=600))
def test_any_message_gives_a_level(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    result = read(with_table(PLAIN.content(), [content]), tmp_path_factory.mktemp("any"))
    assert result is not None
    assert result.level is Level.SIGNATURE_NOT_VALID


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_lief_computes_the_same_digest(algorithm: str, tmp_path: Path) -> None:
    path = tmp_path / "program.exe"
    path.write_bytes(signed(Pe(size_bytes=700_000)))
    table = read_certificates(path)
    binary = lief.PE.parse(str(path))
    assert table is not None
    assert binary is not None
    assert authentihash(path, table, algorithm) == bytes(
        binary.authentihash(getattr(lief.PE.ALGORITHMS, algorithm.upper().replace("SHA", "SHA_")))
    )
    assert binary.verify_signature() is lief.PE.Signature.VERIFICATION_FLAGS.OK

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
from factory.executables.signatures.reading import Reading
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
SIGNER = Signer(
    name="OpenAI OpCo, LLC", organization="OpenAI OpCo, LLC", identifier=OPENAI_IDENTITY, root="Test Root"
)
VALID = Reading(
    level=Level.AUTHORSHIP_VERIFIED,
    reason="its digest, the signer's chain to a pinned root and the countersigned time hold",
    signature=Signature(
        scheme=Scheme.AUTHENTICODE,
        signer=SIGNER,
        signed_at=datetime(2026, 10, 15, 20, 18, 40, tzinfo=UTC),
        details=("sha256 digest",),
    ),
)


def read(content: bytes, directory: Path, policy: TrustPolicy = TRUST) -> Reading | None:
    path = directory / "program.exe"
    path.write_bytes(content)
    return read_authenticode(path, policy)


def flipped(content: bytes, at: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


def reason_of(content: bytes, directory: Path) -> str:
    """Return why a signature is not valid; it must be there."""
    reading = read(content, directory)
    assert reading is not None
    assert reading.level is Level.SIGNATURE_NOT_VALID
    return reading.reason


@pytest.mark.parametrize(
    "signature",
    [Authenticode(), Authenticode(is_old_style=True), Authenticode(digest="sha384")],
    ids=["token", "countersignature", "sha384"],
)
def test_a_signature_holds(signature: Authenticode, tmp_path: Path) -> None:
    reading = read(signed(PLAIN, signature), tmp_path)
    assert reading is not None
    assert reading.level is Level.AUTHORSHIP_VERIFIED
    assert (reading.signature.signer, reading.signature.signed_at) == (SIGNER, SIGNED_AT)


def test_all_that_is_said_of_a_signature(tmp_path: Path) -> None:
    assert read(signed(PLAIN), tmp_path) == VALID


def test_no_signature_is_no_reading(tmp_path: Path) -> None:
    assert read(PLAIN.content(), tmp_path) is None
    assert read(without_table(signed(PLAIN)), tmp_path) is None


CHANGED = "its sha256 digest is another than the signed one: it was changed after signing"


@pytest.mark.parametrize(
    "at", [2, 64 + 24 + 70, SIZE - 1], ids=["a byte of the DOS header", "a header field", "last byte"]
)
def test_a_changed_byte_tells_whose_signature_was_broken(at: int, tmp_path: Path) -> None:
    reading = read(flipped(signed(PLAIN), at), tmp_path)
    assert reading == Reading(level=Level.SIGNATURE_NOT_VALID, reason=CHANGED, signature=VALID.signature)


def test_the_checksum_is_not_signed(tmp_path: Path) -> None:
    assert read(flipped(signed(PLAIN), 64 + 24 + 64), tmp_path) == VALID


def test_the_signature_of_another_file_is_not_its_own(tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (
            Authenticode(at=None),
            "nobody countersigned its time, and its certificate was valid for days only",
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
        (Authenticode(by=LATE), "the certificate of 'OpenAI OpCo, LLC' is valid only from 2026-10-16"),
        (Authenticode(by=FOREIGN), "its certificate leads to no trusted root"),
        (Authenticode(time_by=FOREIGN_TIME), "its certificate leads to no trusted root"),
        (Authenticode(by=NO_CODE_SIGNER), "the certificate of 'OpenAI OpCo, LLC' is not for this purpose"),
        (Authenticode(digest="sha1"), "the file's digest is sha1, which is too weak"),
        (Authenticode(certificates=()), "the signer's certificate is not carried"),
        (Authenticode(certificates=OPENAI.certificates * 9), "it has 27 certificates, and 24 are read"),
        (
            Authenticode(nested=(Authenticode(at=None),)),
            "signature 2: nobody countersigned its time, and its certificate was valid for days only",
        ),
        (Authenticode(nested=(Authenticode(),) * 9), "it has more than 8 signatures"),
    ],
)
def test_a_signature_that_does_not_hold(signature: Authenticode, reason: str, tmp_path: Path) -> None:
    assert reason_of(signed(PLAIN, signature), tmp_path) == reason


def test_another_signer_is_told(tmp_path: Path) -> None:
    reading = read(signed(PLAIN, Authenticode(by=SOMEBODY)), tmp_path)
    assert reading is not None
    assert reading.level is Level.AUTHORSHIP_VERIFIED
    assert reading.signature.signer == Signer(name="Somebody", organization="Somebody", root="Test Root")


@pytest.mark.parametrize(
    "signatures",
    [(Authenticode(), Authenticode(by=SOMEBODY)), (Authenticode(nested=(Authenticode(by=SOMEBODY),)),)],
    ids=["two entries", "nested"],
)
def test_a_second_signer_is_told(signatures: tuple[Authenticode, ...], tmp_path: Path) -> None:
    reading = read(signed(PLAIN, *signatures), tmp_path)
    assert reading is not None
    assert reading.level is Level.AUTHORSHIP_VERIFIED
    assert reading.signature.signer == SIGNER
    assert reading.signature.details == ("sha256 digest", "also signed by Somebody")


def resized(change: int) -> Callable[[bytes], bytes]:
    """Return a change of the certificate table's size, as the header tells it."""

    def change_size(content: bytes) -> bytes:
        changed = bytearray(content)
        at = 64 + 24 + 112 + 8 * 4 + 4
        struct.pack_into("<I", changed, at, struct.unpack_from("<I", content, at)[0] + change)
        return bytes(changed)

    return change_size


def entry(**fields: int) -> Callable[[bytes], bytes]:
    """Return a change of the first entry's header."""
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
            "15 bytes follow its certificates, and nobody signed them",
        ),
        (
            lambda content: content[:-8],
            f"its certificates end at {len(signed(PLAIN))}, and the file at {len(signed(PLAIN)) - 8}",
        ),
        (resized(-8), "8 bytes follow its certificates, and nobody signed them"),
        (entry(length=0), "a certificate entry of 0 bytes has no content"),
        (entry(length=8), "a certificate entry of 8 bytes has no content"),
        (entry(length=16), "a certificate entry of revision 0x701 and type 40962"),
        (entry(revision=0x100), "a certificate entry of revision 0x100 and type 2"),
        (entry(kind=1), "a certificate entry of revision 0x200 and type 1"),
    ],
    ids=["appended", "cut off", "short", "length 0", "no content", "too short", "revision", "type"],
)
def test_a_table_that_is_not_what_a_tool_writes(
    change: Callable[[bytes], bytes], reason: str, tmp_path: Path
) -> None:
    assert reason_of(change(signed(PLAIN)), tmp_path) == reason


def test_bytes_behind_the_message_are_refused(tmp_path: Path) -> None:
    assert reason_of(signed(PLAIN, pad=b"payload"), tmp_path) == "bytes follow the CMS message"


def test_a_table_of_megabytes_is_not_read(tmp_path: Path) -> None:
    content = with_table(PLAIN.content(), [bytes(1 << 20)])
    assert reason_of(content, tmp_path) == "its certificates take 1048584 bytes, more than 1048576"


def test_a_table_within_the_headers_is_refused(tmp_path: Path) -> None:
    changed = bytearray(signed(PLAIN))
    struct.pack_into("<II", changed, 64 + 24 + 112 + 8 * 4, 16, len(changed) - 16)
    assert reason_of(bytes(changed), tmp_path) == "its certificates begin at 16, within its headers"


SIGNED = signed(PLAIN)


@given(at=st.integers(SIZE + 8, len(SIGNED) - 1), bit=st.integers(0, 7))
def test_whatever_bit_of_the_message_changes_gives_a_level(
    at: int, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    changed = bytearray(SIGNED)
    changed[at] ^= 1 << bit
    reading = read(bytes(changed), tmp_path_factory.mktemp("flipped"))
    assert reading is not None
    if reading.level is Level.AUTHORSHIP_VERIFIED:  # a bit that says nothing: of the root, of unused fields
        assert reading.signature.signer == SIGNER
        assert reading.signature.signed_at == SIGNED_AT


@given(content=st.binary(max_size=600))
def test_any_message_gives_a_level(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    reading = read(with_table(PLAIN.content(), [content]), tmp_path_factory.mktemp("any"))
    assert reading is not None
    assert reading.level is Level.SIGNATURE_NOT_VALID


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

import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.core.trust_level import Level, Scheme, Signature, Signer
from factory.executables.signatures.apple import read_apple_signature
from factory.executables.signatures.certificates import TrustedRoot
from factory.executables.signatures.reading import Reading
from tests.authority import CODE_SIGNING, ROOT, SIGNED_AT, Identity, Subject, authority, issued
from tests.images import FatMachO, MachO, MachOCpu
from tests.images.apple_signature import (
    AD_HOC_SIGNATURE,
    APPLE_ISSUER,
    AREA_BYTES,
    DEVELOPER_ID,
    SOMEBODY,
    TEAM,
    AppleSignature,
    area,
    blob,
    code_of,
    developer_id,
    signed,
    super_blob,
)

ROOTS = (TrustedRoot(name="Test Root", sha256=ROOT.fingerprint),)
NOW = SIGNED_AT + timedelta(days=30)
DAYS = timedelta(days=1)
PLAIN = MachO()
LIMIT = 0x4000
CMS = 0x10000
SIGNER = Signer(
    name="Developer ID Application: OpenAI OpCo, LLC (2DC432GLL2)",
    organization="OpenAI OpCo, LLC",
    identifier="2DC432GLL2",
    root="Test Root",
)
VALID = Reading(
    level=Level.AUTHORSHIP_VERIFIED,
    reason="every page and seal, and the signer's chain to a pinned root, held at the timestamp",
    signature=Signature(
        scheme=Scheme.APPLE,
        signer=SIGNER,
        signed_at=datetime(2026, 10, 15, 20, 18, 40, tzinfo=UTC),
        details=(
            "identifier codex",
            "CodeDirectory 0x20500, 4 pages, SHA-256",
            "hardened runtime",
            "a Developer ID Application certificate",
            "timestamp by Test Time under Test Root",
        ),
    ),
)


def read(content: bytes, directory: Path, *, now: datetime = NOW) -> Reading | None:
    path = directory / "program"
    path.write_bytes(content)
    return read_apple_signature(path, now=now, roots=ROOTS)


def reading_of(macho: MachO | FatMachO, directory: Path) -> Reading:
    """Return what is said of a signature; it must be there."""
    reading = read(macho.content(), directory)
    assert reading is not None
    return reading


def reason_of(content: bytes, directory: Path, *, now: datetime = NOW) -> str:
    """Return why a signature is not valid; it must be there."""
    reading = read(content, directory, now=now)
    assert reading is not None
    assert reading.level is Level.SIGNATURE_NOT_VALID
    return reading.reason


def flipped(content: bytes, at: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


def with_parts(*parts: tuple[int, bytes]) -> bytes:
    """Return a program whose signature is put together from these parts."""
    return replace(PLAIN, signature=area(super_blob(parts))).content()


def parts_of(signature: AppleSignature = AppleSignature()) -> dict[int, bytes]:  # noqa: B008 - frozen
    return signature.blobs(code_of(PLAIN))


def place_of(slot: int) -> int:
    """Tell where in the signed plain program a part of its signature starts."""
    content = signed(PLAIN).content()
    (count,) = struct.unpack_from(">I", content, LIMIT + 8)
    index = [struct.unpack_from(">II", content, LIMIT + 12 + 8 * number) for number in range(count)]
    return LIMIT + int(dict(index)[slot])


def test_all_that_is_said_of_a_signature(tmp_path: Path) -> None:
    assert read(signed(PLAIN).content(), tmp_path) == VALID


@pytest.mark.parametrize(
    ("signature", "told"),
    [
        (AppleSignature(hashes=("sha384",)), "CodeDirectory 0x20500, 4 pages, SHA-384"),
        (AppleSignature(hashes=("sha256-truncated",)), "CodeDirectory 0x20500, 4 pages, truncated SHA-256"),
        (AppleSignature(hashes=("sha1", "sha256")), "CodeDirectory 0x20500, 4 pages, SHA-256"),
        (AppleSignature(hashes=("sha1", "sha256", "sha384")), "CodeDirectory 0x20500, 4 pages, SHA-384"),
        (AppleSignature(version=0x20200), "CodeDirectory 0x20200, 4 pages, SHA-256"),
        (AppleSignature(version=0x20400), "CodeDirectory 0x20400, 4 pages, SHA-256"),
        (AppleSignature(page_shift=14), "CodeDirectory 0x20500, 1 pages, SHA-256"),
        (AppleSignature(flags=0), "no hardened runtime"),
        (AppleSignature(identifier="com.openai.codex.rg"), "identifier com.openai.codex.rg"),
        (AppleSignature(digest="sha384"), "hardened runtime"),
    ],
)
def test_every_kind_of_code_directory_holds(signature: AppleSignature, told: str, tmp_path: Path) -> None:
    reading = reading_of(signed(PLAIN, signature), tmp_path)
    assert (reading.level, reading.signature.signer) == (Level.AUTHORSHIP_VERIFIED, SIGNER)
    assert told in reading.signature.details


@pytest.mark.parametrize("size_bytes", [0x4010, 0x4FF0, 0x120010], ids=hex)
def test_the_last_page_is_hashed_as_short_as_it_is(size_bytes: int, tmp_path: Path) -> None:
    content = signed(MachO(size_bytes=size_bytes)).content()
    reading = read(content, tmp_path)
    assert reading is not None
    assert reading.level is Level.AUTHORSHIP_VERIFIED
    page = (size_bytes - 1) // 4096 * 4096
    expected = f"the page at offset {page} is not what was signed"
    assert reason_of(flipped(content, size_bytes - 1), tmp_path) == expected


def test_no_signature_is_no_reading(tmp_path: Path) -> None:
    assert read(MachO(signature=None).content(), tmp_path) is None
    both = FatMachO(slices=(MachO(signature=None), MachO(cpu=MachOCpu.X86_64, signature=None)))
    assert read(both.content(), tmp_path) is None


@pytest.mark.parametrize(("flags", "by"), [(0x2, ""), (0x20002, " by a linker")], ids=["ad hoc", "linker"])
def test_an_ad_hoc_signature_tells_nothing_of_who_made_it(flags: int, by: str, tmp_path: Path) -> None:
    assert reading_of(signed(PLAIN, replace(AD_HOC_SIGNATURE, flags=flags)), tmp_path) == Reading(
        level=Level.NOTHING_KNOWN,
        reason=f"it is signed ad hoc{by}: its hashes hold and name nobody",
        signature=Signature(
            scheme=Scheme.APPLE,
            signer=None,
            signed_at=None,
            details=(
                "identifier codex",
                "CodeDirectory 0x20500, 4 pages, SHA-256",
                "no hardened runtime",
            ),
        ),
    )


def test_an_ad_hoc_signature_that_does_not_hold_is_not_valid(tmp_path: Path) -> None:
    content = flipped(signed(PLAIN, AD_HOC_SIGNATURE).content(), 0x1234)
    assert reason_of(content, tmp_path) == "the page at offset 4096 is not what was signed"


@pytest.mark.parametrize(
    ("at", "page"), [(0x1234, 4096), (0x3FFF, 12288), (24, 0)], ids=["page", "last", "header"]
)
def test_a_changed_byte_tells_whose_signature_was_broken(at: int, page: int, tmp_path: Path) -> None:
    reading = read(flipped(signed(PLAIN).content(), at), tmp_path)
    reason = f"the page at offset {page} is not what was signed"
    assert reading == Reading(level=Level.SIGNATURE_NOT_VALID, reason=reason, signature=VALID.signature)


OTHER_DIGEST = "the signed digest is another than the content's"


def test_a_changed_byte_of_the_code_directory(tmp_path: Path) -> None:
    directory = place_of(0)
    content = signed(PLAIN).content()
    assert reason_of(flipped(content, directory + 12), tmp_path) == OTHER_DIGEST
    assert reason_of(flipped(content, place_of(2) - 1), tmp_path) == OTHER_DIGEST


def test_a_changed_byte_of_the_signature_value(tmp_path: Path) -> None:
    content = signed(PLAIN, AppleSignature(at=None)).content()
    last = len(content.rstrip(b"\0")) - 1
    assert (
        reason_of(flipped(content, last), tmp_path) == "the signature was not made by the certificate's key"
    )


@pytest.mark.parametrize(
    ("slot", "name"), [(2, "requirements"), (5, "entitlements"), (7, "DER entitlements")]
)
def test_special_slots_are_held_to_their_parts(slot: int, name: str, tmp_path: Path) -> None:
    parts = parts_of()
    changed = {**parts, slot: flipped(parts[slot], len(parts[slot]) - 1)}
    assert reason_of(with_parts(*changed.items()), tmp_path) == f"its {name}: not what was sealed"
    without = {each: part for each, part in parts.items() if each != slot}
    assert (
        reason_of(with_parts(*without.items()), tmp_path) == f"its {name}: sealed and not in the executable"
    )
    added = parts_of(AppleSignature(seals={}))
    present = {each: part for each, part in added.items() if each in {0, slot, CMS}}
    assert reason_of(with_parts(*present.items()), tmp_path) == f"its {name}: present and not sealed"


def test_an_info_plist_inside_is_held_to_its_seal(tmp_path: Path) -> None:
    macho = MachO(info_plist=b"<plist>codex</plist>")
    right = AppleSignature(sealed={}, seals={1: b"<plist>codex</plist>"})
    assert reading_of(signed(macho, right), tmp_path).level is Level.AUTHORSHIP_VERIFIED
    wrong = replace(right, seals={1: b"<plist>other</plist>"})
    assert reason_of(signed(macho, wrong).content(), tmp_path) == "its Info.plist: not what was sealed"
    nowhere = signed(PLAIN, right).content()
    assert reason_of(nowhere, tmp_path) == "its Info.plist: sealed and not in the executable"


def test_a_stripped_signature(tmp_path: Path) -> None:
    content = signed(PLAIN).content()
    assert reason_of(content[:LIMIT], tmp_path) == "its code signature is cut off, or gone"
    emptied = content[:LIMIT] + bytes(AREA_BYTES)
    assert reason_of(emptied, tmp_path) == "no signature is where the load command leads"


def test_a_stripped_signer(tmp_path: Path) -> None:
    gone = "it is not ad hoc, and the signature over its CodeDirectory is gone"
    parts = parts_of()
    assert reason_of(with_parts(*{**parts, CMS: blob(0xFADE0B01, b"")}.items()), tmp_path) == gone
    del parts[CMS]
    assert reason_of(with_parts(*parts.items()), tmp_path) == gone


def test_a_signer_who_says_ad_hoc(tmp_path: Path) -> None:
    content = signed(PLAIN, AppleSignature(flags=0x10002)).content()
    assert reason_of(content, tmp_path) == "it says that it is ad hoc, and carries a signer all the same"


def test_bytes_after_the_signature(tmp_path: Path) -> None:
    content = signed(PLAIN).content() + bytes(4096)
    expected = "4096 bytes follow its code signature, and nobody signed them"
    assert reason_of(content, tmp_path) == expected


def test_bytes_before_the_signature_that_nobody_signed(tmp_path: Path) -> None:
    embedded = AppleSignature().over(code_of(PLAIN)[:-16])
    content = replace(PLAIN, signature=area(embedded)).content()
    assert reason_of(content, tmp_path) == "16368 bytes are signed, and the signature starts at 16384"


def test_what_is_left_after_a_signature_is_told(tmp_path: Path) -> None:
    content = signed(PLAIN).content()[:-1] + b"\1"
    reading = read(content, tmp_path)
    assert reading is not None
    assert reading.level is Level.AUTHORSHIP_VERIFIED
    assert "bytes are left after the signature that nobody signed" in reading.signature.details


def test_a_stapled_ticket_is_told(tmp_path: Path) -> None:
    content = with_parts(*parts_of().items(), (0x10002, blob(0xFADE8181, b"ticket")))
    reading = read(content, tmp_path)
    assert reading is not None
    assert reading.level is Level.AUTHORSHIP_VERIFIED
    assert "a notarization ticket is stapled to it, and not read" in reading.signature.details


def test_another_team(tmp_path: Path) -> None:
    whole = reading_of(signed(PLAIN, AppleSignature(by=SOMEBODY, team="ZZZZZZZZZZ")), tmp_path)
    assert whole.level is Level.AUTHORSHIP_VERIFIED
    assert whole.signature.signer == Signer(
        name="Developer ID Application: Somebody (ZZZZZZZZZZ)",
        organization="Somebody",
        identifier="ZZZZZZZZZZ",
        root="Test Root",
    )
    claimed = signed(PLAIN, AppleSignature(by=SOMEBODY)).content()
    expected = "it says team 2DC432GLL2, and its certificate is of team ZZZZZZZZZZ"
    assert reason_of(claimed, tmp_path) == expected
    silent = signed(PLAIN, AppleSignature(team=None)).content()
    assert reason_of(silent, tmp_path) == "it says no team, and its certificate is of team 2DC432GLL2"


def leaf(*, not_before: datetime) -> Identity:
    subject = Subject(
        name=SIGNER.name,
        organization="OpenAI OpCo, LLC",
        unit=TEAM,
        usages=(CODE_SIGNING,),
        marks=(DEVELOPER_ID,),
    )
    return issued(replace(subject, not_before=not_before), APPLE_ISSUER)


def test_a_certificate_that_expired_is_good_at_its_timestamp_only(tmp_path: Path) -> None:
    untimed = signed(PLAIN, AppleSignature(at=None)).content()
    assert reason_of(untimed, tmp_path) == (
        "the certificate of 'Developer ID Application: OpenAI OpCo, LLC (2DC432GLL2)' expired on 2026-10-17"
        " (judged today, since no timestamp tells when it was signed)"
    )
    reading = read(untimed, tmp_path, now=SIGNED_AT + DAYS)
    assert reading is not None
    assert (reading.level, reading.signature.signed_at) == (Level.AUTHORSHIP_VERIFIED, None)
    assert reading.reason == (
        "every page and seal, and the signer's chain to a pinned root, hold today;"
        " no timestamp tells when it was signed"
    )
    assert "no timestamp" in reading.signature.details


def test_what_the_signer_says_of_the_time_is_said_to_be_a_claim(tmp_path: Path) -> None:
    signature = AppleSignature(at=None, claimed_at=datetime(2026, 5, 18, 17, 43, 53, tzinfo=UTC))
    reading = read(signed(PLAIN, signature).content(), tmp_path, now=SIGNED_AT + DAYS)
    assert reading is not None
    assert reading.signature.signed_at is None
    assert "no timestamp; the signer says 2026-05-18T17:43:53Z" in reading.signature.details


def test_a_certificate_that_was_not_yet_valid(tmp_path: Path) -> None:
    by = leaf(not_before=SIGNED_AT + DAYS)
    assert reason_of(signed(PLAIN, AppleSignature(by=by)).content(), tmp_path) == (
        "the certificate of 'Developer ID Application: OpenAI OpCo, LLC (2DC432GLL2)'"
        " is valid only from 2026-10-16"
    )


def test_a_timestamp_from_the_future(tmp_path: Path) -> None:
    content = signed(PLAIN).content()
    expected = "the timestamp is from the future: 2026-10-15T20:18:40Z"
    assert reason_of(content, tmp_path, now=SIGNED_AT - timedelta(seconds=1)) == expected


def test_another_root(tmp_path: Path) -> None:
    other = authority("Other Root")
    by = developer_id("OpenAI OpCo, LLC", TEAM, authority("Other Issuer", other))
    content = signed(PLAIN, AppleSignature(by=by)).content()
    assert reason_of(content, tmp_path) == "its certificate leads to no trusted root"


def test_a_timestamp_authority_that_nobody_trusts(tmp_path: Path) -> None:
    time_by = issued(Subject(name="Other Time", usages=("1.3.6.1.5.5.7.3.8",)), authority("Other Root"))
    content = signed(PLAIN, AppleSignature(time_by=time_by)).content()
    assert reason_of(content, tmp_path) == "its certificate leads to no trusted root"


def test_pages_by_sha1_only(tmp_path: Path) -> None:
    content = signed(PLAIN, AppleSignature(hashes=("sha1",))).content()
    expected = "its pages are hashed with SHA-1 only, which no longer binds them"
    assert reason_of(content, tmp_path) == expected


def test_a_message_by_sha1(tmp_path: Path) -> None:
    content = signed(PLAIN, AppleSignature(digest="sha1")).content()
    assert reason_of(content, tmp_path) == "it is signed with sha1, which is too weak"


def test_alternate_directories_are_bound(tmp_path: Path) -> None:
    both = AppleSignature(hashes=("sha1", "sha256"))
    unbound = signed(PLAIN, replace(both, is_bound=False)).content()
    assert reason_of(unbound, tmp_path) == "the signer did not sign its alternate CodeDirectories"
    parts = parts_of(both)
    other = AppleSignature(hashes=("sha256",), identifier="codex2").blobs(code_of(PLAIN))
    swapped = with_parts(*{**parts, 0x1000: other[0]}.items())
    assert reason_of(swapped, tmp_path) == "its CodeDirectories disagree about the program"
    changed = {**parts, 0x1000: flipped(parts[0x1000], len(parts[0x1000]) - 1)}
    expected = "the signer did not sign the SHA-256 CodeDirectory"
    assert reason_of(with_parts(*changed.items()), tmp_path) == expected


def test_a_single_directory_needs_no_list(tmp_path: Path) -> None:
    reading = reading_of(signed(PLAIN, AppleSignature(is_bound=False)), tmp_path)
    assert reading.level is Level.AUTHORSHIP_VERIFIED


def test_a_directory_that_was_left_out(tmp_path: Path) -> None:
    parts = parts_of(AppleSignature(hashes=("sha256", "sha384")))
    del parts[0x1000]
    expected = "the signer's list of cdhashes is of other CodeDirectories"
    assert reason_of(with_parts(*parts.items()), tmp_path) == expected


INTEL = MachO(cpu=MachOCpu.X86_64)


def test_a_universal_file_is_what_its_weakest_slice_is(tmp_path: Path) -> None:
    both = reading_of(FatMachO(slices=(signed(PLAIN), signed(INTEL))), tmp_path)
    assert (both.level, both.signature.signer) == (Level.AUTHORSHIP_VERIFIED, SIGNER)
    assert "arm64: identifier codex" in both.signature.details
    assert "x86_64: hardened runtime" in both.signature.details
    unsigned = reading_of(FatMachO(slices=(signed(PLAIN), replace(INTEL, signature=None))), tmp_path)
    assert (unsigned.level, unsigned.reason) == (Level.NOTHING_KNOWN, "x86_64: it has no code signature")
    ad_hoc = reading_of(FatMachO(slices=(signed(PLAIN), signed(INTEL, AD_HOC_SIGNATURE))), tmp_path)
    assert ad_hoc.level is Level.NOTHING_KNOWN
    assert ad_hoc.reason.startswith("x86_64: it is signed ad hoc")
    content = FatMachO(slices=(signed(PLAIN), replace(INTEL, signature=None))).content()
    broken = flipped(content, 0x4000 + 0x1234)
    assert reason_of(broken, tmp_path) == "arm64: the page at offset 4096 is not what was signed"


def test_slices_of_different_teams(tmp_path: Path) -> None:
    other = signed(INTEL, AppleSignature(by=SOMEBODY, team="ZZZZZZZZZZ"))
    content = FatMachO(slices=(signed(PLAIN), other)).content()
    assert reason_of(content, tmp_path) == "its architectures are signed by different teams"


def test_bytes_between_slices(tmp_path: Path) -> None:
    content = FatMachO(slices=(signed(PLAIN), signed(INTEL))).content()
    expected = "bytes of the universal file belong to no architecture, so nobody signed them"
    assert reason_of(flipped(content, 0x1000), tmp_path) == expected
    assert reason_of(content + b"\1", tmp_path) == expected


def test_slices_that_overlap_or_are_there_twice(tmp_path: Path) -> None:
    content = bytearray(FatMachO(slices=(signed(PLAIN), signed(INTEL))).content())
    content[28:48] = struct.pack(">5I", MachOCpu.X86_64, 0, 0x4000, 0x4000 + AREA_BYTES, 14)
    expected = "it cannot be read: architectures of a universal file overlap"
    assert reason_of(bytes(content), tmp_path) == expected
    twice = FatMachO(slices=(signed(PLAIN), signed(PLAIN))).content()
    assert reason_of(twice, tmp_path) == "it has two slices for one architecture"


def edited_directory(edit: Callable[[bytearray], None]) -> bytes:
    parts = parts_of()
    directory = bytearray(parts[0])
    edit(directory)
    return with_parts(*{**parts, 0: bytes(directory)}.items())


def number_at(place: int, value: int, layout: str = ">I") -> Callable[[bytearray], None]:
    def edit(directory: bytearray) -> None:
        struct.pack_into(layout, directory, place, value)

    return edit


OUTSIDE = "the CodeDirectory's hashes are not inside of it"


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (number_at(8, 0x30000), "the CodeDirectory's version 0x30000 is unknown"),
        (number_at(8, 0), "the CodeDirectory's version 0x0 is unknown"),
        (number_at(16, 0xFFFFFFFF), OUTSIDE),
        (number_at(16, 0), OUTSIDE),
        (number_at(24, 0xFFFFFFFF), "the CodeDirectory's special hashes are not inside of it"),
        (number_at(28, 0xFFFFFFFF), "the CodeDirectory has 4294967295 pages for 16384 bytes"),
        (number_at(20, 0xFFFFFFFF), "a name in the CodeDirectory is not inside of it"),
        (number_at(20, 0), "a name in the CodeDirectory is not inside of it"),
        (number_at(48, 0xFFFFFFFF), "a name in the CodeDirectory is not inside of it"),
        (number_at(44, 1), "the CodeDirectory has scatter vectors, which macOS no longer accepts"),
        (number_at(37, 9, ">B"), "the CodeDirectory's hash type 9 of 32 bytes is unknown"),
        (number_at(36, 20, ">B"), "the CodeDirectory's hash type 2 of 20 bytes is unknown"),
        (number_at(39, 0, ">B"), "the CodeDirectory's pages of 2^0 bytes are none that macOS loads"),
        (number_at(39, 255, ">B"), "the CodeDirectory's pages of 2^255 bytes are none that macOS loads"),
        (number_at(32, 0), "the CodeDirectory has 4 pages for 0 bytes"),
        (number_at(56, 1 << 63, ">Q"), f"the CodeDirectory has 4 pages for {1 << 63} bytes"),
    ],
)
def test_a_directory_that_contradicts_itself(
    edit: Callable[[bytearray], None], reason: str, tmp_path: Path
) -> None:
    assert reason_of(edited_directory(edit), tmp_path) == reason


@pytest.mark.parametrize("directory", [b"", bytes(20), struct.pack(">I", 0x20500) + bytes(40)])
def test_a_directory_that_is_cut_off(directory: bytes, tmp_path: Path) -> None:
    content = with_parts((0, blob(0xFADE0C02, directory)))
    assert reason_of(content, tmp_path) == "the CodeDirectory is cut off"


@pytest.mark.parametrize(
    "signature",
    [AppleSignature(identifier="co\x1b[2Jdex"), AppleSignature(team="A\nB")],
    ids=["name", "team"],
)
def test_names_that_a_terminal_would_obey(signature: AppleSignature, tmp_path: Path) -> None:
    expected = "a name in the CodeDirectory has characters that cannot be shown"
    assert reason_of(signed(PLAIN, signature).content(), tmp_path) == expected


def index_of(*entries: tuple[int, int], count: int | None = None) -> bytes:
    """Return a program whose signature has this index, and one part after it."""
    index = b"".join(struct.pack(">II", *entry) for entry in entries)
    size = 12 + len(index) + 64
    head = struct.pack(">III", 0xFADE0CC0, size, len(entries) if count is None else count)
    return replace(PLAIN, signature=area(head + index + blob(0xFADE0C01, bytes(56)))).content()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (index_of((2, 20)), "the signature has no CodeDirectory"),
        (index_of(count=0xFFFFFFFF), "the signature claims 4294967295 parts in 76 bytes"),
        (index_of((2, 28), (2, 28)), "the signature has two parts of one kind"),
        (index_of((2, 28), (5, 28)), "parts of the signature overlap"),
        (index_of((0, 0)), "parts of the signature overlap"),
        (index_of((0, 0xFFFFFFFF)), "part 0x0 of the signature is not inside of it"),
        (index_of((0, 80)), "part 0x0 of the signature is not inside of it"),
        (index_of((0, 20)), "part 0x0 of the signature is of another kind"),
        (index_of((5, 40)), "part 0x5 of the signature is not inside of it"),
    ],
)
def test_an_index_that_contradicts_itself(content: bytes, reason: str, tmp_path: Path) -> None:
    assert reason_of(content, tmp_path) == reason


@pytest.mark.parametrize(("gap", "holds"), [(bytes(8), True), (b"\0hidden\0", False)], ids=["empty", "not"])
def test_bytes_between_the_parts(gap: bytes, *, holds: bool, tmp_path: Path) -> None:
    parts = parts_of()
    embedded = bytearray(super_blob(tuple(parts.items())))
    last = len(embedded) - len(parts[CMS])
    embedded[last:last] = gap
    struct.pack_into(">I", embedded, 4, len(embedded))
    struct.pack_into(">I", embedded, 12 + 8 * (len(parts) - 1) + 4, last + len(gap))
    content = replace(PLAIN, signature=area(bytes(embedded))).content()
    if holds:
        assert read(content, tmp_path) == VALID
    else:
        assert reason_of(content, tmp_path) == "bytes of the signature belong to none of its parts"


def test_a_signature_that_claims_to_be_longer_than_its_parts(tmp_path: Path) -> None:
    embedded = AppleSignature().over(code_of(PLAIN))
    longer = struct.pack(">II", 0xFADE0CC0, len(embedded) + 4096) + embedded[8:]
    content = replace(PLAIN, signature=area(longer)).content()
    expected = "the signature says that it is longer than its parts"
    assert reason_of(content, tmp_path) == expected
    hidden = struct.pack(">II", 0xFADE0CC0, len(embedded) + 6) + embedded[8:] + b"hidden"
    assert reason_of(replace(PLAIN, signature=area(hidden)).content(), tmp_path) == expected


def test_a_file_that_is_no_macho_gets_a_reason(tmp_path: Path) -> None:
    expected = "it cannot be read: the first four bytes are not Mach-O's"
    assert reason_of(b"\x7fELF" + bytes(100), tmp_path) == expected


SIGNED = signed(PLAIN).content()
UNTIMED = signed(PLAIN, AppleSignature(at=None)).content()
CMS_END = len(SIGNED.rstrip(b"\0"))


@given(st.integers(0, LIMIT - 1), st.integers(1, 255))
def test_no_byte_of_the_code_can_change(
    tmp_path_factory: pytest.TempPathFactory, at: int, change: int
) -> None:
    content = bytearray(SIGNED)
    content[at] ^= change
    reading = read(bytes(content), tmp_path_factory.getbasetemp())
    assert reading is None or reading.level is not Level.AUTHORSHIP_VERIFIED


@given(st.integers(LIMIT, place_of(CMS) - 1), st.integers(1, 255))
def test_no_byte_of_the_directory_and_the_seals_can_change(
    tmp_path_factory: pytest.TempPathFactory, at: int, change: int
) -> None:
    content = bytearray(SIGNED)
    content[at] ^= change
    reading = read(bytes(content), tmp_path_factory.getbasetemp())
    assert reading is not None
    assert reading.level is Level.SIGNATURE_NOT_VALID


@given(st.integers(place_of(CMS), CMS_END - 1), st.integers(1, 255))
def test_a_changed_message_makes_nobody_else_the_signer(
    tmp_path_factory: pytest.TempPathFactory, at: int, change: int
) -> None:
    content = bytearray(SIGNED)
    content[at] ^= change
    reading = read(bytes(content), tmp_path_factory.getbasetemp())
    assert reading is not None
    assert reading.level is Level.SIGNATURE_NOT_VALID or reading.signature == VALID.signature


@given(st.integers(0, len(SIGNED) - 1))
def test_no_cut_is_a_crash_or_verified(tmp_path_factory: pytest.TempPathFactory, size_bytes: int) -> None:
    reading = read(SIGNED[:size_bytes], tmp_path_factory.getbasetemp())
    assert reading is not None
    assert reading.level is Level.SIGNATURE_NOT_VALID

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
from factory.executables.signatures.result import SignatureResult
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
VALID = SignatureResult(
    level=Level.AUTHORSHIP_VERIFIED,
    reason="its pages, sealed parts and the signer's chain to a pinned root are valid as of the timestamp",
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
        serials=("0x581a70d90c01f221",),
    ),
)


def read(content: bytes, directory: Path, *, now: datetime = NOW) -> SignatureResult | None:
    path = directory / "program"
    path.write_bytes(content)
    return read_apple_signature(path, now=now, roots=ROOTS)


def result_of(macho: MachO | FatMachO, directory: Path) -> SignatureResult:
    """Return the result for a file that has a signature."""
    result = read(macho.content(), directory)
    assert result is not None
    return result


def reason_of(content: bytes, directory: Path, *, now: datetime = NOW) -> str:
    """Return the reason why a signature is not valid."""
    result = read(content, directory, now=now)
    assert result is not None
    assert result.level is Level.SIGNATURE_NOT_VALID
    return result.reason


def flipped(content: bytes, at: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


def with_parts(*parts: tuple[int, bytes]) -> bytes:
    """Return a program with a signature of these parts."""
    return replace(PLAIN, signature=area(super_blob(parts))).content()


def parts_of(signature: AppleSignature = AppleSignature()) -> dict[int, bytes]:  # noqa: B008 - frozen
    return signature.blobs(code_of(PLAIN))


def place_of(slot: int) -> int:
    """Return the offset of a part of the signature in the signed plain program."""
    content = signed(PLAIN).content()
    (count,) = struct.unpack_from(">I", content, LIMIT + 8)
    index = [struct.unpack_from(">II", content, LIMIT + 12 + 8 * number) for number in range(count)]
    return LIMIT + int(dict(index)[slot])


def test_the_whole_result_for_a_valid_signature(tmp_path: Path) -> None:
    assert read(signed(PLAIN).content(), tmp_path) == VALID


@pytest.mark.parametrize(
    ("signature", "detail"),
    [
        (AppleSignature(hashes=("sha384",)), "CodeDirectory 0x20500, 4 pages, SHA-384"),
        (AppleSignature(hashes=("sha256-truncated",)), "CodeDirectory 0x20500, 4 pages, truncated SHA-256"),
        (AppleSignature(hashes=("sha1", "sha256")), "CodeDirectory 0x20500, 4 pages, SHA-256"),
        (AppleSignature(hashes=("sha1", "sha256", "sha384")), "CodeDirectory 0x20500, 4 pages, SHA-384"),
        (AppleSignature(version=0x20200), "CodeDirectory 0x20200, 4 pages, SHA-256"),
        (AppleSignature(version=0x20400), "CodeDirectory 0x20400, 4 pages, SHA-256"),
        (AppleSignature(page_shift=14), "CodeDirectory 0x20500, 1 page, SHA-256"),
        (AppleSignature(flags=0), "no hardened runtime"),
        (AppleSignature(identifier="com.openai.codex.rg"), "identifier com.openai.codex.rg"),
        (AppleSignature(digest="sha384"), "hardened runtime"),
    ],
)
def test_every_kind_of_code_directory_is_valid(
    signature: AppleSignature, detail: str, tmp_path: Path
) -> None:
    result = result_of(signed(PLAIN, signature), tmp_path)
    assert (result.level, result.signature.signer) == (Level.AUTHORSHIP_VERIFIED, SIGNER)
    assert detail in result.signature.details


@pytest.mark.parametrize("size_bytes", [0x4010, 0x4FF0, 0x120010], ids=hex)
def test_the_last_page_may_be_shorter(size_bytes: int, tmp_path: Path) -> None:
    content = signed(MachO(size_bytes=size_bytes)).content()
    result = read(content, tmp_path)
    assert result is not None
    assert result.level is Level.AUTHORSHIP_VERIFIED
    page = (size_bytes - 1) // 4096 * 4096
    expected = f"the page at offset {page} was changed after signing"
    assert reason_of(flipped(content, size_bytes - 1), tmp_path) == expected


def test_a_file_without_signature_has_no_result(tmp_path: Path) -> None:
    assert read(MachO(signature=None).content(), tmp_path) is None
    both = FatMachO(slices=(MachO(signature=None), MachO(cpu=MachOCpu.X86_64, signature=None)))
    assert read(both.content(), tmp_path) is None


@pytest.mark.parametrize(("flags", "by"), [(0x2, ""), (0x20002, " by a linker")], ids=["ad hoc", "linker"])
def test_an_ad_hoc_signature_names_no_signer(flags: int, by: str, tmp_path: Path) -> None:
    assert result_of(signed(PLAIN, replace(AD_HOC_SIGNATURE, flags=flags)), tmp_path) == SignatureResult(
        level=Level.NOTHING_KNOWN,
        reason=f"it is signed ad hoc{by}: its hashes match, but no signer is named",
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


def test_an_ad_hoc_signature_of_a_changed_file_is_not_valid(tmp_path: Path) -> None:
    content = flipped(signed(PLAIN, AD_HOC_SIGNATURE).content(), 0x1234)
    assert reason_of(content, tmp_path) == "the page at offset 4096 was changed after signing"


@pytest.mark.parametrize(
    ("at", "page"), [(0x1234, 4096), (0x3FFF, 12288), (24, 0)], ids=["page", "last", "header"]
)
def test_the_result_for_a_changed_byte_names_the_signer(at: int, page: int, tmp_path: Path) -> None:
    result = read(flipped(signed(PLAIN).content(), at), tmp_path)
    reason = f"the page at offset {page} was changed after signing"
    assert result == SignatureResult(
        level=Level.SIGNATURE_NOT_VALID, reason=reason, signature=VALID.signature
    )


OTHER_DIGEST = "the signed digest is not that of the content"


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
def test_special_slots_are_checked_against_their_parts(slot: int, name: str, tmp_path: Path) -> None:
    parts = parts_of()
    changed = {**parts, slot: flipped(parts[slot], len(parts[slot]) - 1)}
    assert reason_of(with_parts(*changed.items()), tmp_path) == f"its {name}: changed after signing"
    without = {each: part for each, part in parts.items() if each != slot}
    assert reason_of(with_parts(*without.items()), tmp_path) == f"its {name}: sealed but missing"
    added = parts_of(AppleSignature(seals={}))
    present = {each: part for each, part in added.items() if each in {0, slot, CMS}}
    assert reason_of(with_parts(*present.items()), tmp_path) == f"its {name}: not sealed"


def test_an_info_plist_section_is_checked_against_its_slot(tmp_path: Path) -> None:
    macho = MachO(info_plist=b"<plist>codex</plist>")
    right = AppleSignature(sealed={}, seals={1: b"<plist>codex</plist>"})
    assert result_of(signed(macho, right), tmp_path).level is Level.AUTHORSHIP_VERIFIED
    wrong = replace(right, seals={1: b"<plist>other</plist>"})
    assert reason_of(signed(macho, wrong).content(), tmp_path) == "its Info.plist: changed after signing"
    nowhere = signed(PLAIN, right).content()
    assert reason_of(nowhere, tmp_path) == "its Info.plist: sealed but missing"


def test_a_stripped_signature(tmp_path: Path) -> None:
    content = signed(PLAIN).content()
    assert reason_of(content[:LIMIT], tmp_path) == "its code signature is truncated or missing"
    emptied = content[:LIMIT] + bytes(AREA_BYTES)
    assert reason_of(emptied, tmp_path) == "the load command does not point to a signature"


def test_a_stripped_signer(tmp_path: Path) -> None:
    gone = "it is not ad hoc but has no signer"
    parts = parts_of()
    assert reason_of(with_parts(*{**parts, CMS: blob(0xFADE0B01, b"")}.items()), tmp_path) == gone
    del parts[CMS]
    assert reason_of(with_parts(*parts.items()), tmp_path) == gone


def test_a_signer_in_an_ad_hoc_signature(tmp_path: Path) -> None:
    content = signed(PLAIN, AppleSignature(flags=0x10002)).content()
    assert reason_of(content, tmp_path) == "it is marked as ad hoc but has a signer"


def test_bytes_after_the_signature(tmp_path: Path) -> None:
    content = signed(PLAIN).content() + bytes(4096)
    expected = "4096 unsigned bytes follow its code signature"
    assert reason_of(content, tmp_path) == expected


def test_unsigned_bytes_before_the_signature(tmp_path: Path) -> None:
    embedded = AppleSignature().over(code_of(PLAIN)[:-16])
    content = replace(PLAIN, signature=area(embedded)).content()
    assert reason_of(content, tmp_path) == "16368 bytes are signed, but the signature starts at 16384"


def test_residue_after_the_signature_is_reported(tmp_path: Path) -> None:
    content = signed(PLAIN).content()[:-1] + b"\1"
    result = read(content, tmp_path)
    assert result is not None
    assert result.level is Level.AUTHORSHIP_VERIFIED
    assert "unsigned bytes follow the signature" in result.signature.details


def test_a_stapled_ticket_is_reported(tmp_path: Path) -> None:
    content = with_parts(*parts_of().items(), (0x10002, blob(0xFADE8181, b"ticket")))
    result = read(content, tmp_path)
    assert result is not None
    assert result.level is Level.AUTHORSHIP_VERIFIED
    assert "a notarization ticket is stapled to it (not checked)" in result.signature.details


def test_another_team(tmp_path: Path) -> None:
    whole = result_of(signed(PLAIN, AppleSignature(by=SOMEBODY, team="ZZZZZZZZZZ")), tmp_path)
    assert whole.level is Level.AUTHORSHIP_VERIFIED
    assert whole.signature.signer == Signer(
        name="Developer ID Application: Somebody (ZZZZZZZZZZ)",
        organization="Somebody",
        identifier="ZZZZZZZZZZ",
        root="Test Root",
    )
    claimed = signed(PLAIN, AppleSignature(by=SOMEBODY)).content()
    expected = "it names team 2DC432GLL2, but its certificate is of team ZZZZZZZZZZ"
    assert reason_of(claimed, tmp_path) == expected
    silent = signed(PLAIN, AppleSignature(team=None)).content()
    assert reason_of(silent, tmp_path) == "it names no team, but its certificate is of team 2DC432GLL2"


def leaf(*, not_before: datetime) -> Identity:
    subject = Subject(
        name=SIGNER.name,
        organization="OpenAI OpCo, LLC",
        unit=TEAM,
        usages=(CODE_SIGNING,),
        marks=(DEVELOPER_ID,),
    )
    return issued(replace(subject, not_before=not_before), APPLE_ISSUER)


def test_an_expired_certificate_needs_a_timestamp(tmp_path: Path) -> None:
    untimed = signed(PLAIN, AppleSignature(at=None)).content()
    assert reason_of(untimed, tmp_path) == (
        "the certificate of 'Developer ID Application: OpenAI OpCo, LLC (2DC432GLL2)' expired on 2026-10-17"
        " (as of today, because there is no timestamp)"
    )
    result = read(untimed, tmp_path, now=SIGNED_AT + DAYS)
    assert result is not None
    assert (result.level, result.signature.signed_at) == (Level.AUTHORSHIP_VERIFIED, None)
    assert result.reason == (
        "its pages, sealed parts and the signer's chain to a pinned root are valid as of today; "
        "it has no timestamp"
    )
    assert "no timestamp" in result.signature.details


def test_a_time_without_timestamp_is_reported_as_a_claim(tmp_path: Path) -> None:
    signature = AppleSignature(at=None, claimed_at=datetime(2026, 5, 18, 17, 43, 53, tzinfo=UTC))
    result = read(signed(PLAIN, signature).content(), tmp_path, now=SIGNED_AT + DAYS)
    assert result is not None
    assert result.signature.signed_at is None
    assert "no timestamp; the signer claims 2026-05-18T17:43:53Z" in result.signature.details


def test_a_certificate_that_is_not_yet_valid(tmp_path: Path) -> None:
    by = leaf(not_before=SIGNED_AT + DAYS)
    assert reason_of(signed(PLAIN, AppleSignature(by=by)).content(), tmp_path) == (
        "the certificate of 'Developer ID Application: OpenAI OpCo, LLC (2DC432GLL2)'"
        " is not valid before 2026-10-16"
    )


def test_a_timestamp_from_the_future(tmp_path: Path) -> None:
    content = signed(PLAIN).content()
    expected = "the timestamp is from the future: 2026-10-15T20:18:40Z"
    assert reason_of(content, tmp_path, now=SIGNED_AT - timedelta(seconds=1)) == expected


def test_another_root(tmp_path: Path) -> None:
    other = authority("Other Root")
    by = developer_id("OpenAI OpCo, LLC", TEAM, authority("Other Issuer", other))
    content = signed(PLAIN, AppleSignature(by=by)).content()
    assert reason_of(content, tmp_path) == "its certificate chain does not end in a root that is pinned here"


def test_an_untrusted_timestamp_authority(tmp_path: Path) -> None:
    time_by = issued(Subject(name="Other Time", usages=("1.3.6.1.5.5.7.3.8",)), authority("Other Root"))
    content = signed(PLAIN, AppleSignature(time_by=time_by)).content()
    assert reason_of(content, tmp_path) == "its certificate chain does not end in a root that is pinned here"


def test_pages_hashed_only_with_sha1(tmp_path: Path) -> None:
    content = signed(PLAIN, AppleSignature(hashes=("sha1",))).content()
    expected = "its pages are hashed only with SHA-1, which is too weak"
    assert reason_of(content, tmp_path) == expected


def test_a_message_signed_with_sha1(tmp_path: Path) -> None:
    content = signed(PLAIN, AppleSignature(digest="sha1")).content()
    assert reason_of(content, tmp_path) == "it is signed with sha1, which is too weak"


def test_alternate_directories_must_be_signed(tmp_path: Path) -> None:
    both = AppleSignature(hashes=("sha1", "sha256"))
    unbound = signed(PLAIN, replace(both, is_bound=False)).content()
    assert reason_of(unbound, tmp_path) == "the signer did not sign its alternate CodeDirectories"
    parts = parts_of(both)
    other = AppleSignature(hashes=("sha256",), identifier="codex2").blobs(code_of(PLAIN))
    swapped = with_parts(*{**parts, 0x1000: other[0]}.items())
    assert reason_of(swapped, tmp_path) == "its CodeDirectories are of different programs"
    changed = {**parts, 0x1000: flipped(parts[0x1000], len(parts[0x1000]) - 1)}
    expected = "the signer did not sign the SHA-256 CodeDirectory"
    assert reason_of(with_parts(*changed.items()), tmp_path) == expected


def test_a_single_directory_does_not_need_a_list(tmp_path: Path) -> None:
    result = result_of(signed(PLAIN, AppleSignature(is_bound=False)), tmp_path)
    assert result.level is Level.AUTHORSHIP_VERIFIED


def test_a_removed_directory(tmp_path: Path) -> None:
    parts = parts_of(AppleSignature(hashes=("sha256", "sha384")))
    del parts[0x1000]
    expected = "the signer's list of cdhashes does not match the CodeDirectories"
    assert reason_of(with_parts(*parts.items()), tmp_path) == expected


INTEL = MachO(cpu=MachOCpu.X86_64)


def test_a_universal_file_has_the_level_of_its_weakest_slice(tmp_path: Path) -> None:
    both = result_of(FatMachO(slices=(signed(PLAIN), signed(INTEL))), tmp_path)
    assert (both.level, both.signature.signer) == (Level.AUTHORSHIP_VERIFIED, SIGNER)
    assert "arm64: identifier codex" in both.signature.details
    assert "x86_64: hardened runtime" in both.signature.details
    unsigned = result_of(FatMachO(slices=(signed(PLAIN), replace(INTEL, signature=None))), tmp_path)
    assert (unsigned.level, unsigned.reason) == (Level.NOTHING_KNOWN, "x86_64: it has no code signature")
    ad_hoc = result_of(FatMachO(slices=(signed(PLAIN), signed(INTEL, AD_HOC_SIGNATURE))), tmp_path)
    assert ad_hoc.level is Level.NOTHING_KNOWN
    assert ad_hoc.reason.startswith("x86_64: it is signed ad hoc")
    content = FatMachO(slices=(signed(PLAIN), replace(INTEL, signature=None))).content()
    broken = flipped(content, 0x4000 + 0x1234)
    assert reason_of(broken, tmp_path) == "arm64: the page at offset 4096 was changed after signing"


def test_slices_of_different_teams(tmp_path: Path) -> None:
    other = signed(INTEL, AppleSignature(by=SOMEBODY, team="ZZZZZZZZZZ"))
    content = FatMachO(slices=(signed(PLAIN), other)).content()
    assert reason_of(content, tmp_path) == "its slices are signed by different teams"


def test_bytes_between_slices(tmp_path: Path) -> None:
    content = FatMachO(slices=(signed(PLAIN), signed(INTEL))).content()
    expected = "it has unsigned bytes outside its slices"
    assert reason_of(flipped(content, 0x1000), tmp_path) == expected
    assert reason_of(content + b"\1", tmp_path) == expected


def test_overlapping_and_duplicate_slices(tmp_path: Path) -> None:
    content = bytearray(FatMachO(slices=(signed(PLAIN), signed(INTEL))).content())
    content[28:48] = struct.pack(">5I", MachOCpu.X86_64, 0, 0x4000, 0x4000 + AREA_BYTES, 14)
    expected = "it cannot be read: the slices of a universal file overlap"
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


OUTSIDE = "the page hashes are outside the CodeDirectory"


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (number_at(8, 0x30000), "the CodeDirectory's version 0x30000 is unknown"),
        (number_at(8, 0), "the CodeDirectory's version 0x0 is unknown"),
        (number_at(16, 0xFFFFFFFF), OUTSIDE),
        (number_at(16, 0), OUTSIDE),
        (number_at(24, 0xFFFFFFFF), "the special hashes are outside the CodeDirectory"),
        (number_at(28, 0xFFFFFFFF), "the CodeDirectory has 4294967295 pages for 16384 bytes"),
        (number_at(20, 0xFFFFFFFF), "a name is outside the CodeDirectory"),
        (number_at(20, 0), "a name is outside the CodeDirectory"),
        (number_at(48, 0xFFFFFFFF), "a name is outside the CodeDirectory"),
        (number_at(44, 1), "the CodeDirectory has scatter vectors, which macOS no longer accepts"),
        (number_at(37, 9, ">B"), "the CodeDirectory's hash type 9 of 32 bytes is unknown"),
        (number_at(36, 20, ">B"), "the CodeDirectory's hash type 2 of 20 bytes is unknown"),
        (number_at(39, 0, ">B"), "macOS does not load pages of 2^0 bytes"),
        (number_at(39, 255, ">B"), "macOS does not load pages of 2^255 bytes"),
        (number_at(32, 0), "the CodeDirectory has 4 pages for 0 bytes"),
        (number_at(56, 1 << 63, ">Q"), f"the CodeDirectory has 4 pages for {1 << 63} bytes"),
    ],
)
def test_inconsistent_fields_in_a_directory(
    edit: Callable[[bytearray], None], reason: str, tmp_path: Path
) -> None:
    assert reason_of(edited_directory(edit), tmp_path) == reason


@pytest.mark.parametrize("directory", [b"", bytes(20), struct.pack(">I", 0x20500) + bytes(40)])
def test_a_truncated_directory(directory: bytes, tmp_path: Path) -> None:
    content = with_parts((0, blob(0xFADE0C02, directory)))
    assert reason_of(content, tmp_path) == "the CodeDirectory is truncated"


@pytest.mark.parametrize(
    "signature",
    [AppleSignature(identifier="co\x1b[2Jdex"), AppleSignature(team="A\nB")],
    ids=["name", "team"],
)
def test_names_with_control_characters(signature: AppleSignature, tmp_path: Path) -> None:
    expected = "a name in the CodeDirectory has unprintable characters"
    assert reason_of(signed(PLAIN, signature).content(), tmp_path) == expected


def index_of(*entries: tuple[int, int], count: int | None = None) -> bytes:
    """Return a program with a signature of this index and one part."""
    index = b"".join(struct.pack(">II", *entry) for entry in entries)
    size = 12 + len(index) + 64
    head = struct.pack(">III", 0xFADE0CC0, size, len(entries) if count is None else count)
    return replace(PLAIN, signature=area(head + index + blob(0xFADE0C01, bytes(56)))).content()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (index_of((2, 20)), "the signature has no CodeDirectory"),
        (index_of(count=0xFFFFFFFF), "the signature claims 4294967295 parts in 76 bytes"),
        (index_of((2, 28), (2, 28)), "the signature has two parts in one slot"),
        (index_of((2, 28), (5, 28)), "parts of the signature overlap"),
        (index_of((0, 0)), "parts of the signature overlap"),
        (index_of((0, 0xFFFFFFFF)), "part 0x0 is outside the signature"),
        (index_of((0, 80)), "part 0x0 is outside the signature"),
        (index_of((0, 20)), "part 0x0 of the signature has the wrong magic"),
        (index_of((5, 40)), "part 0x5 is outside the signature"),
    ],
)
def test_an_inconsistent_index(content: bytes, reason: str, tmp_path: Path) -> None:
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
        assert reason_of(content, tmp_path) == "the signature has bytes outside its parts"


def test_a_signature_that_claims_to_be_longer_than_its_parts(tmp_path: Path) -> None:
    embedded = AppleSignature().over(code_of(PLAIN))
    longer = struct.pack(">II", 0xFADE0CC0, len(embedded) + 4096) + embedded[8:]
    content = replace(PLAIN, signature=area(longer)).content()
    expected = "the signature claims to be longer than its parts"
    assert reason_of(content, tmp_path) == expected
    hidden = struct.pack(">II", 0xFADE0CC0, len(embedded) + 6) + embedded[8:] + b"hidden"
    assert reason_of(replace(PLAIN, signature=area(hidden)).content(), tmp_path) == expected


def test_a_file_that_is_not_macho_is_not_valid(tmp_path: Path) -> None:
    expected = "it cannot be read: it does not start with a Mach-O magic"
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
    result = read(bytes(content), tmp_path_factory.getbasetemp())
    assert result is None or result.level is not Level.AUTHORSHIP_VERIFIED


@given(st.integers(LIMIT, place_of(CMS) - 1), st.integers(1, 255))
def test_no_byte_of_the_directories_and_sealed_parts_can_change(
    tmp_path_factory: pytest.TempPathFactory, at: int, change: int
) -> None:
    content = bytearray(SIGNED)
    content[at] ^= change
    result = read(bytes(content), tmp_path_factory.getbasetemp())
    assert result is not None
    assert result.level is Level.SIGNATURE_NOT_VALID


@given(st.integers(place_of(CMS), CMS_END - 1), st.integers(1, 255))
def test_a_changed_message_does_not_change_the_signer(
    tmp_path_factory: pytest.TempPathFactory, at: int, change: int
) -> None:
    content = bytearray(SIGNED)
    content[at] ^= change
    result = read(bytes(content), tmp_path_factory.getbasetemp())
    assert result is not None
    assert result.level is Level.SIGNATURE_NOT_VALID or result.signature == VALID.signature


@given(st.integers(0, len(SIGNED) - 1))
def test_a_truncated_file_is_not_valid(tmp_path_factory: pytest.TempPathFactory, size_bytes: int) -> None:
    result = read(SIGNED[:size_bytes], tmp_path_factory.getbasetemp())
    assert result is not None
    assert result.level is Level.SIGNATURE_NOT_VALID

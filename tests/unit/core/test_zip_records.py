import io
from dataclasses import replace

import pytest

from factory.core.zip_records import (
    CentralHeader,
    EndRecord,
    Header,
    extra_ids,
    pack_end_record,
    parse_central_header,
    parse_end_record,
    read_local_header,
)

EXTRA = b"\x55\x54\x01\x00x"
LOCAL = b"".join(
    (
        b"PK\x03\x04",
        b"\x14\x00",  # version needed to extract
        b"\x00\x08",  # flags
        b"\x08\x00",  # method
        b"\x21\x43\x54\x50",  # time and date
        b"\x44\x33\x22\x11",  # CRC
        b"\x03\x00\x00\x00",  # compressed size
        b"\x07\x00\x00\x00",  # size
        b"\x05\x00\x05\x00",  # lengths of name and extra fields
        b"a.txt",
        EXTRA,
    )
)
CENTRAL = b"".join(
    (
        b"PK\x01\x02",
        b"\x3f\x03",  # made by
        LOCAL[4:30],
        b"\x02\x00",  # length of the comment
        b"\x01\x00\x02\x00",  # disk and internal attributes
        b"\x00\x00\xed\x81",  # external attributes
        b"\x04\x03\x02\x01",  # offset
        b"a.txt",
        EXTRA,
        b"hi",
    )
)
END = b"PK\x05\x06" + bytes.fromhex("0100 0200 0300 0400 05000000 06000000 0200") + b"hi"

HEADER = Header(
    name=b"a.txt",
    extract_version=20,
    flags=0x800,
    method=8,
    dos_time=0x4321,
    dos_date=0x5054,
    crc32=0x11223344,
    compressed_bytes=3,
    size_bytes=7,
    extra=EXTRA,
)
ENTRY = CentralHeader(
    name=b"a.txt",
    extract_version=20,
    flags=0x800,
    method=8,
    dos_time=0x4321,
    dos_date=0x5054,
    crc32=0x11223344,
    compressed_bytes=3,
    size_bytes=7,
    extra=EXTRA,
    create_system=3,
    create_version=63,
    internal_attributes=2,
    external_attributes=0o100755 << 16,
    disk=1,
    offset=0x01020304,
    comment=b"hi",
)


def test_a_local_header_unpacks_and_packs() -> None:
    assert read_local_header(io.BytesIO(b"before" + LOCAL + b"after"), 6) == (HEADER, 6 + len(LOCAL))
    assert HEADER.pack_local() == LOCAL


def test_a_directory_entry_unpacks_and_packs() -> None:
    assert parse_central_header(b"before" + CENTRAL + b"after", 6) == (ENTRY, 6 + len(CENTRAL))
    assert ENTRY.pack_central() == CENTRAL


def test_an_end_record_unpacks() -> None:
    record = EndRecord(
        disk=1,
        directory_disk=2,
        disk_entries=3,
        entries=4,
        directory_bytes=5,
        directory_offset=6,
        comment=b"hi",
    )
    assert parse_end_record(b"before" + END + b"after", 6) == record
    assert record.size_bytes == 24


def test_an_end_record_packs() -> None:
    packed = pack_end_record(entries=2, directory_bytes=3, directory_offset=4, comment=b"hi")
    assert packed == b"PK\x05\x06" + bytes.fromhex("0000 0000 0200 0200 03000000 04000000 0200") + b"hi"


@pytest.mark.parametrize("length", [0, 3, 29, 30, len(LOCAL) - 1])
def test_a_truncated_local_header_is_not_read(length: int) -> None:
    assert read_local_header(io.BytesIO(LOCAL[:length]), 0) is None


@pytest.mark.parametrize("length", [0, 3, 45, 46, len(CENTRAL) - 1])
def test_a_truncated_directory_entry_is_not_read(length: int) -> None:
    assert parse_central_header(CENTRAL[:length], 0) is None


@pytest.mark.parametrize("length", [0, 3, 21, 22, len(END) - 1])
def test_a_truncated_end_record_is_not_read(length: int) -> None:
    assert parse_end_record(END[:length]) is None


def test_a_record_with_another_signature_is_not_read() -> None:
    assert read_local_header(io.BytesIO(b"PK\x03\x05" + LOCAL[4:]), 0) is None
    assert parse_central_header(b"PK\x01\x03" + CENTRAL[4:], 0) is None
    assert parse_end_record(b"PK\x05\x07" + END[4:]) is None


def test_a_zip64_field_replaces_values_of_all_ones_in_order() -> None:
    wide = b"\x01\x00\x10\x00" + (5 << 32).to_bytes(8, "little") + (6 << 32).to_bytes(8, "little")
    header = replace(ENTRY, size_bytes=0xFFFFFFFF, offset=0xFFFFFFFF, extra=EXTRA + wide)
    assert header.zip64
    assert not ENTRY.zip64
    widened = header.widened()
    assert (widened.size_bytes, widened.compressed_bytes, widened.offset) == (5 << 32, 3, 6 << 32)


def test_a_zip64_field_that_is_too_short_replaces_what_it_can() -> None:
    wide = b"\x01\x00\x10\x00" + (5 << 32).to_bytes(8, "little")
    header = replace(HEADER, size_bytes=0xFFFFFFFF, compressed_bytes=0xFFFFFFFF, extra=wide)
    widened = header.widened()
    assert (widened.size_bytes, widened.compressed_bytes) == (5 << 32, 0xFFFFFFFF)


@pytest.mark.parametrize(
    ("extra", "ids"),
    [(b"", ()), (EXTRA + b"\x01\x00\x00\x00", (0x5455, 1)), (EXTRA[:-1], None), (EXTRA + b"\x01", None)],
)
def test_extra_fields_are_listed(extra: bytes, ids: tuple[int, ...] | None) -> None:
    assert extra_ids(extra) == ids


def test_the_moment_is_shown_even_if_there_is_no_such_date() -> None:
    assert replace(HEADER, dos_date=0x5042, dos_time=0).moment == "2020-02-02 00:00:00"
    assert replace(HEADER, dos_date=0, dos_time=0xFFFF).moment == "1980-00-00 31:63:62"

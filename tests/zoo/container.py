"""Wheels with a broken zip container."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

from tests.wheels import INFO, PACKAGE, Wheel
from tests.zip_writer import ZipArchive, ZipMember, deflated, extra_field
from tests.zoo.breakage import Breakage, Twin

_INIT = f"{PACKAGE}/__init__.py"
_NOTICE = f"{PACKAGE}/codex-resources/NOTICE.md"


def _member(edit: Callable[[ZipMember], ZipMember], name: str = _NOTICE) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.edited(name, edit)


def _archive(edit: Callable[[ZipArchive], ZipArchive]) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.in_archive(edit)


def _damaged(member: ZipMember) -> ZipMember:
    packed = bytearray(deflated(member.content))
    packed[0] |= 0x06  # block type 3, which does not exist
    return replace(member, packed=bytes(packed))


def _encrypted(member: ZipMember) -> ZipMember:
    return replace(member, flags=1)


def _bomb(wheel: Wheel) -> Wheel:
    zeros = ZipMember(name=_NOTICE.encode(), content=bytes(4 << 20))
    return wheel.without(_NOTICE).with_first(zeros)


def _sharing_bytes(wheel: Wheel) -> Wheel:
    """Make the whole next member, with its local header, the content of a member: both claim its bytes."""
    inner = wheel.archive.members[0]
    content = inner.local()
    outer = ZipMember(name=f"{PACKAGE}/outer.bin".encode(), content=content, method=0, packed=b"")
    outer = replace(outer, compressed_bytes=len(content))
    return wheel.with_first(outer)


def _first_last(wheel: Wheel) -> Wheel:
    order = tuple(range(len(wheel.archive.members)))
    return wheel.in_archive(lambda archive: replace(archive, directory_order=(*order[1:], order[0])))


def _dist_info_first(wheel: Wheel) -> Wheel:
    metadata = wheel.member(f"{INFO}/METADATA")
    return wheel.without(f"{INFO}/METADATA").with_first(metadata)


def _end_in_comment(*, comment_bytes: int, offset: int) -> Callable[[Wheel], Wheel]:
    """Write a second end record into the comment of the first."""

    def edit(archive: ZipArchive) -> ZipArchive:
        entries = len(archive.members)
        length = sum(len(member.central(0)) for member in archive.members)
        start = sum(len(member.local()) for member in archive.members)
        fields = (0, 0, entries, entries, length, start + offset, comment_bytes)
        return replace(archive, comment=struct.pack("<4s4H2LH", b"PK\x05\x06", *fields))

    return _archive(edit)


def _stored_zip64(member: ZipMember) -> ZipMember:
    """Give the sizes both in the header and in a zip64 field."""
    sizes = extra_field(0x0001, struct.pack("<2Q", len(member.content), len(deflated(member.content))))
    return replace(member, local_extra=sizes)


def _local_zip64(member: ZipMember) -> ZipMember:
    """Give the sizes of the local header in a zip64 field alone, as for a member of unknown size."""
    return replace(_stored_zip64(member), local_size_bytes=0xFFFFFFFF, local_compressed_bytes=0xFFFFFFFF)


def _deflated_directory(wheel: Wheel) -> Wheel:
    return wheel.with_first(ZipMember(name=f"{PACKAGE}/empty/".encode(), content=b"", mode=0o40755))


def _long_name(part: str) -> Callable[[Wheel], Wheel]:
    name = f"{PACKAGE}/codex-resources/{part}"
    return lambda wheel: wheel.with_first(ZipMember(name=name.encode(), content=b"x\n"))


def _archive_in_comment(wheel: Wheel) -> Wheel:
    """Put a wheel with other code into the comment; its own comment claims a byte beyond the file."""
    other = wheel.edited_text(_INIT, "import", "import os\nimport").content()
    assert other.endswith(b"\0\0")
    return wheel.in_archive(lambda archive: replace(archive, comment=other[:-2] + b"\1\0"))


CONTAINER_TWINS: tuple[Twin, ...] = (
    Twin(
        "a stored member that is a zip archive",
        lambda wheel: wheel.with_first(
            ZipMember(
                name=f"{PACKAGE}/codex-resources/inner.zip".encode(),
                content=ZipArchive(members=(ZipMember(name=b"x", content=b"x"),)).content(),
                method=0,
            )
        ),
    ),
    Twin("a stored member", _member(lambda member: replace(member, method=0))),
    Twin("a member that needs zip 1.0", _member(lambda member: replace(member, method=0, version=10))),
)

CONTAINER: tuple[Breakage, ...] = (
    Breakage(
        "an end record in the comment whose comment is too long",
        "archive-one-end",
        _end_in_comment(comment_bytes=1, offset=0),
    ),
    Breakage(
        "an end record in the comment whose offset is too high",
        "archive-one-end",
        _end_in_comment(comment_bytes=0, offset=7),
    ),
    Breakage("a wheel with other code in the comment", "archive-one-end", _archive_in_comment),
    Breakage(
        "a signature of an end record in the comment",
        "archive-one-end",
        _archive(lambda archive: replace(archive, comment=b"PK\x05\x06")),
    ),
    Breakage(
        "a signature of a local header in the comment",
        "archive-one-end",
        _archive(lambda archive: replace(archive, comment=b"PK\x03\x04")),
    ),
    Breakage(
        "two end records that name two directories",
        "archive-directory",
        _archive(lambda archive: replace(archive, zip64=True, end_offset=-7)),
    ),
    Breakage(
        "a zip64 locator that points elsewhere",
        "archive-directory",
        _archive(lambda archive: replace(archive, zip64=True, zip64_locator_offset=1)),
    ),
    Breakage(
        "a descriptor with another size",
        "archive-content",
        _member(
            lambda member: replace(
                member,
                has_descriptor=True,
                descriptor=struct.pack(
                    "<4s3L",
                    b"PK\x07\x08",
                    zlib.crc32(member.content),
                    len(deflated(member.content)),
                    len(member.content) + 1,
                ),
            )
        ),
    ),
    Breakage("a zip64 field beside the sizes", "archive-zip64-field", _member(_stored_zip64)),
    Breakage("a flag for patch data", "archive-flags", _member(lambda member: replace(member, flags=0x20))),
    Breakage(
        "a member that needs zip 9.9", "archive-version", _member(lambda member: replace(member, version=99))
    ),
    Breakage("a deflated directory", "archive-directory-member", _deflated_directory),
    Breakage(
        "a stored member whose size follows it",
        "archive-stored-descriptor",
        _member(lambda member: replace(member, method=0, has_descriptor=True)),
    ),
    Breakage(
        "a spare byte after compressed data",
        "archive-content",
        _member(lambda member: replace(member, packed=deflated(member.content) + b"\0")),
    ),
    Breakage("a name of 260 bytes", "member-name-length", _long_name("n" * 260)),
    Breakage(
        "an entry count that is one too high",
        "archive-directory",
        _archive(lambda archive: replace(archive, entries=len(archive.members) + 2)),
    ),
    Breakage(
        "an offset that points to no local header",
        "archive-local-header",
        _member(lambda member: replace(member, offset=3)),
    ),
    Breakage("damaged compressed data", "archive-content", _member(_damaged)),
    Breakage(
        "bytes after the end of the compressed data",
        "archive-content",
        _member(lambda member: replace(member, packed=deflated(member.content) + b"hidden")),
    ),
    Breakage(
        "truncated compressed data",
        "archive-content",
        _member(lambda member: replace(member, packed=deflated(member.content)[:-2])),
    ),
    Breakage("an encrypted member", "archive-encrypted", _member(_encrypted)),
    Breakage("bzip2 compression", "archive-method", _member(lambda member: replace(member, method=12))),
    Breakage("a member that unpacks to a thousand times its size", "archive-bomb", _bomb),
    Breakage("two members that share bytes", "archive-overlap", _sharing_bytes),
    Breakage(
        "a wrong size in both headers", "archive-size", _member(lambda member: replace(member, size_bytes=9))
    ),
    Breakage(
        "a wrong CRC in both headers",
        "archive-crc",
        _member(lambda member: replace(member, crc32=0xDEADBEEF)),
    ),
    Breakage(
        "another name in the local header",
        "archive-headers",
        _member(lambda member: replace(member, local_name=f"{PACKAGE}/sitecustom.py".encode())),
    ),
    Breakage(
        "another size in the local header",
        "archive-headers",
        _member(lambda member: replace(member, local_size_bytes=3)),
    ),
    Breakage(
        "another CRC in the local header",
        "archive-headers",
        _member(lambda member: replace(member, local_crc32=3)),
    ),
    Breakage(
        "another method in the local header",
        "archive-headers",
        _member(lambda member: replace(member, local_method=0)),
    ),
    Breakage(
        "another time in the local header",
        "archive-header-times",
        _member(lambda member: replace(member, local_date=(2024 - 1980) << 9 | 1 << 5 | 1)),
    ),
    Breakage(
        "a shell stub before the archive",
        "archive-prefix",
        _archive(lambda archive: replace(archive, prefix=b"#!/bin/sh\nexit 0\n")),
    ),
    Breakage(
        "leading bytes that the offsets account for",
        "archive-prefix",
        _member(lambda member: replace(member, before=b"hidden"), _INIT),
    ),
    Breakage(
        "bytes after the end record",
        "archive-suffix",
        _archive(lambda archive: replace(archive, suffix=b"trailing")),
    ),
    Breakage(
        "bytes between two members",
        "archive-gap",
        _member(lambda member: replace(member, before=b"PK\x03\x04 hidden")),
    ),
    Breakage(
        "an end record of a multi-disk archive",
        "archive-one-disk",
        _archive(lambda archive: replace(archive, disk=1)),
    ),
    Breakage(
        "an end record with another disk than the zip64 one",
        "archive-directory",
        _archive(lambda archive: replace(archive, zip64=True, disk=1)),
    ),
    Breakage(
        "a Unicode path field with another name",
        "archive-second-name",
        _member(lambda member: replace(member, extra=extra_field(0x7075, b"\x01\0\0\0\0other.py"))),
    ),
    Breakage(
        "a comment on the archive",
        "archive-comment",
        _archive(lambda archive: replace(archive, comment=b"made by hand")),
    ),
    Breakage(
        "a comment on a member",
        "archive-comment",
        _member(lambda member: replace(member, comment=b"made by hand")),
    ),
    Breakage("zip64 end records", "archive-zip64", _archive(lambda archive: replace(archive, zip64=True))),
    Breakage(
        "a zip64 field on a small member",
        "archive-zip64",
        _member(_local_zip64),
    ),
    Breakage(
        "a data descriptor",
        "archive-descriptor",
        _member(lambda member: replace(member, has_descriptor=True)),
    ),
    Breakage(
        "a UNIX time field",
        "archive-extra-field",
        _member(lambda member: replace(member, extra=extra_field(0x5455, b"\x01\0\0\0\0"))),
    ),
    Breakage(
        "truncated extra fields",
        "archive-extra-field",
        _member(lambda member: replace(member, extra=b"\x55")),
    ),
    Breakage("a wall-clock time", "archive-times", _member(lambda member: replace(member, dos_time=0x6000))),
    Breakage("members listed in another order", "archive-order", _first_last),
    Breakage("METADATA before the package", "archive-order", _dist_info_first),
    Breakage(
        "one member from a Windows zip",
        "archive-host",
        _member(lambda member: replace(member, create_system=0)),
    ),
)

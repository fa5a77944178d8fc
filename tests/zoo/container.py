"""Wheels with a broken zip container."""

from collections.abc import Callable
from dataclasses import replace

from tests.wheels import INFO, PACKAGE, Wheel
from tests.zip_writer import ZipArchive, ZipMember, deflated, extra_field
from tests.zoo.breakage import Breakage

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


CONTAINER: tuple[Breakage, ...] = (
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
        "archive-headers",
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
        _member(lambda member: replace(member, local_extra=extra_field(1, bytes(16)))),
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

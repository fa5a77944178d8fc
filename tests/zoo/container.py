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
        name="an entry count that is one too high",
        check="archive-directory",
        make=_archive(lambda archive: replace(archive, entries=len(archive.members) + 2)),
    ),
    Breakage(
        name="an offset that points to no local header",
        check="archive-local-header",
        make=_member(lambda member: replace(member, offset=3)),
    ),
    Breakage(name="damaged compressed data", check="archive-content", make=_member(_damaged)),
    Breakage(
        name="bytes after the end of the compressed data",
        check="archive-content",
        make=_member(lambda member: replace(member, packed=deflated(member.content) + b"hidden")),
    ),
    Breakage(
        name="truncated compressed data",
        check="archive-content",
        make=_member(lambda member: replace(member, packed=deflated(member.content)[:-2])),
    ),
    Breakage(name="an encrypted member", check="archive-encrypted", make=_member(_encrypted)),
    Breakage(
        name="bzip2 compression",
        check="archive-method",
        make=_member(lambda member: replace(member, method=12)),
    ),
    Breakage(name="a member that unpacks to a thousand times its size", check="archive-bomb", make=_bomb),
    Breakage(name="two members that share bytes", check="archive-overlap", make=_sharing_bytes),
    Breakage(
        name="a wrong size in both headers",
        check="archive-size",
        make=_member(lambda member: replace(member, size_bytes=9)),
    ),
    Breakage(
        name="a wrong CRC in both headers",
        check="archive-crc",
        make=_member(lambda member: replace(member, crc32=0xDEADBEEF)),
    ),
    Breakage(
        name="another name in the local header",
        check="archive-headers",
        make=_member(lambda member: replace(member, local_name=f"{PACKAGE}/sitecustom.py".encode())),
    ),
    Breakage(
        name="another size in the local header",
        check="archive-headers",
        make=_member(lambda member: replace(member, local_size_bytes=3)),
    ),
    Breakage(
        name="another CRC in the local header",
        check="archive-headers",
        make=_member(lambda member: replace(member, local_crc32=3)),
    ),
    Breakage(
        name="another method in the local header",
        check="archive-headers",
        make=_member(lambda member: replace(member, local_method=0)),
    ),
    Breakage(
        name="another time in the local header",
        check="archive-headers",
        make=_member(lambda member: replace(member, local_date=(2024 - 1980) << 9 | 1 << 5 | 1)),
    ),
    Breakage(
        name="a shell stub before the archive",
        check="archive-prefix",
        make=_archive(lambda archive: replace(archive, prefix=b"#!/bin/sh\nexit 0\n")),
    ),
    Breakage(
        name="leading bytes that the offsets account for",
        check="archive-prefix",
        make=_member(lambda member: replace(member, before=b"hidden"), _INIT),
    ),
    Breakage(
        name="bytes after the end record",
        check="archive-suffix",
        make=_archive(lambda archive: replace(archive, suffix=b"trailing")),
    ),
    Breakage(
        name="bytes between two members",
        check="archive-gap",
        make=_member(lambda member: replace(member, before=b"PK\x03\x04 hidden")),
    ),
    Breakage(
        name="an end record of a multi-disk archive",
        check="archive-one-disk",
        make=_archive(lambda archive: replace(archive, disk=1)),
    ),
    Breakage(
        name="a Unicode path field with another name",
        check="archive-second-name",
        make=_member(lambda member: replace(member, extra=extra_field(0x7075, b"\x01\0\0\0\0other.py"))),
    ),
    Breakage(
        name="a comment on the archive",
        check="archive-comment",
        make=_archive(lambda archive: replace(archive, comment=b"made by hand")),
    ),
    Breakage(
        name="a comment on a member",
        check="archive-comment",
        make=_member(lambda member: replace(member, comment=b"made by hand")),
    ),
    Breakage(
        name="zip64 end records",
        check="archive-zip64",
        make=_archive(lambda archive: replace(archive, zip64=True)),
    ),
    Breakage(
        name="a zip64 field on a small member",
        check="archive-zip64",
        make=_member(lambda member: replace(member, local_extra=extra_field(1, bytes(16)))),
    ),
    Breakage(
        name="a data descriptor",
        check="archive-descriptor",
        make=_member(lambda member: replace(member, has_descriptor=True)),
    ),
    Breakage(
        name="a UNIX time field",
        check="archive-extra-field",
        make=_member(lambda member: replace(member, extra=extra_field(0x5455, b"\x01\0\0\0\0"))),
    ),
    Breakage(
        name="truncated extra fields",
        check="archive-extra-field",
        make=_member(lambda member: replace(member, extra=b"\x55")),
    ),
    Breakage(
        name="a wall-clock time",
        check="archive-times",
        make=_member(lambda member: replace(member, dos_time=0x6000)),
    ),
    Breakage(name="members listed in another order", check="archive-order", make=_first_last),
    Breakage(name="METADATA before the package", check="archive-order", make=_dist_info_first),
    Breakage(
        name="one member from a Windows zip",
        check="archive-host",
        make=_member(lambda member: replace(member, create_system=0)),
    ),
)

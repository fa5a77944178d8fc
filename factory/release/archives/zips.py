"""A strict reader of zip archives: every byte of the file must belong to a member or to the directory.

The standard library reads the central directory. The members' local headers and data are
read here, because the standard library accepts any bytes before, between and after them.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from factory.core.digests import CHUNK_BYTES
from factory.core.zip_records import (
    DESCRIPTOR_FLAG,
    DESCRIPTOR_SIGNATURE,
    ENCRYPTED_FLAG,
    END_BYTES,
    UTF8_FLAG,
    parse_end_record,
    read_local_header,
)
from factory.release.archives.entries import PackageEntry
from factory.release.archives.guard import Guard
from factory.release.archives.inflate import deflate_codec, stream_chunks
from factory.release.archives.trees import refusal_of

_MAX_DIRECTORY_BYTES: Final = 16 << 20


def zip_entries(file: BinaryIO, guard: Guard) -> Generator[PackageEntry, None, None]:
    """Yield the regular files of a zip archive in the order of their data.

    Args:
        file: The archive; it must be seekable.
        guard: Checks every member.

    Raises:
        IntegrityError: A member is encrypted, a link or otherwise unsafe, a limit is exceeded, the
            directory contradicts the members, or bytes are wrong or belong to no member.
    """
    directory_at = _directory_start(file, guard)
    members = [(info, _admit(info, guard)) for info in _directory(file, guard)]
    total_bytes = sum(info.file_size for info, _ in members)
    guard.check_inflation(packed_bytes=directory_at, unpacked_bytes=total_bytes)
    at = 0
    for info, path in sorted(members, key=lambda member: member[0].header_offset):
        if info.header_offset != at:
            raise guard.damaged("has bytes between its members")
        data_at = _content_start(file, info, guard)
        pieces = _pieces(file, info, data_at, guard)
        entry = PackageEntry(
            path=path or PurePosixPath(),
            mode=info.external_attr >> 16,
            size_bytes=info.file_size,
            pieces=pieces,
        )
        if path is not None:
            yield entry
        entry.finish()
        at = data_at + info.compress_size + _descriptor_bytes(file, info, data_at, guard)
    if at != directory_at:
        raise guard.damaged("has bytes between its members and its directory")


def _directory_start(file: BinaryIO, guard: Guard) -> int:
    """Check the end record, which must end the file, and return the offset of the directory."""
    size = file.seek(0, io.SEEK_END)
    if size < END_BYTES:
        raise guard.damaged("ends too early")
    file.seek(size - END_BYTES)
    end = parse_end_record(file.read(END_BYTES))
    if end is None:
        raise guard.damaged("has bytes after its end, or is truncated")
    is_split = end.disk or end.directory_disk or end.disk_entries != end.entries
    if is_split or end.directory_bytes > _MAX_DIRECTORY_BYTES:
        raise guard.damaged("has a directory of an unusual kind")
    if end.directory_offset + end.directory_bytes + END_BYTES != size:
        raise guard.damaged("has bytes outside its records, or is truncated")
    return end.directory_offset


def _directory(file: BinaryIO, guard: Guard) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, OSError) as error:
        raise guard.damaged(f"has a broken directory ({error})") from error


def _admit(info: zipfile.ZipInfo, guard: Guard) -> PurePosixPath | None:
    """Check a member, and return its path if it is a regular file, or None if it is a directory."""
    name, mode = info.orig_filename, info.external_attr >> 16
    if info.flag_bits & ENCRYPTED_FLAG:
        raise guard.unsafe(name, "is encrypted")
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise guard.unsafe(name, f"is compressed by the unexpected method {info.compress_type}")
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise guard.unsafe(name, refusal_of(mode))
    is_directory = name.endswith("/")
    if is_directory != stat.S_ISDIR(mode) and stat.S_IFMT(mode):
        raise guard.unsafe(name, "is a directory by its name or by its mode, but not by both")
    if is_directory and info.file_size:
        raise guard.unsafe(name, "is a directory with content")
    if is_directory:
        guard.admit_directory(name)
        return None
    return guard.admit_file(name, size_bytes=info.file_size)


def _content_start(file: BinaryIO, info: zipfile.ZipInfo, guard: Guard) -> int:
    """Check a member's local header against the directory, and return the offset of the content."""
    found = read_local_header(file, info.header_offset)
    if found is None:
        raise guard.damaged(f"has no header before the data of {info.orig_filename!r}")
    header, start = found
    name = header.name.decode("utf-8" if header.flags & UTF8_FLAG else "cp437", "surrogateescape")
    allowed = {(info.CRC, info.compress_size, info.file_size)}
    if header.has_descriptor:
        allowed.add((0, 0, 0))
    sizes = (header.crc32, header.compressed_bytes, header.size_bytes)
    is_same = (header.flags, header.method, name) == (info.flag_bits, info.compress_type, info.orig_filename)
    if not is_same or sizes not in allowed:
        raise guard.damaged(f"has a local header of {info.orig_filename!r} that contradicts the directory")
    return start


def _pieces(file: BinaryIO, info: zipfile.ZipInfo, data_at: int, guard: Guard) -> Iterator[bytes]:
    """Yield a member's content, and check its size and checksum against the directory."""
    seen_bytes = crc = 0
    for piece in _unpacked(file, info, data_at, guard):
        seen_bytes += len(piece)
        crc = zlib.crc32(piece, crc)
        if seen_bytes > info.file_size:
            break
        yield piece
    if seen_bytes != info.file_size or crc != info.CRC:
        raise guard.damaged(f"has a member {info.orig_filename!r} with the wrong size or checksum")


def _unpacked(file: BinaryIO, info: zipfile.ZipInfo, data_at: int, guard: Guard) -> Iterator[bytes]:
    feed = _feed(file, data_at, info.compress_size)
    if info.compress_type == zipfile.ZIP_STORED:
        while piece := feed():
            yield piece
        return
    codec = deflate_codec()
    decompressor = codec.start()
    yield from stream_chunks(decompressor, codec, feed, guard)
    if decompressor.unused_data or feed():
        raise guard.damaged(f"has bytes after the data of {info.orig_filename!r}")


def _feed(file: BinaryIO, start: int, size_bytes: int) -> Callable[[], bytes]:
    """Return a function that reads a part of the file in chunks, even if others seek in between."""
    at, end = start, start + size_bytes

    def read() -> bytes:
        nonlocal at
        file.seek(at)
        chunk = file.read(min(CHUNK_BYTES, end - at))
        at += len(chunk)
        return chunk

    return read


def _descriptor_bytes(file: BinaryIO, info: zipfile.ZipInfo, data_at: int, guard: Guard) -> int:
    """Return the size of the data descriptor: checksum and sizes, with or without a signature."""
    if not info.flag_bits & DESCRIPTOR_FLAG:
        return 0
    file.seek(data_at + info.compress_size)
    block = file.read(16)
    body = struct.pack("<III", info.CRC, info.compress_size, info.file_size)
    if block == DESCRIPTOR_SIGNATURE + body:
        return 16
    if block[:12] == body:
        return 12
    raise guard.damaged(f"has a wrong data descriptor after {info.orig_filename!r}")

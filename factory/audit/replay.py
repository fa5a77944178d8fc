"""Write a rebuilt wheel with the headers of the published one.

Times, zip host, member order and header fields that no recipe explains can be *replayed*: if the
file then has the published SHA-256, only these values differ. All contents come from the rebuild.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import BinaryIO

from factory.core.digests import CHUNK_BYTES, Sha256
from factory.core.zip_records import CentralHeader, Header, HeaderT, pack_end_record
from factory.verify.reading.contents import Member, WheelContents

_CREATE_VERSION = 20


def replayed_digest(published: WheelContents, rebuilt: WheelContents) -> Sha256 | None:
    """Return the SHA-256 of the rebuilt wheel with the published wheel's headers.

    Return None if they do not fit: other members, zip64 records, data descriptors, unreadable parts.
    """
    is_plain = not published.archive.zip64 and not published.problems
    if not is_plain or set(published.by_name) != set(rebuilt.by_name):
        return None
    if any(member.local is None or member.central.has_descriptor for member in published.members):
        return None
    with rebuilt.path.open("rb") as file:
        return written_digest(
            published,
            source=lambda member: rebuilt.by_name[member.name].central,
            content=lambda member: stored_content(file, rebuilt.by_name[member.name]),
        )


def _as_python_writes(header: CentralHeader) -> CentralHeader:
    """Return a header with the fields that no replay explains as Python's zipfile writes them."""
    return replace(header, create_version=_CREATE_VERSION, internal_attributes=0)


def written_digest(
    published: WheelContents,
    *,
    source: Callable[[Member], CentralHeader],
    content: Callable[[Member], Iterable[bytes]],
    central: Callable[[CentralHeader], CentralHeader] = _as_python_writes,
) -> Sha256:
    """Return the SHA-256 of a wheel with the headers of a published wheel and given contents.

    Args:
        published: Supplies headers, order and comment.
        source: Returns the header with a member's method, CRC and sizes.
        content: Returns a member's compressed bytes.
        central: Returns the header for the directory, from the published one.
    """
    hasher = hashlib.sha256()
    position, offsets = 0, {}
    for member in sorted(published.members, key=lambda member: member.start):
        offsets[member.name] = position
        header = _local(member.local or member.central, source(member))
        for chunk in chain((header,), content(member)):
            hasher.update(chunk)
            position += len(chunk)
    directory = b"".join(
        _central(central(member.central), source(member), offsets[member.name])
        for member in published.members
    )
    hasher.update(directory)
    hasher.update(
        pack_end_record(
            entries=len(published.members),
            directory_bytes=len(directory),
            directory_offset=position,
            comment=published.archive.comment,
        )
    )
    return Sha256(hasher.hexdigest())


def stored_content(file: BinaryIO, member: Member) -> Iterator[bytes]:
    """Yield the compressed bytes of a member of a wheel."""
    left = member.central.compressed_bytes
    file.seek(member.end - left)
    while left and (chunk := file.read(min(CHUNK_BYTES, left))):
        left -= len(chunk)
        yield chunk


def _local(header: Header, source: CentralHeader) -> bytes:
    return _for_content(header, source).pack_local()


def _central(header: CentralHeader, source: CentralHeader, offset: int) -> bytes:
    return _for_content(replace(header, offset=offset), source).pack_central()


def _for_content(header: HeaderT, source: CentralHeader) -> HeaderT:
    return replace(
        header,
        method=source.method,
        crc32=source.crc32,
        compressed_bytes=source.compressed_bytes,
        size_bytes=source.size_bytes,
    )

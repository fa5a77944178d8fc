"""Write a rebuilt wheel again with the container values that a published one records.

Times, zip host, member order and header fields that no recipe explains can still be
*replayed*: if the file then has the published SHA-256, nothing else differs, and
above all no content does, since every content comes from the rebuild.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from factory.core.digests import CHUNK_BYTES, Sha256
from factory.verify.reading.contents import CentralHeader, Header, Member, WheelContents

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_CREATE_VERSION = 20


def replayed_digest(published: WheelContents, rebuilt: WheelContents) -> Sha256 | None:
    """Return the SHA-256 that the rebuilt wheel has with the published wheel's headers.

    None where that cannot be: other members, or a container of another kind (zip64,
    descriptors, stray bytes), which is not replayed.
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


def written_digest(
    published: WheelContents,
    *,
    source: Callable[[Member], CentralHeader],
    content: Callable[[Member], Iterable[bytes]],
) -> Sha256:
    """Return the SHA-256 of a wheel written with the published headers around other contents.

    Args:
        published: Whose headers, order and comment are taken.
        source: Gives method, checksum and sizes for each member.
        content: Gives each member's compressed bytes.
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
        _central(member, source(member), offsets[member.name]) for member in published.members
    )
    comment, count = published.archive.comment, len(published.members)
    hasher.update(directory)
    hasher.update(_END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), position, len(comment)))
    hasher.update(comment)
    return Sha256(hasher.hexdigest())


def stored_content(file: BinaryIO, member: Member) -> Iterator[bytes]:
    """Yield a member's compressed bytes from the wheel that has it."""
    left = member.central.compressed_bytes
    file.seek(member.end - left)
    while left and (chunk := file.read(min(CHUNK_BYTES, left))):
        left -= len(chunk)
        yield chunk


def _local(header: Header, source: CentralHeader) -> bytes:
    fixed = _LOCAL.pack(
        b"PK\x03\x04",
        header.extract_version,
        header.flags,
        source.method,
        header.dos_time,
        header.dos_date,
        source.crc32,
        source.compressed_bytes,
        source.size_bytes,
        len(header.name),
        len(header.extra),
    )
    return fixed + header.name + header.extra


def _central(member: Member, source: CentralHeader, offset: int) -> bytes:
    header = member.central
    fixed = _CENTRAL.pack(
        b"PK\x01\x02",
        header.create_system << 8 | _CREATE_VERSION,
        header.extract_version,
        header.flags,
        source.method,
        header.dos_time,
        header.dos_date,
        source.crc32,
        source.compressed_bytes,
        source.size_bytes,
        len(header.name),
        len(header.extra),
        len(header.comment),
        header.disk,
        0,
        header.external_attributes,
        offset,
    )
    return fixed + header.name + header.extra + header.comment

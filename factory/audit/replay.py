"""Write a rebuilt wheel again with the container values that a published one records.

Times, zip host, member order and header fields that no recipe explains can still be
*replayed*: if the file then has the published SHA-256, nothing else differs, and
above all no content does, since every content comes from the rebuild.
"""

import hashlib
import struct
from collections.abc import Iterator

from factory.digests import Sha256
from factory.verify.contents import CentralHeader, Header, Member, WheelContents

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
    hasher = hashlib.sha256()
    for chunk in _chunks(published, rebuilt):
        hasher.update(chunk)
    return Sha256(hasher.hexdigest())


def _chunks(published: WheelContents, rebuilt: WheelContents) -> Iterator[bytes]:
    position, offsets = 0, {}
    with rebuilt.path.open("rb") as file:
        for member in sorted(published.members, key=lambda member: member.start):
            source = rebuilt.by_name[member.name]
            offsets[member.name] = position
            local = _local(member.local or member.central, source.central)
            file.seek(source.end - source.central.compressed_bytes)
            content = file.read(source.central.compressed_bytes)
            yield from (local, content)
            position += len(local) + len(content)
    directory = b"".join(_central(member, rebuilt, offsets[member.name]) for member in published.members)
    yield directory
    comment = published.archive.comment
    count = len(published.members)
    yield _END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), position, len(comment)) + comment


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


def _central(member: Member, rebuilt: WheelContents, offset: int) -> bytes:
    header, source = member.central, rebuilt.by_name[member.name].central
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

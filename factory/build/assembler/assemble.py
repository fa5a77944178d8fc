"""Fill the backend's wheel of empty payload files with the compressed payload.

The result must have the bytes of the backend's own wheel: tests and ``--check-engine`` compare the two.
"""

import base64
import csv
import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from factory.build.assembler.skeleton import (
    LARGEST_MEMBER_BYTES,
    LARGEST_OFFSET,
    Skeleton,
    SkeletonMember,
    UnusableSkeleton,
)
from factory.build.builder import WheelFile
from factory.build.deflate import Deflated
from factory.build.encoder import ZLIB, Encoder
from factory.core.digests import Sha256
from factory.core.progress import ProgressTask
from factory.core.zip_records import HeaderT, pack_end_record


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """The header values and the compressed content of a member."""

    member: SkeletonMember
    crc32: int
    size_bytes: int
    compressed_bytes: int
    chunks: Iterable[bytes]

    def describe(self, header: HeaderT) -> HeaderT:
        """Return a header with this content's checksum and sizes."""
        return replace(
            header,
            crc32=self.crc32,
            compressed_bytes=self.compressed_bytes,
            size_bytes=self.size_bytes,
        )


def assemble(
    skeleton: Skeleton,
    payload: Mapping[str, Deflated],
    *,
    create_system: int,
    into: Path,
    task: ProgressTask,
    encoder: Encoder = ZLIB,
) -> WheelFile:
    """Write a wheel; its digest is computed on the way.

    Args:
        skeleton: The backend's wheel with empty payload files.
        payload: The compressed content of each payload member, by member name.
        create_system: The zip host of every member (APPNOTE 4.4.2): 3 is Unix, 0 is DOS and Windows.
        into: A file that does not exist; after an error the caller removes it.
        task: Receives the number of bytes written.
        encoder: Compresses RECORD.

    Raises:
        UnusableSkeleton: The payload does not match the skeleton, or a size needs zip64.
        DamagedDeflated: A compressed file is damaged or missing.
    """
    unknown = payload.keys() - {member.name for member in skeleton.members}
    if unknown:
        raise UnusableSkeleton(skeleton.name, f"the backend left out {', '.join(sorted(unknown))}")
    with into.open("xb") as file:
        writer = _Writer(file=file, wheel=skeleton.name, task=task, create_system=create_system)
        for content in _contents(skeleton, payload, encoder):
            writer.add(content)
        size_bytes, sha256 = writer.finish()
    return WheelFile(path=into, size_bytes=size_bytes, sha256=sha256)


def _contents(skeleton: Skeleton, payload: Mapping[str, Deflated], encoder: Encoder) -> Iterator[_Content]:
    for member in skeleton.members[:-1]:
        deflated = payload.get(member.name)
        yield _kept(member) if deflated is None else _filled(member, deflated)
    yield _record(skeleton, payload, encoder)


def _kept(member: SkeletonMember) -> _Content:
    return _Content(
        member=member,
        crc32=member.central.crc32,
        size_bytes=member.central.size_bytes,
        compressed_bytes=len(member.deflated),
        chunks=(member.deflated,),
    )


def _filled(member: SkeletonMember, deflated: Deflated) -> _Content:
    return _Content(
        member=member,
        crc32=deflated.crc32,
        size_bytes=deflated.size_bytes,
        compressed_bytes=deflated.compressed_bytes,
        chunks=deflated.chunks(),
    )


def _record(skeleton: Skeleton, payload: Mapping[str, Deflated], encoder: Encoder) -> _Content:
    """Return RECORD with the digests and sizes of the payload; the other lines do not change."""
    before = zlib.decompress(skeleton.record.deflated, -zlib.MAX_WBITS).decode("utf-8")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for name, digest, size in csv.reader(io.StringIO(before, newline="")):
        deflated = payload.get(name)
        writer.writerow((name, digest, size) if deflated is None else _record_line(name, deflated))
    content = text.getvalue().encode("utf-8")
    compressor = encoder.start()
    compressed = compressor.compress(content) + compressor.flush()
    return replace(
        _kept(skeleton.record),
        crc32=zlib.crc32(content),
        size_bytes=len(content),
        compressed_bytes=len(compressed),
        chunks=(compressed,),
    )


def _record_line(name: str, deflated: Deflated) -> tuple[str, str, str]:
    """Return a RECORD line, with the digest in URL-safe base64 without padding (PEP 427)."""
    digest = base64.urlsafe_b64encode(bytes.fromhex(deflated.sha256.hex)).decode("ascii").rstrip("=")
    return name, f"sha256={digest}", str(deflated.size_bytes)


class _Writer:
    """Writes the records of an archive one after the other, and hashes them."""

    def __init__(self, *, file: BinaryIO, wheel: str, task: ProgressTask, create_system: int) -> None:
        self._file = file
        self._wheel = wheel
        self._task = task
        self._create_system = create_system
        self._hasher = hashlib.sha256()
        self._position = 0
        self._central: list[bytes] = []

    def add(self, content: _Content) -> None:
        if content.size_bytes > LARGEST_MEMBER_BYTES or self._position > LARGEST_OFFSET:
            raise UnusableSkeleton(
                self._wheel, f"{content.member.name} needs zip64, which the assembler does not write"
            )
        member = content.member
        central = replace(member.central, offset=self._position, create_system=self._create_system)
        self._central.append(content.describe(central).pack_central())
        self._write(content.describe(member.local).pack_local())
        for chunk in content.chunks:
            self._write(chunk)

    def finish(self) -> tuple[int, Sha256]:
        offset = self._position
        if offset > LARGEST_OFFSET:
            raise UnusableSkeleton(self._wheel, "it needs zip64, which the assembler does not write")
        directory = b"".join(self._central)
        self._write(directory)
        self._write(
            pack_end_record(
                entries=len(self._central), directory_bytes=len(directory), directory_offset=offset
            )
        )
        return self._position, Sha256(self._hasher.hexdigest())

    def _write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._hasher.update(chunk)
        self._position += len(chunk)
        self._task.advance(len(chunk))

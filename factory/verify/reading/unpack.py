"""Unpack one member's content in a single bounded pass: count it, hash it, keep it or extract it."""

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from factory.core.digests import CHUNK_BYTES, Sha256
from factory.core.errors import HostError
from factory.core.model import FileKind
from factory.core.zip_records import CentralHeader
from factory.release.payload import kind_of
from factory.verify.reading.contents import ProblemKind

_HEAD_BYTES = 4096


class CannotExtract(HostError):
    """An executable image cannot be written to scratch."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"cannot write {path}: {error.strerror or error}",
            hint="Free some space: a wheel's executables are unpacked while it is verified (up to 2 GiB).",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackLimits:
    """How much a wheel may unpack to before reading stops; real ones stay far below.

    Attributes:
        total_bytes: All content together.
        ratio: Unpacked to packed size of one member; text reaches 20, executables 4.
        ratio_floor_bytes: Up to this size a member may have any ratio.
        members: How many there may be.
        kept_bytes: How much content of small members is kept in memory, all together.
        kept_member_bytes: The largest member that is kept.
    """

    total_bytes: int = 2 << 30
    ratio: int = 100
    ratio_floor_bytes: int = 1 << 20
    members: int = 10_000
    kept_bytes: int = 8 << 20
    kept_member_bytes: int = 1 << 20


DEFAULT_LIMITS = UnpackLimits()


class Stop(Exception):
    """Reading a member ends here, and why."""

    def __init__(self, kind: ProblemKind, evidence: str) -> None:
        super().__init__(evidence)
        self.kind = kind
        self.evidence = evidence


class Content:
    """One member's content on its way through: counted, hashed, and kept or extracted."""

    def __init__(self, *, limits: UnpackLimits, header: CentralHeader) -> None:
        self._limits = limits
        self._header = header
        self._hasher = hashlib.sha256()
        self._head = b""
        self._buffer: bytearray | None = bytearray()
        self._image: BinaryIO | None = None
        self.size_bytes = 0
        self.crc32 = 0
        self.kind = FileKind.DATA
        self.extracted = False
        self.sha256: Sha256 | None = None

    @property
    def kept(self) -> bytes | None:
        """The content when it is small enough to keep."""
        return None if self._buffer is None else bytes(self._buffer)

    def run(self, file: BinaryIO, start: int, target: Path, room_bytes: int) -> None:
        """Read the content to its end; images go to the target on the way.

        Raises:
            Stop: It is damaged, of an unknown method, or too much.
        """
        for chunk in self._unpack(file, start):
            if self.size_bytes == 0:
                self._begin(chunk, target)
            self._take(chunk, room_bytes)
        self.sha256 = Sha256(self._hasher.hexdigest())

    def close(self) -> None:
        """Close the extracted file, whatever happened."""
        if self._image is not None:
            try:
                self._image.close()
            except OSError as error:
                raise CannotExtract(Path(self._image.name), error) from error

    def _begin(self, chunk: bytes, target: Path) -> None:
        self.kind = kind_of(chunk[:_HEAD_BYTES])
        if self.kind.is_executable_image:
            try:
                self._image = target.open("xb")
            except OSError as error:
                raise CannotExtract(target, error) from error
            self.extracted = True

    def _take(self, chunk: bytes, room_bytes: int) -> None:
        self.size_bytes += len(chunk)
        self._forbid_bomb(room_bytes)
        self.crc32 = zlib.crc32(chunk, self.crc32)
        self._hasher.update(chunk)
        if self._image is not None:
            _write(self._image, chunk)
        if self._buffer is not None:
            self._buffer += chunk
            if len(self._buffer) > self._limits.kept_member_bytes:
                self._buffer = None

    def _forbid_bomb(self, room_bytes: int) -> None:
        packed = max(1, self._header.compressed_bytes)
        if self.size_bytes > self._limits.ratio_floor_bytes and self.size_bytes > packed * self._limits.ratio:
            raise Stop(ProblemKind.BOMB, f"{packed} bytes unpack to over {self._limits.ratio} times as many")
        if self.size_bytes > room_bytes:
            raise Stop(ProblemKind.BOMB, f"the archive unpacks to over {self._limits.total_bytes} bytes")

    def _unpack(self, file: BinaryIO, start: int) -> Iterator[bytes]:
        packed = _read_range(file, start, self._header.compressed_bytes)
        if self._header.is_encrypted:
            raise Stop(ProblemKind.ENCRYPTED, "encrypted, so nobody can say what it holds")
        match self._header.method:
            case 0:
                return packed
            case 8:
                return _inflate(packed)
            case method:
                raise Stop(ProblemKind.METHOD, f"compression method {method} is none that installers read")


def _write(file: BinaryIO, chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise CannotExtract(Path(file.name), error) from error


def _read_range(file: BinaryIO, start: int, size_bytes: int) -> Iterator[bytes]:
    file.seek(start)
    left = size_bytes
    while left:
        chunk = file.read(min(left, CHUNK_BYTES))
        if not chunk:
            raise Stop(ProblemKind.CONTENT, f"the file ends {left} bytes before the content does")
        left -= len(chunk)
        yield chunk


def _inflate(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Inflate raw deflate data in bounded steps; it must end exactly where the compressed bytes do."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for chunk in chunks:
        pending = chunk
        if inflater.eof:
            raise Stop(ProblemKind.CONTENT, "its compressed data ends before its compressed size does")
        while True:
            try:
                step = inflater.decompress(pending, CHUNK_BYTES)
            except zlib.error as error:
                raise Stop(ProblemKind.CONTENT, f"its compressed data is damaged: {error}") from error
            if step:
                yield step
            pending = inflater.unconsumed_tail
            if not pending and len(step) < CHUNK_BYTES:
                break
        if inflater.unused_data:
            raise Stop(ProblemKind.CONTENT, "its compressed data ends before its compressed size does")
    if not inflater.eof:
        raise Stop(ProblemKind.CONTENT, "its compressed data does not end")

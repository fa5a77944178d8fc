"""Read the content of one member in a single bounded pass: count it, hash it, keep or extract it."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import BinaryIO, Final

from factory.core.counted import counted
from factory.core.digests import CHUNK_BYTES, Sha256
from factory.core.errors import HostError, UsageError
from factory.core.model import FileKind
from factory.core.zip_records import CentralHeader
from factory.executables.file_kind import kind_of
from factory.release.archives.inflate import Codec, deflate_codec, fast_crc32
from factory.verify.reading.contents import ProblemKind
from factory.verify.reading.watch import Watch

_HEAD_BYTES = 4096
_SHORT = "its compressed data is shorter than its compressed size"

ZLIB_DEFLATE: Final = deflate_codec()
"""Installers use zlib, so a stream that it refuses is refused here, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackLimits:
    """Limits on what is read of a wheel; real wheels stay far below them.

    ``factory verify --limit NAME=SIZE`` raises one, and a finding names the one that was reached.

    Attributes:
        total_bytes: Size of all unpacked content.
        ratio: Unpacked to packed size of one member; text reaches 20, executables 4.
        ratio_floor_bytes: Up to this size a member may have any ratio.
        members: Number of members.
        kept_bytes: Content of small members that is kept in memory, in total.
        python_bytes: Python source that is kept, in total. It has a limit of its own, because a wheel with
            thousands of other texts would leave nothing of the first one.
        kept_member_bytes: The largest member that is kept.
        dist_info_bytes: Content of ``.dist-info`` that is kept, in total and of one file. It has a limit of
            its own, because most checks need these files.
        seconds: The time for reading and checking the wheel.
    """

    total_bytes: int = 2 << 30
    ratio: int = 100
    ratio_floor_bytes: int = 1 << 20
    members: int = 100_000
    kept_bytes: int = 8 << 20
    python_bytes: int = 16 << 20
    kept_member_bytes: int = 1 << 20
    dist_info_bytes: int = 8 << 20
    seconds: int = 900

    def raised(self, texts: Iterable[str]) -> "UnpackLimits":
        """Return the limits with other values, each given as ``NAME=NUMBER``.

        Raises:
            UsageError: A text has another form, or names no limit.
        """
        names = [field.name for field in fields(self)]
        values = {}
        for text in texts:
            name, _, number = text.partition("=")
            if name not in names or not number.isascii() or not number.isdecimal() or not int(number):
                raise UsageError(
                    f"{text!r} is not a limit",
                    hint=f"Write NAME=NUMBER with a positive number; the names are {', '.join(names)}.",
                )
            values[name] = int(number)
        return replace(self, **values)

    def hint(self, name: str) -> str:
        """Return how a person raises a limit, for a finding that it was reached."""
        return f"the limit {name} is {getattr(self, name)}; '--limit {name}=NUMBER' raises it"


DEFAULT_LIMITS = UnpackLimits()


class Stop(Exception):
    """Stop reading a member, with the reason."""

    def __init__(self, kind: ProblemKind, evidence: str) -> None:
        super().__init__(evidence)
        self.kind = kind
        self.evidence = evidence


def cannot_write(path: Path, error: OSError) -> HostError:
    """Return the error for an executable, or its directory, that cannot be written to scratch."""
    return HostError(
        f"cannot write {path}: {error.strerror or error}",
        hint="Free some disk space: the executables of a wheel are unpacked for verification (up to 2 GiB).",
    )


class Content:
    """The content of one member, as it is read."""

    def __init__(
        self, *, limits: UnpackLimits, header: CentralHeader, kept_bytes: int, watch: Watch, codec: Codec
    ) -> None:
        """Begin with nothing read.

        Args:
            limits: When to stop.
            header: The central directory's entry.
            kept_bytes: Up to this size the content is kept.
            watch: Asked after each chunk.
            codec: Inflates compressed content.
        """
        self._limits = limits
        self._kept_bytes = kept_bytes
        self._watch = watch
        self._codec = codec
        self._header = header
        self._crc32_of = fast_crc32()
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
        """The content, if it is small enough to keep."""
        return None if self._buffer is None else bytes(self._buffer)

    def run(self, file: BinaryIO, start: int, target: Path, room_bytes: int) -> None:
        """Read the content to its end, and write it to the target if it is an executable image.

        Raises:
            Stop: The content is damaged, too large, or compressed with an unknown method.
        """
        for chunk in content_chunks(file, start, self._header, self._codec):
            if self.size_bytes == 0:
                self._begin(chunk, target)
            self._take(chunk, room_bytes)
        self.sha256 = Sha256(self._hasher.hexdigest())

    def close(self) -> None:
        """Close the extracted file."""
        if self._image is not None:
            try:
                self._image.close()
            except OSError as error:
                raise cannot_write(Path(self._image.name), error) from error

    def _begin(self, chunk: bytes, target: Path) -> None:
        self.kind = kind_of(chunk[:_HEAD_BYTES])
        if self.kind.is_executable_image:
            try:
                self._image = target.open("xb")
            except OSError as error:
                raise cannot_write(target, error) from error
            self.extracted = True

    def _take(self, chunk: bytes, room_bytes: int) -> None:
        self._watch.poll()
        self.size_bytes += len(chunk)
        self._forbid_bomb(room_bytes)
        self.crc32 = self._crc32_of(chunk, self.crc32)
        self._hasher.update(chunk)
        if self._image is not None:
            _write(self._image, chunk)
        if self._buffer is not None:
            self._buffer += chunk
            if len(self._buffer) > self._kept_bytes:
                self._buffer = None

    def _forbid_bomb(self, room_bytes: int) -> None:
        packed = max(1, self._header.compressed_bytes)
        if self.size_bytes > self._limits.ratio_floor_bytes and self.size_bytes > packed * self._limits.ratio:
            unpack = counted(packed, "byte unpacks", "bytes unpack")
            raise Stop(ProblemKind.BOMB, f"{unpack} to over {self._limits.ratio} times as many")
        if self.size_bytes > room_bytes:
            raise Stop(ProblemKind.LIMIT, f"the archive unpacks to more: {self._limits.hint('total_bytes')}")


def content_chunks(
    file: BinaryIO, start: int, header: CentralHeader, codec: Codec = ZLIB_DEFLATE
) -> Iterator[bytes]:
    """Yield the content of a member in chunks; only zlib refuses exactly what installers refuse.

    Raises:
        Stop: It is damaged, encrypted or compressed with an unknown method.
    """
    packed = _read_range(file, start, header.compressed_bytes)
    if header.is_encrypted:
        raise Stop(ProblemKind.ENCRYPTED, "it is encrypted and cannot be checked")
    match header.method:
        case 0:
            return packed
        case 8:
            return _inflate(packed, codec)
        case method:
            raise Stop(ProblemKind.METHOD, f"installers do not support compression method {method}")


def _write(file: BinaryIO, chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise cannot_write(Path(file.name), error) from error


def _read_range(file: BinaryIO, start: int, size_bytes: int) -> Iterator[bytes]:
    file.seek(start)
    left = size_bytes
    while left:
        chunk = file.read(min(left, CHUNK_BYTES))
        if not chunk:
            raise Stop(
                ProblemKind.CONTENT, f"the file ends {counted(left, 'byte')} before the end of the content"
            )
        left -= len(chunk)
        yield chunk


def _inflate(chunks: Iterator[bytes], codec: Codec) -> Iterator[bytes]:
    """Inflate raw deflate data in bounded steps; it must end exactly at the end of the compressed bytes."""
    inflater = codec.start()
    for chunk in chunks:
        if inflater.eof:
            raise Stop(ProblemKind.CONTENT, _SHORT)
        pending = chunk
        while pending or not (inflater.needs_input or inflater.eof):
            try:
                step = inflater.decompress(pending, CHUNK_BYTES)
            except codec.failures as error:
                raise Stop(ProblemKind.CONTENT, f"its compressed data is damaged: {error}") from error
            pending = b""
            if step:
                yield step
        if inflater.unused_data:
            raise Stop(ProblemKind.CONTENT, _SHORT)
    if not inflater.eof:
        raise Stop(ProblemKind.CONTENT, "its compressed data is incomplete")

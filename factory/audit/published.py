"""Read a published wheel without its large members: the zip directory, RECORD and small texts."""

import base64
import csv
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from factory.core.counted import counted
from factory.core.digests import MalformedDigest, Sha256
from factory.core.errors import IntegrityError
from factory.core.zip_records import DEFLATED, STORED, CentralHeader
from factory.verify.reading.contents import Problem
from factory.verify.reading.read import decode_name
from factory.verify.reading.zip_directory import read_directory, read_local_header

MAX_MEMBERS = 10_000
MAX_TEXT_BYTES = 1 << 18
MAX_TEXTS_BYTES = 4 << 20


class UnreadableWheel(IntegrityError):
    """A published file is not a zip archive that can be read safely."""

    hint = "Download the file and run 'factory verify' on it: it lists everything that is wrong."

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} cannot be read: {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedContents:
    """The parts of a published wheel that were read.

    Attributes:
        name: The file name.
        headers: The central directory by member name, in its order.
        recorded: The SHA-256 that RECORD claims for members; nothing has verified it.
        texts: The content of the small members that were read.
    """

    name: str
    headers: Mapping[str, CentralHeader]
    recorded: Mapping[str, Sha256]
    texts: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def dist_info(self) -> str:
        """The name of the .dist-info directory."""
        return dist_info_of(self.name)


def dist_info_of(wheel: str) -> str:
    """Return the name of the .dist-info directory in a wheel with some file name."""
    return "-".join(wheel.split("-")[:2]) + ".dist-info"


class PublishedReader:
    """Reads members of one wheel.

    Args:
        file: The wheel, seekable.
        size_bytes: Its size.
        name: Its file name.

    Raises:
        UnreadableWheel: The zip directory is missing, ambiguous or inconsistent.
    """

    def __init__(self, file: BinaryIO, *, size_bytes: int, name: str) -> None:
        self._file = file
        self._name = name
        self._kept_bytes = 0
        directory = read_directory(file, size_bytes=size_bytes, place=name)
        if isinstance(directory, Problem):
            raise UnreadableWheel(name, directory.evidence)
        if directory.problems:
            raise UnreadableWheel(name, directory.problems[0].evidence)
        if len(directory.headers) > MAX_MEMBERS:
            raise UnreadableWheel(
                name, f"it has {counted(len(directory.headers), 'member')}, more than {MAX_MEMBERS}"
            )
        self._stop = directory.end.directory_start
        names = [decode_name(header) for header in directory.headers]
        repeated = [name for name, count in Counter(names).items() if count > 1]
        if repeated:
            raise UnreadableWheel(name, f"it has two members named {repeated[0]!r}")
        self.headers = dict(zip(names, directory.headers, strict=True))

    def is_text(self, name: str) -> bool:
        """Whether a member is small enough to be read as a text."""
        size_bytes = self.headers[name].size_bytes
        return not name.endswith("/") and size_bytes <= MAX_TEXT_BYTES

    def text(self, name: str) -> bytes:
        """Return the content of a small member after checking its size and CRC against the directory.

        Raises:
            UnreadableWheel: The member is missing, too large, damaged or not as the directory says.
        """
        header = self.headers.get(name)
        if header is None:
            raise UnreadableWheel(self._name, f"it has no {name}")
        self._kept_bytes += header.size_bytes
        if header.size_bytes > MAX_TEXT_BYTES or header.compressed_bytes > MAX_TEXT_BYTES:
            raise UnreadableWheel(self._name, f"{name} is larger than {MAX_TEXT_BYTES} bytes")
        if self._kept_bytes > MAX_TEXTS_BYTES or header.is_encrypted:
            raise UnreadableWheel(self._name, "its texts are encrypted, or together too large")
        content = self._content(name, header)
        if len(content) != header.size_bytes or zlib.crc32(content) != header.crc32:
            raise UnreadableWheel(self._name, f"{name} has another size or CRC than the directory")
        return content

    def _content(self, name: str, header: CentralHeader) -> bytes:
        found = read_local_header(self._file, header.offset) if header.offset < self._stop else None
        if found is None or found[1] + header.compressed_bytes > self._stop:
            raise UnreadableWheel(self._name, f"{name} is not where the directory says it is")
        self._file.seek(found[1])
        packed = self._file.read(header.compressed_bytes)
        if header.method == STORED:
            return packed
        if header.method != DEFLATED:
            raise UnreadableWheel(self._name, f"{name} has compression method {header.method}")
        try:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, MAX_TEXT_BYTES + 1)
        except zlib.error as error:
            raise UnreadableWheel(self._name, f"{name} is damaged ({error})") from error


def read_record(text: bytes) -> dict[str, Sha256]:
    """Return the SHA-256 of each member that RECORD lists; malformed lines are skipped."""
    try:
        rows = list(csv.reader(text.decode("utf-8").splitlines()))
    except (UnicodeDecodeError, csv.Error):
        return {}
    claims: dict[str, Sha256] = {}
    for row in rows:
        if len(row) == 3 and row[1].startswith("sha256="):  # noqa: PLR2004 - name, digest, size
            with suppress(ValueError, MalformedDigest):
                claims[row[0]] = _sha256(row[1].removeprefix("sha256="))
    return claims


def _sha256(encoded: str) -> Sha256:
    """Decode URL-safe base64 without padding (PEP 427)."""
    padded = encoded + "=" * (-len(encoded) % 4)
    return Sha256(base64.urlsafe_b64decode(padded).hex())


def line_ends(texts: Iterable[bytes]) -> str:
    """Return what the lines of some texts end with: ``LF``, ``CRLF`` or ``mixed``."""
    joined = b"".join(texts)
    crlf, lf = joined.count(b"\r\n"), joined.count(b"\n")
    return "LF" if not crlf else "CRLF" if crlf == lf else "mixed"

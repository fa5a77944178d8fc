"""Digests as checked values, so that a function that needs one cannot be given any other text."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Self

from factory.core.errors import UsageError

CHUNK_BYTES = 1 << 18
"""How much is read at a time: large enough that hashing and deflating release the GIL for a long time."""


class MalformedDigest(UsageError):
    """A text is not a valid digest."""

    hint = "A digest is written sha256:<64 hex digits> or sha512:<128 hex digits>."

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a digest")


class DigestAlgorithm(StrEnum):
    """The accepted algorithms; SHA-1 and MD5 are too weak to identify a file."""

    SHA256 = "sha256"
    SHA512 = "sha512"

    @property
    def hex_length(self) -> int:
        """The number of hexadecimal digits in a digest."""
        match self:
            case DigestAlgorithm.SHA256:
                return 64
            case DigestAlgorithm.SHA512:
                return 128

    def new(self) -> "hashlib._Hash":
        """Return a new hash object."""
        return hashlib.new(self.value)


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """The expected digest of a file: an algorithm and a lower-case hex value."""

    algorithm: DigestAlgorithm
    hex: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]+", self.hex) or len(self.hex) != self.algorithm.hex_length:
            raise MalformedDigest(f"{self.algorithm}:{self.hex}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``sha256:<hex>`` or ``sha512:<hex>``, the form that OCI and GitHub's API use."""
        name, _, value = text.partition(":")
        try:
            return cls(DigestAlgorithm(name.lower()), value.strip().lower())
        except ValueError as error:
            raise MalformedDigest(text) from error

    @classmethod
    def parse_integrity(cls, text: str) -> Self:
        """Parse the strongest digest in a Subresource Integrity string, ``sha512-<base64>``.

        npm's registry uses this format (https://www.w3.org/TR/SRI/). Digests of other
        algorithms, such as SHA-1, are ignored.

        Raises:
            MalformedDigest: It has no such digest, or several of the strongest algorithm.
        """
        parsed: list[Self] = []
        for part in text.split():
            name, _, value = part.partition("?")[0].partition("-")
            try:
                algorithm = DigestAlgorithm(name.lower())
                parsed.append(cls(algorithm, base64.b64decode(value, validate=True).hex()))
            except (ValueError, binascii.Error):
                continue
        longest = max((digest.algorithm.hex_length for digest in parsed), default=0)
        strongest = {digest for digest in parsed if digest.algorithm.hex_length == longest}
        if len(strongest) != 1:  # a browser accepts any of several, but a package has one content
            raise MalformedDigest(text)
        return strongest.pop()

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


@dataclass(frozen=True, slots=True, order=True)
class Sha256:
    """A SHA-256 digest, as 64 lower-case hexadecimal digits."""

    hex: str

    def __post_init__(self) -> None:
        Digest(DigestAlgorithm.SHA256, self.hex)

    @classmethod
    def of(cls, chunks: Iterable[bytes]) -> Self:
        """Hash a stream of byte chunks."""
        hasher = hashlib.sha256()
        for chunk in chunks:
            hasher.update(chunk)
        return cls(hasher.hexdigest())

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Hash a file without loading it into memory."""
        with path.open("rb") as file:
            return cls(hashlib.file_digest(file, "sha256").hexdigest())

    @property
    def digest(self) -> Digest:
        """The same digest as a `Digest`."""
        return Digest(DigestAlgorithm.SHA256, self.hex)

    def __str__(self) -> str:
        return self.hex


def read_chunks(file: BinaryIO, size_bytes: int = CHUNK_BYTES) -> Iterable[bytes]:
    """Yield the rest of a file in chunks."""
    while chunk := file.read(size_bytes):
        yield chunk

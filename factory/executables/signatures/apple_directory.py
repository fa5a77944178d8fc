"""Parse a CodeDirectory: the hashes of an executable's pages and of other sealed parts.

The format is in ``cs_blobs.h`` of Apple's published xnu sources. Each version added fields.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import NamedTuple, Self

from factory.core.counted import counted
from factory.executables.image_bytes import decoded
from factory.executables.signatures.result import InvalidSignature

_CDHASH_BYTES = 20
_EARLIEST, _SCATTER, _TEAM, _LIMIT_64 = 0x20001, 0x20100, 0x20200, 0x20300
_INCOMPATIBLE = 0x2F000
_PAGE_SHIFTS = range(12, 17)
_MAX_SPECIAL_SLOTS = 32
_HEADER = struct.Struct(">9I4BI")
# The size of the fields, by the version that added the last of them.
_SIZES = {_EARLIEST: 44, _SCATTER: 48, _TEAM: 52, _LIMIT_64: 64, 0x20400: 88, 0x20500: 96, 0x20600: 108}


class DirectoryFlag(IntFlag):
    """The flags that say how the program was signed; there are others."""

    AD_HOC = 0x2
    HARDENED_RUNTIME = 0x10000
    LINKER_SIGNED = 0x20000


class DirectoryHash(IntEnum):
    """``hashType``, from the weakest hash to the strongest."""

    SHA1 = 1
    SHA256_TRUNCATED = 3
    SHA256 = 2
    SHA384 = 4

    @property
    def strength(self) -> int:
        """A rank, for comparison only."""
        return tuple(DirectoryHash).index(self)

    @property
    def algorithm(self) -> str:
        """The name in `hashlib`."""
        match self:
            case DirectoryHash.SHA1:
                return "sha1"
            case DirectoryHash.SHA256 | DirectoryHash.SHA256_TRUNCATED:
                return "sha256"
            case DirectoryHash.SHA384:
                return "sha384"

    @property
    def size_bytes(self) -> int:
        """The number of bytes that are stored."""
        match self:
            case DirectoryHash.SHA1 | DirectoryHash.SHA256_TRUNCATED:
                return 20
            case DirectoryHash.SHA256:
                return 32
            case DirectoryHash.SHA384:
                return 48

    @property
    def title(self) -> str:
        """The usual name."""
        match self:
            case DirectoryHash.SHA1:
                return "SHA-1"
            case DirectoryHash.SHA256:
                return "SHA-256"
            case DirectoryHash.SHA256_TRUNCATED:
                return "truncated SHA-256"
            case DirectoryHash.SHA384:
                return "SHA-384"

    def slots(self, contents: Iterable[bytes | memoryview]) -> Iterator[bytes]:
        """Hash contents one after the other, in the form that a directory stores."""
        size_bytes, template = self.size_bytes, hashlib.new(self.algorithm, usedforsecurity=False)
        for content in contents:
            hasher = template.copy()
            hasher.update(content)
            yield hasher.digest()[:size_bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDirectory:
    """A CodeDirectory with consistent fields.

    Attributes:
        encoded: The whole directory, which is what is signed.
        hash: The algorithm of all slots.
        page_bytes: The page size.
        code_limit: The number of bytes that are hashed; the signature should follow.
        page_slots: The hashes of the pages, one after the other.
        special_slots: The hashes of other sealed parts, by number.
        identifier: The signer's name for the program.
        team: The Team ID, if there is one.
    """

    encoded: bytes
    version: int
    flags: DirectoryFlag
    hash: DirectoryHash
    page_bytes: int
    code_limit: int
    page_slots: memoryview
    special_slots: Mapping[int, bytes]
    identifier: str
    team: str | None

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Parse a directory, with its header.

        Raises:
            InvalidSignature: Its fields are inconsistent, or macOS would reject it, too.
        """
        fields = _Fields(encoded)
        return cls(
            encoded=encoded,
            version=fields.header.version,
            flags=DirectoryFlag(fields.header.flags),
            hash=fields.hash,
            page_bytes=fields.page_bytes,
            code_limit=fields.code_limit,
            page_slots=fields.page_slots(),
            special_slots=fields.special_slots(),
            identifier=fields.identifier,
            team=fields.team,
        )

    @property
    def page_count(self) -> int:
        """The number of pages."""
        return len(self.page_slots) // self.hash.size_bytes

    @property
    def digest(self) -> bytes:
        """The digest of the directory itself, by its own algorithm, not truncated."""
        return hashlib.new(self.hash.algorithm, self.encoded, usedforsecurity=False).digest()

    @property
    def cdhash(self) -> bytes:
        """The digest, truncated to 20 bytes with any algorithm; macOS identifies programs by it."""
        return self.digest[:_CDHASH_BYTES]


class _Header(NamedTuple):
    """The fields of all versions, in order."""

    magic: int
    length: int
    version: int
    flags: int
    slots_at: int
    identifier_at: int
    special_count: int
    page_count: int
    code_limit: int
    hash_bytes: int
    hash_type: int
    platform: int
    page_shift: int
    spare: int


class _Fields:
    """The fields of a directory, with their constraints."""

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded
        if len(encoded) < _HEADER.size:
            raise InvalidSignature("the CodeDirectory is truncated")
        self.header = _Header(*_HEADER.unpack_from(encoded))
        if not _EARLIEST <= self.header.version < _INCOMPATIBLE:
            raise InvalidSignature(f"the CodeDirectory's version {self.header.version:#x} is unknown")
        self._end = max(size for since, size in _SIZES.items() if since <= self.header.version)
        if self._later(_SCATTER, ">I", at=44):
            raise InvalidSignature("the CodeDirectory has scatter vectors, which macOS no longer accepts")

    def _later(self, since: int, layout: str, *, at: int) -> int:
        """Read a field that a version added; it is 0 in earlier versions."""
        if self.header.version < since:
            return 0
        if len(self._encoded) < self._end:
            raise InvalidSignature("the CodeDirectory is truncated")
        number: int = struct.unpack_from(layout, self._encoded, at)[0]
        return number

    @property
    def hash(self) -> DirectoryHash:
        size, kind = self.header.hash_bytes, self.header.hash_type
        if kind not in tuple(DirectoryHash) or DirectoryHash(kind).size_bytes != size:
            raise InvalidSignature(
                f"the CodeDirectory's hash type {kind} of {counted(size, 'byte')} is unknown"
            )
        return DirectoryHash(kind)

    @property
    def page_bytes(self) -> int:
        shift = self.header.page_shift
        if shift not in _PAGE_SHIFTS:
            raise InvalidSignature(f"macOS does not load pages of 2^{shift} bytes")
        return 1 << shift

    @property
    def code_limit(self) -> int:
        return self._later(_LIMIT_64, ">Q", at=56) or self.header.code_limit

    @property
    def team(self) -> str | None:
        at = self._later(_TEAM, ">I", at=48)
        return self._text(at) if at else None

    @property
    def identifier(self) -> str:
        return self._text(self.header.identifier_at)

    def _text(self, at: int) -> str:
        end = self._encoded.find(b"\0", at)
        if at < self._end or end <= at:
            raise InvalidSignature("a name is outside the CodeDirectory")
        text = decoded(self._encoded[at:end])
        if not text.isprintable():
            raise InvalidSignature("a name in the CodeDirectory has unprintable characters")
        return text

    def page_slots(self) -> memoryview:
        """Return the hashes of the pages; their number must be the number of pages of the code."""
        count, start, size = self.header.page_count, self.header.slots_at, self.hash.size_bytes
        if count != -(-self.code_limit // self.page_bytes):
            raise InvalidSignature(
                f"the CodeDirectory has {counted(count, 'page')} for {counted(self.code_limit, 'byte')}"
            )
        if start < self._end or start + count * size > len(self._encoded):
            raise InvalidSignature("the page hashes are outside the CodeDirectory")
        return memoryview(self._encoded)[start : start + count * size]

    def special_slots(self) -> dict[int, bytes]:
        """Return the hashes of other parts, in reverse before those of the pages; zeros mean none."""
        count, start, size = self.header.special_count, self.header.slots_at, self.hash.size_bytes
        if count > _MAX_SPECIAL_SLOTS or start - count * size < self._end:
            raise InvalidSignature("the special hashes are outside the CodeDirectory")
        places = {number: start - number * size for number in range(1, count + 1)}
        slots = {number: self._encoded[at : at + size] for number, at in places.items()}
        return {number: slot for number, slot in slots.items() if any(slot)}

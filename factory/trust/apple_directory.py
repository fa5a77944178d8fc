"""A CodeDirectory: the hashes of an executable's pages and of what else is sealed.

By ``cs_blobs.h`` of Apple's published xnu sources. The fields grew by version; a
version says which are there.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Self

from factory.image_bytes import decoded
from factory.trust.invalid import InvalidSignature

CDHASH_BYTES = 20
"""A cdhash is a directory's digest, cut off here whatever the algorithm."""

_EARLIEST, _SCATTER, _TEAM, _LIMIT_64 = 0x20001, 0x20100, 0x20200, 0x20300
_INCOMPATIBLE = 0x2F000
_PAGE_SHIFTS = range(12, 17)
_MAX_SPECIAL_SLOTS = 32
_FIXED_BYTES = {_EARLIEST: 44, _SCATTER: 48, _TEAM: 52, _LIMIT_64: 64, 0x20400: 88, 0x20500: 96, 0x20600: 108}


class DirectoryFlag(IntFlag):
    """The flags that tell how it was signed, of those that there are."""

    AD_HOC = 0x2
    HARDENED_RUNTIME = 0x10000
    LINKER_SIGNED = 0x20000


class DirectoryHash(IntEnum):
    """``hashType``, ordered by what the hash is worth."""

    SHA1 = 1
    SHA256_TRUNCATED = 3
    SHA256 = 2
    SHA384 = 4

    @property
    def strength(self) -> int:
        """A rank; only its order means something."""
        return tuple(DirectoryHash).index(self)

    @property
    def algorithm(self) -> str:
        """What `hashlib` calls it."""
        match self:
            case DirectoryHash.SHA1:
                return "sha1"
            case DirectoryHash.SHA256 | DirectoryHash.SHA256_TRUNCATED:
                return "sha256"
            case DirectoryHash.SHA384:
                return "sha384"

    @property
    def size_bytes(self) -> int:
        """How many bytes of it are kept."""
        match self:
            case DirectoryHash.SHA1 | DirectoryHash.SHA256_TRUNCATED:
                return 20
            case DirectoryHash.SHA256:
                return 32
            case DirectoryHash.SHA384:
                return 48

    @property
    def title(self) -> str:
        """What people call it."""
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
        """Hash contents, one after the other, as a directory keeps them."""
        size_bytes, template = self.size_bytes, hashlib.new(self.algorithm, usedforsecurity=False)
        for content in contents:
            hasher = template.copy()
            hasher.update(content)
            yield hasher.digest()[:size_bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDirectory:
    """A CodeDirectory that agrees with itself.

    Attributes:
        encoded: All of it, which is what is signed.
        version: Which fields it has.
        flags: How it was signed.
        hash: The algorithm of all its slots.
        page_bytes: How much of the file a slot hashes.
        code_limit: How much of the file is hashed; what follows should be the signature.
        page_slots: The hashes of the pages, one after the other.
        special_slots: The hashes of other things, by number; absent where nothing is sealed.
        identifier: What the signer calls the program.
        team: The Team ID, if it names one.
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
            InvalidSignature: It contradicts itself, or is of a kind that macOS refuses too.
        """
        fields = _Fields(encoded)
        page_slots, special_slots = fields.slots()
        return cls(
            encoded=encoded,
            version=fields.version,
            flags=DirectoryFlag(fields.number(12)),
            hash=fields.hash,
            page_bytes=fields.page_bytes,
            code_limit=fields.code_limit,
            page_slots=page_slots,
            special_slots=special_slots,
            identifier=fields.text(fields.number(20)),
            team=fields.team,
        )

    @property
    def page_count(self) -> int:
        """How many pages are hashed."""
        return len(self.page_slots) // self.hash.size_bytes

    @property
    def digest(self) -> bytes:
        """Its own digest by its own algorithm, whole."""
        return hashlib.new(self.hash.algorithm, self.encoded, usedforsecurity=False).digest()

    @property
    def cdhash(self) -> bytes:
        """What macOS knows it by."""
        return self.digest[:CDHASH_BYTES]


class _Fields:
    """The numbers of a directory, with what they must satisfy."""

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded
        self._fixed_bytes = _FIXED_BYTES[_EARLIEST]
        self._fixed_bytes = self._end_of_fields()
        if self.version >= _SCATTER and self.number(44):
            raise InvalidSignature("the CodeDirectory has scatter vectors, which macOS no longer accepts")

    def _end_of_fields(self) -> int:
        if not _EARLIEST <= self.version < _INCOMPATIBLE:
            raise InvalidSignature(f"the CodeDirectory's version {self.version:#x} is unknown")
        return max(size for version, size in _FIXED_BYTES.items() if version <= self.version)

    def number(self, at: int, layout: str = ">I") -> int:
        """Read one field."""
        if at + struct.calcsize(layout) > min(self._fixed_bytes, len(self._encoded)):
            raise InvalidSignature("the CodeDirectory is cut off")
        number: int = struct.unpack_from(layout, self._encoded, at)[0]
        return number

    @property
    def version(self) -> int:
        return self.number(8)

    @property
    def hash(self) -> DirectoryHash:
        size, kind = self.number(36, ">B"), self.number(37, ">B")
        if kind not in tuple(DirectoryHash) or DirectoryHash(kind).size_bytes != size:
            raise InvalidSignature(f"the CodeDirectory's hash type {kind} of {size} bytes is unknown")
        return DirectoryHash(kind)

    @property
    def page_bytes(self) -> int:
        shift = self.number(39, ">B")
        if shift not in _PAGE_SHIFTS:
            raise InvalidSignature(f"the CodeDirectory's pages of 2^{shift} bytes are none that macOS loads")
        return 1 << shift

    @property
    def code_limit(self) -> int:
        wide = self.number(56, ">Q") if self.version >= _LIMIT_64 else 0
        return wide or self.number(32)

    @property
    def team(self) -> str | None:
        at = self.number(48) if self.version >= _TEAM else 0
        return self.text(at) if at else None

    def text(self, at: int) -> str:
        """Return a text that a field points to."""
        end = self._encoded.find(b"\0", at)
        if at < self._fixed_bytes or end <= at:
            raise InvalidSignature("a name in the CodeDirectory is not inside of it")
        return decoded(self._encoded[at:end])

    def slots(self) -> tuple[memoryview, dict[int, bytes]]:
        """Return the pages' hashes, and the special slots, which lie before them in reverse order."""
        start, special_count, count = self.number(16), self.number(24), self.number(28)
        size = self.hash.size_bytes
        if count != -(-self.code_limit // self.page_bytes):
            raise InvalidSignature(f"the CodeDirectory has {count} pages for {self.code_limit} bytes")
        if (
            special_count > _MAX_SPECIAL_SLOTS
            or start < self._fixed_bytes + special_count * size
            or start + count * size > len(self._encoded)
        ):
            raise InvalidSignature("the CodeDirectory's hashes are not inside of it")
        places = {number: start - number * size for number in range(1, special_count + 1)}
        special = {number: self._encoded[at : at + size] for number, at in places.items()}
        pages = memoryview(self._encoded)[start : start + count * size]
        return pages, {number: slot for number, slot in special.items() if any(slot)}

"""Read the embedded signature of a Mach-O file: a big-endian blob with an index of other blobs.

The format is in ``cs_blobs.h`` of Apple's published xnu sources.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from factory.core.counted import counted
from factory.executables.image_bytes import ImageBytes
from factory.executables.signatures.result import InvalidSignature

_MAGIC = 0xFADE0CC0
_DIRECTORY_MAGIC = 0xFADE0C02
_CMS_MAGIC = 0xFADE0B01
_DIRECTORY_SLOT = 0
_ALTERNATE_SLOTS = range(0x1000, 0x1005)
_CMS_SLOT = 0x10000
_TICKET_SLOT = 0x10002
_SEALED_SLOTS = range(1, 12)
_MAX_BLOBS = 24
_HEADER_BYTES = 12
_ENTRY_BYTES = 8
_BLOB_HEADER_BYTES = 8
_CHUNK_BYTES = 1 << 16
# A hash of 48 bytes for each of 4096 allows code of about 2.7 GB.
_MAX_BYTES = 1 << 25


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedSignature:
    """The parts of an embedded signature, undecoded.

    Attributes:
        directories: The CodeDirectories with their headers, the primary one first.
        sealed: The blobs that the directories hash, with their headers, by special slot.
        cms: The CMS message; empty in an ad hoc signature.
        has_ticket: Whether a notarization ticket is stapled to it.
        has_residue: Whether unsigned bytes follow it. ``codesign`` does not clear the reserved space:
            in the codex of 0.131.0 for arm64, the end of the linker's longer signature is left there.
    """

    directories: tuple[bytes, ...]
    sealed: Mapping[int, bytes]
    cms: bytes
    has_ticket: bool
    has_residue: bool


def read_embedded_signature(area: ImageBytes) -> EmbeddedSignature:
    """Read the data that LC_CODE_SIGNATURE points to.

    Raises:
        InvalidSignature: It is not valid.
        MalformedImage: It is truncated.
    """
    magic, size_bytes = area.unpack(">II", 0)
    if magic != _MAGIC:
        raise InvalidSignature("the load command does not point to a signature")
    whole = area.read(0, size_bytes, at_most=_MAX_BYTES)
    rest = area.chunks(size_bytes, area.size_bytes - size_bytes, chunk_bytes=_CHUNK_BYTES)
    blobs = _blobs(whole)
    _check_kinds(blobs)
    slots = (_DIRECTORY_SLOT, *_ALTERNATE_SLOTS)
    return EmbeddedSignature(
        directories=tuple(blobs[slot] for slot in slots if slot in blobs),
        sealed={slot: blobs[slot] for slot in _SEALED_SLOTS if slot in blobs},
        cms=blobs.get(_CMS_SLOT, b"")[_BLOB_HEADER_BYTES:],
        has_ticket=_TICKET_SLOT in blobs,
        has_residue=any(any(chunk) for chunk in rest),
    )


def _blobs(whole: bytes) -> dict[int, bytes]:
    if len(whole) < _HEADER_BYTES:
        raise InvalidSignature("the signature is truncated")
    (count,) = struct.unpack_from(">I", whole, _ENTRY_BYTES)
    index_end = _HEADER_BYTES + count * _ENTRY_BYTES
    if count > _MAX_BLOBS or index_end > len(whole):
        raise InvalidSignature(
            f"the signature claims {counted(count, 'part')} in {counted(len(whole), 'byte')}"
        )
    entries = [struct.unpack_from(">II", whole, at) for at in range(_HEADER_BYTES, index_end, _ENTRY_BYTES)]
    if len({slot for slot, _ in entries}) < count:
        raise InvalidSignature("the signature has two parts in one slot")
    blobs = {slot: _blob(whole, slot, offset) for slot, offset in entries}
    _check_layout(whole, index_end, [(offset, len(blobs[slot])) for slot, offset in entries])
    return blobs


def _blob(whole: bytes, slot: int, offset: int) -> bytes:
    if offset + _BLOB_HEADER_BYTES <= len(whole):
        (length,) = struct.unpack_from(">I", whole, offset + 4)
        if length >= _BLOB_HEADER_BYTES and offset + length <= len(whole):
            return whole[offset : offset + length]
    raise InvalidSignature(f"part {slot:#x} is outside the signature")


def _check_layout(whole: bytes, index_end: int, places: list[tuple[int, int]]) -> None:
    end = index_end
    for offset, length in sorted(places):
        if offset < end:
            raise InvalidSignature("parts of the signature overlap")
        if any(whole[end:offset]):
            raise InvalidSignature("the signature has bytes outside its parts")
        end = offset + length
    if end != len(whole):
        raise InvalidSignature("the signature claims to be longer than its parts")


def _check_kinds(blobs: Mapping[int, bytes]) -> None:
    if _DIRECTORY_SLOT not in blobs:
        raise InvalidSignature("the signature has no CodeDirectory")
    for slot, blob in blobs.items():
        (magic,) = struct.unpack_from(">I", blob)
        if (slot == _CMS_SLOT) != (magic == _CMS_MAGIC):
            raise InvalidSignature(f"part {slot:#x} of the signature has the wrong magic")
        if (slot == _DIRECTORY_SLOT or slot in _ALTERNATE_SLOTS) != (magic == _DIRECTORY_MAGIC):
            raise InvalidSignature(f"part {slot:#x} of the signature has the wrong magic")

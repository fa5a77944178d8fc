"""Find out the kind of a file by its first bytes, not by its name."""

from typing import Final

from factory.core.model import FileKind

_THIN_MACHO: Final = frozenset(
    bytes.fromhex(magic) for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe")
)
_FAT_MACHO: Final = frozenset(bytes.fromhex(magic) for magic in ("cafebabe", "cafebabf"))
_OLDEST_JAVA: Final = 45
_PE_OFFSET_AT: Final = 60


def kind_of(head: bytes) -> FileKind:
    """Return the kind of a file.

    Args:
        head: The first 4 KiB of the file, or all of it. With fewer bytes, an unclear case counts as
            an executable, because executables are checked more closely.
    """
    if head.startswith(b"\x7fELF"):
        return FileKind.ELF
    if head[:4] in _THIN_MACHO or _is_fat_macho(head):
        return FileKind.MACHO
    if head.startswith(b"MZ") and _may_be_pe(head):
        return FileKind.PE
    return FileKind.SCRIPT if head.startswith(b"#!") else FileKind.DATA


def _is_fat_macho(head: bytes) -> bool:
    """Whether the magic is followed by a number of architectures; a Java class has its version there."""
    return head[:4] in _FAT_MACHO and int.from_bytes(head[4:8], "big") < _OLDEST_JAVA


def _may_be_pe(head: bytes) -> bool:
    """Whether the header that an MZ file points to is a PE header, or lies beyond the given bytes."""
    field = head[_PE_OFFSET_AT : _PE_OFFSET_AT + 4]
    offset = int.from_bytes(field, "little")
    return len(field) < len(b"PE\0\0") or head[offset : offset + 4] == b"PE\0\0"[: max(0, len(head) - offset)]

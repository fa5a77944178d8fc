"""What a file is, by its first bytes and never by its name."""

from typing import Final

from factory.core.model import FileKind

_THIN_MACHO: Final = frozenset(
    bytes.fromhex(magic) for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe")
)
_FAT_MACHO: Final = frozenset(bytes.fromhex(magic) for magic in ("cafebabe", "cafebabf"))
_OLDEST_JAVA: Final = 45
_PE_OFFSET_AT: Final = 60


def kind_of(head: bytes) -> FileKind:
    """Tell what a file is.

    Args:
        head: Its first bytes: all of it, or 4 KiB at least. With fewer, doubt goes towards
            an executable, since those are looked at more closely.
    """
    if head.startswith(b"\x7fELF"):
        return FileKind.ELF
    if head[:4] in _THIN_MACHO or _is_fat_macho(head):
        return FileKind.MACHO
    if head.startswith(b"MZ") and _may_be_pe(head):
        return FileKind.PE
    return FileKind.SCRIPT if head.startswith(b"#!") else FileKind.DATA


def _is_fat_macho(head: bytes) -> bool:
    """Whether the number that follows counts architectures; a Java class has its version there."""
    return head[:4] in _FAT_MACHO and int.from_bytes(head[4:8], "big") < _OLDEST_JAVA


def _may_be_pe(head: bytes) -> bool:
    """Whether the header that a DOS program points to is a PE's, as far as can be seen."""
    field = head[_PE_OFFSET_AT : _PE_OFFSET_AT + 4]
    offset = int.from_bytes(field, "little")
    return len(field) < len(b"PE\0\0") or head[offset : offset + 4] == b"PE\0\0"[: max(0, len(head) - offset)]

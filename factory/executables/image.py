"""Read an executable image of any format."""

from collections.abc import Callable, Mapping
from pathlib import Path

from factory.core.model import FileKind
from factory.executables.elf import ElfFacts, read_elf
from factory.executables.image_bytes import MalformedImage
from factory.executables.macho import MachoFacts, read_macho
from factory.executables.pe import PeFacts, read_pe

ImageFacts = ElfFacts | MachoFacts | PeFacts

_READERS: Mapping[FileKind, Callable[[Path], ImageFacts]] = {
    FileKind.ELF: read_elf,
    FileKind.MACHO: read_macho,
    FileKind.PE: read_pe,
}


def read_image(path: Path, kind: FileKind) -> ImageFacts | MalformedImage:
    """Read the facts about an executable image; return the error for one that is malformed.

    Args:
        path: The file.
        kind: Its kind, an executable image.
    """
    try:
        return _READERS[kind](path)
    except MalformedImage as error:
        return error

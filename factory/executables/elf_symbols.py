"""Name the symbols of an ELF file that need a symbol version, to explain a finding."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from factory.executables.elf_dynamic import DynamicSection
from factory.executables.elf_frame import ElfFrame
from factory.executables.image_bytes import ImageBytes, MalformedImage


def symbols_of_versions(path: Path) -> Mapping[str, tuple[str, ...]]:
    """Return the names of the needed symbols by their version; empty if the tables cannot be read.

    A file need not have these tables in a form that can be read: the finding is then without names.
    """
    names: defaultdict[str, list[str]] = defaultdict(list)
    try:
        with ImageBytes.open(path) as image:
            for symbol, version in DynamicSection(ElfFrame.read(image)).versioned_symbols():
                names[version].append(symbol)
    except MalformedImage:
        return {}
    return {version: tuple(symbols) for version, symbols in names.items()}

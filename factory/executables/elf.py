"""Read what the loader uses of an ELF file: machine, interpreter, needed libraries, symbol versions.

The program headers and the dynamic section are read, as the loader does (System V gABI,
chapters 4 and 5). Section headers are not: the loader ignores them, and they can be missing
or wrong.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from factory.executables.elf_dynamic import Dynamic, DynamicSection
from factory.executables.elf_frame import ElfFrame, ElfType, SegmentKind
from factory.executables.image_bytes import ImageBytes

_DF_TEXTREL = 4
_DF_1_PIE = 0x08000000
_PF_X = 1
_GLIBC_VERSION = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?")
_GLIBC_FEATURES = {"GLIBC_ABI_DT_RELR": (2, 36)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfFacts:
    """Facts about one ELF file.

    Attributes:
        machine: ``e_machine``: 62 is x86-64, 183 is AArch64.
        os_abi: ``EI_OSABI``: 0 System V, 3 Linux.
        abi_version: ``EI_ABIVERSION``; 0 in all known files.
        type: ``e_type``: 2 an executable at a fixed address, 3 a shared object or PIE.
        interpreter: PT_INTERP, the dynamic loader.
        needed: DT_NEEDED, in order.
        soname: DT_SONAME.
        rpaths: The directories of DT_RPATH, in order; the loader ignores them if there is a DT_RUNPATH.
        runpaths: The directories of DT_RUNPATH, in order.
        versions: (library, symbol version) pairs from DT_VERNEED, in order. Weak ones are left out:
            if a weak version is missing, the loader only prints a warning.
        alignments: The alignment of each segment that is mapped.
        stack_flags: The flags of PT_GNU_STACK; None without it.
        is_pie: DT_FLAGS_1 says that it is a program and not a library.
        has_text_relocations: The loader must write to its code before it runs.
    """

    machine: int
    is_64_bit: bool
    is_little_endian: bool
    os_abi: int
    abi_version: int
    type: int
    interpreter: str | None
    needed: tuple[str, ...]
    soname: str | None
    rpaths: tuple[str, ...]
    runpaths: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    alignments: tuple[int, ...]
    stack_flags: int | None
    is_pie: bool
    has_text_relocations: bool

    @property
    def is_library(self) -> bool:
        """Whether it is a shared library, which another program loads."""
        return self.type == ElfType.DYN and self.interpreter is None and not self.is_pie

    @property
    def has_executable_stack(self) -> bool:
        """Whether PT_GNU_STACK has the flag PF_X."""
        return bool((self.stack_flags or 0) & _PF_X)

    @property
    def is_static(self) -> bool:
        """Whether it needs neither a loader nor a library, so that it runs under any libc."""
        return self.interpreter is None and not self.needed

    @property
    def glibc_floor(self) -> tuple[int, int] | None:
        """The oldest glibc that has all needed symbol versions; None if it needs no version of glibc."""
        return max((floor for _, version in self.versions if (floor := glibc_of(version))), default=None)


def read_elf(path: Path) -> ElfFacts:
    """Read the facts about an ELF file, by a few kilobytes of it.

    Raises:
        MalformedImage: The file is not valid ELF, or is truncated.
    """
    with ImageBytes.open(path) as image:
        frame = ElfFrame.read(image)
        dynamic = DynamicSection(frame)
        flags = dynamic.value(Dynamic.FLAGS) or 0
        stack = frame.only(SegmentKind.GNU_STACK)
        return ElfFacts(
            machine=frame.machine,
            is_64_bit=frame.is_64_bit,
            is_little_endian=frame.order == "<",
            os_abi=frame.os_abi,
            abi_version=frame.abi_version,
            type=frame.type,
            interpreter=frame.interpreter(),
            needed=dynamic.texts(Dynamic.NEEDED),
            soname=next(iter(dynamic.texts(Dynamic.SONAME)), None),
            rpaths=_directories(dynamic.texts(Dynamic.RPATH)),
            runpaths=_directories(dynamic.texts(Dynamic.RUNPATH)),
            versions=tuple((one.library, one.name) for one in dynamic.versions() if not one.is_weak),
            alignments=tuple(segment.alignment for segment in frame.loads),
            stack_flags=None if stack is None else stack.flags,
            is_pie=bool((dynamic.value(Dynamic.FLAGS_1) or 0) & _DF_1_PIE),
            has_text_relocations=bool(flags & _DF_TEXTREL) or dynamic.value(Dynamic.TEXTREL) is not None,
        )


def _directories(search_paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(directory for path in search_paths for directory in path.split(":"))


def glibc_of(version: str) -> tuple[int, int] | None:
    """Return the first glibc with a symbol version; None for private versions and for other libraries."""
    feature: Mapping[str, tuple[int, int]] = _GLIBC_FEATURES
    match = _GLIBC_VERSION.fullmatch(version)
    return (int(match[1]), int(match[2])) if match else feature.get(version)

"""Fabricated executables: small, valid, deterministic ELF, Mach-O and PE files.

Every property that a check looks at is an option, so that a test can break exactly
one. pyelftools, macholib and pefile read what comes out (tests/unit/fixtures/test_images.py).
"""

from tests.images.elf import Elf, ElfMachine, ElfType
from tests.images.filler import filler
from tests.images.macho import AD_HOC, FatMachO, MachO, MachOCpu, MachOType, VersionCommand, code_signature
from tests.images.pe import Pe, PeMachine, PeSubsystem

__all__ = [
    "AD_HOC",
    "Elf",
    "ElfMachine",
    "ElfType",
    "FatMachO",
    "MachO",
    "MachOCpu",
    "MachOType",
    "Pe",
    "PeMachine",
    "PeSubsystem",
    "VersionCommand",
    "code_signature",
    "filler",
]

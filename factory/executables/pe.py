"""Read what Windows uses of a PE file: machine, subsystem, imported DLLs, mitigations, signature.

Only the headers and the descriptors of the two import directories are read (Microsoft, "PE
Format"), not the names of imported functions.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from pathlib import Path

from factory.executables.image_bytes import ImageBytes, MalformedImage
from factory.executables.pe_frame import PeDirectory, PeFrame

_MAX_IMPORTED_DLLS = 4096
_CERTIFICATE_HEADER_BYTES = 8
_HYBRID_METADATA_AT = 200  # CHPEMetadataPointer in IMAGE_LOAD_CONFIG_DIRECTORY64


class Subsystem(IntEnum):
    """The subsystem of a program, of those that a user can start."""

    GUI = 2
    CONSOLE = 3


class Mitigation(IntFlag):
    """The bits of ``DllCharacteristics`` that make memory corruption harder to exploit."""

    HIGH_ENTROPY_VA = 0x0020
    DYNAMIC_BASE = 0x0040
    NX_COMPAT = 0x0100


@dataclass(frozen=True, slots=True, kw_only=True)
class PeFacts:
    """Facts about one PE file.

    Attributes:
        machine: ``Machine``: 0x8664 is x86-64, 0xAA64 is ARM64.
        is_64_bit: PE32+, not PE32.
        subsystem: 2 GUI, 3 console.
        has_arm64ec: Whether it has ARM64EC code, which only Windows on ARM64 runs. The machine of such a file
            is x86-64, or ARM64 if it also has ordinary ARM64 code (ARM64X).
        imports: The DLLs that it needs to start, as written, in order.
        delay_imports: The DLLs that are loaded on first use.
        is_signed: Whether it has an Authenticode signature, valid or not.
    """

    machine: int
    is_64_bit: bool
    has_arm64ec: bool
    is_dll: bool
    subsystem: int
    imports: tuple[str, ...]
    delay_imports: tuple[str, ...]
    mitigations: Mitigation
    is_signed: bool


def read_pe(path: Path) -> PeFacts:
    """Read the facts about a PE file, by a few kilobytes of it.

    Raises:
        MalformedImage: The file is not valid PE, or is truncated.
    """
    with ImageBytes.open(path) as image:
        frame = PeFrame.read(image)
        return PeFacts(
            machine=frame.machine,
            is_64_bit=frame.is_64_bit,
            has_arm64ec=_has_arm64ec(image, frame),
            is_dll=frame.is_dll,
            subsystem=frame.subsystem,
            imports=tuple(_imports(image, frame)),
            delay_imports=tuple(_delay_imports(image, frame)),
            mitigations=Mitigation(frame.mitigations & sum(Mitigation)),
            is_signed=_is_signed(image, frame),
        )


def _imports(image: ImageBytes, frame: PeFrame) -> Iterator[str]:
    for descriptor in _descriptors(image, frame, PeDirectory.IMPORT, "<12xII"):
        yield image.text(frame.offset(descriptor[0]))


def _delay_imports(image: ImageBytes, frame: PeFrame) -> Iterator[str]:
    """Yield the delay-loaded DLLs; without bit 0 of the attributes, addresses are absolute."""
    for attributes, name in _descriptors(image, frame, PeDirectory.DELAY_IMPORT, "<II24x"):
        yield image.text(frame.offset(name if attributes & 1 else name - frame.image_base))


def _descriptors(
    image: ImageBytes, frame: PeFrame, which: PeDirectory, layout: str
) -> Iterator[tuple[int, ...]]:
    """Yield the descriptors of a directory up to the empty one, as the loader does."""
    address, _ = frame.directory(which)
    if address == 0:
        return
    offset = frame.offset(address)
    for index in range(_MAX_IMPORTED_DLLS):
        fields = image.unpack(layout, offset + index * struct.calcsize(layout))
        if not any(fields):
            return
        yield fields
    raise MalformedImage(f"its list of imported DLLs has no end after {_MAX_IMPORTED_DLLS} entries")


def _has_arm64ec(image: ImageBytes, frame: PeFrame) -> bool:
    """Whether the load configuration points to the metadata of hybrid code."""
    address, _ = frame.directory(PeDirectory.LOAD_CONFIG)
    if address == 0 or not frame.is_64_bit:
        return False
    offset = frame.offset(address)
    (size_bytes,) = image.unpack("<I", offset)
    if size_bytes < _HYBRID_METADATA_AT + 8:
        return False
    return image.unpack("<Q", offset + _HYBRID_METADATA_AT) != (0,)


def _is_signed(image: ImageBytes, frame: PeFrame) -> bool:
    """Whether there is an attribute certificate; only this directory has a file offset, not an address."""
    offset, size_bytes = frame.directory(PeDirectory.SECURITY)
    if size_bytes == 0:
        return False
    image.window(offset, size_bytes)
    return size_bytes > _CERTIFICATE_HEADER_BYTES

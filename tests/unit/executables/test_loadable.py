"""Why a program is malformed: the exact reasons, one for each broken program of the zoo."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.wheels import good_wheel
from tests.zoo.breakage import Breakage
from tests.zoo.images_bounds import MACHO_BOUNDS, PE_BOUNDS
from tests.zoo.judge import findings_of

_REASONS: Mapping[str, str] = {
    "a Mach-O program cut to half": "the segment __TEXT ends at 16384 of the file, beyond its end at 8192",
    "a Mach-O segment beyond the file": (
        "the segment __LINKEDIT ends at 1064960 of the file, beyond its end at 16582"
    ),
    "a Mach-O segment that is smaller in memory": (
        "the segment __TEXT has more bytes in the file than in memory"
    ),
    "a Mach-O segment that does not fit into memory": "the segment __LINKEDIT does not fit into memory",
    "a Mach-O segment between two pages": "the segment __LINKEDIT does not start at a page of 16384 bytes",
    "a Mach-O segment of Apple silicon with pages of 4 KiB": (
        "the segment __LINKEDIT does not start at a page of 16384 bytes"
    ),
    "overlapping Mach-O segments in memory": "the segments __LINKEDIT and __TEXT overlap",
    "overlapping Mach-O segments in the file": "the segments __LINKEDIT and __TEXT overlap",
    "an unknown Mach-O protection": "the segment __TEXT has the protection 0x15",
    "more Mach-O sections than there is room for": (
        "the segment __TEXT does not have room for exactly 3 sections"
    ),
    "a Mach-O section outside its segment": "a section at 0x100008000 is outside its segment __TEXT",
    "no __TEXT": "it has 0 segments __TEXT",
    "a __TEXT that does not start the file": "its header and load commands are not in the segment __TEXT",
    "load commands beyond __TEXT": "its header and load commands are not in the segment __TEXT",
    "a __TEXT that cannot be executed": "its segment __TEXT cannot be executed",
    "a 32-bit segment in a 64-bit program": "it has a segment for another word size",
    "a Mach-O entry point beyond the code": "its entry point 0x4000 is in no executable segment of the file",
    "two Mach-O entry points": "it has 2 entry points (LC_MAIN and LC_UNIXTHREAD)",
    "no Mach-O entry point": "it has 0 entry points (LC_MAIN and LC_UNIXTHREAD)",
    "an invented loader of macOS": "its loader is /usr/lib/mydl; macOS has only /usr/lib/dyld",
    "no loader of macOS": "its loader is missing; macOS has only /usr/lib/dyld",
    "a program at a fixed address on Apple silicon": (
        "it is not position-independent (MH_PIE), which macOS requires on arm64"
    ),
    "a static program on Apple silicon": "it is not linked for dyld (MH_DYLDLINK)",
    "a library without an install name": "it has 0 install names (LC_ID_DYLIB)",
    "a symbol table beyond the file": (
        "the 64 bytes at 1048576 that load command 0x2 points to are in no segment of the file"
    ),
    "a load command that a newer dyld requires": "it requires a dyld that knows the load command 0x800000ff",
    "a thread that starts in no segment": "its entry point 0x1000 is in no executable segment of the file",
    "an unknown thread state": "its thread state 9 is not known",
    "two slices for one architecture": "it has several slices for one architecture: arm64, arm64",
    "a slice under another processor": (
        "the table of its slices lists other processors than the slices are for"
    ),
    "a PE program cut to half": "the section at 0x1000 ends at 16384 of the file, beyond its end at 8192",
    "a PE section beyond the file": (
        "the section at 0x1000 ends at 1049600 of the file, beyond its end at 4704"
    ),
    "a PE section that starts beyond the file": (
        "the section at 0x1000 ends at 1049088 of the file, beyond its end at 4704"
    ),
    "a PE section between two sectors": (
        "the section at 0x1000 starts at the offset 0x3f8 of the file, which is not a multiple of "
        "512: Windows maps other bytes"
    ),
    "a PE section in the headers": (
        "the section at 0x0 overlaps the one before it, or does not follow it: Windows expects it at 0x1000"
    ),
    "a gap before a PE section": (
        "the section at 0x2000 overlaps the one before it, or does not follow it: Windows expects "
        "it at 0x1000"
    ),
    "an empty PE section": "the section at 0x1000 is empty",
    "a PE image that ends before its sections": (
        "its size in memory is 0x1000, but its sections end at 0x2000"
    ),
    "a PE image that ends after its sections": "its size in memory is 0x8000, but its sections end at 0x2000",
    "a PE image of more than 2 GiB": "its size in memory is 2415919104 bytes",
    "PE headers beyond the file": "its headers have 9437184 bytes, beyond the end of the file at 4704",
    "a section table beyond the PE headers": "its headers end at 368, but only 256 bytes are mapped",
    "no PE sections": "it has no sections",
    "a PE entry point beyond the code": "its entry point 0x9000 is in no executable section of the file",
    "a PE entry point in the headers": "its entry point 0x100 is in no executable section of the file",
    "no PE entry point": "its entry point 0x0 is in no executable section of the file",
    "a PE entry point in data": "its entry point 0x1000 is in no executable section of the file",
    "a PE file that is not marked as executable": (
        "it is not marked as executable (IMAGE_FILE_EXECUTABLE_IMAGE)"
    ),
    "a PE image base between two regions": "its image base 0x140001000 is not a multiple of 64 KiB",
    "PE sections with pages of 512 bytes": (
        "its section alignment 0x200 is not a power of 2 of at least 4 KiB"
    ),
    "PE sections aligned to no power of 2": (
        "its section alignment 0x1800 is not a power of 2 of at least 4 KiB"
    ),
    "a PE file aligned to 16 bytes": "its file alignment 0x10 is not a power of 2 from 512 to 64 KiB",
    "a PE file aligned to no power of 2": "its file alignment 0x600 is not a power of 2 from 512 to 64 KiB",
    "a PE file aligned to more than its sections": (
        "its file alignment 0x2000 is not a power of 2 from 512 to 64 KiB"
    ),
}


@pytest.mark.parametrize("breakage", [*MACHO_BOUNDS, *PE_BOUNDS], ids=lambda breakage: breakage.name)
def test_the_reason_names_the_broken_field(breakage: Breakage, tmp_path: Path) -> None:
    (finding,) = [
        finding
        for finding in findings_of(breakage.make(good_wheel(breakage.platform)), tmp_path)
        if finding.check == "image-unreadable"
    ]
    assert finding.evidence.partition(" file: ")[2] == _REASONS[breakage.name]

"""Check an executable against the hashes in its CodeDirectory."""

from collections.abc import Iterator, Mapping

from factory.executables.image_bytes import ImageBytes
from factory.executables.macho_frame import LC_SEGMENT_64, LoadCommand
from factory.executables.signatures.apple_directory import CodeDirectory
from factory.executables.signatures.result import InvalidSignature

_BATCH_BYTES = 1 << 20
_INFO_PLIST = 1
_SLOT_NAMES = {
    1: "Info.plist",
    2: "requirements",
    3: "resources",
    5: "entitlements",
    7: "DER entitlements",
    8: "launch constraints",
    9: "parent's launch constraints",
    10: "responsible process's launch constraints",
    11: "library constraints",
}
_SEGMENT_BYTES = 72
_SECTION_BYTES = 80
_PLIST_SECTION = b"__info_plist".ljust(16, b"\0") + b"__TEXT".ljust(16, b"\0")
_MAX_PLIST_BYTES = 1 << 20


def check_pages(image: ImageBytes, directory: CodeDirectory) -> None:
    """Check the hash of every page of the code; the last page may be shorter.

    The file is read in chunks: the largest has 270 MB today.

    Raises:
        InvalidSignature: A page was changed; the message names the first one.
        MalformedImage: The file ends before the end of the code.
    """
    size = directory.hash.size_bytes
    expected = directory.page_slots
    for number, slot in enumerate(directory.hash.slots(_pages(image, directory))):
        if slot != expected[number * size : (number + 1) * size]:
            offset = number * directory.page_bytes
            raise InvalidSignature(f"the page at offset {offset} was changed after signing")


def _pages(image: ImageBytes, directory: CodeDirectory) -> Iterator[memoryview]:
    for batch in image.chunks(0, directory.code_limit, chunk_bytes=_BATCH_BYTES):
        view = memoryview(batch)
        for start in range(0, len(batch), directory.page_bytes):
            yield view[start : start + directory.page_bytes]


def check_special_slots(
    directory: CodeDirectory, *, sealed: Mapping[int, bytes], info_plist: bytes | None
) -> None:
    """Check the sealed parts against the special slots, in both directions.

    Raises:
        InvalidSignature: A part was changed, is not sealed, or is missing.
    """
    present = dict(sealed)
    if info_plist is not None and _INFO_PLIST in directory.special_slots:
        present[_INFO_PLIST] = info_plist
    for number in sorted(present.keys() | directory.special_slots.keys()):
        name = _SLOT_NAMES.get(number, f"special slot {number}")
        slot = directory.special_slots.get(number)
        if slot is None:
            raise InvalidSignature(f"its {name}: not sealed")
        if number not in present:
            raise InvalidSignature(f"its {name}: sealed but missing")
        if next(directory.hash.slots([present[number]])) != slot:
            raise InvalidSignature(f"its {name}: changed after signing")


def read_info_plist(image: ImageBytes, commands: tuple[LoadCommand, ...]) -> bytes | None:
    """Return the Info.plist section; programs without a bundle store the file there.

    Raises:
        MalformedImage: The section ends beyond the end of the file.
    """
    for command in commands:
        if command.kind == LC_SEGMENT_64:
            for section in _sections(command):
                if section.data[:32] == _PLIST_SECTION:
                    size_bytes, offset = section.numbers("QI", 40)
                    return image.read(offset, size_bytes, at_most=_MAX_PLIST_BYTES)
    return None


def _sections(segment: LoadCommand) -> Iterator[LoadCommand]:
    (count,) = segment.numbers("I", 64)
    end = min(len(segment.data), _SEGMENT_BYTES + count * _SECTION_BYTES)
    for at in range(_SEGMENT_BYTES, end - _SECTION_BYTES + 1, _SECTION_BYTES):
        yield LoadCommand(kind=segment.kind, data=segment.data[at : at + _SECTION_BYTES], order=segment.order)

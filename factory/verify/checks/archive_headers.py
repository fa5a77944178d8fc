"""Checks of the records of each member: every reader takes the same name, sizes and content from them."""

from collections.abc import Iterator

from factory.core.model import Severity
from factory.core.zip_records import (
    DESCRIPTOR_FLAG,
    ENCRYPTED_FLAG,
    STORED,
    UTF8_FLAG,
    ZIP64_EXTRA,
    Header,
    extra_ids,
)
from factory.verify.checks.check import Checks, Fault
from factory.verify.reading.contents import Member, WheelContents

_ZIP64_LIMIT = 0xFFFFFFFF
_UNICODE_PATH_EXTRA = 0x7075
_KNOWN_FLAGS = ENCRYPTED_FLAG | 0x0006 | DESCRIPTOR_FLAG | UTF8_FLAG  # 0x0006: how hard deflate tried
_NEWEST_ZIP = 45
_APPNOTE = "PKWARE APPNOTE 6.3.10"

check = Checks[WheelContents]()


@check(
    "archive-headers",
    Severity.ERROR,
    title="Local headers and central directory agree",
    protects="Users: a streaming reader and one that uses the directory install different files.",
    standard=f"{_APPNOTE}, 4.3.7 and 4.3.12; PyPI's upload checks since 2025",
    remedy="Build the wheel again; it was edited.",
)
def _find_disagreeing_headers(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        for what, central, local in _compared(member.central, member.local):
            if central != local:
                evidence = f"{what}: {central} in the central directory, {local} in the local header"
                yield Fault(member.name, evidence)


def _compared(central: Header, local: Header | None) -> Iterator[tuple[str, object, object]]:
    if local is None:
        return
    yield "name", central.name, local.name
    yield "method", central.method, local.method
    yield "flags", central.flags, local.flags
    numbers = (
        ("CRC", central.crc32, local.crc32),
        ("compressed size", central.compressed_bytes, local.compressed_bytes),
        ("size", central.size_bytes, local.size_bytes),
    )
    for what, first, second in numbers:
        # A local header may leave a number to the data descriptor after the content.
        if not (local.has_descriptor and second == 0):
            yield what, first, second


@check(
    "archive-header-times",
    Severity.WARNING,
    title="Local headers and central directory have the same times",
    protects="Anyone who rebuilds the wheel: it was put together by more than one tool.",
    standard=f"{_APPNOTE}, 4.4.6",
    remedy="Build the wheel again; it was edited.",
)
def _find_disagreeing_times(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if member.local is not None and member.central.moment != member.local.moment:
            moments = f"{member.central.moment} in the central directory, {member.local.moment}"
            yield Fault(member.name, f"time: {moments} in the local header")


@check(
    "archive-zip64-field",
    Severity.ERROR,
    title="A zip64 field has exactly the sizes that the header leaves to it",
    protects="Users: a reader that uses the field and one that does not install different bytes.",
    standard=f"{_APPNOTE}, 4.5.3; uv issue 19440",
    remedy="Build the wheel again; it was edited.",
)
def _find_doubled_sizes(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if _has_doubled_sizes(member):
            yield Fault(member.name, "a header has a size in two places, or in none")


def _has_doubled_sizes(member: Member) -> bool:
    headers = [header for header in (member.central, member.local) if header is not None]
    return not all(header.zip64_is_exact for header in headers)


@check(
    "archive-flags",
    Severity.ERROR,
    title="Only flags are set that installers understand",
    protects="Users: a flag that is not understood can change how the content is read.",
    standard=f"{_APPNOTE}, 4.4.4",
    remedy="Build the wheel with a backend that writes plain zip files.",
)
def _find_unjudged_flags(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        # The local header's flags are the same, or archive-headers reports it.
        unknown = member.central.flags & ~_KNOWN_FLAGS
        if unknown and not member.central.is_encrypted:
            bits = ", ".join(str(bit) for bit in range(16) if unknown >> bit & 1)
            yield Fault(member.name, f"not judged: flag bits {bits} are not understood")


@check(
    "archive-version",
    Severity.ERROR,
    title="No member needs a newer zip version than stored, deflated and zip64 members do",
    protects="Users: readers refuse the member, or unpack something else.",
    standard=f"{_APPNOTE}, 4.4.3",
    remedy="Build the wheel with a backend that writes plain zip files.",
)
def _find_unjudged_versions(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        versions = {header.extract_version for header in (member.central, member.local) if header is not None}
        newest = max(versions)
        if newest > _NEWEST_ZIP:
            text = f"{newest // 10}.{newest % 10}"
            yield Fault(member.name, f"not judged: it needs zip {text}; 4.5 is the newest that is understood")


@check(
    "archive-directory-member",
    Severity.ERROR,
    title="A directory has no content",
    protects="Users: uv refuses the wheel, and other installers ignore the bytes.",
    standard=f"{_APPNOTE}, 4.3.8; uv issue 21644",
    remedy="Build the wheel with a backend that writes no directories, such as hatchling.",
)
def _find_directories_with_content(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if member.is_directory and not member.is_empty_directory:
            yield Fault(member.name, "a directory with compressed data, content or a data descriptor")


@check(
    "archive-stored-descriptor",
    Severity.ERROR,
    title="A stored member has its size in the local header",
    protects="Users of uv, which streams and cannot find the end of the member.",
    standard=f"{_APPNOTE}, 4.3.9",
    remedy="Build the wheel into a file that can be sought, not into a pipe.",
)
def _find_stored_descriptors(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if member.central.has_descriptor and member.central.method == STORED and not member.is_directory:
            yield Fault(member.name, "it is stored, and its size follows its content")


@check(
    "archive-second-name",
    Severity.ERROR,
    title="Every member has one name",
    protects="Users: installers differ in the name that they give the file.",
    standard=f"{_APPNOTE}, 4.6.9",
    remedy="Build the wheel with UTF-8 names and without Unicode path fields.",
)
def _find_second_names(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if _UNICODE_PATH_EXTRA in (_extra_ids(member) or set()):
            yield Fault(member.name, "a Unicode path extra field (0x7075) gives it a second name")


def _extra_ids(member: Member) -> set[int] | None:
    """Return the ids of all extra fields of a member; None when they cannot be parsed."""
    ids = extra_ids(member.central.extra)
    local = extra_ids(member.local.extra) if member.local else ()
    return None if ids is None or local is None else {*ids, *local}


@check(
    "archive-zip64",
    Severity.WARNING,
    title="zip64 is used only where it is needed",
    protects="Users of strict readers, which refuse it.",
    standard=f"{_APPNOTE}, 4.5.3",
    remedy="Build the wheel with an archiver that knows the sizes before it writes.",
)
def _find_zip64(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.archive.zip64 and wheel.archive.size_bytes < _ZIP64_LIMIT:
        yield Fault(wheel.name, "zip64 end records in a file below 4 GiB")
    for member in wheel.members:
        is_zip64 = member.central.zip64 or (member.local is not None and member.local.zip64)
        if is_zip64 and member.central.size_bytes < _ZIP64_LIMIT and not _has_doubled_sizes(member):
            yield Fault(member.name, "a zip64 extra field on a member below 4 GiB")


@check(
    "archive-descriptor",
    Severity.WARNING,
    title="Local headers contain the sizes",
    protects="Users of streaming readers, which cannot find the end of a stored member.",
    standard=f"{_APPNOTE}, 4.3.9",
    remedy="Build the wheel into a file that can be sought, not into a pipe.",
)
def _find_descriptors(wheel: WheelContents) -> Iterator[Fault]:
    damaged = {problem.place for problem in wheel.problems}
    for member in wheel.members:
        is_plain = member.central.method != STORED and not member.is_directory and member.name not in damaged
        if member.central.has_descriptor and is_plain:
            yield Fault(member.name, "its sizes follow its content, in a data descriptor")


@check(
    "archive-extra-field",
    Severity.WARNING,
    title="There are no extra fields",
    protects="Anyone who rebuilds the wheel: they contain times, owners and other traces of a machine.",
    standard=f"{_APPNOTE}, 4.5",
    remedy="Build the wheel with a backend that writes no extra fields, such as hatchling.",
)
def _find_extra_fields(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        ids = _extra_ids(member)
        if ids is None:
            yield Fault(member.name, "its extra fields cannot be parsed")
        elif others := sorted(ids - {ZIP64_EXTRA, _UNICODE_PATH_EXTRA}):
            yield Fault(member.name, f"extra fields: {', '.join(f'{field:#06x}' for field in others)}")


CHECKS = check.registered()

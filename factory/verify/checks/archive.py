"""Checks of the zip container: all readers see the same files, and it contains no other bytes."""

from collections.abc import Iterator

from factory.core.counted import counted
from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault, Find
from factory.verify.reading.contents import Member, ProblemKind, WheelContents

_APPNOTE = "PKWARE APPNOTE 6.3.10"
_WHEEL = "packaging.python.org: binary distribution format"

check = Checks[WheelContents]()


def _problems_of(kind: ProblemKind) -> Find[WheelContents]:
    """Return a function that turns one kind of reading problem into faults."""

    def find(wheel: WheelContents) -> Iterator[Fault]:
        return (Fault(problem.place, problem.evidence) for problem in wheel.problems if problem.kind is kind)

    return find


check(
    "archive-unreadable",
    Severity.ERROR,
    title="The file is a zip archive",
    protects="Users: the wheel can be neither installed nor checked.",
    standard=_WHEEL,
    remedy="Download or build the wheel again.",
)(_problems_of(ProblemKind.UNREADABLE))
check(
    "archive-directory",
    Severity.ERROR,
    title="The central directory is complete and matches the end record",
    protects="Users: some readers see members that others do not.",
    standard=f"{_APPNOTE}, 4.3.12 and 4.3.16",
    remedy="Build the wheel again; it is damaged or was edited.",
)(_problems_of(ProblemKind.DIRECTORY))
check(
    "archive-local-header",
    Severity.ERROR,
    title="Every entry of the central directory points to a local header",
    protects="Users: the member cannot be installed.",
    standard=f"{_APPNOTE}, 4.3.7",
    remedy="Build the wheel again; it is damaged or was edited.",
)(_problems_of(ProblemKind.LOCAL_HEADER))
check(
    "archive-content",
    Severity.ERROR,
    title="Every member can be unpacked, and its data ends where the archive says",
    protects="Users: the member cannot be installed.",
    standard=f"{_APPNOTE}, 4.3.8",
    remedy="Download or build the wheel again; it is damaged.",
)(_problems_of(ProblemKind.CONTENT))
check(
    "archive-encrypted",
    Severity.ERROR,
    title="No member is encrypted",
    protects="Users: installers have no password, and scanners cannot see the content.",
    standard=f"{_APPNOTE}, 4.4.4 bit 0",
    remedy="Build the wheel without encryption.",
)(_problems_of(ProblemKind.ENCRYPTED))
check(
    "archive-method",
    Severity.ERROR,
    title="Every member is stored or deflated",
    protects="Users: pip cannot read other methods on every platform, and neither can uv.",
    standard=f"{_APPNOTE}, 4.4.5; PyPI accepts these two",
    remedy="Build the wheel with deflate.",
)(_problems_of(ProblemKind.METHOD))
check(
    "archive-limit",
    Severity.ERROR,
    title="The whole archive is within the limits of what is read",
    protects="Users: what was not read was not checked.",
    standard="factory.verify.reading.unpack.UnpackLimits",
    remedy="Raise the limit that is named, if the wheel is from somebody you trust, and verify it again.",
)(_problems_of(ProblemKind.LIMIT))
check(
    "archive-bomb",
    Severity.ERROR,
    title="The unpacked size is in proportion to the archive",
    protects="Users: a small download could fill the disk.",
    standard="factory.verify.reading.unpack.UnpackLimits",
    remedy="Do not install the wheel; find out how the member was made.",
)(_problems_of(ProblemKind.BOMB))


@check(
    "archive-overlap",
    Severity.ERROR,
    title="No two members share bytes",
    protects="Users and scanners: zip bombs are made of overlapping members.",
    standard="bamsoftware.com/hacks/zipbomb",
    remedy="Do not install the wheel; build it again.",
)
def _find_overlaps(wheel: WheelContents) -> Iterator[Fault]:
    for name in wheel.archive.overlapping:
        yield Fault(name, "another member claims its bytes as well")


@check(
    "archive-size",
    Severity.ERROR,
    title="Every member has the size that the central directory states",
    protects="Users: readers that trust the number truncate the file or refuse it.",
    standard=f"{_APPNOTE}, 4.4.9",
    remedy="Build the wheel again; it was edited.",
)
def _find_wrong_size(wheel: WheelContents) -> Iterator[Fault]:
    for member in _unpacked(wheel):
        stated = member.central.size_bytes
        if stated != member.size_bytes:
            evidence = (
                f"the central directory states {counted(stated, 'byte')}, the content has {member.size_bytes}"
            )
            yield Fault(member.name, evidence)


@check(
    "archive-crc",
    Severity.ERROR,
    title="Every member has the CRC that the central directory states",
    protects="Users: the file was changed, and pip refuses it.",
    standard=f"{_APPNOTE}, 4.4.7",
    remedy="Download or build the wheel again; it is damaged or was edited.",
)
def _find_wrong_crc(wheel: WheelContents) -> Iterator[Fault]:
    for member in _unpacked(wheel):
        stated = member.central.crc32
        if stated != member.crc32:
            evidence = (
                f"the central directory states CRC {stated:#010x}, the content has {member.crc32:#010x}"
            )
            yield Fault(member.name, evidence)


def _unpacked(wheel: WheelContents) -> Iterator[Member]:
    """Yield the members that could be read to their end."""
    return (member for member in wheel.members if member.sha256 is not None)


@check(
    "archive-prefix",
    Severity.ERROR,
    title="The first member is at the start of the file",
    protects="Users: a file in two formats passes scanners that know only one of them.",
    standard=f"{_APPNOTE}, 4.3.6",
    remedy="Build the wheel again without the leading bytes.",
)
def _find_prefix(wheel: WheelContents) -> Iterator[Fault]:
    if size := wheel.archive.prefix_bytes:
        yield Fault(wheel.name, f"{counted(size, 'byte precedes', 'bytes precede')} the first member")


@check(
    "archive-suffix",
    Severity.ERROR,
    title="The end record is at the end of the file",
    protects="Users: trailing bytes can be a second archive, which another reader uses.",
    standard=f"{_APPNOTE}, 4.3.6",
    remedy="Build the wheel again without the trailing bytes.",
)
def _find_suffix(wheel: WheelContents) -> Iterator[Fault]:
    if size := wheel.archive.suffix_bytes:
        yield Fault(wheel.name, f"{counted(size, 'byte follows', 'bytes follow')} the end record")


@check(
    "archive-gap",
    Severity.ERROR,
    title="Every byte belongs to a record",
    protects="Users: a streaming reader can install bytes that no listing shows.",
    standard=f"{_APPNOTE}, 4.3.6",
    remedy="Build the wheel again; it was edited.",
)
def _find_gaps(wheel: WheelContents) -> Iterator[Fault]:
    if any(problem.kind is not ProblemKind.ENCRYPTED for problem in wheel.problems):
        return  # the end of an unreadable record is unknown, so the bytes after it are no gap
    for offset, length in wheel.archive.gaps:
        stray = counted(length, f"byte at offset {offset} belongs", f"bytes at offset {offset} belong")
        yield Fault(wheel.name, f"{stray} to no member")


@check(
    "archive-one-end",
    Severity.ERROR,
    title="There is one end record",
    protects="Users: readers differ in which archive they read.",
    standard=f"{_APPNOTE}, 4.3.1",
    remedy="Build the wheel again; it contains a second archive.",
)
def _find_rival_ends(wheel: WheelContents) -> Iterator[Fault]:
    for offset in wheel.archive.rival_ends:
        yield Fault(wheel.name, f"another zip record, which a reader could use, is at offset {offset}")


@check(
    "archive-one-disk",
    Severity.ERROR,
    title="The archive is not split over several disks",
    protects="Users: readers refuse it, or ignore the disk numbers and read other bytes.",
    standard=f"{_APPNOTE}, 4.4.19",
    remedy="Build the wheel again.",
)
def _find_disks(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.archive.disks or any(member.central.disk for member in wheel.members):
        yield Fault(wheel.name, "it claims to be part of an archive on several disks")


@check(
    "archive-comment",
    Severity.WARNING,
    title="There are no comments",
    protects="Anyone who rebuilds the wheel: a comment cannot be derived from the sources.",
    standard=f"{_APPNOTE}, 4.4.26",
    remedy="Build the wheel without comments.",
)
def _find_comments(wheel: WheelContents) -> Iterator[Fault]:
    # archive-one-end reports a comment with a zip record.
    places = [] if wheel.archive.rival_ends else [(wheel.name, wheel.archive.comment)]
    places += [(member.name, member.central.comment) for member in wheel.members]
    for place, comment in places:
        if comment:
            yield Fault(place, f"a comment of {counted(len(comment), 'byte')}: {comment[:40]!r}")


@check(
    "archive-times",
    Severity.WARNING,
    title="All members have the same time",
    protects="Anyone who rebuilds the wheel: a wall-clock time cannot be reproduced.",
    standard="reproducible-builds.org: SOURCE_DATE_EPOCH",
    remedy="Build with SOURCE_DATE_EPOCH, or with a backend whose default is a fixed time.",
)
def _find_times(wheel: WheelContents) -> Iterator[Fault]:
    moments = sorted({member.central.moment for member in wheel.members})
    if len(moments) > 1:
        yield Fault(wheel.name, f"{counted(len(moments), 'different time')}, {moments[0]} to {moments[-1]}")


@check(
    "archive-order",
    Severity.WARNING,
    title="Members are in order, with .dist-info last and RECORD at the very end",
    protects="Users of indexes and installers that read METADATA from the end of the file.",
    standard=_WHEEL,
    remedy="Build the wheel with a backend that orders members.",
)
def _find_order(wheel: WheelContents) -> Iterator[Fault]:
    starts = [member.start for member in wheel.members if member.local is not None]
    if starts != sorted(starts):
        yield Fault(wheel.name, "the central directory lists the members in another order than the file")
    in_dist_info = [member.name.partition("/")[0].endswith(".dist-info") for member in wheel.members]
    if in_dist_info != sorted(in_dist_info):
        yield Fault(wheel.name, "other members follow those of .dist-info")
    if any(member.name.endswith(".dist-info/RECORD") for member in wheel.members[:-1]):
        yield Fault(wheel.name, f"the last member is {wheel.members[-1].name}, not RECORD")


@check(
    "archive-host",
    Severity.NOTE,
    title="All members have the same zip host",
    protects="Anyone who rebuilds the wheel: it was put together from several archives.",
    standard=f"{_APPNOTE}, 4.4.2",
    remedy="Write all members in one build.",
)
def _find_hosts(wheel: WheelContents) -> Iterator[Fault]:
    hosts = sorted({member.central.create_system for member in wheel.members})
    if len(hosts) > 1:
        yield Fault(wheel.name, f"members have different zip hosts: {hosts}")


CHECKS = check.registered()

"""Checks of the zip container: that every reader of it sees the same files, and nothing else is in it."""

from collections.abc import Callable, Iterator

from factory.core.model import Severity
from factory.core.zip_records import ZIP64_EXTRA, Header, extra_ids
from factory.verify.checks.check import Checks, Fault
from factory.verify.reading.contents import Member, ProblemKind, WheelContents

_ZIP64_LIMIT = 0xFFFFFFFF
_UNICODE_PATH_EXTRA = 0x7075
_APPNOTE = "PKWARE APPNOTE 6.3.10"
_WHEEL = "packaging.python.org: binary distribution format"


check = Checks[WheelContents](standard=f"{_APPNOTE}, 4.3.6")


def _problems_of(kind: ProblemKind) -> Callable[[WheelContents], Iterator[Fault]]:
    """Return a `find` that turns one kind of reading problem into faults."""

    def find(wheel: WheelContents) -> Iterator[Fault]:
        for problem in wheel.problems:
            if problem.kind is kind:
                yield Fault(problem.place, problem.evidence)

    return find


check(
    "archive-unreadable",
    Severity.ERROR,
    title="The file is a zip archive",
    protects="Everybody: nothing in it can be installed, or judged.",
    standard=_WHEEL,
    remedy="Fetch or build the wheel again.",
)(_problems_of(ProblemKind.UNREADABLE))
check(
    "archive-directory",
    Severity.ERROR,
    title="The central directory is whole and holds what the end record claims",
    protects="Users: members that one reader sees and another does not.",
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
    title="Every member's content can be unpacked, and ends where the archive says",
    protects="Users: the member cannot be installed.",
    standard=f"{_APPNOTE}, 4.3.8",
    remedy="Fetch or build the wheel again; it is damaged.",
)(_problems_of(ProblemKind.CONTENT))
check(
    "archive-encrypted",
    Severity.ERROR,
    title="No member is encrypted",
    protects="Users: an installer has no password, and a scanner sees nothing.",
    standard=f"{_APPNOTE}, 4.4.4 bit 0",
    remedy="Build the wheel without encryption.",
)(_problems_of(ProblemKind.ENCRYPTED))
check(
    "archive-method",
    Severity.ERROR,
    title="Every member is stored or deflated",
    protects="Users: pip reads no more than these everywhere, uv and others neither.",
    standard=f"{_APPNOTE}, 4.4.5; PyPI accepts these two",
    remedy="Build the wheel with deflate.",
)(_problems_of(ProblemKind.METHOD))
check(
    "archive-bomb",
    Severity.ERROR,
    title="What it unpacks to is in proportion",
    protects="Users: a small download that fills the disk.",
    standard="factory.verify.reading.unpack.UnpackLimits",
    remedy="Do not install it; look at how the member was made.",
)(_problems_of(ProblemKind.BOMB))


@check(
    "archive-overlap",
    Severity.ERROR,
    title="No two members share bytes",
    protects="Users and scanners: overlapping members are how a zip bomb is made.",
    standard="bamsoftware.com/hacks/zipbomb",
    remedy="Do not install it; build the wheel again.",
)
def _find_overlaps(wheel: WheelContents) -> Iterator[Fault]:
    for name in wheel.archive.overlapping:
        yield Fault(name, "its bytes are claimed by another member as well")


@check(
    "archive-size",
    Severity.ERROR,
    title="Every member has the size that the central directory claims",
    protects="Users: readers that trust the number cut the file off or refuse it.",
    standard=f"{_APPNOTE}, 4.4.9",
    remedy="Build the wheel again; it was edited.",
)
def _find_wrong_size(wheel: WheelContents) -> Iterator[Fault]:
    for member in _read_whole(wheel):
        claimed = member.central.size_bytes
        if claimed != member.size_bytes:
            yield Fault(member.name, f"claims {claimed} bytes, has {member.size_bytes}")


@check(
    "archive-crc",
    Severity.ERROR,
    title="Every member has the CRC that the central directory claims",
    protects="Users: the file was changed, and pip refuses it.",
    standard=f"{_APPNOTE}, 4.4.7",
    remedy="Fetch or build the wheel again; it is damaged or was edited.",
)
def _find_wrong_crc(wheel: WheelContents) -> Iterator[Fault]:
    for member in _read_whole(wheel):
        claimed = member.central.crc32
        if claimed != member.crc32:
            yield Fault(member.name, f"claims CRC {claimed:#010x}, its content has {member.crc32:#010x}")


def _read_whole(wheel: WheelContents) -> Iterator[Member]:
    return (member for member in wheel.members if member.sha256 is not None)


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
        if member.local is None:
            continue
        for what, central, local in _compared(member.central, member.local):
            if central != local:
                evidence = f"{what}: {central} in the central directory, {local} in the local header"
                yield Fault(member.name, evidence)


def _compared(central: Header, local: Header) -> Iterator[tuple[str, object, object]]:
    yield "name", central.name, local.name
    yield "method", central.method, local.method
    yield "flags", central.flags, local.flags
    yield "time", central.moment, local.moment
    numbers = (
        ("CRC", central.crc32, local.crc32),
        ("compressed size", central.compressed_bytes, local.compressed_bytes),
        ("size", central.size_bytes, local.size_bytes),
    )
    for what, first, second in numbers:
        if not (local.has_descriptor and second == 0):
            yield what, first, second


@check(
    "archive-prefix",
    Severity.ERROR,
    title="Nothing comes before the first member",
    protects="Users: a file that is two things at once passes scanners that know only one of them.",
    remedy="Build the wheel again without the leading bytes.",
)
def _find_prefix(wheel: WheelContents) -> Iterator[Fault]:
    if size := wheel.archive.prefix_bytes:
        yield Fault(wheel.name, f"{size} bytes come before the first member")


@check(
    "archive-suffix",
    Severity.ERROR,
    title="Nothing comes after the end record",
    protects="Users: trailing bytes can be a second archive that another reader takes.",
    remedy="Build the wheel again without the trailing bytes.",
)
def _find_suffix(wheel: WheelContents) -> Iterator[Fault]:
    if size := wheel.archive.suffix_bytes:
        yield Fault(wheel.name, f"{size} bytes come after the end record")


@check(
    "archive-gap",
    Severity.ERROR,
    title="Every byte belongs to a record",
    protects="Users: bytes that no listing shows, a streaming reader installs.",
    remedy="Build the wheel again; it was edited.",
)
def _find_gaps(wheel: WheelContents) -> Iterator[Fault]:
    if any(problem.kind is not ProblemKind.ENCRYPTED for problem in wheel.problems):
        return  # where a record cannot be read, what follows it is no gap
    for offset, length in wheel.archive.gaps:
        yield Fault(wheel.name, f"{length} bytes at offset {offset} belong to no member")


@check(
    "archive-one-end",
    Severity.ERROR,
    title="There is one end record",
    protects="Users: which archive is read depends on the reader.",
    standard=f"{_APPNOTE}, 4.3.1",
    remedy="Build the wheel again; it holds a second archive.",
)
def _find_rival_ends(wheel: WheelContents) -> Iterator[Fault]:
    for offset in wheel.archive.rival_ends:
        yield Fault(wheel.name, f"another usable end record is at offset {offset}")


@check(
    "archive-one-disk",
    Severity.ERROR,
    title="It is one file, no set of disks",
    protects="Users: readers refuse it, or ignore the numbers and read other bytes.",
    standard=f"{_APPNOTE}, 4.4.19",
    remedy="Build the wheel again.",
)
def _find_disks(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.archive.disks or any(member.central.disk for member in wheel.members):
        yield Fault(wheel.name, "it claims to be a part of a set of several disks")


@check(
    "archive-second-name",
    Severity.ERROR,
    title="Every member has one name",
    protects="Users: which name is installed depends on the reader.",
    standard=f"{_APPNOTE}, 4.6.9",
    remedy="Build the wheel with UTF-8 names and no Unicode path fields.",
)
def _find_second_names(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if _UNICODE_PATH_EXTRA in (_ids(member) or set()):
            yield Fault(member.name, "a Unicode path extra field (0x7075) gives it a second name")


@check(
    "archive-comment",
    Severity.WARNING,
    title="There are no comments",
    protects="Whoever rebuilds the wheel: bytes that come from nowhere.",
    standard=f"{_APPNOTE}, 4.4.26",
    remedy="Build the wheel without comments.",
)
def _find_comments(wheel: WheelContents) -> Iterator[Fault]:
    if comment := wheel.archive.comment:
        yield Fault(wheel.name, f"a comment of {len(comment)} bytes: {comment[:40]!r}")
    for member in wheel.members:
        if comment := member.central.comment:
            yield Fault(member.name, f"a comment of {len(comment)} bytes: {comment[:40]!r}")


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
        headers = [member.central, *([member.local] if member.local else [])]
        if any(header.zip64 for header in headers) and member.central.size_bytes < _ZIP64_LIMIT:
            yield Fault(member.name, "a zip64 extra field on a member below 4 GiB")


@check(
    "archive-descriptor",
    Severity.WARNING,
    title="Sizes stand in the local headers",
    protects="Users of streaming readers, which cannot tell where a stored member ends.",
    standard=f"{_APPNOTE}, 4.3.9",
    remedy="Build the wheel to a file that can be sought, not to a pipe.",
)
def _find_descriptors(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if member.central.has_descriptor:
            yield Fault(member.name, "its sizes stand after its content, in a data descriptor")


@check(
    "archive-extra-field",
    Severity.WARNING,
    title="There are no extra fields",
    protects="Whoever rebuilds the wheel: they hold times, owners and other traces of a machine.",
    standard=f"{_APPNOTE}, 4.5",
    remedy="Build the wheel with a backend that writes none, as hatchling does.",
)
def _find_extra_fields(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        ids = _ids(member)
        if ids is None:
            yield Fault(member.name, "its extra fields do not fill their space")
        elif others := sorted(ids - {ZIP64_EXTRA, _UNICODE_PATH_EXTRA}):
            shown = ", ".join(f"{field:#06x}" for field in others)
            yield Fault(member.name, f"it has extra fields: {shown}")


def _ids(member: Member) -> set[int] | None:
    """Return the ids of all extra fields of a member; None when they cannot be parsed."""
    ids = extra_ids(member.central.extra)
    local = extra_ids(member.local.extra) if member.local else ()
    return None if ids is None or local is None else {*ids, *local}


@check(
    "archive-times",
    Severity.WARNING,
    title="All members have one time",
    protects="Whoever rebuilds the wheel: a clock's time cannot be repeated.",
    standard="reproducible-builds.org: SOURCE_DATE_EPOCH",
    remedy="Build with SOURCE_DATE_EPOCH, or with a backend whose default is a fixed time.",
)
def _find_times(wheel: WheelContents) -> Iterator[Fault]:
    moments = sorted({member.central.moment for member in wheel.members})
    if len(moments) > 1:
        yield Fault(wheel.name, f"{len(moments)} different times, {moments[0]} to {moments[-1]}")


@check(
    "archive-order",
    Severity.WARNING,
    title="Members are in order, .dist-info last, RECORD at the very end",
    protects="Users of indexes and installers that read METADATA from the file's end.",
    standard=_WHEEL,
    remedy="Build the wheel with a backend that orders members.",
)
def _find_order(wheel: WheelContents) -> Iterator[Fault]:
    starts = [member.start for member in wheel.members if member.local is not None]
    if starts != sorted(starts):
        yield Fault(wheel.name, "the central directory lists members in another order")
    in_dist_info = [_is_dist_info(member.name) for member in wheel.members]
    if in_dist_info != sorted(in_dist_info):
        yield Fault(wheel.name, "members come after those of .dist-info")
    last = wheel.members[-1].name if wheel.members else ""
    if any(member.name.endswith(".dist-info/RECORD") for member in wheel.members[:-1]):
        yield Fault(wheel.name, f"RECORD is not the last member, {last} is")


def _is_dist_info(name: str) -> bool:
    return name.partition("/")[0].endswith(".dist-info")


@check(
    "archive-host",
    Severity.NOTE,
    title="All members were made on one zip host",
    protects="Whoever rebuilds the wheel: it was put together from parts.",
    standard=f"{_APPNOTE}, 4.4.2",
    remedy="Build the wheel in one go.",
)
def _find_hosts(wheel: WheelContents) -> Iterator[Fault]:
    hosts = sorted({member.central.create_system for member in wheel.members})
    if len(hosts) > 1:
        yield Fault(wheel.name, f"members were made on different zip hosts: {hosts}")


CHECKS = check.registered()

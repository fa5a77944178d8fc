"""List the differences around the members of two wheels: layout, order, headers and compression."""

import zlib
from collections.abc import Iterator, Sequence

from factory.audit.member_differences import MemberPair
from factory.audit.verdict import Cause
from factory.core.counted import counted
from factory.core.model import Severity
from factory.core.zip_records import DEFLATED, STORED, CentralHeader
from factory.verify.reading.contents import WheelContents

_SHOWN_BYTES = 32
_LEVELS = (6, *(level for level in range(1, 10) if level != 6))  # noqa: PLR2004 - zlib's default first


def container_differences(
    published: WheelContents, rebuilt: WheelContents, pairs: Sequence[MemberPair]
) -> Iterator[Cause]:
    """Yield a cause for each difference in the container."""
    yield from _layout_causes(published, rebuilt)
    yield from _order_causes(published, rebuilt, {pair.name for pair in pairs})
    for id_, sentence, shown in _HEADER_VALUES:
        differing = [pair for pair in pairs if shown(pair.published.central) != shown(pair.rebuilt.central)]
        if differing:
            first = differing[0]
            evidence = (
                f"{first.name}: published {shown(first.published.central)},"
                f" rebuilt {shown(first.rebuilt.central)}; {counted(len(differing), 'member')} in all"
            )
            yield _note(id_, published, sentence, evidence)
    yield from contradicting_headers(published)
    yield from _encoder_causes(published, pairs)


def _layout_causes(published: WheelContents, rebuilt: WheelContents) -> Iterator[Cause]:
    yield from stray_bytes(published)
    archive = published.archive
    if archive.comment != rebuilt.archive.comment:
        comment = repr(archive.comment[:_SHOWN_BYTES])
        yield _note("comment", published, "The comment of the archive differs.", comment)
    if archive.zip64 != rebuilt.archive.zip64:
        sentence = "Only one of the archives has zip64 records; its size does not require them."
        evidence = f"zip64 records: published {archive.zip64}, rebuilt {rebuilt.archive.zip64}"
        yield _note("zip64", published, sentence, evidence)


def stray_bytes(published: WheelContents) -> Iterator[Cause]:
    """Yield a cause if a wheel has bytes outside its members, or members that overlap."""
    archive = published.archive
    stray = archive.prefix_bytes + archive.suffix_bytes + sum(length for _, length in archive.gaps)
    if stray or archive.overlapping or archive.rival_ends:
        yield Cause(
            id="stray-bytes",
            severity=Severity.ERROR,
            place=published.name,
            sentence="The file has bytes that belong to no member: data can be hidden there.",
            evidence=f"{counted(archive.prefix_bytes, 'byte')} before, {archive.suffix_bytes} after,"
            f" {counted(len(archive.gaps), 'gap')}, {counted(len(archive.overlapping), 'overlap')}",
        )


def _order_causes(published: WheelContents, rebuilt: WheelContents, common: set[str]) -> Iterator[Cause]:
    """Compare the order of the members that both wheels have; a repeated name counts where it is first."""
    order = list(dict.fromkeys(member.name for member in published.members if member.name in common))
    expected = list(dict.fromkeys(member.name for member in rebuilt.members if member.name in common))
    if order != expected:
        at = [a == b for a, b in zip(order, expected, strict=True)].index(False)
        sentence = "The members are in another order than the backend writes; installers ignore the order."
        evidence = f"position {at + 1} is {order[at]}, in the rebuild {expected[at]}"
        yield _note("order", published, sentence, evidence)


def _moment(header: CentralHeader) -> str:
    return header.moment


_HEADER_VALUES = (
    ("time", "Member times differ: the wheel was packed or repacked with another tool.", _moment),
    (
        "zip-host",
        "The zip host differs: members were packed on another operating system.",
        lambda header: f"create_system {header.create_system}",
    ),
    (
        "header",
        "Versions, flags, extra fields, comments or MS-DOS attributes of members differ.",
        lambda header: (
            f"version {header.extract_version}, flags {header.flags:#x},"
            f" extra {header.extra.hex() or 'none'},"
            f" comment {header.comment!r}, attributes {header.external_attributes & 0xFFFF:#x}"
        ),
    ),
)


def contradicting_headers(published: WheelContents) -> Iterator[Cause]:
    """Yield a cause for each member with two different names or compression methods."""
    for member in published.members:
        local, central = member.local, member.central
        if local is not None and (local.name, local.method) != (central.name, central.method):
            yield Cause(
                id="local-header",
                severity=Severity.ERROR,
                place=published.name,
                sentence="A local header contradicts the central directory: installers that read only one"
                " of them see different members.",
                evidence=f"{member.name}: {local.name!r}, method {local.method}",
            )


def _encoder_causes(published: WheelContents, pairs: Sequence[MemberPair]) -> Iterator[Cause]:
    differing = [
        pair
        for pair in pairs
        if pair.is_equal
        and (pair.published.central.method, pair.published.central.compressed_bytes)
        != (pair.rebuilt.central.method, pair.rebuilt.central.compressed_bytes)
    ]
    if differing:
        sentence = (
            "Equal contents are compressed differently: the file differs, the unpacked contents do not."
        )
        evidence = (
            f"{counted(len(differing), 'member')}, {differing[0].name} first; encoder: {_encoder(differing)}"
        )
        yield _note("encoder", published, sentence, evidence)


def _encoder(pairs: Sequence[MemberPair]) -> str:
    """Find the zlib level that gives the compressed sizes of all members that are small enough to try."""
    if all(pair.published.central.method == STORED for pair in pairs):
        return "none, members are stored"
    small = [pair for pair in pairs if pair.published.data and pair.published.central.method == DEFLATED]
    fitting = [
        level
        for level in _LEVELS
        if small
        and all(_compressed_bytes(pair, level) == pair.published.central.compressed_bytes for pair in small)
    ]
    if not fitting:
        return "unknown"
    return f"zlib's level {fitting[0]} fits" + (", others as well" if len(fitting) > 1 else "")


def _compressed_bytes(pair: MemberPair, level: int) -> int:
    encoder = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return len(encoder.compress(pair.published.data or b"")) + len(encoder.flush())


def _note(id_: str, wheel: WheelContents, sentence: str, evidence: str) -> Cause:
    return Cause(id=id_, severity=Severity.NOTE, place=wheel.name, sentence=sentence, evidence=evidence)

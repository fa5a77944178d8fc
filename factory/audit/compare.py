"""Name every difference between a published wheel and the one rebuilt for it.

Both are read whole and strictly by `factory.verify.reading.read`, so RECORD's claims and the
directory's sizes are not believed here: contents are compared by their own SHA-256.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff

from factory.audit.code_signature import differs_in_signature_only
from factory.audit.verdict import Cause
from factory.core.model import FileKind, Payload, PayloadFile, Severity
from factory.core.zip_records import DEFLATED, CentralHeader
from factory.verify.reading.contents import Member, WheelContents

_EXECUTABLE_BITS = 0o111
_PERMISSIONS = 0o7777
_SHOWN_BYTES = 32
_SHOWN_LINES = 12
_LEVELS = (6, *(level for level in range(1, 10) if level != 6))  # noqa: PLR2004 - zlib's default first


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All differences of two wheels.

    Attributes:
        members: In content, name or mode of members: what an installer puts on a disk.
        container: In everything around them: order, times, zip host, encoder, stray bytes.
    """

    members: tuple[Cause, ...]
    container: tuple[Cause, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A member that both wheels have."""

    name: str
    published: Member
    rebuilt: Member

    @property
    def is_equal(self) -> bool:
        return self.published.sha256 is not None and self.published.sha256 == self.rebuilt.sha256


def compare(published: WheelContents, rebuilt: WheelContents, payloads: Sequence[Payload]) -> Comparison:
    """Compare two wheels.

    Args:
        published: What the index, or somebody, gave.
        rebuilt: What the same recipe gave.
        payloads: The release's files for every target, to recognise executables that are
            upstream's but in the wrong place.
    """
    pairs = tuple(
        _Pair(name=name, published=published.by_name[name], rebuilt=member)
        for name, member in rebuilt.by_name.items()
        if name in published.by_name
    )
    files = tuple(file for payload in payloads for file in payload.files)
    return Comparison(
        members=(
            *_unreadable(published),
            *_added(published, rebuilt, files),
            *_missing(published, rebuilt),
            *(cause for pair in pairs for cause in _member_causes(pair, payloads)),
        ),
        container=tuple(_container_causes(published, rebuilt, pairs)),
    )


def _unreadable(wheel: WheelContents) -> Iterator[Cause]:
    for problem in wheel.problems:
        yield Cause(
            id="unreadable",
            severity=Severity.ERROR,
            place=problem.place,
            sentence="A part of the wheel cannot be read safely: nobody knows what installers make of it.",
            evidence=problem.evidence,
        )


def _added(published: WheelContents, rebuilt: WheelContents, files: Sequence[PayloadFile]) -> Iterator[Cause]:
    for name, member in published.by_name.items():
        if name in rebuilt.by_name:
            continue
        origin = _origin(member, files)
        what = "an executable" if member.kind.is_executable_image else f"a file ({member.kind})"
        yield Cause(
            id="member-added",
            severity=Severity.ERROR,
            place=name,
            sentence=f"The published wheel holds {what} that neither the release nor the backend gives.",
            evidence=f"{member.size_bytes} bytes, SHA-256 {member.sha256}{origin}",
        )
    if len(published.members) > len(published.by_name):
        doubled = len(published.members) - len(published.by_name)
        yield Cause(
            id="member-doubled",
            severity=Severity.ERROR,
            place=published.name,
            sentence="Several members have one name; installers differ in which one they take.",
            evidence=f"{doubled} more than there are names",
        )


def _missing(published: WheelContents, rebuilt: WheelContents) -> Iterator[Cause]:
    for name in rebuilt.by_name:
        if name not in published.by_name:
            yield Cause(
                id="member-missing",
                severity=Severity.ERROR,
                place=name,
                sentence="The published wheel lacks a member that the rebuilt one has.",
                evidence=f"the rebuild has it with {rebuilt.by_name[name].size_bytes} bytes",
            )


def _member_causes(pair: _Pair, payloads: Sequence[Payload]) -> Iterator[Cause]:
    if not pair.is_equal:
        if pair.rebuilt.kind.is_executable_image or pair.published.kind.is_executable_image:
            yield _executable_cause(pair, payloads)
        else:
            yield _text_cause(pair)
    before, after = pair.rebuilt.mode & _PERMISSIONS, pair.published.mode & _PERMISSIONS
    if pair.rebuilt.mode != pair.published.mode:
        is_lost = bool(before & _EXECUTABLE_BITS and not after & _EXECUTABLE_BITS)
        yield Cause(
            id="mode",
            severity=Severity.ERROR if is_lost or after & 0o7022 else Severity.WARNING,
            place=pair.name,
            sentence="Its mode differs: " + ("it can not be run." if is_lost else "installers take it over."),
            evidence=f"published {pair.published.mode:o}, rebuilt {pair.rebuilt.mode:o}",
        )


def _executable_cause(pair: _Pair, payloads: Sequence[Payload]) -> Cause:
    published = pair.published
    evidence = f"SHA-256 {published.sha256}, the release's file has {pair.rebuilt.sha256}"
    for payload in payloads:
        for file in payload.files:
            if file.sha256 == published.sha256:
                return Cause(
                    id="executable-of-another-target",
                    severity=Severity.ERROR,
                    place=pair.name,
                    sentence=f"It is the release's {file.path} of {payload.target}, in another's place:"
                    " it does not start there.",
                    evidence=evidence,
                )
    if differs_in_signature_only(published, pair.rebuilt):
        return Cause(
            id="executable-re-signed",
            severity=Severity.WARNING,
            place=pair.name,
            sentence="It is upstream's executable with another code signature: whoever signed it again"
            " vouches for it now.",
            evidence=evidence,
        )
    return Cause(
        id="executable-not-upstream",
        severity=Severity.ERROR,
        place=pair.name,
        sentence="It is not the executable that upstream released: it does whatever somebody made it do.",
        evidence=f"{evidence}; {published.size_bytes} bytes against {pair.rebuilt.size_bytes}"
        f"{_first_difference_in_files(pair)}",
    )


def _text_cause(pair: _Pair) -> Cause:
    published, rebuilt = pair.published.data, pair.rebuilt.data
    base = pair.name.rpartition("/")[2]
    is_info = ".dist-info/" in pair.name and "/licenses/" not in pair.name
    if published is None or rebuilt is None:
        evidence = f"SHA-256 {pair.published.sha256}, the rebuild has {pair.rebuilt.sha256}"
        return _cause("text", Severity.ERROR, pair.name, "Its content differs.", evidence)
    if published.replace(b"\r\n", b"\n") == rebuilt.replace(b"\r\n", b"\n"):
        crlf = published.count(b"\r\n"), rebuilt.count(b"\r\n")
        evidence = f"{crlf[0]} lines end with CRLF, {crlf[1]} in the rebuild"
        sentence = "Only its line ends differ, as a checkout on another system makes them: it means the same."
        return _cause("line-ends", Severity.WARNING, pair.name, sentence, evidence)
    evidence = _first_difference(published, rebuilt)
    match base if is_info else "":
        case "METADATA":
            sentence = "METADATA decides what installers and people believe of the package."
            return _cause("metadata", Severity.ERROR, pair.name, sentence, evidence)
        case "WHEEL":
            return _wheel_file_cause(pair.name, published, rebuilt, evidence)
        case "RECORD":
            return _record_cause(pair.name, published, rebuilt)
        case _:
            sentence = "Its text differs."
            if base.endswith((".py", ".pth")):
                sentence = "It is Python that runs when the package is imported, and it differs."
            return _cause("text", Severity.ERROR, pair.name, sentence, evidence)


def _wheel_file_cause(name: str, published: bytes, rebuilt: bytes, evidence: str) -> Cause:
    changed = set(published.splitlines()) ^ set(rebuilt.splitlines())
    if all(line.startswith(b"Generator: ") for line in changed):
        sentence = "Another generator is named: the wheel was built, or edited, by other means."
        return _cause("generator", Severity.WARNING, name, sentence, evidence)
    if any(line.startswith(b"Tag: ") for line in changed):
        sentence = "Its tags differ: installers would take the wheel for another platform."
        return _cause("tag", Severity.ERROR, name, sentence, evidence)
    return _cause("wheel-file", Severity.ERROR, name, "WHEEL decides how installers unpack it.", evidence)


def _record_cause(name: str, published: bytes, rebuilt: bytes) -> Cause:
    """Tell a RECORD that follows from other members' differences from one that is wrong in itself."""
    before, after = rebuilt.decode("utf-8", "replace"), published.decode("utf-8", "replace")
    lines = sorted(set(before.splitlines()) ^ set(after.splitlines()))
    if not lines:
        sentence = "RECORD has the right lines in another order, or some of them twice."
        return _cause("record-order", Severity.WARNING, name, sentence, _first_difference(published, rebuilt))
    sentence = "RECORD differs: by it installers check what they unpack, and remove it later."
    return _cause("record", Severity.ERROR, name, sentence, _diff(before, after))


def _container_causes(
    published: WheelContents, rebuilt: WheelContents, pairs: Iterable[_Pair]
) -> Iterator[Cause]:
    pairs = tuple(pairs)
    yield from _layout_causes(published, rebuilt)
    both = {pair.name for pair in pairs}
    order = [member.name for member in published.members if member.name in both]
    wanted = [member.name for member in rebuilt.members if member.name in both]
    if order != wanted:
        at = next(index for index, (a, b) in enumerate(zip(order, wanted, strict=False)) if a != b)
        evidence = f"at place {at + 1} stands {order[at]}, in the rebuild {wanted[at]}"
        sentence = "Members stand in another order than the backend gives; installers do not mind."
        yield _cause("order", Severity.NOTE, published.name, sentence, evidence)
    for id_, sentence, shown in _HEADER_VALUES:
        differing = [pair for pair in pairs if shown(pair.published.central) != shown(pair.rebuilt.central)]
        if differing:
            first = differing[0]
            evidence = (
                f"{first.name}: published {shown(first.published.central)},"
                f" rebuilt {shown(first.rebuilt.central)}; {len(differing)} members in all"
            )
            yield _cause(id_, Severity.NOTE, published.name, sentence, evidence)
    yield from _local_causes(published, pairs)
    yield from _encoder_causes(published, pairs)


def _layout_causes(published: WheelContents, rebuilt: WheelContents) -> Iterator[Cause]:
    archive = published.archive
    stray = archive.prefix_bytes + archive.suffix_bytes + sum(length for _, length in archive.gaps)
    if stray or archive.overlapping or archive.rival_ends:
        evidence = (
            f"{archive.prefix_bytes} bytes before, {archive.suffix_bytes} after,"
            f" {len(archive.gaps)} gaps, {len(archive.overlapping)} overlaps"
        )
        sentence = "Bytes stand in the file that belong to no member: something can hide in them."
        yield _cause("stray-bytes", Severity.ERROR, published.name, sentence, evidence)
    if archive.comment != rebuilt.archive.comment:
        evidence = repr(archive.comment[:_SHOWN_BYTES])
        yield _cause("comment", Severity.NOTE, published.name, "The archive has a comment.", evidence)
    if archive.zip64 != rebuilt.archive.zip64:
        sentence = "The archive has zip64 records, which its size does not ask for."
        yield _cause("zip64", Severity.NOTE, published.name, sentence, f"zip64 is {archive.zip64}")


def _moment(header: CentralHeader) -> str:
    return header.moment


_HEADER_VALUES = (
    ("time", "Member times differ: the wheel was packed, or packed again, by other means.", _moment),
    (
        "zip-host",
        "Another zip host: the wheel was packed on another system than its kind is.",
        lambda header: f"create_system {header.create_system}",
    ),
    (
        "header",
        "Versions, flags, extra fields or MS-DOS attributes of members differ.",
        lambda header: (
            f"version {header.extract_version}, flags {header.flags:#x},"
            f" extra {header.extra.hex() or 'none'},"
            f" comment {header.comment!r}, attributes {header.external_attributes & 0xFFFF:#x}"
        ),
    ),
)


def _local_causes(published: WheelContents, pairs: Iterable[_Pair]) -> Iterator[Cause]:
    """Compare the headers before the contents: some readers believe these."""
    for pair in pairs:
        local, central = pair.published.local, pair.published.central
        if local is not None and (local.name, local.method) != (central.name, central.method):
            sentence = "The header before the content says another thing than the directory: readers differ."
            evidence = f"{pair.name}: {local.name!r}, method {local.method}"
            yield _cause("local-header", Severity.ERROR, published.name, sentence, evidence)


def _encoder_causes(published: WheelContents, pairs: Iterable[_Pair]) -> Iterator[Cause]:
    differing = [
        pair
        for pair in pairs
        if pair.is_equal
        and (pair.published.central.method, pair.published.central.compressed_bytes)
        != (pair.rebuilt.central.method, pair.rebuilt.central.compressed_bytes)
    ]
    if differing:
        sentence = "Equal contents are compressed otherwise: the file differs, what it unpacks to does not."
        evidence = f"{len(differing)} members, {differing[0].name} first; encoder: {_encoder(differing)}"
        yield _cause("encoder", Severity.NOTE, published.name, sentence, evidence)


def _encoder(pairs: Sequence[_Pair]) -> str:
    """Name the encoder by its compressed sizes, over all members small enough to try; or say unknown."""
    if all(pair.published.central.method == 0 for pair in pairs):
        return "none, members are stored"
    small = [pair for pair in pairs if pair.published.data and pair.published.central.method == DEFLATED]
    fitting = [
        level
        for level in _LEVELS
        if small
        and all(_packed_bytes(pair, level) == pair.published.central.compressed_bytes for pair in small)
    ]
    if not fitting:
        return "unknown"
    return f"zlib's level {fitting[0]} fits" + (", others as well" if len(fitting) > 1 else "")


def _packed_bytes(pair: _Pair, level: int) -> int:
    encoder = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return len(encoder.compress(pair.published.data or b"")) + len(encoder.flush())


def _origin(member: Member, files: Sequence[PayloadFile]) -> str:
    same = next((file for file in files if file.sha256 == member.sha256), None)
    return f"; the release has it as {same.path}" if same is not None else "; the release has no such file"


def _first_difference_in_files(pair: _Pair) -> str:
    """Return where two executables first differ, as far as both were extracted."""
    published, rebuilt = pair.published.extracted, pair.rebuilt.extracted
    if published is None or rebuilt is None or pair.published.kind is FileKind.DATA:
        return ""
    position = 0
    with published.open("rb") as one, rebuilt.open("rb") as other:
        while (left := one.read(1 << 18)) == (right := other.read(1 << 18)):
            if not left:
                return ""
            position += len(left)
    at = next(
        (index for index, (a, b) in enumerate(zip(left, right, strict=False)) if a != b),
        min(len(left), len(right)),
    )
    shown = left[at : at + 8].hex(), right[at : at + 8].hex()
    return f"; first differing byte at {position + at}: {shown[0]} against {shown[1]}"


def _first_difference(published: bytes, rebuilt: bytes) -> str:
    diff = _diff(rebuilt.decode("utf-8", "replace"), published.decode("utf-8", "replace"))
    at = next(
        (index for index, (a, b) in enumerate(zip(published, rebuilt, strict=False)) if a != b),
        min(len(published), len(rebuilt)),
    )
    shown = published[at : at + _SHOWN_BYTES], rebuilt[at : at + _SHOWN_BYTES]
    return f"first differing byte at {at}: {shown[0]!r}, rebuilt {shown[1]!r}\n{diff}".rstrip()


def _diff(before: str, after: str) -> str:
    lines = list(
        unified_diff(before.splitlines(), after.splitlines(), "rebuilt", "published", n=0, lineterm="")
    )
    rest = [f"... {len(lines) - _SHOWN_LINES} more lines"] if len(lines) > _SHOWN_LINES else []
    return "\n".join([*lines[:_SHOWN_LINES], *rest])


def _cause(id_: str, severity: Severity, place: str, sentence: str, evidence: str) -> Cause:
    return Cause(id=id_, severity=severity, place=place, sentence=sentence, evidence=evidence)

"""List the differences in the members of two wheels: names, contents and modes, as installers write them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff

from factory.audit.code_signature import differs_in_signature_only
from factory.audit.verdict import Cause
from factory.core.counted import counted
from factory.core.model import FileKind, Severity
from factory.verify.reading.contents import Member, WheelContents

_EXECUTABLE_BITS = 0o111
_PERMISSIONS = 0o7777
_DANGEROUS_BITS = 0o7022
"""Set-user-id, set-group-id and sticky; writable by the group or by everybody."""
_SHOWN_BYTES = 32
_SHOWN_LINES = 12
_BLOCK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPair:
    """A member that both wheels have."""

    name: str
    published: Member
    rebuilt: Member

    @property
    def is_equal(self) -> bool:
        """Whether the contents are equal; a content that could not be read equals no other."""
        return self.published.sha256 is not None and self.published.sha256 == self.rebuilt.sha256


def member_differences(
    published: WheelContents,
    rebuilt: WheelContents,
    pairs: Sequence[MemberPair],
) -> Iterator[Cause]:
    """Yield a cause for each difference in the members.

    Args:
        published: The published wheel.
        rebuilt: Its rebuild.
        pairs: The members that both have.
    """
    yield from unreadable_parts(published)
    yield from _added(published, rebuilt)
    yield from _missing(published, rebuilt)
    for pair in pairs:
        if not pair.is_equal:
            is_executable = pair.rebuilt.kind.is_executable_image or pair.published.kind.is_executable_image
            yield _executable_cause(pair) if is_executable else _text_cause(pair)
        if pair.rebuilt.mode != pair.published.mode:
            yield _mode_cause(pair)


def _added(published: WheelContents, rebuilt: WheelContents) -> Iterator[Cause]:
    for name, member in published.by_name.items():
        if name not in rebuilt.by_name:
            what = "an executable" if member.kind.is_executable_image else f"a file ({member.kind})"
            sentence = f"The published wheel has {what} that neither the release nor the backend provides."
            evidence = f"{counted(member.size_bytes, 'byte')}, SHA-256 {member.sha256}"
            yield _cause("member-added", Severity.ERROR, name, sentence, evidence)
    yield from doubled_members(published)


def unreadable_parts(published: WheelContents) -> Iterator[Cause]:
    """Yield a cause for each part of a wheel that could not be read."""
    for problem in published.problems:
        sentence = "A part of the wheel cannot be read safely: installers may read it differently."
        yield _cause("unreadable", Severity.ERROR, problem.place, sentence, problem.evidence)


def doubled_members(published: WheelContents) -> Iterator[Cause]:
    """Yield a cause for each name that several members have."""
    for name, count in Counter(member.name for member in published.members).items():
        if count > 1:
            sentence = "Several members have the same name; installers differ in which one they install."
            yield _cause(
                "member-doubled",
                Severity.ERROR,
                name,
                sentence,
                f"{counted(count, 'member has', 'members have')} this name",
            )


def _missing(published: WheelContents, rebuilt: WheelContents) -> Iterator[Cause]:
    for name, member in rebuilt.by_name.items():
        if name not in published.by_name:
            sentence = "The published wheel lacks a member that the rebuilt one has."
            evidence = f"it has {counted(member.size_bytes, 'byte')} in the rebuild"
            yield _cause("member-missing", Severity.ERROR, name, sentence, evidence)


def _mode_cause(pair: MemberPair) -> Cause:
    before, after = pair.rebuilt.mode & _PERMISSIONS, pair.published.mode & _PERMISSIONS
    is_lost = bool(before & _EXECUTABLE_BITS and not after & _EXECUTABLE_BITS)
    severity = Severity.ERROR if is_lost or after & _DANGEROUS_BITS else Severity.WARNING
    sentence = "Its mode differs: " + ("it cannot be executed." if is_lost else "installers apply this mode.")
    evidence = f"published {pair.published.mode:o}, rebuilt {pair.rebuilt.mode:o}"
    return _cause("mode", severity, pair.name, sentence, evidence)


def _executable_cause(pair: MemberPair) -> Cause:
    published = pair.published
    evidence = f"SHA-256 {published.sha256}, the release's file has {pair.rebuilt.sha256}"
    if differs_in_signature_only(published, pair.rebuilt):
        sentence = "It is upstream's executable with another code signature: somebody else signed it again."
        return _cause("executable-re-signed", Severity.WARNING, pair.name, sentence, evidence)
    sentence = "It is not the executable that upstream released, and it may do anything."
    evidence += f"; {counted(published.size_bytes, 'byte')} against {pair.rebuilt.size_bytes}"
    evidence += _first_difference_in_files(pair)
    return _cause("executable-not-upstream", Severity.ERROR, pair.name, sentence, evidence)


def _text_cause(pair: MemberPair) -> Cause:
    published, rebuilt = pair.published.data, pair.rebuilt.data
    if published is None or rebuilt is None:
        evidence = f"SHA-256 {pair.published.sha256}, the rebuild has {pair.rebuilt.sha256}"
        return _cause("text", Severity.ERROR, pair.name, "Its content differs.", evidence)
    if published.replace(b"\r\n", b"\n") == rebuilt.replace(b"\r\n", b"\n"):
        crlf = published.count(b"\r\n"), rebuilt.count(b"\r\n")
        evidence = f"{counted(crlf[0], 'line ends', 'lines end')} with CRLF, {crlf[1]} in the rebuild"
        sentence = (
            "Only its line endings differ, as after a checkout on another system; its meaning is the same."
        )
        return _cause("line-ends", Severity.WARNING, pair.name, sentence, evidence)
    base = pair.name.rpartition("/")[2]
    is_info = ".dist-info/" in pair.name and "/licenses/" not in pair.name
    evidence = _first_difference(published, rebuilt)
    match base if is_info else "":
        case "METADATA":
            sentence = "METADATA differs: installers and people read requirements and descriptions from it."
            return _cause("metadata", Severity.ERROR, pair.name, sentence, evidence)
        case "WHEEL":
            return _wheel_file_cause(pair.name, published, rebuilt, evidence)
        case "RECORD":
            return _record_cause(pair.name, published, rebuilt)
        case _:
            is_code = base.endswith((".py", ".pth"))
            sentence = (
                "It is Python code that runs in users' processes, and it differs."
                if is_code
                else "Its text differs."
            )
            return _cause("text", Severity.ERROR, pair.name, sentence, evidence)


def _wheel_file_cause(name: str, published: bytes, rebuilt: bytes, evidence: str) -> Cause:
    changed = set(published.splitlines()) ^ set(rebuilt.splitlines())
    if all(line.startswith(b"Generator: ") for line in changed):
        sentence = "It names another generator: the wheel was built or edited with another tool."
        return _cause("generator", Severity.WARNING, name, sentence, evidence)
    if any(line.startswith(b"Tag: ") for line in changed):
        sentence = "Its tags differ: installers would install the wheel on other platforms."
        return _cause("tag", Severity.ERROR, name, sentence, evidence)
    sentence = "WHEEL differs: it controls how installers unpack the wheel."
    return _cause("wheel-file", Severity.ERROR, name, sentence, evidence)


def _record_cause(name: str, published: bytes, rebuilt: bytes) -> Cause:
    """Distinguish other lines, which follow from every other difference, from another order of lines."""
    before, after = rebuilt.decode("utf-8", "replace"), published.decode("utf-8", "replace")
    if set(before.splitlines()) == set(after.splitlines()):
        sentence = "RECORD has the same lines in another order, or has some of them twice."
        return _cause("record-order", Severity.WARNING, name, sentence, _first_difference(published, rebuilt))
    sentence = "RECORD differs: installers use it to verify files and to uninstall them."
    return _cause("record", Severity.ERROR, name, sentence, _diff(before, after))


def _first_difference_in_files(pair: MemberPair) -> str:
    """Describe where two executables first differ; return nothing if one of them was not extracted."""
    published, rebuilt = pair.published.extracted, pair.rebuilt.extracted
    if published is None or rebuilt is None or pair.published.kind is FileKind.DATA:
        return ""
    position = 0
    with published.open("rb") as one, rebuilt.open("rb") as other:
        while (left := one.read(_BLOCK_BYTES)) == (right := other.read(_BLOCK_BYTES)):
            if not left:
                return ""
            position += len(left)
    at = _first_difference_at(left, right)
    shown = left[at : at + 8].hex(), right[at : at + 8].hex()
    return f"; first differing byte at {position + at}: {shown[0]} against {shown[1]}"


def _first_difference(published: bytes, rebuilt: bytes) -> str:
    at = _first_difference_at(published, rebuilt)
    shown = published[at : at + _SHOWN_BYTES], rebuilt[at : at + _SHOWN_BYTES]
    diff = _diff(rebuilt.decode("utf-8", "replace"), published.decode("utf-8", "replace"))
    return f"first differing byte at {at}: {shown[0]!r}, rebuilt {shown[1]!r}\n{diff}".rstrip()


def _first_difference_at(one: bytes, other: bytes) -> int:
    unequal = (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(unequal, min(len(one), len(other)))


def _diff(before: str, after: str) -> str:
    lines = list(
        unified_diff(before.splitlines(), after.splitlines(), "rebuilt", "published", n=0, lineterm="")
    )
    rest = [f"... {counted(len(lines) - _SHOWN_LINES, 'more line')}"] if len(lines) > _SHOWN_LINES else []
    return "\n".join([*lines[:_SHOWN_LINES], *rest])


def _cause(id_: str, severity: Severity, place: str, sentence: str, evidence: str) -> Cause:
    return Cause(id=id_, severity=severity, place=place, sentence=sentence, evidence=evidence)

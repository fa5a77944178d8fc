"""Judge payload files by their content and place, and name the missing ones."""

from collections.abc import Iterator

from factory.build.template import PACKAGE
from factory.core.counted import counted
from factory.core.digests import Sha256
from factory.verify.baseline.comparison import Judgement, MemberComparison
from factory.verify.baseline.executables import KnownExecutable, is_own_build, released_as
from factory.verify.baseline.member_kinds import MemberKind, MemberReview
from factory.verify.reading.contents import Member

PAYLOAD_DIRECTORIES = tuple(f"{PACKAGE}/{name}/" for name in ("bin", "codex-path", "codex-resources"))
PACKAGE_JSON = f"{PACKAGE}/codex-package.json"
_EMPTY = Sha256.of([])
_SHOWN_ORIGINS = 3


def is_payload_place(name: str) -> bool:
    """Whether wheels have payload files at a place, whatever the release."""
    return name == PACKAGE_JSON or (name.startswith(PAYLOAD_DIRECTORIES) and not name.endswith("/"))


def judge_payload(member: Member, sha256: Sha256, comparison: MemberComparison) -> Judgement:
    """Judge a member that is no text: which release it comes from, and whether it belongs there."""
    origin = _in_payload(sha256, comparison) or _in_index(member, sha256, comparison)
    if origin is not None:
        return origin
    is_image = member.kind.is_executable_image
    if comparison.payload is None and is_payload_place(member.name):
        # The index lists every executable of a release, so that another one at its place is wrong.
        places = comparison.indexed_places
        if places is None or not (is_image or member.name in places):
            return MemberKind.PAYLOAD, ""
    is_payload = is_payload_place(member.name) or member.name in comparison.places
    kind = MemberKind.PAYLOAD_UNKNOWN if is_payload or is_image else MemberKind.FOREIGN
    return kind, f"{counted(member.size_bytes, 'byte')}, SHA-256 {sha256}"


def missing_payload(comparison: MemberComparison) -> Iterator[MemberReview]:
    """Yield the payload files that the wheel lacks and that its platform's wheels have."""
    shape, platform, tag = comparison.shape, comparison.platform, comparison.tag
    if comparison.payload is None:
        yield from _missing_executables(comparison)
    for place, file in comparison.places.items():
        if place not in comparison.counts and not shape.may_lack(file.path, platform, tag):
            evidence = f"the release has it as {file.path}, SHA-256 {file.sha256}"
            yield MemberReview(name=place, kind=MemberKind.PAYLOAD_MISSING, evidence=evidence)


def _missing_executables(comparison: MemberComparison) -> Iterator[MemberReview]:
    """Yield the executables that the release has by the index, and the wheel lacks."""
    shape, platform, tag = comparison.shape, comparison.platform, comparison.tag
    package = comparison.executables.expected(tag, platform.target)
    digests = (image.sha256 for image in comparison.contents.images if image.sha256)
    if package is None or is_own_build(digests, comparison.executables):
        return
    for path in package.digests:
        place = comparison.place(path)
        if place not in comparison.counts and not shape.may_lack(path, platform, tag):
            evidence = f"{package.release.pep440} has it as {path}"
            yield MemberReview(name=place, kind=MemberKind.PAYLOAD_MISSING, evidence=evidence)


def _in_payload(sha256: Sha256, comparison: MemberComparison) -> Judgement | None:
    """Recognise a file of the release package; every file is one if it is empty."""
    for place, file in comparison.places.items():
        if file.sha256 == sha256 != _EMPTY:
            return MemberKind.PAYLOAD_MOVED, f"it is the release's {file.path}, which belongs at {place}"
    return None


def _in_index(member: Member, sha256: Sha256, comparison: MemberComparison) -> Judgement | None:
    """Recognise an executable of this or another release.

    Releases share executables, such as ripgrep. So if it is not known what this release has, from its
    payload or from the index, one of another release is wrong only if every release has a build of its own.
    """
    found = comparison.executables.lookup(sha256)
    release = [one for one in found if one.release == comparison.tag]
    here = [one for one in release if one.target is comparison.platform.target]
    if here:
        return _of_this_package(member, here, comparison)
    if comparison.payload is None and comparison.indexed_places is None:
        found = tuple(one for one in found if comparison.executables.is_of_one_release(one))
    elif release:
        return MemberKind.PAYLOAD_OF_OTHER_TARGET, _origins(release)
    return (MemberKind.PAYLOAD_OF_OTHER_RELEASE, _origins(found)) if found else None


def _of_this_package(member: Member, found: list[KnownExecutable], comparison: MemberComparison) -> Judgement:
    """Judge an executable that the index lists for this release and target."""
    places = [comparison.place(one.path) for one in found]
    if comparison.payload is None and member.name in places:
        return MemberKind.PAYLOAD, ""
    return MemberKind.PAYLOAD_MOVED, f"it is the release's {found[0].path}, which belongs at {places[0]}"


def _origins(found: "tuple[KnownExecutable, ...] | list[KnownExecutable]") -> str:
    return f"it is {', '.join(released_as(one) for one in found[:_SHOWN_ORIGINS])}"

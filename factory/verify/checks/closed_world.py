"""Checks that a wheel of this project contains only the release and reviewed texts.

The other checks find what is wrong in any wheel; these know what belongs in a wheel of this project.
A wheel is one as soon as its file name, its ``.dist-info``, its METADATA or its package says so. No
person reviews a text while ``factory verify`` runs, so a text that no reviewed wheel has is an error.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from factory.core.errors import UsageError
from factory.core.model import Severity
from factory.core.platform_tags import platform_of_tag
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.verify.baseline.baseline import Baseline
from factory.verify.baseline.baseline_file import bundled_baseline
from factory.verify.baseline.executables import ExecutableIndex
from factory.verify.baseline.executables_file import bundled_executables
from factory.verify.baseline.member_kinds import MemberKind, MemberReview
from factory.verify.baseline.members import classify_members
from factory.verify.checks.check import Check, Checks, Fault
from factory.verify.reading.contents import WheelContents

_FOREIGN = frozenset(
    {
        MemberKind.FOREIGN,
        MemberKind.DATA_DIRECTORY,
        MemberKind.ENTRY_POINT,
        MemberKind.PAYLOAD_MOVED,
        MemberKind.PAYLOAD_OF_OTHER_RELEASE,
        MemberKind.PAYLOAD_OF_OTHER_TARGET,
        MemberKind.PAYLOAD_UNKNOWN,
    }
)
_WRONG_EXECUTABLES = frozenset(
    {
        MemberKind.PAYLOAD_MOVED,
        MemberKind.PAYLOAD_OF_OTHER_RELEASE,
        MemberKind.PAYLOAD_OF_OTHER_TARGET,
        MemberKind.PAYLOAD_UNKNOWN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a wheel of this project is compared with; read when it is first needed."""

    baseline: Callable[[], Baseline] = bundled_baseline
    executables: Callable[[], ExecutableIndex] = bundled_executables


BUNDLED = Reference()
"""The baseline and the index that belong to this factory."""


def closed_world_checks(known: Reference = BUNDLED) -> tuple[Check[WheelContents], ...]:
    """Return the checks."""
    check = Checks[WheelContents](
        standard="docs/baseline.md: the reviewed contents of wheels", is_for_project=True
    )

    @check(
        "closed-world-release",
        Severity.ERROR,
        title="The file name of a wheel of this project names its release and platform",
        protects="Users: without them, the contents of the wheel cannot be compared with anything.",
        remedy="Give the wheel the file name that it was built with.",
    )
    def _find_unknown_release(wheel: WheelContents) -> Iterator[Fault]:
        is_named = wheel.parsed is not None  # otherwise name-format reports it
        if is_named and release_of(wheel) is None:
            yield Fault(wheel.name, "it names no Codex release, or no platform that Codex is released for")

    @check(
        "closed-world-code",
        Severity.ERROR,
        title="A wheel of this project has no Python code but its reviewed __init__.py",
        protects="Users: Python imports the file, or runs it at every start.",
        remedy="Do not install the wheel; build it again.",
    )
    def _find_code(wheel: WheelContents) -> Iterator[Fault]:
        return _faults(wheel, known, {MemberKind.IMPORTABLE})

    @check(
        "closed-world-text",
        Severity.ERROR,
        title="The texts in a wheel of this project are reviewed ones",
        protects="Users: the text may be code that somebody changed, or another licence.",
        remedy="Compare it with the text of a reviewed wheel. If upstream changed it, update the factory.",
    )
    def _find_texts(wheel: WheelContents) -> Iterator[Fault]:
        return _faults(wheel, known, {MemberKind.UNSEEN_TEXT})

    @check(
        "closed-world-member",
        Severity.ERROR,
        title="A wheel of this project has only the release's files, reviewed texts and .dist-info",
        protects="Users: no release and no reviewed wheel has the file.",
        remedy="Do not install the wheel; find out where the file came from.",
    )
    def _find_members(wheel: WheelContents) -> Iterator[Fault]:
        return _faults(wheel, known, _FOREIGN)

    @check(
        "closed-world-own-build",
        Severity.WARNING,
        title="The executables of a wheel of this project are those of the release that it names",
        protects="Users: the version suggests the official executables. The package came from a directory.",
        remedy="Build with the official package, or under a version that no release has.",
    )
    def _find_own_builds(wheel: WheelContents) -> Iterator[Fault]:
        return _faults(wheel, known, {MemberKind.PAYLOAD_UNKNOWN}, of_own_build=True)

    @check(
        "closed-world-complete",
        Severity.ERROR,
        title="A wheel of this project has every executable of its release, and every reviewed text",
        protects="Users: without a helper, features such as code mode or the sandbox fail later. Auditors: a"
        " licence or the bill of materials is missing.",
        remedy="Build the wheel again from the whole release package. If upstream left an executable out, add"
        " the release to the index with 'factory ci baseline executables'.",
    )
    def _find_missing(wheel: WheelContents) -> Iterator[Fault]:
        return _faults(wheel, known, {MemberKind.PAYLOAD_MISSING, MemberKind.TEXT_MISSING})

    @check(
        "closed-world-dependency",
        Severity.ERROR,
        title="A wheel of this project has the dependencies of reviewed wheels: none",
        protects="Users: installers would install other people's code.",
        remedy="Do not install the wheel; build it again.",
    )
    def _find_dependencies(wheel: WheelContents) -> Iterator[Fault]:
        return _faults(wheel, known, {MemberKind.DEPENDENCY})

    @check(
        "closed-world-dist-info",
        Severity.WARNING,
        title="METADATA and the generator of a wheel of this project are reviewed ones",
        protects="Auditors: the wheel was built with another tool, or from another project file.",
        remedy="Compare them with those of a reviewed wheel. If upstream changed them, update the factory.",
    )
    def _find_dist_info(wheel: WheelContents) -> Iterator[Fault]:
        return _faults(wheel, known, {MemberKind.UNSEEN_METADATA, MemberKind.UNKNOWN_GENERATOR})

    return check.registered()


def misplaced_executables(wheel: WheelContents, known: Reference = BUNDLED) -> tuple[MemberReview, ...]:
    """Return the executables that belong to another release, target or place, or to no known release."""
    return tuple(
        review
        for review in _reviews(wheel, known)
        if review.kind in _WRONG_EXECUTABLES and not _may_be_own(wheel, review)
    )


def release_of(wheel: WheelContents) -> tuple[CodexTag, Platform] | None:
    """Return the release and platform of the file name; other checks compare it with the contents."""
    if wheel.parsed is None:
        return None
    try:
        return CodexTag.parse(wheel.parsed.version_text), platform_of_tag(wheel.platforms[0])
    except UsageError:
        return None


def _faults(
    wheel: WheelContents, known: Reference, kinds: Collection[MemberKind], *, of_own_build: bool = False
) -> Iterator[Fault]:
    for review in _reviews(wheel, known):
        if review.kind in kinds and _may_be_own(wheel, review) is of_own_build:
            yield Fault(review.name, f"{review.kind.sentence} {review.evidence}".rstrip())


def _reviews(wheel: WheelContents, known: Reference) -> tuple[MemberReview, ...]:
    """Return what each member is, except RECORD, which checks of its own compare with the members."""
    return wheel.shared((_reviewed, known), lambda: tuple(_reviewed(wheel, known)))


def _reviewed(wheel: WheelContents, known: Reference) -> Iterator[MemberReview]:
    release = release_of(wheel)
    if release is None:
        return
    tag, platform = release
    reviews = classify_members(
        wheel,
        tag=tag,
        platform=platform,
        payload=None,
        baseline=known.baseline(),
        executables=known.executables(),
    )
    excused = {MemberKind.PAYLOAD_MOVED, MemberKind.FOREIGN}
    if known.executables().package(tag, platform.target) is None:
        excused.add(MemberKind.PAYLOAD_UNKNOWN)
    for review in reviews:
        is_record = review.name.endswith(".dist-info/RECORD")
        if not is_record and not (review.kind in excused and _is_expected(wheel, review)):
            yield review


def _is_expected(wheel: WheelContents, review: MemberReview) -> bool:
    """Whether a member is a payload file that the recipe puts there; `payload-bytes` compares its bytes.

    What is expected can come from a manifest that somebody changed, so it excuses a new layout, but not an
    executable that is known to be of another release or target.
    """
    return wheel.expected is not None and review.name in wheel.expected.payload


def _may_be_own(wheel: WheelContents, review: MemberReview) -> bool:
    """Whether an executable is not that of a known release, as expected of a package from a directory."""
    return (
        wheel.expected is not None
        and wheel.expected.is_from_directory
        and review.name in wheel.expected.payload
        and review.kind is MemberKind.PAYLOAD_UNKNOWN
    )


CLOSED_WORLD_IDS = frozenset(check.id for check in closed_world_checks())
"""The checks that review members; the audit has reviews of its own, with the release's payload."""

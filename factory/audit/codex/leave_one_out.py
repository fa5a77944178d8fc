"""Judge the history by itself: each release with a baseline from earlier releases only.

The alarms show what the baseline would have reported when a release was new: legitimate changes that
a person had to review. They are the price of the rule that an unseen text is never passed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from string import Template

from factory.audit.codex.baseline_proposal import observed, published_shape
from factory.audit.codex.rebuilt_facts import RebuiltFacts
from factory.core.errors import EXIT_AUDIT_DIFFERS, EXIT_INCONCLUSIVE
from factory.core.platform_tags import platform_of_tag
from factory.core.tags import CodexTag
from factory.verify.baseline.baseline import DIST_INFO, Shape
from factory.verify.baseline.member_kinds import MemberClass, MemberKind

_PAGE = Path(__file__).parent / "leave_one_out.md"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Alarm:
    """Something in a wheel that wheels of earlier releases do not have.

    Attributes:
        place: The member, or the release's file.
        evidence: What is new about it.
    """

    kind: MemberKind
    place: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAlarms:
    """The alarms of one release, each with the platforms of the wheels that raise it."""

    tag: CodexTag
    wheels: int
    alarms: tuple[tuple[Alarm, tuple[str, ...]], ...]


def leave_one_out(wheels: Sequence[RebuiltFacts]) -> tuple[ReleaseAlarms, ...]:
    """Judge each release but the first with a baseline from strictly earlier releases.

    Args:
        wheels: In the order of releases, as `read_results` returns them.
    """
    tags = tuple(dict.fromkeys(wheel.tag for wheel in wheels))
    return tuple(
        _alarms_of(
            tag,
            [wheel for wheel in wheels if wheel.tag == tag],
            published_shape(observed(wheel for wheel in wheels if wheel.tag in tags[:number])),
        )
        for number, tag in enumerate(tags)
        if number
    )


def render_page(wheels: Sequence[RebuiltFacts]) -> str:
    """Return the results as a page of ``docs/audits``."""
    releases = leave_one_out(wheels)
    loud = [release for release in releases if release.alarms]
    rows = [_row(release, alarm, platforms) for release in loud for alarm, platforms in release.alarms]
    kinds = Counter(alarm.kind for release in loud for alarm, _ in release.alarms)
    return Template(_PAGE.read_text("utf-8")).substitute(
        wheels=len(wheels),
        first=wheels[0].tag.pep440 if wheels else "",
        last=wheels[-1].tag.pep440 if wheels else "",
        releases=len(releases),
        quiet=len(releases) - len(loud),
        loud=len(loud),
        kinds="\n".join(
            f"| `{kind}` | {count} | {_exit_status(kind)} |" for kind, count in sorted(kinds.items())
        ),
        rows="\n".join(rows),
    )


def _row(release: ReleaseAlarms, alarm: Alarm, platforms: tuple[str, ...]) -> str:
    where = f"all {release.wheels}" if len(platforms) == release.wheels else ", ".join(platforms)
    return f"| {release.tag.pep440} | `{alarm.kind}` | `{alarm.place}` | {alarm.evidence} | {where} |"


def _exit_status(kind: MemberKind) -> int:
    """Return the exit status of an audit with such a cause."""
    return EXIT_INCONCLUSIVE if kind.member_class is MemberClass.NOT_SEEN else EXIT_AUDIT_DIFFERS


def _alarms_of(tag: CodexTag, wheels: Sequence[RebuiltFacts], shape: Shape) -> ReleaseAlarms:
    platforms: dict[Alarm, list[str]] = {}
    for wheel in wheels:
        for alarm in dict.fromkeys(_alarms(wheel, shape)):
            platforms.setdefault(alarm, []).append(wheel.platform)
    return ReleaseAlarms(
        tag=tag,
        wheels=len(wheels),
        alarms=tuple((alarm, tuple(found)) for alarm, found in sorted(platforms.items())),
    )


def _alarms(wheel: RebuiltFacts, shape: Shape) -> Iterator[Alarm]:
    yield from _text_alarms(wheel, shape)
    if wheel.metadata.sha256 not in {entry.sha256 for entry in shape.metadata_for(wheel.tag)}:
        yield Alarm(
            kind=MemberKind.UNSEEN_METADATA,
            place=f"{DIST_INFO}/METADATA",
            evidence=_short(wheel.metadata.sha256),
        )
    if wheel.generator not in {entry.name for entry in shape.generators_for(wheel.tag)}:
        kind = MemberKind.UNKNOWN_GENERATOR
        yield Alarm(kind=kind, place=f"{DIST_INFO}/WHEEL", evidence=wheel.generator)
    yield from _payload_alarms(wheel, shape)


def _text_alarms(wheel: RebuiltFacts, shape: Shape) -> Iterator[Alarm]:
    known = {(text.path, text.sha256) for text in shape.texts_for(wheel.tag, wheel.family)}
    for path, sha256 in wheel.texts.items():
        if (path, sha256) not in known:
            kind = MemberKind.UNSEEN_TEXT if shape.has_text(path) else MemberKind.FOREIGN
            yield Alarm(kind=kind, place=path, evidence=_short(sha256))


def _payload_alarms(wheel: RebuiltFacts, shape: Shape) -> Iterator[Alarm]:
    platform = platform_of_tag(wheel.platform)
    for source, becomes in wheel.executables.items():
        place = shape.place(PurePosixPath(source), platform, wheel.tag)
        if place != PurePosixPath(becomes):
            evidence = f"earlier wheels have it at {place}, this one at {becomes}"
            yield Alarm(kind=MemberKind.PAYLOAD_MOVED, place=source, evidence=evidence)
    for source in wheel.left_out:
        if not shape.may_lack(PurePosixPath(source), platform, wheel.tag):
            directory = "/".join(source.split("/")[:2])
            evidence = "earlier wheels do not lack it"
            yield Alarm(kind=MemberKind.PAYLOAD_MISSING, place=directory, evidence=evidence)


def _short(sha256: object) -> str:
    return f"SHA-256 {str(sha256)[:12]}..."

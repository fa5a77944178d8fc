"""Judge every member of a wheel by the payload of its release and by the reviewed baseline."""

from collections.abc import Iterator

from factory.build.recipe import lay_out, our_recipe
from factory.build.sbom import SBOM_PATH, render_sbom
from factory.build.template import bundled_template
from factory.core.counted import counted
from factory.core.digests import Sha256
from factory.core.errors import IntegrityError
from factory.core.model import Payload
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.verify.baseline.baseline import DIST_INFO, Baseline
from factory.verify.baseline.comparison import Judgement, MemberComparison
from factory.verify.baseline.dist_info_content import judge_metadata, judge_record, judge_wheel_file
from factory.verify.baseline.executables import ExecutableIndex
from factory.verify.baseline.importable import is_importable
from factory.verify.baseline.member_kinds import MemberKind, MemberReview
from factory.verify.baseline.payload_files import judge_payload, missing_payload
from factory.verify.reading.contents import Member, WheelContents

_BACKEND_FILES = ("METADATA", "WHEEL", "RECORD")


def classify_members(
    contents: WheelContents,
    *,
    tag: CodexTag,
    platform: Platform,
    payload: Payload | None,
    baseline: Baseline,
    executables: ExecutableIndex,
) -> tuple[MemberReview, ...]:
    """Judge every member of a wheel, and every file that it lacks.

    The wheel is compared with the wheels on the index and with those of this factory, each as a whole:
    a mixture of both is neither. The comparison with fewer causes counts.

    Args:
        contents: The wheel.
        tag: The release that was asked for, or that the index lists; not what the wheel says.
        platform: The platform that was asked for, or that the index lists.
        payload: The release package of the platform's target; without it, payload files are known
            only by their places and by the index of executables.
        baseline: What was reviewed.
        executables: To name executables of other releases and targets.
    """
    reviews = [
        _reviews(
            MemberComparison(
                contents=contents,
                tag=tag,
                platform=platform,
                payload=payload,
                baseline=baseline,
                shape=shape,
                executables=executables,
            )
        )
        for shape in baseline.shapes
    ]
    return min(reviews, key=lambda found: sum(not review.kind.is_known for review in found))


def _reviews(comparison: MemberComparison) -> tuple[MemberReview, ...]:
    found = []
    for member in comparison.contents.members:
        kind, evidence = _judge(member, comparison)
        found.append(MemberReview(name=member.name, kind=kind, evidence=evidence))
    return (*found, *_missing_texts(comparison), *missing_payload(comparison))


def _judge(member: Member, comparison: MemberComparison) -> Judgement:
    count = comparison.counts[member.name]
    if count > 1:
        return MemberKind.FOREIGN, f"{counted(count, 'member has', 'members have')} this name"
    if member.sha256 is None:
        return MemberKind.UNREADABLE, "its content could not be read to the end"
    file = comparison.places.get(member.name)
    if file is not None and file.sha256 == member.sha256:
        return MemberKind.PAYLOAD, ""
    return _judge_text(member, member.sha256, comparison) or _judge_rest(member, member.sha256, comparison)


def _judge_text(member: Member, sha256: Sha256, comparison: MemberComparison) -> Judgement | None:
    """Judge a member at the path of a text; None if there is no text at its path."""
    path = comparison.path(member.name)
    if member.kind.is_executable_image:
        return None
    if path in comparison.known_texts:
        if sha256 in comparison.known_texts[path]:
            return MemberKind.KNOWN_TEXT, ""
        return _unless_accepted((MemberKind.UNSEEN_TEXT, f"SHA-256 {sha256}"), member, comparison)
    folder, slash, name = path.partition("/")
    return _judge_dist_info(member, name, comparison) if folder + slash == f"{DIST_INFO}/" else None


def _unless_accepted(judgement: Judgement, member: Member, comparison: MemberComparison) -> Judgement:
    """Return the judgement on an unseen text, or that the user accepts it for this run."""
    accepted = comparison.baseline.acceptance(comparison.path(member.name), member.name, member.sha256)
    if accepted is None:
        return judgement
    return MemberKind.ACCEPTED_TEXT, f"SHA-256 {accepted.sha256}: {accepted.reason}"


def _judge_dist_info(member: Member, name: str, comparison: MemberComparison) -> Judgement | None:
    if name in _BACKEND_FILES:
        if member.data is None:
            return MemberKind.UNREADABLE, "it is too large to be read"
        return _judge_backend_file(member, name, member.data, comparison)
    if name == "entry_points.txt":
        return MemberKind.ENTRY_POINT, f"SHA-256 {member.sha256}"
    if name == str(SBOM_PATH) and comparison.shape.has_sbom:
        return _judge_sbom(member, comparison)
    return None


def _judge_backend_file(member: Member, name: str, content: bytes, comparison: MemberComparison) -> Judgement:
    tag, shape = comparison.tag, comparison.shape
    if name == "WHEEL":
        return judge_wheel_file(content, tag=tag, platform=comparison.platform, shape=shape)
    if name == "RECORD":
        return judge_record(content, name=member.name, members=comparison.contents.members)
    judgement = judge_metadata(content, tag=tag, shape=shape)
    is_unseen = judgement[0] is MemberKind.UNSEEN_METADATA
    return _unless_accepted(judgement, member, comparison) if is_unseen else judgement


def _judge_sbom(member: Member, comparison: MemberComparison) -> Judgement:
    """Compare the bill of materials with that of the payload; without a payload, other checks read it."""
    if comparison.payload is None:
        return MemberKind.DIST_INFO, ""
    recipe = our_recipe(comparison.platform, template=bundled_template())
    try:
        expected = render_sbom(recipe, lay_out(recipe, comparison.payload), tag=comparison.tag)
    except IntegrityError as error:
        return MemberKind.FOREIGN, str(error)
    if Sha256.of([expected]) == member.sha256:
        return MemberKind.DIST_INFO, ""
    return MemberKind.FOREIGN, "it does not describe the release's payload"


def _judge_rest(member: Member, sha256: Sha256, comparison: MemberComparison) -> Judgement:
    """Judge a member that is no text: code, another installation scheme, or payload."""
    if member.name.partition("/")[0].casefold().endswith(".data"):
        return MemberKind.DATA_DIRECTORY, f"SHA-256 {sha256}"
    if is_importable(member.name):
        return MemberKind.IMPORTABLE, f"SHA-256 {sha256}"
    return judge_payload(member, sha256, comparison)


def _missing_texts(comparison: MemberComparison) -> Iterator[MemberReview]:
    required = [path for path, digests in comparison.known_texts.items() if digests]
    required += [f"{DIST_INFO}/{name}" for name in _BACKEND_FILES]
    required += [f"{DIST_INFO}/{SBOM_PATH}"] if comparison.shape.has_sbom else []
    for path in required:
        name = path.replace(DIST_INFO, comparison.info, 1)
        if name not in comparison.counts:
            yield MemberReview(name=name, kind=MemberKind.TEXT_MISSING, evidence="it is missing")

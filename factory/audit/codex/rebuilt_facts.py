"""Read what rebuilt wheels contain from the results of audits: the source of the baseline."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from factory.audit.verdict import Outcome
from factory.build.template import PACKAGE
from factory.core.digests import Sha256
from factory.core.errors import IntegrityError, UsageError
from factory.core.json_reader import JsonObject
from factory.core.platform_tags import operating_system_of
from factory.core.tags import CodexTag
from factory.core.targets import OperatingSystem
from factory.verify.baseline.baseline import DIST_INFO, position
from factory.verify.baseline.dist_info_content import normalised_metadata, requirements
from factory.verify.baseline.member_kinds import MemberClass, MemberKind

_DIST_INFO_DIRECTORY = re.compile(r"\A[^/]+\.dist-info(?=/)")
_METADATA = f"{DIST_INFO}/METADATA"
_FOREIGN_CAUSES = {kind.value for kind in MemberKind if kind.member_class is MemberClass.OUTSIDE_BASELINE}


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataFacts:
    """The SHA-256 of METADATA without its version, and its ``Requires-Dist`` fields, sorted."""

    sha256: Sha256
    requires: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuiltFacts:
    """What one wheel contains that was rebuilt byte for byte.

    Attributes:
        texts: The SHA-256 of each text except METADATA, by its path as the baseline writes it.
        left_out: The payload files that the wheel lacks.
        executables: The path of each executable below the import package, by its path in the release package.
    """

    tag: CodexTag
    platform: str
    family: OperatingSystem
    generator: str
    metadata: MetadataFacts
    texts: Mapping[str, Sha256]
    left_out: tuple[str, ...]
    executables: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditResults:
    """What some results of audits show.

    Attributes:
        wheels: The rebuilt wheels, in the order of releases and platforms.
        foreign: The rebuilt wheels with something that no proposal adds to the baseline, such as
            another module, and its causes.
    """

    wheels: tuple[RebuiltFacts, ...]
    foreign: Mapping[str, tuple[str, ...]]


def read_results(paths: Sequence[Path]) -> AuditResults:
    """Read the results of audits.

    Args:
        paths: Reports of ``factory audit --format json``, kept verdicts, or directories with them.

    Raises:
        UsageError: A path cannot be read.
        MalformedJson: A file is no result of an audit.
    """
    found: dict[tuple[CodexTag, str], RebuiltFacts] = {}
    foreign: dict[str, tuple[str, ...]] = {}
    for verdict in _verdicts(paths):
        causes = {cause.text("id") for cause in verdict.objects("causes")} & _FOREIGN_CAUSES
        if causes:
            foreign[verdict.text("name")] = tuple(sorted(causes))
        elif _is_rebuilt(verdict):
            facts = _facts(verdict)
            found[facts.tag, facts.platform] = facts
    wheels = sorted(found.values(), key=lambda facts: (position(facts.tag), facts.platform))
    return AuditResults(wheels=tuple(wheels), foreign=foreign)


def _verdicts(paths: Sequence[Path]) -> Iterator[JsonObject]:
    for path in paths:
        for file in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
            document = _document(file)
            kept = document.child_or_none("verdict")
            yield from document.objects("wheels") if kept is None else (kept,)


def _document(path: Path) -> JsonObject:
    try:
        return JsonObject.parse(path.read_bytes(), where=str(path))
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror or error}",
            hint="Name the --out of 'factory audit', or a report of 'factory audit --format json'.",
        ) from error


def _is_rebuilt(verdict: JsonObject) -> bool:
    """Whether the rebuild gave the wheel's bytes; its members may still differ from earlier wheels."""
    is_equal = verdict.text_or_none("rebuilt") == verdict.text("sha256")
    is_replayed = verdict.text("outcome") == Outcome.REPLAYED
    return (is_equal or is_replayed) and verdict.child_or_none("inferred") is not None


def _facts(verdict: JsonObject) -> RebuiltFacts:
    tag, platform = CodexTag.parse(verdict.text("tag")), verdict.text("platform")
    family = operating_system_of(platform)
    texts = {_path(text.text("place")): text for text in verdict.objects("trust_base")}
    if family is None or _METADATA not in texts:
        raise IntegrityError(
            f"{verdict.where}: no known platform, or no METADATA", hint="Audit the wheel again."
        )
    inferred = verdict.child("inferred")
    return RebuiltFacts(
        tag=tag,
        platform=platform,
        family=family,
        generator=inferred.text("generator"),
        metadata=_metadata(texts[_METADATA], tag),
        texts={path: Sha256(text.text("sha256")) for path, text in texts.items() if path != _METADATA},
        left_out=inferred.texts("left_out"),
        executables={
            link.text("path"): link.text("member").removeprefix(f"{PACKAGE}/")
            for link in verdict.objects("chain")
            if link.text_or_none("path") is not None
        },
    )


def _path(place: str) -> str:
    return _DIST_INFO_DIRECTORY.sub(DIST_INFO, place)


def _metadata(text: JsonObject, tag: CodexTag) -> MetadataFacts:
    content = text.text("text").encode()
    normal = normalised_metadata(content, tag)
    if normal is None:
        raise IntegrityError(
            f"{text.where}: METADATA does not have the version {tag.pep440}", hint="Audit the wheel again."
        )
    return MetadataFacts(sha256=Sha256.of([normal]), requires=requirements(content.decode()))

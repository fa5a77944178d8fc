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
from factory.core.tags import CodexTag
from factory.core.targets import OperatingSystem, operating_system_of
from factory.verify.baseline.baseline import DIST_INFO, position
from factory.verify.baseline.dist_info_content import normalised_metadata, requirements

_DIST_INFO_DIRECTORY = re.compile(r"\A[^/]+\.dist-info(?=/)")
_METADATA = f"{DIST_INFO}/METADATA"
_REBUILT = {Outcome.IDENTICAL.value, Outcome.REPLAYED.value}


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


def read_facts(paths: Sequence[Path]) -> tuple[RebuiltFacts, ...]:
    """Read the results of audits, and return the rebuilt wheels in the order of releases and platforms.

    Args:
        paths: Reports of ``factory audit --json``, kept verdicts, or directories with them.

    Raises:
        UsageError: A path cannot be read, or there is no rebuilt wheel.
        MalformedJson: A file is no result of an audit.
    """
    found = {
        (facts.tag, facts.platform): facts
        for path in paths
        for file in _files(path)
        for facts in _facts_in(file)
    }
    if not found:
        raise UsageError(
            "no wheel in these results was rebuilt byte for byte",
            hint="Name a directory that 'factory audit --out' wrote, or a report of 'factory audit --json'.",
        )
    return tuple(sorted(found.values(), key=lambda facts: (position(facts.tag), facts.platform)))


def _files(path: Path) -> Iterator[Path]:
    yield from (sorted(path.rglob("*.json")) if path.is_dir() else [path])


def _facts_in(path: Path) -> Iterator[RebuiltFacts]:
    try:
        document = JsonObject.parse(path.read_bytes(), where=str(path))
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror or error}",
            hint="Name a result of 'factory audit' that exists and is readable.",
        ) from error
    kept = document.child_or_none("verdict")
    for verdict in document.objects("wheels") if kept is None else (kept,):
        if verdict.text("outcome") in _REBUILT and verdict.child_or_none("inferred") is not None:
            yield _facts(verdict)


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

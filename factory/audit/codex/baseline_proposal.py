"""Extend the baseline of published wheels by rebuilt ones, for a person to review."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from itertools import groupby
from pathlib import PurePosixPath
from typing import TypeVar

from factory.audit.codex.rebuilt_facts import MetadataFacts, RebuiltFacts
from factory.core.digests import Sha256
from factory.core.platform_tags import operating_system_of
from factory.core.tags import CodexTag
from factory.core.targets import OperatingSystem
from factory.verify.baseline.baseline import (
    Baseline,
    Entry,
    KnownGenerator,
    KnownLeftOut,
    KnownMetadata,
    KnownPlacement,
    KnownText,
    ReviewedPlatform,
    Shape,
    position,
)
from factory.verify.baseline.baseline_file import BASELINE_PATH, render_baseline

_WHOLE_DIRECTORY_DEPTH = 3
"""A file below ``codex-resources/voice`` has at least this many parts in its path."""

KeyT = TypeVar("KeyT", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What wheels of one release and platform contain, as the keys of baseline entries."""

    tag: CodexTag
    platform: str
    generators: frozenset[str]
    metadata: frozenset[MetadataFacts]
    texts: frozenset[tuple[str, OperatingSystem, Sha256]]
    left_out: frozenset[tuple[str, str]]
    placements: frozenset[tuple[PurePosixPath, PurePosixPath, OperatingSystem]]


def extend(shape: Shape, wheels: Sequence[RebuiltFacts]) -> Shape:
    """Return a baseline with what rebuilt wheels contain as well."""
    return published_shape((*reviewed(shape), *observed(wheels)))


def observed(wheels: Iterable[RebuiltFacts]) -> tuple[Observation, ...]:
    """Return what rebuilt wheels contain."""
    return tuple(
        Observation(
            tag=wheel.tag,
            platform=wheel.platform,
            generators=frozenset({wheel.generator}),
            metadata=frozenset({wheel.metadata}),
            texts=frozenset((path, wheel.family, sha256) for path, sha256 in wheel.texts.items()),
            left_out=frozenset((_pattern(path, wheel), wheel.platform) for path in wheel.left_out),
            placements=frozenset(
                (PurePosixPath(source), PurePosixPath(becomes), wheel.family)
                for source, becomes in wheel.executables.items()
                if source != becomes
            ),
        )
        for wheel in wheels
    )


def reviewed(shape: Shape) -> tuple[Observation, ...]:
    """Return what a baseline already says, at every release where one of its ranges begins or ends."""
    entries: tuple[Entry, ...] = (
        *shape.platforms,
        *shape.generators,
        *shape.metadata,
        *shape.texts,
        *shape.left_out,
        *shape.placements,
    )
    tags = dict.fromkeys(tag for entry in entries for tag in (entry.first, entry.last) if tag is not None)
    return tuple(
        _reviewed_at(tag, platform.platform, shape)
        for tag in tags
        for platform in shape.platforms
        if _covers(platform, tag)
    )


def published_shape(observations: Sequence[Observation]) -> Shape:
    """Return the baseline of some observations, with the range of releases of each entry."""
    return Shape(
        platforms=tuple(
            ReviewedPlatform(platform=platform, first=first, last=last)
            for platform, first, last in _ranges(observations, lambda seen: {seen.platform})
        ),
        generators=tuple(
            KnownGenerator(name=name, first=first, last=last)
            for name, first, last in _ranges(observations, lambda seen: seen.generators)
        ),
        metadata=tuple(
            KnownMetadata(sha256=metadata.sha256, requires=metadata.requires, first=first, last=last)
            for metadata, first, last in _ranges(observations, lambda seen: seen.metadata)
        ),
        texts=tuple(
            KnownText(path=path, family=family, sha256=sha256, first=first, last=last)
            for (path, family, sha256), first, last in _ranges(observations, lambda seen: seen.texts)
        ),
        left_out=tuple(
            KnownLeftOut(pattern=pattern, platform=platform, first=first, last=last)
            for (pattern, platform), first, last in _ranges(observations, lambda seen: seen.left_out)
        ),
        placements=tuple(
            KnownPlacement(source=source, becomes=becomes, family=family, first=first, last=last)
            for (source, becomes, family), first, last in _ranges(observations, lambda seen: seen.placements)
        ),
    )


def proposal(current: Baseline, proposed: Baseline) -> str:
    """Return the change of the baseline's file as a unified diff; empty if there is none."""
    name = f"factory/verify/baseline/{BASELINE_PATH.name}"
    return "".join(
        unified_diff(
            render_baseline(current).splitlines(keepends=True),
            render_baseline(proposed).splitlines(keepends=True),
            f"a/{name}",
            f"b/{name}",
        )
    )


def _reviewed_at(tag: CodexTag, platform: str, shape: Shape) -> Observation:
    family = operating_system_of(platform)
    return Observation(
        tag=tag,
        platform=platform,
        generators=frozenset(entry.name for entry in shape.generators if _covers(entry, tag)),
        metadata=frozenset(
            MetadataFacts(sha256=entry.sha256, requires=entry.requires)
            for entry in shape.metadata
            if _covers(entry, tag)
        ),
        texts=frozenset(
            (entry.path, entry.family, entry.sha256)
            for entry in shape.texts
            if entry.family is family and _covers(entry, tag)
        ),
        left_out=frozenset(
            (entry.pattern, platform)
            for entry in shape.left_out
            if entry.platform == platform and _covers(entry, tag)
        ),
        placements=frozenset(
            (entry.source, entry.becomes, entry.family)
            for entry in shape.placements
            if entry.family is family and _covers(entry, tag)
        ),
    )


def _covers(entry: Entry, tag: CodexTag) -> bool:
    is_begun = position(entry.first) <= position(tag)
    return is_begun and (entry.last is None or position(tag) <= position(entry.last))


def _ranges(
    observations: Sequence[Observation], keys_of: Callable[[Observation], Collection[KeyT]]
) -> Iterator[tuple[KeyT, CodexTag, CodexTag]]:
    """Yield each key with each unbroken range of releases that have it.

    A range ends where a release of the same platforms lacks the key.
    """
    for key in dict.fromkeys(key for seen in observations for key in keys_of(seen)):
        having = [seen for seen in observations if key in keys_of(seen)]
        platforms = {seen.platform for seen in having}
        tags = {seen.tag for seen in observations if seen.platform in platforms}
        for run in _runs(tags, {seen.tag for seen in having}):
            yield key, run[0], run[-1]


def _runs(tags: Iterable[CodexTag], having: Collection[CodexTag]) -> Iterator[list[CodexTag]]:
    for is_there, run in groupby(sorted(tags, key=position), key=lambda tag: tag in having):
        if is_there:
            yield list(run)


def _pattern(path: str, wheel: RebuiltFacts) -> str:
    """Return the pattern for a file that a wheel lacks: its directory, if the wheel lacks all of that."""
    parts = path.split("/")
    if len(parts) < _WHOLE_DIRECTORY_DEPTH:
        return path
    directory = "/".join(parts[: _WHOLE_DIRECTORY_DEPTH - 1])
    is_whole = not any(source.startswith(f"{directory}/") for source in wheel.executables)
    return f"{directory}/*" if is_whole else path

"""Make the baseline of published wheels from rebuilt ones, for a person to review."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from difflib import unified_diff
from itertools import groupby
from pathlib import PurePosixPath
from typing import TypeVar

from factory.audit.rebuilt_facts import RebuiltFacts
from factory.core.tags import CodexTag
from factory.verify.baseline.baseline import (
    Baseline,
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


def published_shape(wheels: Sequence[RebuiltFacts]) -> Shape:
    """Return what wheels contain that were rebuilt byte for byte."""
    return Shape(
        platforms=tuple(
            ReviewedPlatform(platform=platform, first=first, last=last)
            for platform, first, last in _ranges(wheels, lambda wheel: {wheel.platform})
        ),
        generators=tuple(
            KnownGenerator(name=name, first=first, last=last)
            for name, first, last in _ranges(wheels, lambda wheel: {wheel.generator})
        ),
        metadata=tuple(
            KnownMetadata(sha256=metadata.sha256, requires=metadata.requires, first=first, last=last)
            for metadata, first, last in _ranges(wheels, lambda wheel: {wheel.metadata})
        ),
        texts=tuple(
            KnownText(path=path, family=family, sha256=sha256, first=first, last=last)
            for (path, family, sha256), first, last in _ranges(
                wheels, lambda wheel: {(path, wheel.family, sha256) for path, sha256 in wheel.texts.items()}
            )
        ),
        left_out=tuple(
            KnownLeftOut(pattern=pattern, platform=platform, first=first, last=last)
            for (pattern, platform), first, last in _ranges(
                wheels, lambda wheel: {(pattern, wheel.platform) for pattern in _patterns(wheel)}
            )
        ),
        placements=tuple(
            KnownPlacement(
                source=PurePosixPath(source),
                becomes=PurePosixPath(becomes),
                family=family,
                first=first,
                last=last,
            )
            for (source, becomes, family), first, last in _ranges(
                wheels,
                lambda wheel: {
                    (source, becomes, wheel.family)
                    for source, becomes in wheel.executables.items()
                    if source != becomes
                },
            )
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


def _ranges(
    wheels: Sequence[RebuiltFacts], keys_of: Callable[[RebuiltFacts], Collection[KeyT]]
) -> Iterator[tuple[KeyT, CodexTag, CodexTag]]:
    """Yield each key with each unbroken range of releases that have it.

    A range ends where a release of the same platforms lacks the key.
    """
    keys = dict.fromkeys(key for wheel in wheels for key in keys_of(wheel))
    for key in keys:
        having = [wheel for wheel in wheels if key in keys_of(wheel)]
        platforms = {wheel.platform for wheel in having}
        relevant = [wheel for wheel in wheels if wheel.platform in platforms]
        for tags in _runs(relevant, {wheel.tag for wheel in having}):
            yield key, tags[0], tags[-1]


def _runs(wheels: Iterable[RebuiltFacts], having: Collection[CodexTag]) -> Iterator[list[CodexTag]]:
    tags = sorted({wheel.tag for wheel in wheels}, key=position)
    for is_there, run in groupby(tags, key=lambda tag: tag in having):
        if is_there:
            yield list(run)


def _patterns(wheel: RebuiltFacts) -> frozenset[str]:
    """Return patterns for the files that a wheel lacks: one for a directory that it lacks as a whole."""
    return frozenset(_pattern(path, wheel) for path in wheel.left_out)


def _pattern(path: str, wheel: RebuiltFacts) -> str:
    parts = path.split("/")
    if len(parts) < _WHOLE_DIRECTORY_DEPTH:
        return path
    directory = "/".join(parts[: _WHOLE_DIRECTORY_DEPTH - 1])
    is_whole = not any(source.startswith(f"{directory}/") for source in wheel.executables)
    return f"{directory}/*" if is_whole else path

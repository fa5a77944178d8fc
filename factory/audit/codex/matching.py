"""Match a wheel's members with the files of a release by content, since paths differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from factory.build.payload_rules import LEGACY_MOVES
from factory.core.digests import Sha256
from factory.core.model import Payload, PayloadFile

_EMPTY = Sha256("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A member and the release file with its content, or else the release file for its path.

    Attributes:
        path: The member's path below the import package.
        is_same_content: Whether RECORD claims the file's content for the member; if not, only the path
            fits, and the rebuild will differ.
    """

    path: PurePosixPath
    file: PayloadFile
    is_same_content: bool


def match_payload(members: Mapping[PurePosixPath, Sha256 | None], payload: Payload) -> tuple[Match, ...]:
    """Match members with payload files, each file at most once.

    Several files can have the same content: then the file with the member's path is preferred, then
    the file with its name. A member whose content no file has is matched with the file that belongs
    at its path, so that the comparison can show how they differ.

    Args:
        members: The claimed SHA-256 of each member, by its path below the import package.
        payload: The release's files.
    """
    left = {file.path: file for file in payload.files}
    matches: list[Match] = []
    for is_like in (_is_same_path, _is_same_name, _is_any):
        for path, sha256 in members.items():
            if any(match.path == path for match in matches):
                continue
            file = next(
                (file for file in left.values() if file.sha256 == sha256 and is_like(path, file)), None
            )
            if file is not None:
                del left[file.path]
                matches.append(Match(path=path, file=file, is_same_content=True))
    for path in members:
        file = next((file for file in left.values() if _is_same_path(path, file)), None)
        if file is not None and all(match.path != path for match in matches):
            del left[file.path]
            matches.append(Match(path=path, file=file, is_same_content=False))
    return tuple(sorted(matches, key=lambda match: match.path))


def places_of(path: PurePosixPath) -> frozenset[PurePosixPath]:
    """Return where a release file can be below the import package: at its path, and where it was moved to."""
    moved = (rule.move(path) for rule in LEGACY_MOVES)
    return frozenset({path, *(place for place in moved if place is not None)})


def _is_same_path(path: PurePosixPath, file: PayloadFile) -> bool:
    return path in places_of(file.path)


def _is_same_name(path: PurePosixPath, file: PayloadFile) -> bool:
    return path.name == file.path.name


def _is_any(_: PurePosixPath, file: PayloadFile) -> bool:
    """Accept any file, except an empty one: all empty files have the same content."""
    return file.sha256 != _EMPTY

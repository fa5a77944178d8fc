"""Examine a wheel without a known recipe: check its members, and write its container again.

Every member must be a file of the release, or a text that the report shows. If writing the wheel's
own headers around these contents gives the published SHA-256, the file contains nothing else,
no matter which tool built it.
"""

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from factory.audit.replay import stored_content, written_digest
from factory.audit.verdict import Cause, ChainLink, Outcome, TrustedText
from factory.build.deflate import PIECE_BYTES
from factory.core.digests import Sha256, read_chunks
from factory.core.model import Severity
from factory.core.zip_records import DEFLATED, STORED
from factory.verify.reading.contents import Member, WheelContents

_LEVELS = (6, 9, 1, 5, 7, 8, 2, 3, 4)
REPLAYED = ("generator", "texts", "member order", "times", "modes", "zip host", "header fields")
"""The values that a replay without a recipe takes from the published wheel."""


def unexplained_members(wheel: WheelContents, chain: Iterable[ChainLink]) -> Iterator[Cause]:
    """Yield a cause for each executable that is not in a release package."""
    known = {link.member for link in chain if link.asset is not None}
    for member in wheel.members:
        if member.kind.is_executable_image and member.name not in known:
            yield Cause(
                id="executable-not-on-channel",
                severity=Severity.ERROR,
                place=member.name,
                sentence="No downloaded release package has this executable: it is for a target"
                " that the channel lacks, or it was built or changed by somebody else.",
                evidence=f"SHA-256 {member.sha256}, {member.size_bytes} bytes",
            )


def recipe_unknown(place: str, reason: str) -> Cause:
    """Return the cause for a wheel whose contents were examined because its recipe is unknown."""
    return Cause(
        id="recipe-unknown",
        severity=Severity.WARNING,
        place=place,
        sentence="Its recipe is unknown, so all its texts were taken from the wheel itself: read them.",
        evidence=reason,
    )


def texts_of(wheel: WheelContents) -> tuple[TrustedText, ...]:
    """Return all members except executables as texts for the report."""
    return tuple(
        TrustedText(
            place=member.name,
            use="the replay, byte for byte",
            sha256=member.sha256,
            text=member.data.decode("utf-8", "backslashreplace"),
            is_usual=True,
        )
        for member in wheel.members
        if not member.kind.is_executable_image and member.data is not None and member.sha256 is not None
    )


def contents_outcome(path: Path, wheel: WheelContents, *, promised: Sha256) -> Outcome:
    """Return what the contents of a wheel prove if every member of it is explained.

    Args:
        path: The published wheel.
        wheel: Its contents.
        promised: The digest that a replay must give.
    """
    if _has_stray_parts(wheel):
        return Outcome.NOT_REBUILT
    if any(member.data is None and member.extracted is None for member in wheel.members):
        return Outcome.NOT_REBUILT
    is_plain = not wheel.archive.zip64 and not any(
        member.local is None or member.central.has_descriptor for member in wheel.members
    )
    level = _level_of(path, wheel) if is_plain else None
    if level is None:
        return Outcome.EQUIVALENT
    is_same = replay_digest(wheel, level) == promised
    return Outcome.REPLAYED if is_same else Outcome.EQUIVALENT


def _has_stray_parts(wheel: WheelContents) -> bool:
    """Whether the file has more, or fewer, parts than its members."""
    archive = wheel.archive
    stray = archive.prefix_bytes + archive.suffix_bytes + len(archive.gaps) + len(archive.overlapping)
    is_repeated = len(wheel.by_name) != len(wheel.members)
    return bool(wheel.problems or stray or archive.rival_ends or is_repeated)


def replay_digest(wheel: WheelContents, level: int) -> Sha256:
    """Return the SHA-256 of a wheel written with its own headers and its contents compressed again."""
    return written_digest(
        wheel, source=lambda member: member.central, content=lambda member: _packed(member, level)
    )


def _packed(member: Member, level: int) -> Iterator[bytes]:
    """Yield the content of a member, compressed by the method in its header."""
    if member.central.method == STORED:
        yield from _content(member)
        return
    encoder = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    for piece in _content(member):
        yield encoder.compress(piece)
    yield encoder.flush()


def _content(member: Member) -> Iterator[bytes]:
    if member.extracted is None:
        yield member.data or b""
        return
    with member.extracted.open("rb") as file:
        yield from read_chunks(file, PIECE_BYTES)


def _level_of(path: Path, wheel: WheelContents) -> int | None:
    """Return the zlib level that reproduces the compressed bytes of all small members, if there is one."""
    small = [
        member
        for member in wheel.members
        if member.central.method == DEFLATED and member.data is not None and not member.central.has_descriptor
    ]
    if not small or any(member.central.method not in {DEFLATED, STORED} for member in wheel.members):
        return None
    with path.open("rb") as file:
        packed = {member.name: b"".join(stored_content(file, member)) for member in small}
    return next(
        (
            level
            for level in _LEVELS
            if all(b"".join(_packed(member, level)) == packed[member.name] for member in small)
        ),
        None,
    )

"""Judge a wheel that no recipe is known for: by its members' contents, and by replaying its container.

Every member must be a release's file or a text that the report shows. If then the file comes out
with the published SHA-256 once its own headers are written again around those contents,
nothing else is in it, whoever built it.
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
"""What a replay without a recipe takes from the published wheel."""


def unexplained_members(wheel: WheelContents, chain: Iterable[ChainLink]) -> Iterator[Cause]:
    """Yield a cause for each member that is neither the release's nor a text that can be shown."""
    known = {link.member for link in chain if link.asset is not None}
    for member in wheel.members:
        if member.kind.is_executable_image and member.name not in known:
            yield Cause(
                id="executable-not-on-channel",
                severity=Severity.ERROR,
                place=member.name,
                sentence="No package of the release that was read has this executable: it is of a target"
                " that the channel does not carry, or somebody else made or changed it.",
                evidence=f"SHA-256 {member.sha256}, {member.size_bytes} bytes",
            )


def recipe_unknown(place: str, reason: str) -> Cause:
    """Say why no recipe was inferred, where the contents could be judged all the same."""
    return Cause(
        id="recipe-unknown",
        severity=Severity.WARNING,
        place=place,
        sentence="How it was built is not known, so all its texts are taken from it: read them.",
        evidence=reason,
    )


def texts_of(wheel: WheelContents) -> tuple[TrustedText, ...]:
    """Return all members that are no executable as texts to be shown."""
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
    """Return the SHA-256 of a wheel written again: its headers, and its contents deflated anew."""
    return written_digest(
        wheel, source=lambda member: member.central, content=lambda member: _packed(member, level)
    )


def _packed(member: Member, level: int) -> Iterator[bytes]:
    """Yield a member's content as its header says that it is packed."""
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
    """Return the zlib level that gives the very bytes of every small member, or None if none does."""
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

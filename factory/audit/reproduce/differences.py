"""List the differences between two wheels by member."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from factory.core.digests import CHUNK_BYTES, Sha256
from factory.core.zip_records import read_local_header


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """The digests of a member's content and compressed bytes, and its other attributes."""

    content: Sha256
    packed: Sha256
    attributes: tuple[object, ...]


def differences(one: Path, other: Path) -> tuple[str, ...]:
    """Return the names of members that differ, and how if not in content; else what differs around them."""
    before, after = _members(one), _members(other)
    found = [
        f"{name}{how}"
        for name in sorted({*before, *after})
        if (how := _how(before.get(name), after.get(name))) is not None
    ]
    if not found and list(before) != list(after):
        found.append("the order of members")
    return tuple(found) or ("only bytes outside the members",)


def _how(one: _Member | None, other: _Member | None) -> str | None:
    """Return how a member differs: empty if in content, None if it does not differ."""
    if one is None or other is None:
        return " (in one only)"
    if one.content != other.content:
        return ""
    if one.packed != other.packed:
        return " (compressed differently)"
    return None if one.attributes == other.attributes else " (mode, time or zip host)"


def _members(path: Path) -> dict[str, _Member]:
    with zipfile.ZipFile(path) as archive, path.open("rb") as raw:
        members = {}
        for entry in archive.infolist():
            with archive.open(entry) as file:
                content = Sha256.of(iter(partial(file.read, CHUNK_BYTES), b""))
            members[entry.filename] = _Member(
                content=content,
                packed=Sha256.of(_packed(raw, entry)),
                attributes=(entry.external_attr, entry.date_time, entry.create_system, entry.flag_bits),
            )
    return members


def _packed(raw: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    found = read_local_header(raw, entry.header_offset)
    if found is None:
        raise zipfile.BadZipFile(f"no header at {entry.header_offset}")
    raw.seek(found[1])
    left = entry.compress_size
    while left and (chunk := raw.read(min(left, CHUNK_BYTES))):
        left -= len(chunk)
        yield chunk

"""The causes for containers that differ: layout, order, headers and compression."""

import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from factory.audit.container_differences import container_differences
from factory.audit.member_differences import MemberPair
from factory.core.model import Severity
from factory.verify.reading.read import read_wheel
from tests.wheels import INFO, Wheel, file_name, good_wheel
from tests.zip_writer import ZipMember, extra_field

INIT = "codex_cli_bin/__init__.py"
METADATA = f"{INFO}/METADATA"
NAME = file_name("manylinux_2_17_x86_64")
GOOD = good_wheel()
COUNT = len(GOOD.archive.members) + 1


def archive(**changes: Any) -> Wheel:  # noqa: ANN401 - fields of several types
    return GOOD.in_archive(lambda one: replace(one, **changes))


def member(name: str, **changes: Any) -> Wheel:  # noqa: ANN401 - as above
    return GOOD.edited(name, lambda one: replace(one, **changes))


SENTENCES = {
    "stray-bytes": "The file has bytes that belong to no member: data can be hidden there.",
    "comment": "The comment of the archive differs.",
    "zip64": "Only one of the archives has zip64 records; its size does not require them.",
    "order": "The members are in another order than the backend writes; installers ignore the order.",
    "time": "Member times differ: the wheel was packed or repacked with another tool.",
    "zip-host": "The zip host differs: members were packed on another operating system.",
    "header": "Versions, flags, extra fields, comments or MS-DOS attributes of members differ.",
    "local-header": "A local header contradicts the central directory: installers that read only one of them"
    " see different members.",
    "encoder": "Equal contents are compressed differently: the file differs, the unpacked contents do not.",
}


def causes(published: Wheel, rebuilt: Wheel, directory: Path) -> list[tuple[str, Severity, str]]:
    contents = []
    for name, wheel in (("published", published), ("rebuilt", rebuilt)):
        (directory / name).mkdir()
        contents.append(read_wheel(wheel.write(directory / name), scratch=directory))
    one, other = contents
    pairs = tuple(
        MemberPair(name=name, published=one.by_name[name], rebuilt=rebuilt_member)
        for name, rebuilt_member in other.by_name.items()
        if name in one.by_name
    )
    found = list(container_differences(one, other, pairs))
    assert {cause.place for cause in found} <= {NAME}
    assert [cause.sentence for cause in found] == [SENTENCES[cause.id] for cause in found]
    return [(cause.id, cause.severity, cause.evidence) for cause in found]


def deflated(content: bytes, level: int) -> bytes:
    encoder = zlib.compressobj(level, zlib.DEFLATED, -15)
    return encoder.compress(content) + encoder.flush()


def at_level(level: int, *names: str) -> Wheel:
    def edit(one: ZipMember) -> ZipMember:
        return replace(one, packed=deflated(one.content, level)) if one.name.decode() in names else one

    return GOOD.in_archive(lambda one: replace(one, members=tuple(map(edit, one.members))))


FIRST, SECOND = (one.name.decode() for one in GOOD.archive.members[:2])
PLAIN, EXTRA = (
    f"version 20, flags 0x0, extra {extra}, comment b'', attributes 0x0" for extra in ("none", "999902006162")
)
NOTE, ERROR = Severity.NOTE, Severity.ERROR
# The content of this member is the whole next member with its local header.
_SHARED = GOOD.archive.members[0].local()
SHARING = ZipMember(
    name=b"codex_cli_bin/outer.bin", content=_SHARED, method=0, packed=b"", compressed_bytes=len(_SHARED)
)
CASES: dict[str, tuple[Wheel, list[tuple[str, Severity, str]]]] = {
    "equal": (GOOD, []),
    "a prefix": (
        archive(prefix=b"#!/bin/sh\n"),
        [("stray-bytes", ERROR, "10 bytes before, 0 after, 0 gaps, 0 overlaps")],
    ),
    "a suffix": (
        archive(suffix=b"more"),
        [("stray-bytes", ERROR, "0 bytes before, 4 after, 0 gaps, 0 overlaps")],
    ),
    "a prefix and a suffix of one length": (
        archive(prefix=b"#!", suffix=b"ok"),
        [("stray-bytes", ERROR, "2 bytes before, 2 after, 0 gaps, 0 overlaps")],
    ),
    "members that share bytes": (
        GOOD.with_first(SHARING),
        [("stray-bytes", ERROR, "0 bytes before, 0 after, 0 gaps, 1 overlap")],
    ),
    "a local header in the comment": (
        archive(comment=b"PK\x03\x04"),
        [
            ("stray-bytes", ERROR, "0 bytes before, 0 after, 0 gaps, 0 overlaps"),
            ("comment", NOTE, r"b'PK\x03\x04'"),
        ],
    ),
    "a gap": (
        member(METADATA, before=b"hidden"),
        [("stray-bytes", ERROR, "0 bytes before, 0 after, 1 gap, 0 overlaps")],
    ),
    "a comment": (archive(comment=b"hello"), [("comment", NOTE, "b'hello'")]),
    "zip64 records": (archive(zip64=True), [("zip64", NOTE, "zip64 records: published True, rebuilt False")]),
    "another order": (
        archive(directory_order=(1, 0, *range(2, COUNT - 1))),
        [("order", NOTE, f"position 1 is {SECOND}, in the rebuild {FIRST}")],
    ),
    "another zip host": (
        member(INIT, create_system=0),
        [("zip-host", NOTE, f"{INIT}: published create_system 0, rebuilt create_system 3; 1 member in all")],
    ),
    "another time": (
        member(INIT, dos_time=1),
        [
            (
                "time",
                NOTE,
                f"{INIT}: published 2020-02-02 00:00:02, rebuilt 2020-02-02 00:00:00; 1 member in all",
            )
        ],
    ),
    "an extra field": (
        member(INIT, extra=extra_field(0x9999, b"ab")),
        [
            (
                "header",
                NOTE,
                f"{INIT}: published {EXTRA}, rebuilt {PLAIN}; 1 member in all",
            )
        ],
    ),
    "another name in the local header": (
        member(INIT, local_name=b"codex_cli_bin/__evil__.py"),
        [("local-header", ERROR, f"{INIT}: b'codex_cli_bin/__evil__.py', method 8")],
    ),
    "another method in the local header": (
        member(INIT, local_method=0),
        [("local-header", ERROR, f"{INIT}: {INIT.encode()!r}, method 0")],
    ),
    "one stored member": (
        member(METADATA, method=0),
        [("encoder", NOTE, f"1 member, {METADATA} first; encoder: none, members are stored")],
    ),
    "level 1": (
        at_level(1, METADATA, INIT),
        [("encoder", NOTE, f"2 members, {INIT} first; encoder: zlib's level 1 fits")],
    ),
    "two levels": (
        GOOD.edited(METADATA, lambda one: replace(one, packed=deflated(one.content, 1))).edited(
            INIT, lambda one: replace(one, packed=deflated(one.content, 0))
        ),
        [("encoder", NOTE, f"2 members, {INIT} first; encoder: unknown")],
    ),
    "a stored member and one at level 1": (
        member(METADATA, method=0).edited(INIT, lambda one: replace(one, packed=deflated(one.content, 1))),
        [("encoder", NOTE, f"2 members, {INIT} first; encoder: zlib's level 1 fits")],
    ),
    "a stored member and one at level 0": (
        member(METADATA, method=0).edited(INIT, lambda one: replace(one, packed=deflated(one.content, 0))),
        [("encoder", NOTE, f"2 members, {INIT} first; encoder: unknown")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_difference_of_the_container_has_its_cause(tmp_path: Path, case: str) -> None:
    published, expected = CASES[case]

    assert causes(published, GOOD, tmp_path) == expected


def without(wheel: Wheel, name: str) -> Wheel:
    return replace(wheel.without(name), edit_record=lambda _: GOOD.record_text())


@pytest.mark.parametrize("edit", [lambda wheel: without(wheel, SECOND), lambda wheel: wheel])
def test_the_order_is_compared_of_common_members_only(tmp_path: Path, edit: Callable[[Wheel], Wheel]) -> None:
    assert causes(edit(GOOD), without(GOOD, FIRST), tmp_path) == []


def test_members_with_other_contents_have_no_encoder(tmp_path: Path) -> None:
    assert causes(GOOD.edited_text(METADATA, "3.10", "3.1000"), GOOD, tmp_path) == []

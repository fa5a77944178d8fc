"""A rebuilt wheel with the headers of a published one: which value comes from which."""

from dataclasses import replace
from pathlib import Path

from factory.audit.replay import stored_content, written_digest
from factory.core.digests import Sha256
from factory.core.zip_records import HeaderT
from factory.verify.reading.contents import Member
from factory.verify.reading.read import read_wheel
from tests.wheels import good_wheel


def with_other_contents(header: HeaderT) -> HeaderT:
    return replace(header, method=0, crc32=1, compressed_bytes=2, size_bytes=3)


def as_published(member: Member) -> Member:
    """Return a member whose headers give other contents, and values that only the writer's tool decides."""
    assert member.local is not None
    central = replace(with_other_contents(member.central), create_version=45, internal_attributes=1, offset=7)
    return replace(member, local=with_other_contents(member.local), central=central)


def test_contents_positions_and_the_writer_s_version_come_from_the_rebuild(tmp_path: Path) -> None:
    rebuilt = read_wheel(good_wheel().write(tmp_path), scratch=tmp_path)
    published = replace(rebuilt, members=tuple(map(as_published, rebuilt.members)))
    with rebuilt.path.open("rb") as file:
        written = written_digest(
            published,
            source=lambda member: rebuilt.by_name[member.name].central,
            content=lambda member: stored_content(file, rebuilt.by_name[member.name]),
        )
    assert written == Sha256.of_file(rebuilt.path)

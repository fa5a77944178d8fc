import hashlib
import os
import struct
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factory.core.digests import Sha256
from factory.core.errors import UsageError
from factory.core.model import FileKind
from factory.core.targets import Architecture, OperatingSystem
from factory.release.archives.inflate import Codec, fast_deflate_codec
from factory.verify.checks.registry import find_all
from factory.verify.reading.contents import ProblemKind, WheelContents
from factory.verify.reading.read import content_digest, parse_name, read_own_wheel, read_wheel
from factory.verify.reading.unpack import UnpackLimits
from tests.wheels import PACKAGE, Wheel, good_wheel
from tests.zip_writer import ZipArchive, ZipMember

NAME = "openai_codex_cli_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl"
GOOD = good_wheel().content()


def read(
    content: bytes, directory: Path, *, limits: UnpackLimits | None = None, codec: Codec | None = None
) -> WheelContents:
    path = directory / NAME
    path.write_bytes(content)
    if codec is not None:
        return read_own_wheel(path, scratch=directory, codec=codec)
    return read_wheel(path, scratch=directory, limits=limits or UnpackLimits())


def kinds(contents: WheelContents) -> list[ProblemKind]:
    return [problem.kind for problem in contents.problems]


def checks(contents: WheelContents) -> list[str]:
    return [finding.check for finding in find_all(contents)]


def test_a_member_is_read_whole(tmp_path: Path) -> None:
    contents = read(ZipArchive(members=(ZipMember(name=b"a.txt", content=b"hello"),)).content(), tmp_path)
    (member,) = contents.members
    assert member.name == "a.txt"
    assert member.data == b"hello"
    assert member.size_bytes == 5
    assert member.sha256 is not None
    assert member.sha256.hex == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert member.crc32 == zlib.crc32(b"hello")
    assert member.mode == 0o100644
    assert member.central.moment == "2020-02-02 00:00:00"
    assert contents.problems == ()


def test_images_are_extracted_under_generated_names(tmp_path: Path) -> None:
    evil = ZipMember(name=b"../../evil", content=b"\x7fELF" + bytes(60))
    contents = read(ZipArchive(members=(evil,)).content(), tmp_path)
    (member,) = contents.images
    assert member.kind is FileKind.ELF
    assert member.extracted is not None
    assert member.extracted.read_bytes() == b"\x7fELF" + bytes(60)
    assert member.extracted.resolve().is_relative_to(tmp_path.resolve())
    assert member.extracted.name == "00000.image"


def test_two_wheels_can_share_a_scratch_directory(tmp_path: Path) -> None:
    first, second = read(GOOD, tmp_path), read(GOOD, tmp_path)
    assert first.images[0].extracted != second.images[0].extracted


@pytest.mark.parametrize(
    ("content", "evidence"),
    [
        (b"", "empty file"),
        (b"not a zip at all", "no usable zip end record in its 16 bytes"),
        (GOOD[:-30], f"no usable zip end record in its {len(GOOD) - 30} bytes"),
        (GOOD[: len(GOOD) // 2], f"no usable zip end record in its {len(GOOD) // 2} bytes"),
    ],
)
def test_a_file_that_is_not_a_zip_has_one_finding(content: bytes, evidence: str, tmp_path: Path) -> None:
    contents = read(content, tmp_path)
    assert [(finding.check, finding.evidence) for finding in find_all(contents)] == [
        ("archive-unreadable", evidence)
    ]


def test_a_directory_named_as_a_wheel_has_one_finding(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.mkdir()
    assert checks(read_wheel(path, scratch=tmp_path)) == ["archive-unreadable"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_a_fifo_named_as_a_wheel_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / NAME
    os.mkfifo(path)
    assert checks(read_wheel(path, scratch=tmp_path)) == ["archive-unreadable"]


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*\.whl: No such file or directory"):
        read_wheel(tmp_path / NAME, scratch=tmp_path)


def test_an_undecodable_file_name_is_escaped(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.whl")
    try:
        path.write_bytes(b"")
    except OSError:
        pytest.skip("this file system supports Unicode names only")
    assert read_wheel(path, scratch=tmp_path).name == "\\udcff.whl"


def test_an_empty_zip_is_read(tmp_path: Path) -> None:
    contents = read(ZipArchive(members=()).content(), tmp_path)
    assert contents.members == ()
    assert "package-init" in checks(contents)


def test_a_deflated_bomb_is_not_unpacked(tmp_path: Path) -> None:
    zeros = ZipMember(name=b"zeros", content=b"\x7fELF" + bytes(8 << 20))
    contents = read(ZipArchive(members=(zeros,)).content(), tmp_path)
    assert kinds(contents) == [ProblemKind.BOMB]
    assert contents.members[0].size_bytes < 2 << 20
    assert list(tmp_path.rglob("*.image")) == []


def test_a_wrong_size_does_not_hide_a_bomb(tmp_path: Path) -> None:
    zeros = ZipMember(name=b"zeros", content=bytes(8 << 20), size_bytes=10)
    assert kinds(read(ZipArchive(members=(zeros,)).content(), tmp_path)) == [ProblemKind.BOMB]


def test_the_total_size_is_limited(tmp_path: Path) -> None:
    members = tuple(ZipMember(name=b"%d" % number, content=bytes(600)) for number in range(3))
    contents = read(ZipArchive(members=members).content(), tmp_path, limits=UnpackLimits(total_bytes=1500))
    assert kinds(contents) == [ProblemKind.LIMIT]
    assert contents.problems[0].evidence == (
        "the archive unpacks to more: the limit total_bytes is 1500; '--limit total_bytes=NUMBER' raises it"
    )
    assert [member.sha256 is None for member in contents.members] == [False, False, True]


def test_too_many_members_are_one_finding(tmp_path: Path) -> None:
    members = tuple(ZipMember(name=b"%d" % number, content=b"") for number in range(6))
    contents = read(ZipArchive(members=members).content(), tmp_path, limits=UnpackLimits(members=5))
    assert checks(contents) == ["archive-limit"]


def test_memory_does_not_grow_with_the_size_of_a_member(tmp_path: Path) -> None:
    stored = ZipMember(name=b"big", content=os.urandom(1 << 20) * 24, method=0)
    path = tmp_path / NAME
    path.write_bytes(ZipArchive(members=(stored,)).content())
    del stored
    tracemalloc.start()
    try:
        read_wheel(path, scratch=tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
    finally:
        tracemalloc.stop()


def test_a_prefix_shifts_all_offsets(tmp_path: Path) -> None:
    contents = read(b"stub" + GOOD, tmp_path)
    assert contents.archive.prefix_bytes == 4
    assert contents.members[0].start == 4
    assert contents.problems == ()


def test_a_second_archive_in_the_comment_is_a_rival_end_record(tmp_path: Path) -> None:
    """Readers that scan forward use the outer archive, readers that scan backward the inner one."""
    inner = ZipArchive(members=(ZipMember(name=b"inner", content=b""),)).content()
    outer = ZipArchive(members=(ZipMember(name=b"outer", content=b""),), comment=inner).content()
    contents = read(outer, tmp_path)
    assert [member.name for member in contents.members] == ["inner"]
    assert "archive-one-end" in checks(contents)


def test_a_stored_zip_as_a_member_is_not_a_rival_end_record(tmp_path: Path) -> None:
    inner = ZipArchive(members=(ZipMember(name=b"inner", content=b""),)).content()
    outer = ZipArchive(members=(ZipMember(name=b"inner.zip", content=inner, method=0),)).content()
    assert read(outer, tmp_path).archive.rival_ends == ()


def test_zip64_sizes_are_read_from_the_extra_field(tmp_path: Path) -> None:
    extra = struct.pack("<2H2Q", 1, 16, 5, 5)
    member = ZipMember(
        name=b"a", content=b"hello", method=0, size_bytes=0xFFFFFFFF, compressed_bytes=0xFFFFFFFF, extra=extra
    )
    local = replace(member, local_extra=extra)
    contents = read(ZipArchive(members=(local,), zip64=True).content(), tmp_path)
    assert contents.problems == ()
    assert contents.members[0].data == b"hello"
    assert contents.archive.zip64


@pytest.mark.parametrize(
    ("name", "system", "architecture"),
    [
        ("manylinux_2_17_x86_64", OperatingSystem.LINUX, Architecture.X86_64),
        ("musllinux_1_1_aarch64", OperatingSystem.LINUX, Architecture.AARCH64),
        ("manylinux2014_x86_64.manylinux_2_17_x86_64", OperatingSystem.LINUX, Architecture.X86_64),
        ("macosx_11_0_arm64", OperatingSystem.MACOS, Architecture.AARCH64),
        ("macosx_11_0_universal2", OperatingSystem.MACOS, None),
        ("win_amd64", OperatingSystem.WINDOWS, Architecture.X86_64),
        ("win_amd64.macosx_11_0_arm64", None, None),
        ("any", None, None),
    ],
)
def test_the_platform_is_read_from_the_file_name(
    name: str, system: OperatingSystem | None, architecture: Architecture | None, tmp_path: Path
) -> None:
    path = tmp_path / f"openai_codex_cli_bin-0.163.0-py3-none-{name}.whl"
    path.write_bytes(GOOD)
    contents = read_wheel(path, scratch=tmp_path)
    assert contents.operating_system is system
    assert contents.architecture is architecture


def test_a_file_name_is_parsed() -> None:
    parsed = parse_name("openai_codex_cli_bin-0.163.0-1-py3-none-win_amd64.whl")
    assert parsed is not None
    assert (parsed.distribution, parsed.version_text, parsed.build) == (
        "openai_codex_cli_bin",
        "0.163.0",
        "1",
    )
    assert parsed.platforms == ("win_amd64",)


@pytest.mark.parametrize("name", ["codex.whl", "a-b.whl", "a-1-py3-none.whl", "a-1.0-py3-none-any.zip"])
def test_an_invalid_file_name_is_not_parsed(name: str) -> None:
    assert parse_name(name) is None


# 'make fuzz' runs the reader on many more inputs, guided by coverage.
fuzz = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def small_wheel() -> Wheel:
    """Return a wheel without executables: their readers have their own fuzz tests."""
    wheel = good_wheel()
    for name in ("bin/codex", "codex-path/rg", "codex-resources/bwrap"):
        wheel = wheel.without(f"{PACKAGE}/{name}")
    return wheel


SMALL = small_wheel().content()


@fuzz
@given(content=st.binary(max_size=300))
def test_any_bytes_are_checked(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert checks(read(content, tmp_path_factory.mktemp("any")))


@fuzz
@given(
    flips=st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(1, 255)), min_size=1, max_size=12),
    cut=st.none() | st.integers(0, len(SMALL)),
)
def test_any_damage_is_checked_without_a_crash(
    flips: list[tuple[int, int]], cut: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    damaged = bytearray(SMALL)
    for position, mask in flips:
        damaged[position] ^= mask
    found = checks(read(bytes(damaged[:cut]), tmp_path_factory.mktemp("damaged")))
    assert "check-crashed" not in found


@fuzz
@given(
    file=st.sampled_from(["METADATA", "WHEEL", "entry_points.txt", "RECORD"]),
    text=st.text(max_size=200) | st.binary(max_size=200),
)
def test_any_dist_info_is_checked_without_a_crash(
    file: str, text: str | bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    wheel = replace(small_wheel(), is_recorded=file != "RECORD").with_info(file, "")
    last = replace(wheel.archive.members[-1], content=content)
    wheel = wheel.in_archive(lambda archive: replace(archive, members=(*archive.members[:-1], last)))
    assert "check-crashed" not in checks(read(wheel.content(), tmp_path_factory.mktemp("text")))


@fuzz
@given(name=st.sampled_from(["__init__.py", "codex-package.json"]), text=st.text(max_size=200))
def test_any_package_text_is_checked_without_a_crash(
    name: str, text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = text.encode("utf-8", "replace")
    wheel = small_wheel().edited(f"{PACKAGE}/{name}", lambda member: replace(member, content=content))
    assert "check-crashed" not in checks(read(wheel.content(), tmp_path_factory.mktemp("text")))


@pytest.mark.parametrize("codec", [None, fast_deflate_codec()], ids=["zlib", "fast"])
@pytest.mark.parametrize(
    ("spare_bytes", "evidence"),
    [
        (-1, ["its compressed data is incomplete"]),
        (0, []),
        (1, ["its compressed data is shorter than its compressed size"]),
    ],
)
@pytest.mark.parametrize("size_bytes", [1, 100_000, 3_000_000, 5 << 20])
def test_a_compressed_stream_ends_where_the_directory_says(
    size_bytes: int, spare_bytes: int, evidence: list[str], codec: Codec | None, tmp_path: Path
) -> None:
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    content = (os.urandom(40_000) * (size_bytes // 40_000 + 1))[:size_bytes]
    stream = compressor.compress(content) + compressor.flush() + b"\0"
    member = ZipMember(name=b"a.bin", content=content, packed=stream[: len(stream) - 1 + spare_bytes])
    contents = read(ZipArchive(members=(member,)).content(), tmp_path, codec=codec)
    assert [problem.evidence for problem in contents.problems] == evidence
    (read_member,) = contents.members
    is_whole = spare_bytes == 0
    assert (read_member.sha256 == Sha256.of([content])) is is_whole
    assert not is_whole or read_member.crc32 == zlib.crc32(content)


@pytest.mark.parametrize(
    "name", [b"/etc/evil", b"//etc/evil", b"/", b"//", b"///", b"./", b"../x", b"a//b/", b""]
)
def test_no_check_loops_over_an_odd_name(name: bytes, tmp_path: Path) -> None:
    odd = good_wheel().with_first(ZipMember(name=name, content=b"\x7fELF" + bytes(60)))
    assert "member-path" in checks(read(odd.content(), tmp_path))


def test_dist_info_is_read_first_and_has_a_limit_of_its_own(tmp_path: Path) -> None:
    """The limit on other content is used up by the first members, which are listed before .dist-info."""
    limits = UnpackLimits(kept_bytes=2000, python_bytes=2000, kept_member_bytes=1500, dist_info_bytes=3000)
    names = (b"a.txt", b"b.txt", b"c.py", b"d.py", b"x-1.dist-info/METADATA", b"x-1.dist-info/RECORD")
    members = tuple(ZipMember(name=name, content=b"x" * 1400) for name in names)
    contents = read(ZipArchive(members=members).content(), tmp_path, limits=limits)
    assert [member.name.encode() for member in contents.members] == list(names)
    assert [member.data is not None for member in contents.members] == [True, False, True, False, True, True]
    assert contents.problems == ()


def test_a_file_of_dist_info_that_is_not_kept_is_an_error(tmp_path: Path) -> None:
    limits = UnpackLimits(dist_info_bytes=1000)
    members = (ZipMember(name=b"x-1.dist-info/RECORD", content=b"x" * 1001),)
    contents = read(ZipArchive(members=members).content(), tmp_path, limits=limits)
    assert [(one.kind, one.place, one.evidence) for one in contents.problems] == [
        (
            ProblemKind.LIMIT,
            "x-1.dist-info/RECORD",
            "it is not kept: the limit dist_info_bytes is 1000; '--limit dist_info_bytes=NUMBER' raises it",
        )
    ]


def test_a_limit_can_be_raised() -> None:
    assert UnpackLimits().raised(["members=7", "ratio=3"]) == UnpackLimits(members=7, ratio=3)
    assert UnpackLimits().raised([]) == UnpackLimits()


@pytest.mark.parametrize(
    "text", ["members", "members=", "members=0", "members=-1", "members=x", "names=1", ""]
)
def test_a_limit_has_a_name_and_a_positive_number(text: str) -> None:
    with pytest.raises(UsageError, match="is not a limit") as refused:
        UnpackLimits().raised([text])
    assert "members" in (refused.value.hint or "")


def test_another_digest_of_a_member_is_computed_from_the_wheel(tmp_path: Path) -> None:
    member = ZipMember(name=b"a.txt", content=b"hello")
    contents = read(ZipArchive(members=(member,)).content(), tmp_path)
    digest = content_digest(contents.path, contents.members[0], "sha512")
    assert digest == hashlib.sha512(b"hello").digest()


def test_a_directory_has_a_member_below_it_or_is_a_member(tmp_path: Path) -> None:
    members = tuple(ZipMember(name=name, content=b"") for name in (b"a/b/c.txt", b"a.b/d", b"e/"))
    contents = read(ZipArchive(members=members).content(), tmp_path)
    paths = ("a", "a/b", "a.b", "e", "a/b/c.txt", "b", "a/", "", "e/f")
    assert [path for path in paths if contents.has_directory(path)] == ["a", "a/b", "a.b", "e"]


def test_a_name_of_many_parts_takes_little_memory(tmp_path: Path) -> None:
    member = ZipMember(name=b"/".join([b"a"] * 32_000), content=b"")
    contents = read(ZipArchive(members=(member,)).content(), tmp_path)
    tracemalloc.start()
    try:
        checks(contents)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("disk", "wide", "found"),
    [
        (0xFFFF, 1, ["archive-one-disk", "archive-zip64"]),
        (1, 1, ["archive-one-disk", "archive-zip64"]),
        (1, 0, ["archive-directory"]),
        (0, 0, ["archive-zip64"]),
        (0xFFFF, 0, ["archive-zip64"]),
    ],
)
def test_the_disks_of_both_end_records_count(disk: int, wide: int, found: list[str], tmp_path: Path) -> None:
    archive = replace(good_wheel().archive, zip64=True, disk=disk, zip64_disk=wide)
    assert [check for check in checks(read(archive.content(), tmp_path)) if "archive" in check] == found

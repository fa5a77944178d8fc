"""Read release packages in every archive format, genuine and malicious."""

import gzip
import io
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.core.digests import CHUNK_BYTES
from factory.core.errors import FactoryError, IntegrityError
from factory.core.model import ArchiveFormat, Payload
from factory.core.targets import Target
from factory.release.archives import ArchiveLimits, Guard
from factory.release.archives.inflate import Codec, gzip_codec, inflated, zlib_gzip_codec
from factory.release.payload import PackageSource
from tests.images import filler
from tests.packages import Files, github_tarball, github_zst, package_directory, tar_bytes, zip_archive

LINUX = Target.LINUX_X86_64
HONEST: Files = {"bin/codex": (b"\x7fELF codex", 0o755), "codex-path/rg": (b"\x7fELF rg", 0o755)}


def refusal(tmp_path: Path, source: PackageSource) -> IntegrityError:
    """Extract a package that must be refused, and check that no file is left."""
    place = tmp_path / "deep" / "stage"
    with pytest.raises(IntegrityError) as caught:
        source.extract(LINUX, place=lambda path: (place / path, tmp_path / "twin" / path))
    assert not (tmp_path / "deep").exists()
    assert not (tmp_path / "twin").exists()
    return caught.value


def tgz(path: Path, content: bytes) -> PackageSource:
    path.write_bytes(gzip.compress(content, mtime=0))
    return PackageSource.archive(path, ArchiveFormat.TAR_GZ)


def tar_member(name: str, content: bytes = b"", **fields: str | int | bytes | dict[str, str]) -> bytes:
    """Return one member of a tar archive, without the end marker."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for field, value in fields.items():
        setattr(member, field, value)
    header = member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    return header + content + bytes(-len(content) % 512)


CODEX = tar_member("bin/codex", b"\x7fELF codex")
END = bytes(1024)


def zip_of(path: Path, *members: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members:
            archive.writestr(member, content)
    return path


def zipped(path: Path) -> PackageSource:
    return PackageSource.archive(path, ArchiveFormat.ZIP)


# Names and kinds of members


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/etc/passwd", "has an absolute path"),
        ("../codex", "has an empty, '.' or '..' part in its path"),
        ("bin/../../codex", "has an empty, '.' or '..' part in its path"),
        ("bin//rg", "has an empty, '.' or '..' part in its path"),
        ("bin/./rg", "has an empty, '.' or '..' part in its path"),
        ("bin\\rg", "has a backslash or colon in its name, which are special on Windows"),
        ("C:/rg", "has a backslash or colon in its name, which are special on Windows"),
        ("bin/rg:stream", "has a backslash or colon in its name, which are special on Windows"),
        ("bin/r\ng", "has unprintable characters in its name"),
        ("bin/\u202egr", "has unprintable characters in its name"),
        ("bin/\udc80", "has unprintable characters in its name"),
        ("bin/rg.", "has a part in its path that ends with a dot or a space, which Windows removes"),
        ("bin/rg ", "has a part in its path that ends with a dot or a space, which Windows removes"),
        ("bin/NUL.txt", "has the name of a Windows device"),
        ("bin/CONIN$", "has the name of a Windows device"),
        ("bin/conout$.txt", "has the name of a Windows device"),
        ("bin/COM\u00b9", "has the name of a Windows device"),
        ("bin/lpt0.log", "has the name of a Windows device"),
        ("bin/a*?", 'has one of <>"|?* in its name, which Windows does not allow'),
        ("bin/<a>|b", 'has one of <>"|?* in its name, which Windows does not allow'),
        ('bin/"a"', 'has one of <>"|?* in its name, which Windows does not allow'),
        ("bin/" + "x" * 256, "has a part in its path that is longer than 255 bytes"),
        ("bin/" + "\u00e9" * 128, "has a part in its path that is longer than 255 bytes"),
        ("bin/codex", "occurs twice"),
        ("bin/Codex", "differs from 'bin/codex' only in case or in how accents are encoded"),
        ("BIN/rg", "differs from 'bin' only in case or in how accents are encoded"),
        ("bin", "makes 'bin' both a file and a directory"),
        ("bin/codex/rg", "makes 'bin/codex' both a file and a directory"),
    ],
)
def test_an_unsafe_name_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    source = tgz(tmp_path / "p.tgz", CODEX + tar_member(name, b"x") + END)

    error = refusal(tmp_path, source)

    assert str(error) == f"p.tgz is unsafe: its member {name!r} {reason}"
    assert error.hint


def test_an_empty_name_is_refused(tmp_path: Path) -> None:
    source = tgz(tmp_path / "p.tgz", CODEX + tar_member("", b"x") + END)

    assert str(refusal(tmp_path, source)) == "p.tgz is unsafe: its member '' has no name"


def test_an_overlong_name_is_refused(tmp_path: Path) -> None:
    source = tgz(tmp_path / "p.tgz", CODEX + tar_member("a/" * 600 + "b", b"x") + END)

    assert "has an overlong name" in str(refusal(tmp_path, source))


def test_names_that_differ_only_in_unicode_normalization_are_refused(tmp_path: Path) -> None:
    composed, decomposed = tar_member("caf\u00e9", b"x"), tar_member("cafe\u0301", b"x")
    source = tgz(tmp_path / "p.tgz", composed + decomposed + END)

    assert "only in case or in how accents are encoded" in str(refusal(tmp_path, source))


@pytest.mark.parametrize(
    ("type_", "reason"),
    [
        (tarfile.SYMTYPE, "is a symbolic link"),
        (tarfile.LNKTYPE, "is a hard link"),
        (tarfile.CHRTYPE, "is a character device"),
        (tarfile.BLKTYPE, "is a block device"),
        (tarfile.FIFOTYPE, "is a FIFO"),
        (tarfile.CONTTYPE, "is of the unknown type b'7'"),
        (b"V", "is of the unknown type b'V'"),
    ],
)
@pytest.mark.parametrize("name", ["bin/x", "package/outside"])
def test_a_tar_member_that_is_not_a_file_is_refused(
    tmp_path: Path, type_: bytes, reason: str, name: str
) -> None:
    package = tar_member(f"package/vendor/{LINUX}/bin/codex", b"x") if name.startswith("package") else CODEX
    source = tgz(tmp_path / "p.tgz", package + tar_member(name, type=type_, linkname="bin/codex") + END)

    assert str(refusal(tmp_path, source)) == f"p.tgz is unsafe: its member {name!r} {reason}"


def test_a_directory_with_content_is_refused(tmp_path: Path) -> None:
    member = bytearray(tar_member("bin", b"x"))
    member[156:157] = tarfile.DIRTYPE
    source = tgz(tmp_path / "p.tgz", checksummed(member) + END)

    assert "is a directory with content" in str(refusal(tmp_path, source))


def checksummed(member: bytearray) -> bytes:
    member[148:156] = b" " * 8
    member[148:156] = b"%06o\0 " % sum(member[:512])
    return bytes(member)


def test_sparse_files_are_refused(tmp_path: Path) -> None:
    sparse = tar_member("bin/rg", b"x", pax_headers={"GNU.sparse.major": "1"})
    source = tgz(tmp_path / "p.tgz", CODEX + sparse + END)

    assert "describes a sparse file" in str(refusal(tmp_path, source))


def test_directories_may_be_listed(tmp_path: Path) -> None:
    listed = (
        tar_member("./", type=tarfile.DIRTYPE)
        + tar_member("./bin/", type=tarfile.DIRTYPE)
        + tar_member("./bin/codex", b"x")
        + tar_member("bin/", type=tarfile.DIRTYPE)
        + END
    )
    source = tgz(tmp_path / "p.tgz", listed)

    assert [str(file.path) for file in source.scan(LINUX).files] == ["bin/codex"]


def test_setuid_setgid_and_sticky_bits_are_removed(tmp_path: Path) -> None:
    source = tgz(tmp_path / "p.tgz", tar_member("bin/codex", b"x", mode=0o6755) + END)

    assert source.scan(LINUX).files[0].mode == 0o755


# Extended headers


def test_long_names_are_read_from_pax_and_gnu_headers(tmp_path: Path) -> None:
    name = "bin/" + "long" * 60
    member = tarfile.TarInfo(name)
    member.size = 1
    gnu = member.tobuf(tarfile.GNU_FORMAT) + b"x" + bytes(511)

    for source in (
        tgz(tmp_path / "pax.tgz", tar_member(name, b"x") + END),
        tgz(tmp_path / "gnu.tgz", gnu + END),
    ):
        assert [str(file.path) for file in source.scan(LINUX).files] == [name]


def test_a_bad_name_in_an_extended_header_is_refused(tmp_path: Path) -> None:
    member = tar_member("bin/rg", b"x", pax_headers={"path": "../rg"})
    source = tgz(tmp_path / "p.tgz", CODEX + member + END)

    assert "'../rg' has an empty, '.' or '..' part" in str(refusal(tmp_path, source))


def test_a_global_header_may_have_a_comment_but_not_a_name(tmp_path: Path) -> None:
    comment = tarfile.TarInfo.create_pax_global_header({"comment": "commit"})
    rename = tarfile.TarInfo.create_pax_global_header({"path": "bin/rg"})

    assert len(tgz(tmp_path / "c.tgz", comment + CODEX + END).scan(LINUX).files) == 1
    error = refusal(tmp_path, tgz(tmp_path / "p.tgz", rename + CODEX + END))
    assert "sets names or sizes for all members" in str(error)


def test_an_oversized_extended_header_is_refused(tmp_path: Path) -> None:
    huge = bytearray(tar_member("bin/rg", bytes(1 << 17)))
    huge[156:157] = tarfile.XHDTYPE
    source = tgz(tmp_path / "p.tgz", checksummed(huge) + CODEX + END)

    assert "is an oversized extended header" in str(refusal(tmp_path, source))


@pytest.mark.parametrize(
    "record", [b"11 path=x\n", b"8 path=x", b"path=x\n", b"0 path=\n", b"13 size=many\n"]
)
def test_a_broken_extended_header_is_refused(tmp_path: Path, record: bytes) -> None:
    broken = bytearray(tar_member("bin/rg", record))
    broken[156:157] = tarfile.XHDTYPE
    source = tgz(tmp_path / "p.tgz", checksummed(broken) + CODEX + END)

    assert " is damaged: it " in str(refusal(tmp_path, source))


def test_an_extended_header_without_a_member_is_refused(tmp_path: Path) -> None:
    lone = tar_member("bin/rg", pax_headers={"comment": "x", "path": "bin/x"})[:1024]
    source = tgz(tmp_path / "p.tgz", CODEX + lone + END)

    assert str(refusal(tmp_path, source)) == "p.tgz is damaged: it ends after an extended header"


# Cut off, altered, with bytes after the end


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "ends too early"),
        (CODEX, "ends too early"),
        (CODEX[:700], "ends too early"),
        (CODEX + END[:512], "ends too early"),
        (CODEX + END[:512] + CODEX + END, "has members after its end marker"),
        (CODEX + END + b"\0" * 511 + b"x", "has bytes after its end"),
        (CODEX + END + bytes(2 << 20), "has bytes after its end"),
        (CODEX[:1023] + b"x" + END, "has bytes between its members"),
        (CODEX + b"x" * 512 + END, "has a broken member header (invalid header)"),
        (CODEX + b"X" + CODEX[1:] + END, "has a broken member header (bad checksum)"),
    ],
)
def test_a_damaged_tar_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    error = refusal(tmp_path, tgz(tmp_path / "p.tgz", content))

    assert str(error) == f"p.tgz is damaged: it {reason}"


def test_zeros_after_the_end_of_a_tar_are_accepted(tmp_path: Path) -> None:
    source = tgz(tmp_path / "p.tgz", CODEX + END + bytes(9216))

    assert len(source.scan(LINUX).files) == 1


@pytest.mark.parametrize("codec", [gzip_codec(), zlib_gzip_codec()], ids=["fastest", "zlib"])
class TestGzip:
    """Both gzip codecs refuse the same input."""

    @staticmethod
    def read(codec: Codec, packed: bytes, limits: ArchiveLimits | None = None) -> bytes:
        return b"".join(inflated(io.BytesIO(packed), codec, Guard("p.tgz", limits or ArchiveLimits())))

    def test_the_content_is_complete_and_its_chunks_are_bounded(self, codec: Codec) -> None:
        content = filler(700_000, seed="gzip") + bytes(3 << 20)
        chunks = list(inflated(io.BytesIO(gzip.compress(content)), codec, Guard("p.tgz")))

        assert b"".join(chunks) == content
        assert max(map(len, chunks)) <= 1 << 18

    def test_several_members_are_read_as_one(self, codec: Codec) -> None:
        assert self.read(codec, gzip.compress(b"one ") + gzip.compress(b"two")) == b"one two"

    @pytest.mark.parametrize("garbage", [b"x", b"\0", b"\x1f", b"\x1f\x8b", bytes(512)])
    def test_bytes_after_the_end_are_refused(self, codec: Codec, garbage: bytes) -> None:
        with pytest.raises(IntegrityError, match="is damaged: it "):
            self.read(codec, gzip.compress(b"content") + garbage)

    @pytest.mark.parametrize("missing", [1, 4, 8, 9, 15])
    def test_a_truncated_stream_is_refused(self, codec: Codec, missing: int) -> None:
        with pytest.raises(IntegrityError, match="is damaged: it ends too early"):
            self.read(codec, gzip.compress(b"content")[:-missing])

    @pytest.mark.parametrize("at", [-1, -5])
    def test_a_wrong_checksum_or_length_is_refused(self, codec: Codec, at: int) -> None:
        packed = bytearray(gzip.compress(b"content"))
        packed[at] ^= 1

        with pytest.raises(IntegrityError, match="is damaged: it cannot be unpacked"):
            self.read(codec, bytes(packed))

    @pytest.mark.parametrize("packed", [b"", b"PK\3\4", b"\x28\xb5\x2f\xfd"])
    def test_another_format_is_refused(self, codec: Codec, packed: bytes) -> None:
        with pytest.raises(IntegrityError, match="is damaged: it is of another format"):
            self.read(codec, packed)

    def test_a_bomb_is_refused_for_its_ratio(self, codec: Codec) -> None:
        bomb = gzip.compress(bytes(4 << 20))

        with pytest.raises(IntegrityError, match="is too large: it unpacks to more than 100 times its size"):
            self.read(codec, bomb, ArchiveLimits(max_ratio=100, ratio_floor_bytes=1 << 20))

    def test_a_bomb_is_refused_for_its_size(self, codec: Codec) -> None:
        with pytest.raises(IntegrityError, match="is too large: it unpacks to more than 1048576 bytes"):
            self.read(codec, gzip.compress(bytes(4 << 20)), ArchiveLimits(max_total_bytes=1 << 20))


def test_a_truncated_or_continued_zst_is_refused(tmp_path: Path) -> None:
    whole = github_zst(tmp_path / "p.tar.zst", HONEST).read_bytes()

    for damaged in (whole[:-1], whole[:9], whole + b"x", b""):
        (tmp_path / "p.tar.zst").write_bytes(damaged)
        source = PackageSource.archive(tmp_path / "p.tar.zst", ArchiveFormat.TAR_ZST)
        assert " is damaged: it " in str(refusal(tmp_path, source))


def test_too_many_members_or_bytes_are_refused(tmp_path: Path) -> None:
    path = github_tarball(tmp_path / "p.tgz", HONEST)

    for limits in (ArchiveLimits(max_files=1), ArchiveLimits(max_total_bytes=10)):
        honest = PackageSource.archive(path, ArchiveFormat.TAR_GZ)
        source = PackageSource(path=path, name="p.tgz", entries=honest.entries, limits=limits)
        assert " is too large: it " in str(refusal(tmp_path, source))


def test_a_declared_size_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    huge = bytearray(tar_member("bin/rg"))
    huge[124:136] = b"\x80" + (1 << 60).to_bytes(11, "big")
    source = tgz(tmp_path / "p.tgz", CODEX + checksummed(huge))

    assert str(refusal(tmp_path, source)) == "p.tgz is too large: it holds more than 4294967296 bytes"


# Zip


def link_entry(kind: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("bin/rg")
    entry.external_attr = (kind | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (stat.S_IFLNK, "is a symbolic link"),
        (stat.S_IFIFO, "is a FIFO"),
        (stat.S_IFCHR, "is a device"),
        (stat.S_IFSOCK, "is a socket"),
        (stat.S_IFDIR, "is a directory by its name or by its mode, but not by both"),
    ],
)
def test_a_zip_member_that_is_not_a_file_is_refused(tmp_path: Path, kind: int, reason: str) -> None:
    path = zip_of(tmp_path / "p.zip", ("bin/codex", b"x"), (link_entry(kind), b"bin/codex"))

    assert str(refusal(tmp_path, zipped(path))) == f"p.zip is unsafe: its member 'bin/rg' {reason}"


@pytest.mark.parametrize("name", ["/rg", "../rg", "bin\\rg", "C:rg", "bin/CODEX", "bin/codex/rg"])
def test_a_zip_member_with_a_bad_name_is_refused(tmp_path: Path, name: str) -> None:
    path = zip_of(tmp_path / "p.zip", ("bin/codex", b"x"), (name, b"x"))

    assert " is unsafe: its member " in str(refusal(tmp_path, zipped(path)))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_duplicate_zip_member_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", ("bin/codex", b"x"), ("bin/codex", b"y"))

    assert str(refusal(tmp_path, zipped(path))).endswith("occurs twice")


def altered(path: Path, at: int, value: bytes) -> PackageSource:
    content = bytearray(path.read_bytes())
    content[at : at + len(value)] = value
    path.write_bytes(content)
    return zipped(path)


def test_an_encrypted_zip_member_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", ("bin/codex", b"x" * 50))
    directory_at = path.read_bytes().index(b"PK\1\2")

    assert "is encrypted" in str(refusal(tmp_path, altered(path, directory_at + 8, b"\1\0")))


def test_an_unexpected_zip_method_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("bin/codex", b"x" * 50)

    assert "is compressed by the unexpected method 14" in str(refusal(tmp_path, zipped(tmp_path / "p.zip")))


@pytest.mark.parametrize(
    ("field_at", "value"),
    [(8, b"\0\0"), (14, b"\1\2\3\4"), (18, b"\7\0\0\0"), (22, b"\7\0\0\0"), (30, b"BIN")],
    ids=["method", "crc", "packed size", "size", "name"],
)
def test_a_contradictory_local_header_is_refused(tmp_path: Path, field_at: int, value: bytes) -> None:
    path = zip_of(tmp_path / "p.zip", ("bin/codex", b"x" * 50))

    error = refusal(tmp_path, altered(path, field_at, value))

    assert "has a local header of 'bin/codex' that contradicts the directory" in str(error)


def test_zip_data_with_the_wrong_checksum_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", ("bin/codex", b"x" * 50))
    content = bytearray(path.read_bytes())
    directory_at = content.index(b"PK\1\2")
    content[14:18] = content[directory_at + 16 : directory_at + 20] = b"\1\2\3\4"
    path.write_bytes(content)

    assert "with the wrong size or checksum" in str(refusal(tmp_path, zipped(path)))


def test_zip_data_with_the_wrong_size_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", ("bin/codex", b"x" * 50))
    content = bytearray(path.read_bytes())
    directory_at = content.index(b"PK\1\2")
    content[22:26] = content[directory_at + 24 : directory_at + 28] = struct.pack("<I", 49)
    path.write_bytes(content)

    assert "with the wrong size or checksum" in str(refusal(tmp_path, zipped(path)))


def test_a_zip_bomb_is_refused_by_its_declared_sizes(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", ("bin/codex", bytes(66 << 20)))

    assert "unpacks to more than 200 times its size" in str(refusal(tmp_path, zipped(path)))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"#!" + content,
        lambda content: content + b"x",
        lambda content: content[:-1],
        lambda content: content[:30],
        lambda content: content[: content.index(b"PK\1\2")] + b"hidden" + content[content.index(b"PK\1\2") :],
        lambda _: b"",
    ],
    ids=["before", "after", "cut", "cut short", "between", "empty"],
)
def test_zip_bytes_outside_the_records_are_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = zip_of(tmp_path / "p.zip", ("bin/codex", b"x" * 50))
    path.write_bytes(damage(path.read_bytes()))

    assert " is damaged: it " in str(refusal(tmp_path, zipped(path)))


def test_bytes_between_zip_members_are_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "p.zip", ("bin/codex", b"x" * 50), ("bin/rg", b"y" * 50))
    content = path.read_bytes()
    second = content.index(b"PK\3\4", 4)
    directory_at = content.index(b"PK\1\2")
    directory = bytearray(content[directory_at:])
    entry = directory.index(b"PK\1\2", 4)
    directory[entry + 42 : entry + 46] = struct.pack("<I", second + 3)
    directory[-6:-2] = struct.pack("<I", directory_at + 3)
    path.write_bytes(content[:second] + b"abc" + content[second:directory_at] + directory)

    assert "has bytes between its members" in str(refusal(tmp_path, zipped(path)))


@pytest.mark.parametrize("has_mark", [True, False])
def test_data_descriptors_are_read_and_checked(tmp_path: Path, has_mark: bool) -> None:  # noqa: FBT001
    class Stream(io.RawIOBase):
        def __init__(self, file: BinaryIO) -> None:
            self._file = file

        def writable(self) -> bool:
            return True

        def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
            return self._file.write(data)

    path = tmp_path / "p.zip"
    with path.open("wb") as file, zipfile.ZipFile(Stream(file), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bin/codex", b"x" * 50)
    content = path.read_bytes()
    assert b"PK\7\x08" in content
    if not has_mark:
        start = struct.pack("<I", content.index(b"PK\1\2") - 4)
        content = content.replace(b"PK\7\x08", b"")
        path.write_bytes(content[:-6] + start + content[-2:])

    assert len(zipped(path).scan(LINUX).files) == 1
    descriptor_at = content.index(b"PK\1\2") - 12 - (0 if has_mark else 4)
    assert " is damaged: it " in str(refusal(tmp_path, altered(path, descriptor_at, b"\7")))


def test_a_zip_is_read_from_a_stream_that_cannot_seek(tmp_path: Path) -> None:
    path = zip_archive(tmp_path / "p.zip", HONEST)

    class Forward(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, offset: int, whence: int = 0) -> int:
            raise io.UnsupportedOperation(f"{offset} {whence}")

    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        yield Forward(path.read_bytes())

    source = PackageSource.archive(path, ArchiveFormat.ZIP, opened=opened)

    assert source.scan(LINUX) == zipped(path).scan(LINUX)


# Directories


def directory_with(tmp_path: Path, make: Callable[[Path], None]) -> PackageSource:
    root = package_directory(tmp_path / "package", HONEST)
    make(root / "bin" / "x")
    return PackageSource.directory(root)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX files")
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.symlink_to("codex"), "is a symbolic link"),
        (lambda path: path.symlink_to(path.parent.parent), "is a symbolic link"),
        (os.mkfifo, "is a FIFO"),
    ],
    ids=["link to a file", "link to a directory", "FIFO"],
)
def test_a_directory_with_a_link_or_fifo_is_refused(
    tmp_path: Path, make: Callable[[Path], None], reason: str
) -> None:
    error = refusal(tmp_path, directory_with(tmp_path, make))

    assert str(error) == f"package is unsafe: its member 'bin/x' {reason}"


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    root = package_directory(tmp_path / "package", HONEST)

    def place(path: PurePosixPath) -> tuple[Path, ...]:
        (root / path).write_bytes(b"longer than it was before")
        return ()

    with pytest.raises(IntegrityError, match="changed while it was read"):
        PackageSource.directory(root).extract(LINUX, place=place)


# Properties

_PART = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=6).map(
    lambda text: f"x{text}"  # avoids the names of Windows devices
)
_PATHS = st.lists(_PART, min_size=1, max_size=4).map("/".join)
_SIZES = st.integers(0, 5000) | st.sampled_from([CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 600_000])
_CONTENTS = st.one_of(
    st.binary(max_size=2000),
    _SIZES.map(lambda size: filler(size, seed="property")),
    _SIZES.map(bytes),
)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, tuple[bytes, int]]:
    """Draw files of which none is another one's directory."""
    files: dict[str, tuple[bytes, int]] = {}
    for path in draw(st.lists(_PATHS, min_size=1, max_size=6, unique=True)):
        if not any(
            f"{path}/".startswith(f"{other}/") or f"{other}/".startswith(f"{path}/") for other in files
        ):
            files[path] = draw(_CONTENTS), draw(st.sampled_from([0o644, 0o755, 0o600]))
    return files


@settings(max_examples=40, deadline=None)
@given(files=trees())
def test_every_container_gives_the_same_payload_and_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, tuple[bytes, int]]
) -> None:
    root = tmp_path_factory.mktemp("trees")
    sources = [
        PackageSource.at(github_tarball(root / "p.tar.gz", files)),
        PackageSource.at(github_zst(root / "p.tar.zst", files)),
        PackageSource.at(zip_archive(root / "p.zip", files)),
        PackageSource.at(package_directory(root / "directory", files)),
    ]
    payloads: list[Payload] = []
    for number, source in enumerate(sources):
        place = root / f"extracted-{number}"
        payloads.append(source.extract(LINUX, place=lambda path, place=place: (place / path,)))  # type: ignore[misc]
        assert {path: (place / path).read_bytes() for path in files} == {
            path: content for path, (content, _) in files.items()
        }

    assert all(payload == payloads[0] for payload in payloads)
    assert [str(file.path) for file in payloads[0].files] == [
        str(path) for path in sorted(map(PurePosixPath, files))
    ]


def packed(container: ArchiveFormat, root: Path) -> bytes:
    match container:
        case ArchiveFormat.TAR_GZ:
            return github_tarball(root / "p", HONEST).read_bytes()
        case ArchiveFormat.TAR_ZST:
            return github_zst(root / "p", HONEST).read_bytes()
        case ArchiveFormat.ZIP:
            return zip_archive(root / "p", HONEST).read_bytes()


@settings(max_examples=150, deadline=None)
@given(data=st.data(), container=st.sampled_from(list(ArchiveFormat)))
def test_a_damaged_archive_is_read_as_it_was_or_refused_without_a_trace(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, container: ArchiveFormat
) -> None:
    root = tmp_path_factory.mktemp("damaged")
    content = bytearray(packed(container, root))
    content[data.draw(st.integers(0, len(content))) :] = b"" if data.draw(st.booleans()) else content[-1:]
    for _ in range(data.draw(st.integers(0, 3))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    refused_or_whole(root, container, bytes(content))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_tar_in_a_sound_gzip_is_refused_or_read_without_a_trace(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(tar_bytes(HONEST))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 2600))] ^= data.draw(st.integers(1, 255))
    root = tmp_path_factory.mktemp("damaged")
    refused_or_whole(root, ArchiveFormat.TAR_GZ, gzip.compress(bytes(content), 1))


def refused_or_whole(root: Path, container: ArchiveFormat, content: bytes) -> None:
    path, place = root / "damaged", root / "place" / "stage"
    path.write_bytes(content)
    source = PackageSource.archive(path, container)
    try:
        payload = source.extract(LINUX, place=lambda file: (place / file,))
    except FactoryError:
        assert not (root / "place").exists()
    else:
        assert {file.path for file in payload.files} == {
            PurePosixPath(file.relative_to(place).as_posix()) for file in place.rglob("*") if file.is_file()
        }

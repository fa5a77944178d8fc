import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.core.digests import Digest
from factory.core.errors import IntegrityError
from factory.release.channels.checksums import parse_checksums

A = "a" * 64
B = "b" * 128


def test_sha256sum_and_sha512sum_lines_are_read() -> None:
    text = f"{A}  one.tgz\n{A.upper()} *two.tgz \t\n\n{B}  ./three four.tgz\r\n"
    assert parse_checksums(text, where="SUMS") == {
        "one.tgz": Digest.parse(f"sha256:{A}"),
        "two.tgz": Digest.parse(f"sha256:{A}"),
        "three four.tgz": Digest.parse(f"sha512:{B}"),
    }


def test_a_repeated_line_is_accepted() -> None:
    assert len(parse_checksums(f"{A}  one\n{A}  one\n", where="SUMS")) == 1


@pytest.mark.parametrize(
    "name", ["../one", "/etc/passwd", "dir/one", "dir\\one", "C:one", ".", "..", "one\x00"]
)
def test_a_file_in_another_directory_is_refused(name: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        parse_checksums(f"{A}  good\n{A}  {name}\n", where="SUMS")
    assert str(caught.value) == f"SUMS, line 2: {name!r} is not the name of a file in the same directory"
    assert caught.value.hint == (
        "Write it with 'sha256sum FILE... > SHA256SUMS' in the directory of the files."
    )


def test_a_directory_without_a_file_is_refused() -> None:
    with pytest.raises(IntegrityError, match="'' is not the name of a file"):
        parse_checksums(f"{A}  ./\n", where="SUMS")


@pytest.mark.parametrize("line", [A, f"{A[:-1]}  one", f"{'a' * 40}  sha1", "<html>", f"SHA256 (one) = {A}"])
def test_a_malformed_line_is_refused(line: str) -> None:
    with pytest.raises(IntegrityError, match=r"^SUMS, line 2: expected a digest and a file name$"):
        parse_checksums(f"{A}  good\n{line}\n", where="SUMS")


def test_two_digests_of_one_file_are_refused() -> None:
    with pytest.raises(IntegrityError, match=r"^SUMS, line 2: one has another digest in an earlier line"):
        parse_checksums(f"{A}  one\n{'b' * 64}  one\n", where="SUMS")


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        names = set(parse_checksums(text, where="SUMS"))
    except IntegrityError:
        return
    assert not any("/" in name or "\\" in name for name in names)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.core.digests import Digest
from factory.core.errors import IntegrityError
from factory.release.channels.checksums import parse_checksums

A = "a" * 64
B = "b" * 128


def test_sha256sum_and_sha512sum_lines_are_read() -> None:
    text = f"{A}  one.tgz\n{A.upper()} *two.tgz\n\n{B}  ./three four.tgz\r\n"
    assert parse_checksums(text, where="SUMS") == {
        "one.tgz": Digest.parse(f"sha256:{A}"),
        "two.tgz": Digest.parse(f"sha256:{A}"),
        "three four.tgz": Digest.parse(f"sha512:{B}"),
    }


def test_a_repeated_line_is_accepted() -> None:
    assert len(parse_checksums(f"{A}  one\n{A}  one\n", where="SUMS")) == 1


@pytest.mark.parametrize(
    "line",
    [
        f"{A}  ../one",
        f"{A}  /etc/passwd",
        f"{A}  dir/one",
        f"{A}  dir\\one",
        f"{A}  C:one",
        f"{A}  ..",
        f"{A}  one\x00",
        f"{A}",
        f"{A[:-1]}  one",
        f"{'a' * 40}  sha1",
        "<html>",
        f"SHA256 (one) = {A}",
    ],
)
def test_a_malformed_line_is_refused(line: str) -> None:
    with pytest.raises(IntegrityError, match="SUMS, line 2: "):
        parse_checksums(f"{A}  good\n{line}\n", where="SUMS")


def test_two_digests_of_one_file_are_refused() -> None:
    with pytest.raises(IntegrityError, match="line 2: one has another digest in an earlier line"):
        parse_checksums(f"{A}  one\n{'b' * 64}  one\n", where="SUMS")


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        names = set(parse_checksums(text, where="SUMS"))
    except IntegrityError:
        return
    assert not any("/" in name or "\\" in name for name in names)

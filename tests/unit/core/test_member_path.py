"""Names of members: which stay inside the directory that they are unpacked to."""

import pytest

from factory.core.member_path import is_plain, why_outside


@pytest.mark.parametrize("name", ["a", "a/b.txt", "a/b/", "..a/b..", "a b", "\u00e9/x", "n" * 255])
def test_a_plain_name_stays_inside(name: str) -> None:
    assert why_outside(name) == ""
    assert is_plain(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/etc/x", "the path is absolute"),
        ("/", "the path is absolute"),
        ("C:/x", "the path is absolute"),
        ("c:x", "the path is absolute"),
        ("..", "the path leads out of the directory that it is installed to"),
        ("a/../b", "the path leads out of the directory that it is installed to"),
        ("a//b", "the path has an empty or '.' component"),
        ("", "the path has an empty or '.' component"),
        ("./a", "the path has an empty or '.' component"),
        ("a/.", "the path has an empty or '.' component"),
    ],
)
def test_a_name_that_leads_elsewhere(name: str, why: str) -> None:
    assert why_outside(name) == why
    assert not is_plain(name)


@pytest.mark.parametrize("name", ["a\\b", "a\0b", "a\nb", "a\u200bb", "a\u202eb", "n" * 256, "\u00e9" * 128])
def test_a_name_that_cannot_be_written_as_it_is(name: str) -> None:
    assert not is_plain(name)

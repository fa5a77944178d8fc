import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.core.model import ChannelName
from factory.core.tags import CodexTag
from factory.release.channels import nearest, tags_in, unknown_release

KNOWN = tags_in(
    ["rust-v0.9.0", "0.10.0", "nonsense", "0.10.0-alpha.2", "0.10.0-alpha.1.3", "0.11.0", "0.12.0", "1.0.0"]
)


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        (
            "0.10.1",
            ["rust-v0.10.0-alpha.2", "rust-v0.10.0", "rust-v0.11.0", "rust-v0.12.0", "rust-v1.0.0"],
        ),
        (
            "0.1.0",
            ["rust-v0.9.0", "rust-v0.10.0-alpha.1.3", "rust-v0.10.0-alpha.2", "rust-v0.10.0", "rust-v0.11.0"],
        ),
        (
            "9.0.0",
            ["rust-v0.10.0-alpha.2", "rust-v0.10.0", "rust-v0.11.0", "rust-v0.12.0", "rust-v1.0.0"],
        ),
    ],
)
def test_the_nearest_releases_are_found_by_version(asked: str, near: list[str]) -> None:
    assert [str(tag) for tag in nearest(CodexTag.parse(asked), KNOWN)] == near


def test_the_nearest_releases_are_two_before_and_two_after() -> None:
    known = [CodexTag(major=0, minor=minor, patch=0) for minor in range(10)]
    near = nearest(CodexTag(major=0, minor=5, patch=0), known)
    assert [tag.minor for tag in near] == [3, 4, 5, 6, 7]


def test_the_error_for_an_unknown_release_lists_the_nearest() -> None:
    error = unknown_release(CodexTag.parse("0.11.1"), ChannelName.NPM, KNOWN)
    assert str(error) == "channel npm has no release rust-v0.11.1"
    assert "rust-v0.11.0, rust-v0.12.0" in error.hint
    assert unknown_release(CodexTag.parse("1.0.0"), ChannelName.NPM, ()).hint == (
        "It has no releases at all: check its address."
    )


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(0, 40))
def test_at_most_five_known_releases_are_returned_in_order(known: list[int], asked: int) -> None:
    tags = [CodexTag(major=0, minor=minor, patch=0) for minor in known]
    near = nearest(CodexTag(major=0, minor=asked, patch=0), tags)
    assert list(near) == sorted(set(near), key=lambda tag: tag.minor)
    assert set(near) <= set(tags)
    assert len(near) == min(5, len(set(tags)))

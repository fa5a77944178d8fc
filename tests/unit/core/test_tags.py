import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from factory.core.tags import CodexTag, MalformedTag, PreRelease, PreReleaseStage

numbers = st.integers(min_value=0, max_value=10**6)
pre_releases = st.builds(
    PreRelease,
    stage=st.sampled_from(PreReleaseStage),
    number=numbers,
    hotfix=st.none() | numbers,
)
tags = st.builds(CodexTag, major=numbers, minor=numbers, patch=numbers, pre=st.none() | pre_releases)


@pytest.mark.parametrize(
    ("text", "pep440", "semver"),
    [
        ("rust-v0.163.0", "0.163.0", "0.163.0"),
        ("v0.163.0", "0.163.0", "0.163.0"),
        ("0.163.0", "0.163.0", "0.163.0"),
        ("rust-v0.116.0-alpha.1", "0.116.0a1", "0.116.0-alpha.1"),
        ("v0.116.0-beta.2", "0.116.0b2", "0.116.0-beta.2"),
        ("0.116.0-rc.3", "0.116.0rc3", "0.116.0-rc.3"),
        ("rust-v0.154.0-alpha.1.2", "0.154.0a1.post2", "0.154.0-alpha.1.2"),
        ("0.116.0a1", "0.116.0a1", "0.116.0-alpha.1"),
        ("0.116.0b2", "0.116.0b2", "0.116.0-beta.2"),
        ("0.116.0rc3", "0.116.0rc3", "0.116.0-rc.3"),
        ("0.154.0a1.post2", "0.154.0a1.post2", "0.154.0-alpha.1.2"),
        ("rust-v0.154.0a1.post2", "0.154.0a1.post2", "0.154.0-alpha.1.2"),
    ],
)
def test_every_spelling_is_the_same_release(text: str, pep440: str, semver: str) -> None:
    tag = CodexTag.parse(text)
    assert tag.pep440 == pep440
    assert tag.semver == semver
    assert str(tag) == f"rust-v{semver}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rust-v",
        "latest",
        "rust-v0.163",
        "rust-v0.163.0.1",
        "rust-rust-v0.163.0",
        "vv0.163.0",
        "rust-v00.163.0",
        "rust-v0.163.0-alpha",
        "rust-v0.163.0-alpha.",
        "rust-v0.163.0-alpha.1.2.3",
        "rust-v0.163.0-gamma.1",
        "rust-v0.163.0-a.1",
        "0.163.0alpha1",
        "0.163.0.post1",
        "0.163.0a1.dev2",
        "0.163.0+local",
        "rust-v0.163.0 ",
        " rust-v0.163.0",
        "rust-v0.163.0\n",
        "rust-v\N{ARABIC-INDIC DIGIT ZERO}.163.0",
    ],
)
def test_a_malformed_tag_is_refused(text: str) -> None:
    with pytest.raises(MalformedTag) as caught:
        CodexTag.parse(text)
    assert repr(text) in str(caught.value)
    assert "rust-v0.163.0" in caught.value.hint


@given(tags)
def test_every_spelling_is_parsed_back(tag: CodexTag) -> None:
    assert CodexTag.parse(str(tag)) == tag
    assert CodexTag.parse(f"v{tag.semver}") == tag
    assert CodexTag.parse(tag.semver) == tag
    assert CodexTag.parse(tag.pep440) == tag


@given(tags)
def test_the_python_spelling_is_canonical(tag: CodexTag) -> None:
    assert str(Version(tag.pep440)) == tag.pep440


@given(tags, tags)
def test_different_releases_have_different_spellings(one: CodexTag, other: CodexTag) -> None:
    assert (one == other) == (one.pep440 == other.pep440) == (one.semver == other.semver)


@pytest.mark.parametrize("text", ["rust-v" + "9" * 5000 + ".0.0", "1.2.3-alpha." + "1" * 60])
def test_an_overlong_tag_is_refused(text: str) -> None:
    with pytest.raises(MalformedTag) as caught:
        CodexTag.parse(text)
    assert len(str(caught.value)) < 200

"""How versions of Python projects give versions on npm."""

import pytest

from factory.audit.projects.version_rule import VersionRule, normalised

RULES = [
    ("same", "2.2.2", "2.2.2"),
    ("same", "1.5.0b2", "1.5.0-beta.2"),
    ("same", "1.5.0a1", "1.5.0-alpha.1"),
    ("same", "1.5.0rc3", "1.5.0-rc.3"),
    ("same", "1.2.3.4", "1.2.3.4"),
    ("same", "1.2", "1.2.0"),
    ("same", "1.2.3.0", "1.2.3"),
    ("same", "1.2.0.0.0b1", "1.2.0-beta.1"),
    ("same", "1.2.3.post1", None),
    ("same", "1.2.3.dev1", None),
    ("same", "1.2.3+local", None),
    ("same", "1!1.2.3", None),
    ("drop-last-number", "0.57.4.0", "0.57.4"),
    ("drop-last-number", "0.57.4.12", "0.57.4"),
    ("drop-last-number", "0.57.4.0.0", "0.57.4"),
    ("drop-last-number", "0.57.4", None),
    ("drop-last-number", "0.57.4.0.post1", None),
    ("drop-last-number", "0.57.4.0a1", None),
    ("drop-post-release", "1.2.3.post1", "1.2.3"),
    ("drop-post-release", "1.2.3", "1.2.3"),
    ("drop-post-release", "1.2.3a1.post1", "1.2.3-alpha.1"),
    ("codex", "0.154.0a1.post2", "0.154.0-alpha.1.2"),
    ("codex", "0.147.0", "0.147.0"),
    ("codex", "0.147.0.0", "0.147.0"),
    ("codex", "1a1", "1.0.0-alpha.1"),
    ("codex", "2026.1.post1", None),
    ("member", "1.2.3", None),
]


@pytest.mark.parametrize(("rule", "version", "npm_version"), RULES)
def test_a_rule_gives_the_npm_version(rule: str, version: str, npm_version: str | None) -> None:
    assert VersionRule(rule).npm_version(version) == npm_version


@pytest.mark.parametrize(("text", "version"), [("1.02", "1.2"), ("v1.0", "1.0"), ("one", None), ("", None)])
def test_a_version_is_normalised(text: str, version: str | None) -> None:
    assert normalised(text) == version

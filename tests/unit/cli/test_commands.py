import json
import os
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Factory


def test_no_arguments_show_the_help_with_examples(factory: Factory) -> None:
    ended = factory()
    assert (ended.status, ended.out) == (2, "")
    assert "factory wheels rust-v0.163.0" in ended.err
    assert "FACTORY_CACHE_DIR" in ended.err


@pytest.mark.parametrize(
    ("command", "example"),
    [
        ((), "factory doctor"),
        (("wheels",), "factory wheels rust-v0.163.0 --dry-run --json"),
        (("stage-runtime",), "python -m build --wheel stage/"),
        (("targets",), "factory targets --json"),
        (("cache",), "factory cache prune --max-size 10GB --older-than 30"),
        (("cache", "prune"), "factory cache prune --older-than 7"),
        (("doctor",), "factory doctor --json"),
        (("completion",), "factory completion zsh > ~/.zfunc/_factory"),
    ],
)
def test_help_shows_examples(factory: Factory, command: tuple[str, ...], example: str) -> None:
    ended = factory(*command, "--help")
    assert (ended.status, ended.err) == (0, "")
    assert "examples:" in ended.out
    assert example in ended.out


def test_targets_lists_the_platform_table(factory: Factory) -> None:
    rows = [line.split("\t") for line in factory("targets").out.splitlines()]
    assert rows[0] == ["platform", "target", "npm", "why"]
    assert rows[1][:3] == ["manylinux_2_17_x86_64", "x86_64-unknown-linux-musl", "linux-x64"]
    assert len(rows) == 9
    document = json.loads(factory("targets", "--json").out)
    assert document[7]["platform"] == "win_arm64"
    assert document[7]["npm_suffix"] == "win32-arm64"


def test_the_doctor_says_what_this_host_can_do(factory: Factory, cache: Path) -> None:
    ended = factory("doctor", "--json")
    seen = {item["what"]: item for item in json.loads(ended.out)}
    assert ended.status == 0
    assert seen["deflate"]["state"] == "ok"
    assert seen["cache"]["seen"] == str(cache)
    assert seen["container engine"]["state"] == "absent"
    assert "no container engine answers: there is no " in seen["container engine"]["seen"]
    assert all(item["remedy"] for item in seen.values() if item["state"] != "ok")
    assert factory("doctor").out.splitlines()[0] == "what\tstate\tseen\thow to get it"


def test_the_doctor_fails_where_a_required_thing_is_broken(
    factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FACTORY_CACHE_DIR", str(tmp_path / "file" / "cache"))
    ended = factory("doctor")
    assert ended.status == 25
    assert f"cannot write {tmp_path / 'file'}" in ended.out


@pytest.fixture
def kept(cache: Path) -> Path:
    """Keep two packages in the cache: an old one of 300 bytes and a new one of 700."""
    assets = cache / "assets"
    assets.mkdir()
    (assets / "sha256-old").write_bytes(bytes(300))
    (assets / "sha256-new").write_bytes(bytes(700))
    os.utime(assets / "sha256-old", (1, 1))
    return assets


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_the_cache_is_shown(factory: Factory, cache: Path, kept: Path) -> None:
    assert factory("cache", "show").out.splitlines()[:2] == [
        "what\tentries\tsize\tmeaning",
        "assets\t2\t1.0 kB\trelease packages",
    ]
    document = factory("cache", "show", "--json").document
    assert document["place"] == str(cache)
    assert document["entries"] == [
        {"namespace": "assets", "name": "sha256-old", "size_bytes": 300, "last_used_s": 1.0},
        {
            "namespace": "assets",
            "name": "sha256-new",
            "size_bytes": 700,
            "last_used_s": (kept / "sha256-new").stat().st_mtime,
        },
    ]


def test_the_cache_is_pruned_by_size(factory: Factory, kept: Path) -> None:
    ended = factory("cache", "prune", "--max-size", "0.8kB")
    assert (ended.status, ended.err) == (0, "removed 1 entries, 300 B\n")
    assert names(kept) == ["sha256-new"]


def test_the_cache_is_pruned_by_age(factory: Factory, kept: Path) -> None:
    assert factory("cache", "prune", "--older-than", "7").err == "removed 1 entries, 300 B\n"
    assert names(kept) == ["sha256-new"]


def test_the_cache_is_cleared(factory: Factory, kept: Path) -> None:
    assert factory("cache", "clear").err == "removed 2 entries, 1.0 kB\n"
    assert names(kept) == []


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        ((), 20, "nothing says what to prune"),
        (("--max-size", "much"), 20, "'much' is not a size"),
        (("--max-size", "-1GB"), 2, "--max-size"),
        (("--older-than", "soon"), 2, "'soon' is no number of days"),
        (("--older-than=-1",), 2, "'-1' is no number of days"),
        (("--older-than", "nan"), 2, "'nan' is no number of days"),
    ],
)
def test_pruning_by_nonsense_removes_nothing(
    factory: Factory, kept: Path, options: tuple[str, ...], status: int, sentence: str
) -> None:
    ended = factory("cache", "prune", *options)
    assert ended.status == status
    assert sentence in ended.err
    assert names(kept) == ["sha256-new", "sha256-old"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_knows_every_command(factory: Factory, shell: str) -> None:
    ended = factory("completion", shell)
    assert ended.status == 0
    for command in ("wheels", "stage-runtime", "targets", "cache", "doctor", "completion"):
        assert command in ended.out

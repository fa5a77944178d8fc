import json
import os
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from factory.cli.parser import listed_commands
from tests.unit.cli.conftest import Factory


def test_a_call_without_arguments_prints_the_commands(factory: Factory) -> None:
    ended = factory()
    lines = ended.err.splitlines()
    assert (ended.status, ended.out) == (2, "")
    assert len(lines) <= 25
    assert max(map(len, lines)) < 80
    listed = [words[0] for words in listed_commands() if len(words) == 1][:-3]  # without upstream's
    assert [line.split()[0] for line in lines[4:15]] == listed
    assert "'factory COMMAND --help' describes a command." in ended.err


@pytest.mark.parametrize(
    "words",
    [
        (),
        *listed_commands(),
        *(("cache", action) for action in ("show", "prune", "clear")),
        *(("ci", "baseline", action) for action in ("propose", "leave-one-out", "executables")),
    ],
    ids=" ".join,
)
def test_each_help_has_examples_and_fits_80_columns(
    factory: Factory, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ended = factory(*words, "--help")
    assert (ended.status, ended.err) == (0, "")
    _, _, examples = ended.out.partition("\nexamples:\n  ")
    name = {"stage-sdk": "sdk stage", "generate-types": "sdk types"}.get(" ".join(words), " ".join(words))
    assert examples.startswith(f"factory {name}".rstrip())
    assert [line for line in ended.out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("words", [("nosuch",), ("--nosuch",), ("-", "wheels")])
def test_an_unknown_command_is_refused(factory: Factory, words: tuple[str, ...]) -> None:
    ended = factory(*words)
    assert (ended.status, ended.out) == (2, "")


def test_targets_lists_the_platform_table(factory: Factory) -> None:
    rows = [line.split("\t") for line in factory("targets").out.splitlines()]
    assert rows[0] == ["platform", "target", "npm", "reason"]
    assert rows[1][:3] == ["manylinux_2_17_x86_64", "x86_64-unknown-linux-musl", "linux-x64"]
    assert len(rows) == 9
    document = json.loads(factory("targets", "--json").out)
    assert document[7]["platform"] == "win_arm64"
    assert document[7]["npm_suffix"] == "win32-arm64"


@pytest.fixture
def servers(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve a registry and an index on this machine."""
    httpserver.expect_request("/npm/@openai/codex").respond_with_data("{}")
    httpserver.expect_request("/simple/openai-codex-cli-bin/").respond_with_data("")
    monkeypatch.setenv("FACTORY_NPM_REGISTRY", httpserver.url_for("/npm/"))
    monkeypatch.setenv("PIP_INDEX_URL", httpserver.url_for("/simple/"))


@pytest.mark.usefixtures("servers")
def test_doctor_reports_what_this_machine_has(factory: Factory, cache: Path) -> None:
    ended = factory("doctor", "--json")
    seen = {item["what"]: item for item in json.loads(ended.out)}
    assert ended.status == 0
    assert seen["deflate"]["state"] == "ok"
    assert seen["cache"]["seen"] == str(cache)
    assert seen["container engine"]["state"] == "absent"
    assert seen["container engine"]["seen"].startswith("no container engine answers: ")
    assert all(item["remedy"] for item in seen.values() if item["state"] != "ok")
    assert factory("doctor").out.splitlines()[0] == "what\tstate\tdetail\tremedy"


@pytest.mark.usefixtures("servers")
def test_doctor_fails_if_a_required_thing_is_broken(
    factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FACTORY_CACHE_DIR", str(tmp_path / "file" / "cache"))
    ended = factory("doctor")
    assert ended.status == 25
    assert f"cannot write {tmp_path / 'file'}" in ended.out


@pytest.fixture
def kept(cache: Path) -> Path:
    """Put two packages into the cache: an old one of 300 bytes and a new one of 700."""
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
        "kind\tentries\tsize\tcontents",
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
    assert (ended.status, ended.err) == (0, "removed 1 entry, 300 B\n")
    assert names(kept) == ["sha256-new"]


def test_the_cache_is_pruned_by_age(factory: Factory, kept: Path) -> None:
    assert factory("cache", "prune", "--older-than", "7").err == "removed 1 entry, 300 B\n"
    assert names(kept) == ["sha256-new"]


def test_the_cache_is_cleared(factory: Factory, kept: Path) -> None:
    assert factory("cache", "clear").err == "removed 2 entries, 1.0 kB\n"
    assert names(kept) == []


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        ((), 20, "no limit given"),
        (("--max-size", "much"), 20, "'much' is not a size"),
        (("--max-size", "-1GB"), 2, "--max-size"),
        (("--older-than", "soon"), 2, "must be a number of days, not 'soon'"),
        (("--older-than=-1",), 2, "must be a number of days, not '-1'"),
        (("--older-than", "nan"), 2, "must be a number of days, not 'nan'"),
    ],
)
def test_prune_with_a_wrong_limit_removes_no_entry(
    factory: Factory, kept: Path, options: tuple[str, ...], status: int, message: str
) -> None:
    ended = factory("cache", "prune", *options)
    assert ended.status == status
    assert message in ended.err
    assert names(kept) == ["sha256-new", "sha256-old"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh", "fish", "powershell"])
def test_completion_has_every_command_and_option(factory: Factory, shell: str) -> None:
    ended = factory("show", "completion", shell)
    assert ended.status == 0
    for word in ("wheels", "sdk", "pin", "signers", "doctor", "like-published", "require-acceptance"):
        assert word in ended.out
    assert "check-statement" not in ended.out, "a former name"


def test_the_manual_page_has_every_command_and_option(factory: Factory) -> None:
    page = factory("show", "man").out
    assert page.startswith('.TH FACTORY 1 "" "codex-wheel-factory ')
    for section in ("NAME", "SYNOPSIS", "OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT"):
        assert f"\n.SH {section}\n" in page
    for name in ("wheels", "sdk pin", "cache prune", "ci baseline propose", "stage-runtime"):
        assert page.count(f'\n.SS "factory {name}"\n'.replace("-", "\\-")) == 1
    assert (
        page.count("\n.SS ") == len(list(listed_commands())) - len(("sdk", "statement", "ci", "show")) + 2 + 2
    )
    assert "\n.TP\n.B \\-\\-limit NAME=NUMBER\nraise a limit" in page
    assert "SUPPRESS" not in page
    assert not [line for line in page.splitlines() if line.startswith("'")], "a macro"

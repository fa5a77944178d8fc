import sys
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Factory


def of_directory(packages: Path, *more: str) -> tuple[str | Path, ...]:
    return ("reproduce", "0.163.0", "--channel", "directory", "--directory", packages, *more)


def test_the_table_shows_each_variation_and_each_named_interpreter(
    factory: Factory, packages: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    named = ("--variation", "home", "--variation", "timezone", "--variation", "python3.14")
    own = ("--python", sys.executable)
    ended = factory(*of_directory(packages, "--platform", "win_arm64", *named, *own))

    heading, *rows = (line.split("\t") for line in ended.out.splitlines())
    plain = rows[0][3]
    assert ended.status == 0
    assert heading == ["wheel", "variation", "state", "sha256", "detail"]
    assert rows == [
        ["win_arm64", "plain", "plain", plain, ""],
        ["win_arm64", "home", "equal", plain, ""],
        ["win_arm64", "timezone", "equal", plain, ""],
        ["win_arm64", "python3.14", "not tried", "", "no python3.14 on PATH; name one with --python"],
        ["win_arm64", f"python {own[1]}", "not tried", "", "it is the interpreter of the plain build"],
        ["win_arm64", "together", "equal", plain, "home + timezone"],
    ]
    assert "home: win_arm64 equal\n" in ended.err
    assert not list(cache.glob("reproduce-*"))


def test_json_shows_several_wheels(factory: Factory, packages: Path) -> None:
    platforms = ("--platform", "win_arm64", "--platform", "win_amd64")
    ended = factory(*of_directory(packages, *platforms, "--variation", "engine", "--json"))
    outcomes = ended.document["outcomes"]
    assert ended.status == 0
    assert ended.document["version"] == 2
    assert isinstance(outcomes, list)
    assert [(one["platform"], one["variation"], one["state"], one["detail"]) for one in outcomes] == [
        ("win_arm64", "plain", "plain", ""),
        ("win_amd64", "plain", "plain", ""),
        ("win_arm64", "engine", "equal", ""),
        ("win_amd64", "engine", "equal", ""),
    ]


def test_without_a_tried_variation_the_result_is_inconclusive(
    factory: Factory, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    ended = factory(*of_directory(packages, "--platform", "win_arm64", "--variation", "python3.13"))
    assert ended.status == 11


def test_an_unknown_variation_is_refused_before_any_build(factory: Factory, packages: Path) -> None:
    ended = factory(*of_directory(packages, "--platform", "win_arm64", "--variation", "moon"))
    assert ended.status == 20
    assert ended.complaint.startswith("factory: unknown variation 'moon'\nhint: Variations are build-path, ")


def test_the_wheels_must_be_named(factory: Factory, packages: Path) -> None:
    ended = factory(*of_directory(packages))
    assert ended.status == 2
    assert "one of the arguments --platform --all-platforms is required" in ended.err

"""The runner of the documents' commands: each one that needs nothing else is run."""

import shutil
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.documented import NEEDS, Documented, Need, documented
from tests.documented_session import SESSION
from tests.images import Pe
from tests.unit.cli.conftest import Factory
from tests.workflow_files import factory_commands

COMMANDS = documented()
RUN = sorted({one.line for one in COMMANDS if one.need is Need.NOTHING} | {"factory wheels 0.163.0"})
WINDOWS = "openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl"
SETTINGS = """
channel = "directory"
directory = "packages"
"""


def test_the_documents_have_commands_and_most_that_can_be_run_here_are_run() -> None:
    assert len(COMMANDS) > 90
    assert len(RUN) >= 25
    for line in ("factory verify dist/0.163.0", "factory sdk pin dist/0.163.0", "factory --help"):
        assert line in RUN


def test_every_need_is_that_of_a_command() -> None:
    lines = {one.line for one in COMMANDS}
    lines -= {step.line for step in SESSION}
    unused = [pattern for pattern, _ in NEEDS if not any(fnmatchcase(line, pattern) for line in lines)]
    assert unused == []


def test_a_new_command_is_run_unless_it_has_a_row() -> None:
    assert Documented(page="x.md", line="factory show platforms --format json").need is Need.NOTHING
    assert Documented(page="x.md", line="factory audit 0.163.0").need is Need.REGISTRIES
    assert Documented(page="x.md", line="factory audit 0.162.0").need is Need.TIME


def test_the_session_has_only_documented_commands() -> None:
    lines = {one.line for one in COMMANDS}
    assert [step.line for step in SESSION if step.line not in lines] == []


@pytest.fixture
def prepared(factory: Factory, packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a directory with what the pages speak of: packages, wheels, a key, parts of a release."""
    place = tmp_path / "prepared"
    shutil.copytree(packages, place / "packages")
    monkeypatch.chdir(place)
    Path("factory.toml").write_text(SETTINGS)
    assert factory("wheels", "0.163.0").status == 0
    parts = [("a", "win_amd64"), ("b", "win_arm64")]
    for part, platform in parts:
        assert factory("wheels", "0.163.0", "--platform", platform, "--out", f"parts/{part}").status == 0
    shutil.copytree("dist/0.163.0", "release")
    shutil.copy(f"dist/0.163.0/{WINDOWS}", WINDOWS)
    shutil.copy(f"dist/0.163.0/{WINDOWS}", "some.whl")
    Path("codex.exe").write_bytes(Pe().content())
    assert factory("statement", "create", "--new-key", "key").status == 0
    shutil.copy("key", "codex.key")
    assert (
        factory(
            "sdk", "pin", "release", "--format", "requirements", "--output", "requirements-codex.txt"
        ).status
        == 0
    )
    Path("SOURCE").write_bytes(next(Path("packages").glob("*win32-x64*")).read_bytes())
    return place


def test_the_documented_commands_run(
    factory: Factory, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = []
    for number, line in enumerate(RUN):
        place = shutil.copytree(prepared, tmp_path / str(number))
        monkeypatch.chdir(place)
        if "--new-key" in line:
            Path("codex.key").unlink()
            Path("codex.key.pub").unlink(missing_ok=True)
        for words in factory_commands(line, {"PWD": str(place), "PROFILE": "profile"}):
            ended = factory(*(path for word in words for path in expanded(word)))
            if ended.status != 0:
                failed.append((line, ended.status, ended.err[-300:]))
    assert failed == []


def expanded(word: str) -> list[str]:
    """Expand a pattern as a shell does; the pattern of a waiver has an equals sign."""
    return sorted(map(str, Path().glob(word))) if "*" in word and "=" not in word else [word]

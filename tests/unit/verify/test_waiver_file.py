from pathlib import Path

import pytest

from factory.core.errors import UsageError
from factory.verify.waiver_file import read_waivers
from factory.verify.waivers import Waiver


def read(tmp_path: Path, text: str) -> tuple[Waiver, ...] | None:
    path = tmp_path / "pyproject.toml"
    path.write_text(text)
    return read_waivers(path)


def test_tables_of_checks_with_lines_of_patterns(tmp_path: Path) -> None:
    text = """
    [tool.factory.waivers.elf-rpath]
    "codex_cli_bin/lib/*" = "the loader sets it "
    "codex_cli_bin/rg" = "a = b"
    [tool.factory.waivers]
    package-typed = { "*" = "an older era" }
    """
    assert read(tmp_path, text) == (
        Waiver(check="elf-rpath", pattern="codex_cli_bin/lib/*", reason="the loader sets it"),
        Waiver(check="elf-rpath", pattern="codex_cli_bin/rg", reason="a = b"),
        Waiver(check="package-typed", pattern="*", reason="an older era"),
    )


@pytest.mark.parametrize("text", ["", "[tool.other]\nx = 1\n", "[tool.factory]\nx = 1\n"])
def test_a_file_without_the_table_has_none(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[tool", "not TOML"),
        ("tool = 5", "factory should be in a table"),
        ("[tool.factory]\nwaivers = 5", "waivers should be a table"),
        ("[tool.factory.waivers]\nelf-rpath = 'why'", "should be a table of patterns and reasons"),
        ("[tool.factory.waivers.elf-rpath]\n'*' = ' '", "needs a reason"),
        ("[tool.factory.waivers.elf-rpath]\n'*' = 5", "needs a reason"),
        ("[tool.factory.waivers.elf-rpath]\n'' = 'why'", "needs a reason"),
    ],
)
def test_a_malformed_table_is_rejected(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        read(tmp_path, text)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_waivers(tmp_path / "absent.toml")


def test_a_check_that_was_not_run_cannot_be_waived_in_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="findings of archive-unreadable cannot be waived"):
        read(tmp_path, "[tool.factory.waivers.archive-unreadable]\n'*' = 'why'")

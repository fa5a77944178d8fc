"""The form of a result, and the file to which it goes."""

import argparse
import json
import sys
from pathlib import Path

import pytest

from factory.cli.command import CommandParser
from factory.cli.console import Column
from factory.cli.formats import print_markdown, written_report
from factory.cli.parser import make_parser
from factory.core.errors import VerificationError
from tests.unit.cli.conftest import Factory


def leaves(parser: CommandParser) -> dict[str, CommandParser]:
    """Return the parser of each command, by its words."""
    found: dict[str, CommandParser] = {}
    for command in parser.commands.values():
        found |= leaves(command)
    return found or {parser.prog: parser}


def test_every_command_with_json_has_format_and_output() -> None:
    commands = leaves(make_parser().filled_deeply())
    assert len(commands) > 20
    for name, command in commands.items():
        options = command._option_string_actions  # noqa: SLF001 - argparse has no public list
        if "--json" in options:
            assert options["--json"].help == argparse.SUPPRESS, name
            assert "json" in (options["--format"].choices or ()), name
        assert ("--format" in options) == ("--output" in options), name


def test_the_former_option_gives_the_same_document(factory: Factory) -> None:
    usual = factory("show", "platforms", "--format", "json")
    assert usual.out == factory("show", "platforms", "--json").out
    assert json.loads(usual.out)[7]["platform"] == "win_arm64"


def test_a_table_can_be_markdown(factory: Factory) -> None:
    lines = factory("cache", "show", "--format", "markdown").out.splitlines()
    assert lines[0] == "| kind | entries | size | contents |"
    assert lines[1] == "|---|---:|---:|---|"
    assert lines[2] == "| assets | 0 | 0 B | release packages |"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("3 errors, 1 warning", "3 errors, 1 warning"),
        ("", " "),
        ("a|b", "`a\u2502b`"),
        ("`x`", "`'x'`"),
        ("<img src=x>", "`<img src=x>`"),
        ("@somebody", "`@somebody`"),
        ("see www.example.invalid", "`see www.example.invalid`"),
        ("http://example.invalid", "`http://example.invalid`"),
        ("a\nb\x1b", "`a\\nb\\x1b`"),
    ],
)
def test_no_text_leaves_its_cell(capsys: pytest.CaptureFixture[str], text: str, cell: str) -> None:
    print_markdown([Column(heading="x")], [(text,)])
    assert capsys.readouterr().out == f"| x |\n|---|\n| {cell} |\n"


def test_a_result_is_written_to_a_file(factory: Factory, tmp_path: Path) -> None:
    path = tmp_path / "platforms.json"
    ended = factory("show", "platforms", "--format", "json", "--output", path)
    assert (ended.status, ended.out, ended.err) == (0, "", f"wrote {path}\n")
    assert len(json.loads(path.read_text())) == 8


def print_and_raise(path: Path, error: BaseException) -> None:
    with written_report(path):
        sys.stdout.write("one error\n")
        raise error


def test_a_command_that_prints_its_result_and_fails_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "result"
    with pytest.raises(VerificationError):
        print_and_raise(path, VerificationError("out of date"))
    assert path.read_text() == "one error\n"


def test_a_command_without_a_result_leaves_the_file_as_it_was(factory: Factory, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    assert factory("show", "check", "nosuch", "--output", path).status == 20
    assert path.read_text() == "old"
    with pytest.raises(KeyboardInterrupt):
        print_and_raise(path, KeyboardInterrupt())
    assert path.read_text() == "old"


def test_a_place_that_cannot_be_a_file_is_refused_before_the_work(factory: Factory, tmp_path: Path) -> None:
    ended = factory("wheels", "0.163.0", "--output", tmp_path)
    assert (ended.status, ended.out) == (20, "")
    assert ended.err == (
        f"factory: cannot write {tmp_path}: it is a directory\nhint: Give --output the path of a file.\n"
    )
    (tmp_path / "file").touch()
    below = tmp_path / "file" / "new" / "x.json"
    ended = factory("wheels", "0.163.0", "--output", below)
    assert f"cannot write {below}: {tmp_path / 'file'} is not a directory" in ended.err


def test_the_directory_of_a_result_is_made(factory: Factory, tmp_path: Path) -> None:
    path = tmp_path / "new" / "deeper" / "x.md"
    assert factory("show", "platforms", "--format", "markdown", "--output", path).status == 0
    assert path.read_text().startswith("| platform |")

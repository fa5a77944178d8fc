"""Defaults of options from a file."""

import argparse
import re
from pathlib import Path

import pytest

from factory.cli.configuration import COMMAND_SETTINGS, SETTINGS
from factory.cli.parser import make_parser
from factory.core.errors import UsageError
from tests.unit.cli.conftest import Factory
from tests.unit.cli.test_formats import leaves
from tests.workflow_files import ROOT


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty directory, without variables that go before a file."""
    monkeypatch.chdir(tmp_path)
    for variable in {name for names in SETTINGS.values() for name in names}:
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def parsed(words: str) -> argparse.Namespace:
    return make_parser().parse_args(words.split())


def test_every_setting_is_an_option_of_a_command_and_in_the_page() -> None:
    commands = leaves(make_parser().filled_deeply()).values()
    options = {name for command in commands for name in command._option_string_actions}  # noqa: SLF001 - argparse has no public list
    assert {f"--{name}" for name in COMMAND_SETTINGS} - options == set()
    rows = re.findall(r"^\| (`.*`) \| (anywhere|in the table of a command) \|$", page(), re.MULTILINE)
    listed = {place: set(re.findall(r"`([a-z-]+)`", names)) for names, place in rows}
    assert listed == {
        "anywhere": set(SETTINGS),
        "in the table of a command": COMMAND_SETTINGS - set(SETTINGS),
    }


def page() -> str:
    return (ROOT / "docs/configuration.md").read_text(encoding="utf-8")


def test_no_setting_makes_a_verdict_milder_or_names_the_place_of_a_token() -> None:
    assert {"allow", "waivers", "accept-waivers", "without", "no-stock-tools", "limit", "github-api"} & (
        COMMAND_SETTINGS
    ) == set()


EVERYTHING = """
jobs = 3
channel = "github"
require-acceptance = true
min-rate = "2kB"
[wheels]
jobs = 4
platform = ["win_amd64", "win_arm64"]
out = "there"
[sdk.pin]
format = "pylock"
"""


@pytest.mark.parametrize("name", ["factory.toml", "pyproject.toml"])
def test_a_file_has_defaults_and_the_table_of_a_command_goes_first(here: Path, name: str) -> None:
    text = EVERYTHING
    if name == "pyproject.toml":
        text = "[tool.factory]" + text.replace("\n[", "\n[tool.factory.")
    (here / name).write_text(text)
    wheels = parsed("wheels 1.2.3")
    assert (wheels.jobs, wheels.platform, wheels.out) == (4, ["win_amd64", "win_arm64"], Path("there"))
    assert (wheels.channel, wheels.min_rate) == ("github", "2kB")
    audit = parsed("audit 1.2.3")
    assert (audit.jobs, audit.out, audit.platform) == (3, Path("audit"), None)
    pin = parsed("pin d")
    assert (pin.format, pin.require_acceptance) == ("pylock", True)


def test_the_command_line_goes_before_the_file(here: Path) -> None:
    (here / "factory.toml").write_text(EVERYTHING)
    wheels = parsed("wheels 1.2.3 --jobs 1 --platform musllinux_1_1_x86_64 --channel npm")
    assert (wheels.jobs, wheels.platform, wheels.channel) == (1, ["musllinux_1_1_x86_64"], "npm")
    assert wheels.out == Path("there")


def test_a_variable_goes_before_the_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "factory.toml").write_text('npm-registry = "http://a.example.invalid"\nindex-url = "http://b"')
    assert parsed("audit 1").npm_registry == "http://a.example.invalid"
    monkeypatch.setenv("FACTORY_NPM_REGISTRY", "http://c")
    monkeypatch.setenv("UV_INDEX_URL", "http://d")
    arguments = parsed("audit 1")
    assert (arguments.npm_registry, arguments.index_url) == (None, None)


def test_commands_without_the_option_ignore_it(here: Path) -> None:
    (here / "factory.toml").write_text("jobs = 3")
    assert not hasattr(parsed("show checks"), "jobs")
    assert parsed("ci baseline executables 1").command.__name__ == "_executables"


def test_the_actions_of_a_command_have_defaults_too(here: Path) -> None:
    (here / "factory.toml").write_text('channel = "github"')
    assert parsed("ci baseline executables 1").channel == "github"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("job = 3", "factory.toml: unknown key 'job'", "Did you mean jobs?"),
        ("zzz = 3", "factory.toml: unknown key 'zzz'", "Possible here: audit, bundle, cache,"),
        ("out = 'x'", "factory.toml: unknown key 'out'", "in the table of a command only"),
        (
            "[wheels]\nzzz = 1",
            "factory.toml, table wheels: unknown key 'zzz'",
            "Possible here: builder,",
        ),
        ("[wheel]\njobs = 1", "factory.toml: unknown key 'wheel'", "Did you mean wheels?"),
        ("[sdk]\njobs = 1", "factory.toml, table sdk: unknown key 'jobs'", "in the table of a command only"),
        ("[sdk.pim]\n", "factory.toml, table sdk: unknown key 'pim'", "Did you mean pin?"),
        ("[jobs]\nx = 1", "factory.toml: jobs: must be a text or a number", "'factory COMMAND --help'"),
        ("wheels = 1", "factory.toml: unknown key 'wheels'", "Did you mean"),
        ("[wheels]\nsdk-out = 'x'", "factory.toml, table wheels: sdk-out: 'factory wheels' has no such", ""),
        ("jobs = 0", "factory.toml: jobs: must be a positive integer, not '0'", ""),
        ("jobs = true", "factory.toml: jobs: must be a text or a number, not True", ""),
        ("jobs = [1]", "factory.toml: jobs: takes one value, not a list", ""),
        ("channel = 'x'", "factory.toml: channel: invalid choice: 'x'", ""),
        ("[waivers.x]\n'*' = 'y'", "factory.toml: unknown key 'waivers'", "Waivers are in pyproject.toml"),
        ("github-api = 'http://x'", "factory.toml: unknown key 'github-api'", "Possible here:"),
        ("jobs", "factory.toml is not TOML (", "Correct the file."),
    ],
)
def test_a_wrong_file_is_refused_before_anything_is_done(
    here: Path, text: str, message: str, hint: str
) -> None:
    (here / "factory.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        parsed("wheels 1.2.3")
    assert str(caught.value).startswith(message)
    assert hint in caught.value.hint
    assert [path.name for path in here.iterdir()] == ["factory.toml"]


def test_a_switch_must_be_true_or_false(here: Path) -> None:
    (here / "factory.toml").write_text("require-acceptance = 'yes'")
    with pytest.raises(UsageError, match="require-acceptance: must be true or false, not 'yes'"):
        parsed("sdk pin d")
    (here / "factory.toml").write_text("require-acceptance = false")
    assert parsed("sdk pin d").require_acceptance is False


def test_settings_in_both_files_are_refused(here: Path) -> None:
    (here / "factory.toml").write_text("jobs = 3")
    (here / "pyproject.toml").write_text("[tool.factory.waivers.x]\n'*' = 'reason'\n")
    assert parsed("audit 1").jobs == 3
    (here / "pyproject.toml").write_text("[tool.factory]\njobs = 3\n")
    with pytest.raises(UsageError, match="both have settings"):
        parsed("audit 1")


@pytest.mark.parametrize(("text", "name"), [("tool = 1#factory", "tool"), ("[tool]\nfactory = 1", "factory")])
def test_a_project_file_needs_a_table_there(here: Path, text: str, name: str) -> None:
    (here / "pyproject.toml").write_text(text)
    with pytest.raises(UsageError, match=f"^pyproject.toml: {name} should be a table$"):
        parsed("audit 1")


def test_an_error_that_an_option_of_the_file_causes_names_the_file(factory: Factory, here: Path) -> None:
    (here / "factory.toml").write_text('npm-registry = "http://a.example.invalid"')
    ended = factory("wheels", "0.163.0", "--offline", here)
    assert ended.status == 20
    assert ended.err == (
        "factory: --npm-registry contradicts --offline, which takes packages from the bundle only\n"
        "hint: Leave one of the two out. Options from a file: npm-registry (factory.toml).\n"
    )


def test_help_works_beside_a_wrong_file(factory: Factory, here: Path) -> None:
    (here / "factory.toml").write_text("nosuch")
    assert factory("wheels", "--help").status == 0
    assert factory("wheels", "0.163.0").status == 20
    (here / "factory.toml").unlink()
    (here / "factory.toml").mkdir()
    assert "cannot read factory.toml: Is a directory" in factory("wheels", "0.163.0").err

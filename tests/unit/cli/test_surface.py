"""The names of the commands, and the former ones."""

import argparse
from collections.abc import Callable

import pytest

from factory.cli.parser import COMMANDS, listed_commands, make_parser
from tests.unit.cli.conftest import Factory

FORMER = [
    ("pin d", "sdk pin d"),
    ("accept d", "sdk accept d"),
    ("make-sdk 1.2.3", "sdk make 1.2.3"),
    ("stage-sdk d", "sdk stage d"),
    ("generate-types", "sdk types"),
    ("model-server d", "sdk model-server d"),
    ("attest d --unsigned", "statement create d --unsigned"),
    ("check-statement s --wheel w", "statement check s --wheel w"),
    ("matrix 1.2.3", "ci matrix 1.2.3"),
    ("merge a b", "ci merge a b"),
    ("reproduce 1.2.3 --all-platforms", "ci reproduce 1.2.3 --all-platforms"),
    ("baseline propose a", "ci baseline propose a"),
    ("trust w", "show signers w"),
    ("checks", "show checks"),
    ("explain id", "show check id"),
    ("targets", "show platforms"),
    ("completion fish", "show completion fish"),
]


def parsed(words: str) -> argparse.Namespace:
    return make_parser().parse_args(words.split())


@pytest.mark.parametrize(("former", "words"), FORMER)
def test_a_former_name_runs_the_same_command(former: str, words: str) -> None:
    assert parsed(former) == parsed(words)


def test_a_former_name_is_not_in_the_help_and_its_own_help_has_the_new_one(factory: Factory) -> None:
    listed = factory("--help").out.partition("commands:")[2].partition("examples:")[0]
    names = [line.split()[0] for line in listed.splitlines() if line[:1] == " " and line[2:3] != " "]
    indented = [line.split()[0] for line in listed.splitlines() if line[:4] == "    " and line[4:5] != " "]
    assert indented == [
        "wheels",
        "verify",
        "audit",
        "projects",
        "sdk",
        "statement",
        "ci",
        "bundle",
        "show",
        "cache",
        "doctor",
    ]
    assert names == ["COMMAND", "stage-runtime", "stage-sdk", "generate-types"]
    assert factory("pin", "--help").out.startswith("usage: factory sdk pin ")
    assert factory("stage-sdk", "--help").out.startswith("usage: factory stage-sdk ")


def test_every_listed_command_has_a_summary_and_options() -> None:
    assert len(list(listed_commands())) == 14 + 6 + 2 + 4 + 6
    assert all(command.summary and bool(command.module) != bool(command.parts) for command in COMMANDS)


@pytest.mark.parametrize(
    "words", ["--log-file pin show checks", "-q show checks", "show checks --log-file pin"]
)
def test_the_value_of_an_option_is_no_command(words: str) -> None:
    command: Callable[..., int] = parsed(words).command
    assert command.__module__ == "factory.cli.checks"


@pytest.mark.parametrize("group", ["sdk", "statement", "ci", "show"])
def test_a_group_alone_is_refused(factory: Factory, group: str) -> None:
    ended = factory(group)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"usage: factory {group} [-h]")
    assert f"\nexamples:\n  factory {group} " in ended.err
    assert factory(group, "nosuch").status == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("verfy", "x"),
            "factory: error: unknown command 'verfy'. Did you mean 'verify'? See 'factory --help'.",
        ),
        (
            ("sdk", "pim"),
            "factory sdk: error: unknown command 'pim'. Did you mean 'pin'? See 'factory sdk --h",
        ),
        (("attets",), "factory: error: unknown command 'attets'. Did you mean 'attest'?"),
        (("zzz",), "factory: error: unknown command 'zzz'. See 'factory --help'."),
        (("show", "completion", "ksh"), "completion: error: argument shell: invalid choice: 'ksh'"),
    ],
)
def test_an_unknown_command_is_answered_with_the_one_that_it_resembles(
    factory: Factory, words: tuple[str, ...], said: str
) -> None:
    ended = factory(*words)
    assert ended.status == 2
    assert said in ended.err
    assert "check-statement" not in ended.err

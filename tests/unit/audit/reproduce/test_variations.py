"""Variations are data that change one command."""

import sys
from pathlib import Path

import pytest

from factory.audit.reproduce.variations import (
    SURROUNDINGS,
    Surroundings,
    UnknownVariation,
    VaryingRunner,
    variations_named,
)
from factory.system.process import Command, Completed, SubprocessRunner
from tests.fake_runner import Expected, FakeRunner


def surroundings(name: str) -> Surroundings:
    (found,) = (one.change for one in SURROUNDINGS if one.name == name)
    assert isinstance(found, Surroundings)
    return found


def test_directories_are_given_the_other_way_round(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).touch()
    say = "import os; print([e.name for e in os.scandir('.')], os.listdir('.'))"
    varied = surroundings("file-order").apply(
        Command(argv=(sys.executable, "-c", say), cwd=tmp_path), python=sys.executable
    )
    assert SubprocessRunner().run(varied).output == "['c', 'b', 'a'] ['c', 'b', 'a']\n"


def test_a_variation_sets_its_variable_and_keeps_the_rest() -> None:
    command = Command(argv=("/py", "-m", "build"), env={"TZ": "UTC", "HOME": "/h"})
    varied = surroundings("timezone").apply(command, python="/py")
    assert varied == Command(argv=("/py", "-m", "build"), env={"TZ": "Pacific/Kiritimati", "HOME": "/h"})


def test_several_at_once_wrap_the_build_and_nothing_else() -> None:
    outer = Surroundings(prefix=("outer", "{python}"), env={"TZ": "X"})
    runner = FakeRunner(Expected(argv=()), Expected(argv=()))
    varying = VaryingRunner(runner=runner, surroundings=(Surroundings(prefix=("inner", "{python}")), outer))
    varying.run(Command(argv=("/py", "-m", "build", "--no-isolation")))
    varying.run(Command(argv=("/py", "probe.py")))
    assert runner.commands == [
        Command(
            argv=("outer", "/py", "inner", "/py", "/py", "-m", "build", "--no-isolation"), env={"TZ": "X"}
        ),
        Command(argv=("/py", "probe.py")),
    ]


def test_a_program_that_is_not_installed_is_the_reason() -> None:
    absent = Surroundings(program="factory-has-no-such-program")
    assert absent.why_not(FakeRunner()) == "factory-has-no-such-program is not installed"


def test_a_prefix_that_is_not_allowed_is_the_reason() -> None:
    said = Completed(returncode=1, output="unshare: cannot open\nunshare: Operation not permitted\n")
    refused = Surroundings(prefix=("{python}", "-I"))
    assert refused.why_not(FakeRunner(Expected(argv=(sys.executable, "-I"), completed=said))) == (
        "unshare: Operation not permitted"
    )


def test_variables_alone_are_always_to_be_had() -> None:
    assert surroundings("home").why_not(FakeRunner()) is None


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownVariation, match="'moon'") as caught:
        variations_named(("moon",))
    assert "umask, user, home" in caught.value.hint

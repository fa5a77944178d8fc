"""Variations are values that change one command."""

import sys
from pathlib import Path

import pytest

from factory.audit.reproduce.variations import (
    SURROUNDINGS,
    Surroundings,
    VaryingRunner,
    variations_named,
)
from factory.core.errors import UsageError
from factory.system.process import Command, Completed, SubprocessRunner
from tests.fake_runner import Expected, FakeRunner


def surroundings(name: str) -> Surroundings:
    (found,) = (one.change for one in SURROUNDINGS if one.name == name)
    assert isinstance(found, Surroundings)
    return found


def test_file_order_reverses_directory_entries(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).touch()
    say = "import os; print([e.name for e in os.scandir('.')], os.listdir('.'))"
    varied = surroundings("file-order").apply(
        Command(argv=(sys.executable, "-c", say), cwd=tmp_path), python=sys.executable
    )
    assert SubprocessRunner().run(varied).output == "['c', 'b', 'a'] ['c', 'b', 'a']\n"


def test_a_variation_keeps_the_other_variables() -> None:
    command = Command(argv=("/py", "-m", "build"), env={"TZ": "UTC", "HOME": "/h"})
    varied = surroundings("timezone").apply(command, python="/py")
    assert varied == Command(argv=("/py", "-m", "build"), env={"TZ": "Pacific/Kiritimati", "HOME": "/h"})


def test_combined_surroundings_wrap_only_the_build() -> None:
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


def test_a_missing_program_is_the_reason() -> None:
    absent = Surroundings(program="factory-has-no-such-program")
    assert absent.why_not(FakeRunner()) == "factory-has-no-such-program is not installed"


def test_a_refused_prefix_is_the_reason() -> None:
    said = Completed(returncode=1, output="unshare: cannot open\nunshare: Operation not permitted\n")
    refused = Surroundings(prefix=("{python}", "-I"))
    assert refused.why_not(FakeRunner(Expected(argv=(sys.executable, "-I"), completed=said))) == (
        "unshare: Operation not permitted"
    )


def test_variables_alone_are_always_available() -> None:
    assert surroundings("home").why_not(FakeRunner()) is None


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown variation 'moon'") as caught:
        variations_named(("moon",))
    assert "umask, user, home" in caught.value.hint

"""No command says an unqualified yes to something that it vouches for and that was changed."""

from pathlib import Path

import pytest

from tests.attacks.answers import Bench, Command, answers_to, answers_to_wheel
from tests.attacks.attack import Touches, WheelAttack
from tests.attacks.on_manifests import MANIFEST_ATTACKS
from tests.attacks.on_statements import STATEMENT_ATTACKS
from tests.attacks.on_wheels import WHEEL_ATTACKS, built_on_windows
from tests.attacks.page import PAGE, Answers

AUDITS = (Command.LISTED, Command.LISTED_UNKNOWN, Command.LOCAL, Command.NO_INDEX)
FEW = [attack for attack in WHEEL_ATTACKS if attack.touches is Touches.INSTALLATION][::24]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench.make(tmp_path_factory.mktemp("bench"))


def yes(row: object) -> set[Command]:
    assert isinstance(row, dict)
    return {command for command, answered in row.items() if answered.is_yes}


def test_the_good_wheel_passes_everywhere(bench: Bench, tmp_path: Path) -> None:
    row = answers_to_wheel(bench, bench.wheel, tmp_path)
    # There is nothing to trust in unsigned executables, and no recipe for an unknown generator.
    assert yes(row) == set(Command) - {Command.TRUST, Command.LISTED_UNKNOWN}
    assert row[Command.LISTED_UNKNOWN].exit_status == 11


def test_a_wheel_that_was_built_on_windows_is_good(bench: Bench, tmp_path: Path) -> None:
    """The zip host is a value of the recipe; published wheels have both."""
    row = answers_to_wheel(bench, built_on_windows(bench.wheel), tmp_path)
    assert row[Command.LISTED].text == "0: IDENTICAL"
    assert row[Command.LOCAL].text == "0: IDENTICAL-REPLAYED (zip-host)"


@pytest.mark.parametrize("attack", FEW, ids=lambda attack: attack.name)
def test_a_few_attacks_get_no_yes(bench: Bench, attack: WheelAttack, tmp_path: Path) -> None:
    row = answers_to(bench, attack, tmp_path)
    assert yes(row) == set()
    assert 0 not in {row[audit].exit_status for audit in AUDITS}


def test_names_are_unique() -> None:
    names = [attack.name for attack in WHEEL_ATTACKS]
    names += [attack.name for attack in MANIFEST_ATTACKS]
    names += [attack.name for attack in STATEMENT_ATTACKS]
    assert len(names) == len(set(names)) >= 80


@pytest.mark.slow
def test_no_attack_gets_an_unqualified_yes(bench: Bench, tmp_path: Path) -> None:
    answers = Answers.measure(bench, tmp_path)
    for attack in WHEEL_ATTACKS:
        row = answers.wheels[attack.name]
        assert row[Command.SUMMARY].text != "0: PASSED", attack.name
        assert not row[Command.CHECK_STATEMENT].is_yes, attack.name
        if attack.touches is Touches.INSTALLATION:
            assert yes(row) == set(), attack.name
            assert 0 not in {row[audit].exit_status for audit in AUDITS}, attack.name
        else:
            assert not any("IDENTICAL " in f"{row[audit].text} " for audit in AUDITS), attack.name
    for name, row in {**answers.manifests, **answers.statements}.items():
        assert yes(row) == set(), name
    assert answers.page() == PAGE.read_text("utf-8"), "run 'python -m tests.attacks'"

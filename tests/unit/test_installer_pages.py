"""docs/installers.md and docs/cases.md: every wheel is listed, with what verify answers now.

What the installers do is written by ``python -m tests.installers`` and ``python -m tests.installer_cases``.
"""

from pathlib import Path

import pytest

from factory.verify.reading.read import read_wheel
from tests import installer_cases, installers
from tests.authority import TRUST
from tests.wheels import good_wheel
from tests.zoo.breakage import Breakage
from tests.zoo.judge import errors_of

ANSWERS = {"same", "different", "refuses"}


def rows(page: Path) -> list[list[str]]:
    """Return the cells of the page's table, without its head."""
    lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in lines[1:]]


def test_the_page_of_installers_is_current(tmp_path: Path) -> None:
    expected = []
    for number, (name, wheel) in enumerate(installers.asked_wheels()):
        directory = tmp_path / str(number)
        directory.mkdir()
        contents = read_wheel(wheel.write(directory), scratch=directory, trust=TRUST)
        expected.append([name, installers.shown(errors_of(contents))])
    assert [row[:2] for row in rows(installers.PAGE)] == expected


def test_the_page_of_cases_is_current(tmp_path: Path) -> None:
    expected = []
    before = {**installer_cases.BEFORE, **installer_cases.BEFORE_SOUND}
    for number, case in enumerate(installer_cases.all_cases()):
        directory = tmp_path / str(number)
        directory.mkdir()
        check = case.check if isinstance(case, Breakage) else ""
        now = installer_cases.now(case.make(good_wheel(case.platform)), check, directory)
        expected.append([case.name, before[case.name], now])
    assert [row[:3] for row in rows(installer_cases.PAGE)] == expected


@pytest.mark.parametrize("page", [installers.PAGE, installer_cases.PAGE], ids=lambda page: page.name)
def test_every_installer_was_asked_about_every_wheel(page: Path) -> None:
    assert all(len(row[-5:]) == 5 and set(row[-5:]) <= ANSWERS for row in rows(page))


def test_verify_refuses_what_an_installer_refuses_or_installs_differently() -> None:
    accepted = [row for row in rows(installers.PAGE) if row[1] == "passed"]
    assert accepted != []
    assert [row[0] for row in accepted if set(row[2:]) != {"same"}] == []

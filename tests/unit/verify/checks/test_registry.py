import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from factory.core.errors import UsageError
from factory.core.model import Severity
from factory.verify.catalogue import entry
from factory.verify.checks.check import Check, Fault
from factory.verify.checks.registry import CHECKS, find_all
from factory.verify.reading.contents import WheelContents
from factory.verify.reading.read import read_wheel
from tests.wheels import good_wheel


@pytest.fixture
def contents(tmp_path: Path) -> WheelContents:
    return read_wheel(good_wheel().write(tmp_path), scratch=tmp_path)


def crashing(_: WheelContents) -> Iterator[Fault]:
    yield Fault(place="a", evidence="found before the crash")
    raise IndexError("out of range")


def finding(_: WheelContents) -> Iterator[Fault]:
    yield Fault(place="a\x1b[2Jb", evidence="c\u202ed \u00e9")


def made(check_id: str, find: Callable[[WheelContents], Iterator[Fault]]) -> Check[WheelContents]:
    return Check(
        id=check_id, title="t", severity=Severity.NOTE, protects="p", standard="s", remedy="r", find=find
    )


def test_ids_are_unique_and_kebab_case() -> None:
    ids = [each.id for each in CHECKS]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", each) for each in ids)


@pytest.mark.parametrize("each", CHECKS, ids=lambda each: each.id)
def test_every_check_has_a_reason_a_standard_and_a_remedy(each: Check[WheelContents]) -> None:
    assert each.protects.endswith(".")
    assert each.remedy.endswith(".")
    assert each.title
    assert not each.title.endswith(".")
    assert each.standard


def test_a_check_is_found_by_its_id() -> None:
    assert entry("record-hash").title == "The hashes in RECORD are those of the members"


def test_an_unknown_id_is_an_error() -> None:
    with pytest.raises(UsageError, match="there is no check 'record-hsah'"):
        entry("record-hsah")


def test_a_crashing_check_does_not_hide_the_findings_of_others(contents: WheelContents) -> None:
    found = find_all(contents, [made("broken", crashing), made("sound", finding)])
    assert [(each.check, each.severity) for each in found] == [
        ("check-crashed", Severity.ERROR),
        ("sound", Severity.NOTE),
    ]
    assert re.fullmatch(r"broken: IndexError: out of range \(crashing, line \d+\)", found[0].evidence)


def test_control_characters_in_findings_are_escaped(contents: WheelContents) -> None:
    (found,) = find_all(contents, [made("sound", finding)])
    assert found.place == "a\\x1b[2Jb"
    assert found.evidence == "c\\u202ed \u00e9"

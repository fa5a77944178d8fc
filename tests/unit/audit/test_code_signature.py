from dataclasses import replace
from pathlib import Path

import pytest

from factory.audit.code_signature import differs_in_signature_only
from factory.core.model import FileKind
from factory.verify.reading.contents import Member
from factory.verify.reading.read import read_wheel
from tests.images import Pe, PeMachine
from tests.wheels import Wheel, good_wheel

CODEX = "codex_cli_bin/bin/codex.exe"
PE = Pe(machine=PeMachine.AMD64, security=b"signature", seed="a")


def member(directory: Path, content: bytes) -> Member:
    directory.mkdir()
    wheel: Wheel = good_wheel("win_amd64").edited(CODEX, lambda codex: replace(codex, content=content))
    found = read_wheel(wheel.write(directory), scratch=directory).member(CODEX)
    assert found is not None
    assert found.kind is FileKind.PE
    return found


@pytest.mark.parametrize("signature", [b"another1!", b"a much longer signature"])
def test_an_executable_signed_again_differs_only_in_its_signature(tmp_path: Path, signature: bytes) -> None:
    one = member(tmp_path / "one", PE.content())
    two = member(tmp_path / "two", replace(PE, security=signature).content())

    assert one.sha256 != two.sha256
    assert differs_in_signature_only(one, two)


def test_a_changed_executable_signed_again_differs_in_more(tmp_path: Path) -> None:
    other = replace(PE, security=b"another1!", dll_characteristics=0)
    one, two = member(tmp_path / "one", PE.content()), member(tmp_path / "two", other.content())

    assert not differs_in_signature_only(one, two)


def test_a_file_that_cannot_be_parsed_counts_as_different(tmp_path: Path) -> None:
    one = member(tmp_path / "one", PE.content())

    assert not differs_in_signature_only(one, replace(one, kind=FileKind.ELF))
    assert not differs_in_signature_only(one, replace(one, extracted=None))

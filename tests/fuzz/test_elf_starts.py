"""A small part of `tests.fuzz.elf_starts`; the whole takes minutes."""

import platform
import shutil
import sys

import pytest

from tests.fuzz.elf_starts import Outcome, compare, programs
from tests.images import ElfMachine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux" or platform.machine() != "x86_64", reason="starts Linux programs for x86-64"
    ),
]
QEMU = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64") or ""


def test_verify_reports_every_damaged_program_that_linux_does_not_start() -> None:
    counts = compare(programs(ElfMachine.X86_64), count=300, seed=15)
    assert counts[Outcome.REFUSED, True] > 30
    assert counts[Outcome.NO_CODE, True] > 30
    assert counts[Outcome.RAN, False] > 30


@pytest.mark.skipif(not QEMU, reason="needs qemu-user-static")
def test_verify_reports_every_damaged_program_that_the_emulator_does_not_start() -> None:
    counts = compare(programs(ElfMachine.AARCH64), count=100, seed=15, emulator=QEMU)
    assert counts[Outcome.REFUSED, True] > 10
    assert counts[Outcome.RAN, False] > 10

"""Compare what `factory verify` says of damaged ELF programs with what Linux does with them.

    python -m tests.fuzz.elf_starts [--count 5000] [--seed 1] [--program PATH] [--emulator PATH]

Header fields of small programs are changed at random, and each program is started in a child without
privileges, with a time limit. Whatever does not reach its first instruction must be an error of verify.
The other direction is only counted: verify is stricter, because other loaders and other kernels are.
"""

import argparse
import ctypes
import os
import random
import resource
import shutil
import signal
import struct
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from factory.core.model import Severity
from factory.system.process import Command, SubprocessRunner
from factory.verify.checks.registry import CRASHED
from tests.images import Elf, ElfMachine, ElfType
from tests.wheels import PACKAGE, good_wheel
from tests.zoo.breakage import with_content
from tests.zoo.judge import findings_of

_SECONDS = 5
_NOBODY = 65534
_TRACEME, _CONT, _SETOPTIONS, _TRACEEXEC = 0, 7, 0x4200, 1 << 4
_PROGRAM = f"{PACKAGE}/codex-path/rg"
_TEXT = b"it started\n"
_HEADER = {
    "e_ident": (4, 12),
    "e_type": (16, 2),
    "e_machine": (18, 2),
    "e_version": (20, 4),
    "e_entry": (24, 8),
    "e_phoff": (32, 8),
    "e_phentsize": (54, 2),
    "e_phnum": (56, 2),
}
_SEGMENT = {
    "p_type": (0, 4),
    "p_flags": (4, 4),
    "p_offset": (8, 8),
    "p_vaddr": (16, 8),
    "p_filesz": (32, 8),
    "p_memsz": (40, 8),
    "p_align": (48, 8),
}
_VALUES = (
    0,
    1,
    2,
    3,
    5,
    7,
    0x10,
    0xFF,
    0x1000,
    0x1001,
    0x10000,
    0x400000,
    1 << 31,
    1 << 32,
    1 << 47,
    (1 << 64) - 1,
)


class Outcome(StrEnum):
    """What happened to a program that was started."""

    REFUSED = "refused by execve"
    KILLED = "killed before its first instruction"
    NO_CODE = "its entry point is not in executable memory"
    FAILED = "started, and failed later"
    RAN = "ran"

    @property
    def did_not_start(self) -> bool:
        """Whether no instruction of the program ran."""
        return self in {Outcome.REFUSED, Outcome.KILLED, Outcome.NO_CODE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A damaged program, with the names of the fields that were changed."""

    content: bytes
    changed: tuple[str, ...]


def programs(machine: int) -> tuple[bytes, ...]:
    """Return programs that write a text: at a fixed address, and position-independent."""
    return tuple(
        Elf(machine=machine, type=kind, output=_TEXT, size_bytes=9000).content()
        for kind in (ElfType.EXECUTABLE, ElfType.SHARED)
    )


def mutants(originals: Sequence[bytes], *, count: int, seed: int) -> Iterator[Mutant]:
    """Yield damaged programs; every tenth one is cut off instead."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable choice, not a secret
    for number in range(count):
        content = bytearray(chance.choice(originals))
        if number % 10 == 0:
            yield Mutant(content=bytes(content[: chance.randrange(16, len(content))]), changed=("cut",))
            continue
        fields = chance.sample(tuple(_fields(content)), k=chance.choice((1, 1, 1, 2, 3)))
        for _, at, size in fields:
            _change(content, at, size, chance)
        yield Mutant(content=bytes(content), changed=tuple(name for name, _, _ in fields))


def _fields(content: bytearray) -> Iterator[tuple[str, int, int]]:
    for name, (at, size) in _HEADER.items():
        yield name, at, size
    table, count = struct.unpack_from("<Q", content, 32)[0], struct.unpack_from("<H", content, 56)[0]
    for index in range(count):
        for name, (at, size) in _SEGMENT.items():
            yield f"{name}[{index}]", table + 56 * index + at, size


def _change(content: bytearray, at: int, size: int, chance: random.Random) -> None:
    value = int.from_bytes(content[at : at + size], "little")
    match chance.randrange(4):
        case 0:
            value ^= 1 << chance.randrange(8 * size)
        case 1:
            value = chance.choice(_VALUES)
        case 2:
            value += chance.choice((-4096, -16, -1, 1, 16, 4096))
        case _:
            value = chance.getrandbits(8 * size)
    content[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, "little")


def start(path: Path) -> Outcome:
    """Start a program of this processor, and follow it by ptrace to its first instruction."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _become(path, writing)
    os.close(writing)
    try:
        return _follow(child, reading)
    finally:
        os.close(reading)


def _become(path: Path, output: int) -> None:
    """Replace this process by the program; exit with the error of execve."""
    try:
        os.dup2(output, 1)
        for limit, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_CPU, 1), (resource.RLIMIT_FSIZE, 0)):
            resource.setrlimit(limit, (value, value))
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)
        signal.alarm(_SECONDS)
        ctypes.CDLL(None).ptrace(_TRACEME, 0, 0, 0)
        os.execve(path, [str(path)], {})  # noqa: S606 - the damaged program itself
    except OSError:
        os._exit(127)
    finally:
        os._exit(126)


def _follow(child: int, output: int) -> Outcome:
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        return Outcome.REFUSED
    if os.WIFSIGNALED(status):
        return Outcome.KILLED
    is_code = _is_in_code(child)
    trace = ctypes.CDLL(None).ptrace
    while os.WIFSTOPPED(status):
        signalled = os.WSTOPSIG(status)
        trace(_CONT, child, 0, 0 if signalled == signal.SIGTRAP else signalled)
        _, status = os.waitpid(child, 0)
    text = os.read(output, 4096)
    if os.WIFEXITED(status) and text == _TEXT:
        return Outcome.RAN
    return Outcome.FAILED if is_code else Outcome.NO_CODE


def _is_in_code(child: int) -> bool:
    """Whether a stopped process will execute mapped code."""
    at = int(Path(f"/proc/{child}/syscall").read_text().split()[-1], 16)
    for line in Path(f"/proc/{child}/maps").read_text().splitlines():
        low, high = (int(part, 16) for part in line.split()[0].split("-"))
        if low <= at < high:
            return "x" in line.split()[1]
    return False


def emulate(path: Path, emulator: str) -> Outcome:
    """Start a program in an emulator, which reports what it refuses to load."""
    ended = SubprocessRunner().run(Command(argv=(emulator, str(path)), timeout_s=_SECONDS))
    if ended.output.encode() == _TEXT and ended.returncode == 0:
        return Outcome.RAN
    is_refused = ended.returncode > 0 and "uncaught target signal" not in ended.output
    return Outcome.REFUSED if is_refused else Outcome.FAILED


def errors_of(content: bytes, platform: str, directory: Path) -> tuple[str, ...]:
    """Return what verify reports as an error about the program in a wheel.

    Raises:
        AssertionError: A check crashed.
    """
    wheel = with_content(_PROGRAM, content)(good_wheel(platform))
    findings = findings_of(wheel, directory)
    assert all(finding.check != CRASHED.id for finding in findings), findings
    own = (
        finding for finding in findings if finding.severity is Severity.ERROR and finding.place == _PROGRAM
    )
    return tuple(f"{finding.check}: {finding.evidence}" for finding in own)


def compare(
    originals: Sequence[bytes], *, count: int, seed: int, emulator: str = ""
) -> Counter[tuple[Outcome, bool]]:
    """Start and verify damaged programs; count them by outcome and by whether verify has an error.

    Raises:
        AssertionError: A program did not start, and verify reports no error, or a check crashed.
    """
    counts: Counter[tuple[Outcome, bool]] = Counter()
    platform = "manylinux_2_17_aarch64" if emulator else "manylinux_2_17_x86_64"
    for mutant in mutants(originals, count=count, seed=seed):
        directory = Path(tempfile.mkdtemp(prefix="elf-starts-"))
        directory.chmod(0o755)
        try:
            path = directory / "program"
            path.write_bytes(mutant.content)
            path.chmod(0o755)
            outcome = emulate(path, emulator) if emulator else start(path)
            errors = errors_of(mutant.content, platform, directory)
            counts[outcome, bool(errors)] += 1
            assert errors or not outcome.did_not_start, (
                f"{mutant.changed}: {outcome}, but verify has no error"
            )
        finally:
            shutil.rmtree(directory)
    return counts


def main() -> None:
    """Print how many programs there were of each kind."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--program", type=Path, action="append", default=[])
    parser.add_argument("--emulator", default="")
    options = parser.parse_args()
    own = programs(ElfMachine.AARCH64 if options.emulator else ElfMachine.X86_64)
    originals = tuple(path.read_bytes() for path in options.program) or own
    counts = compare(originals, count=options.count, seed=options.seed, emulator=options.emulator)
    for (outcome, is_error), number in sorted(counts.items()):
        print(f"{number:6} {outcome}: {'an error' if is_error else 'no error'} of verify")


if __name__ == "__main__":
    main()

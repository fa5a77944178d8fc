"""Change the structure of a wheel at random, and compare what verify accepts with what installers install.

``python -m tests.fuzz.structure [NUMBER [SEED [DIRECTORY]]]`` makes that many wheels, each with one to three
random changes of its zip records, of the texts in .dist-info, or of the structures of an ELF, Mach-O or PE
file. None may end verify with an exception or run for more than ten seconds. If verify reports no error,
every installer must install what verify read.
"""

import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from factory.verify.reading.read import read_wheel
from tests.authority import TRUST
from tests.fuzz.image_changes import changed_image
from tests.installers import PLATFORM, Installers
from tests.wheels import INFO, Wheel, good_wheel
from tests.zoo.judge import errors_of

_SECONDS = 10
_CONTAINERS_SHARE = 0.5
_SIGNATURE = re.compile(rb"PK(?:\x01\x02|\x03\x04|\x05\x06|\x06\x06|\x06\x07|\x07\x08)")
_NUMBERS = (0, 1, 7, 0x14, 0x2D, 0x7F, 0x80, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF)
_RECORDS = (b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02", b"PK\x03\x04", b"PK\x07\x08")
_HEADER_BYTES = 46
_TEXT_FILES = ("RECORD", "METADATA", "WHEEL", "entry_points.txt")
_ENTRY_POINTS = (
    "[console_scripts]\ncodex-path = codex_cli_bin:bundled_codex_path\n\n[other]\nx = codex_cli_bin\n"
)
_TEXTS = (
    "\n",
    "\r",
    "\0",
    ",",
    '"',
    "sha256=",
    "sha512=",
    "../",
    "/",
    "\u00e9",
    "Name: other\n",
    "Version: 1\n",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one changed wheel showed: what is wrong, or nothing.

    Attributes:
        answers: What each installer did; empty if verify reports an error.
        wrong: What must not happen; empty if nothing did.
        seconds: How long verify took.
    """

    answers: Mapping[str, str] = field(default_factory=dict)
    wrong: str = ""
    seconds: float


def changed(seed: int) -> tuple[str, bytes]:
    """Return the name and the bytes of a wheel with random changes, always the same for one seed."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    if chance.random() >= _CONTAINERS_SHARE:
        wheel = changed_image(chance)
        return wheel.name, wheel.content()
    wheel = good_wheel(PLATFORM)
    if chance.random() < 0.4:
        wheel = _with_changed_text(wheel, chance)
    if chance.random() < 0.2:
        wheel = _in_other_form(wheel, chance)
    content = wheel.content()
    for _ in range(chance.randint(0 if content != good_wheel(PLATFORM).content() else 1, 3)):
        content = chance.choice(_CHANGES)(content, chance)
    return wheel.name, content


def _with_changed_text(wheel: Wheel, chance: random.Random) -> Wheel:
    """Change RECORD, METADATA, WHEEL, or an entry_points.txt that is added."""

    def edit(text: str) -> str:
        return chance.choice(_TEXT_CHANGES)(text, chance)

    file = chance.choice(_TEXT_FILES)
    if file == "RECORD":
        return replace(wheel, edit_record=edit)
    if file == "entry_points.txt":
        wheel = wheel.with_info(file, _ENTRY_POINTS)
    return wheel.edited(
        f"{INFO}/{file}", lambda member: replace(member, content=edit(member.content.decode()).encode())
    )


def _text_edited(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(_TEXTS) + text[at + chance.choice((0, 1, 8)) :]


def _lines_edited(text: str, chance: random.Random) -> str:
    """Remove, repeat, move, join or indent a line, or end it in another way."""
    lines = text.splitlines(keepends=True)
    at = chance.randrange(len(lines))
    line = lines[at]
    lines[at : at + 1] = chance.choice(
        (
            [],
            [line, line],
            [line, chance.choice(("\n", " \n", "\t\n", "\r\n", "#\n", "x\n", "x: y\n", ": y\n"))],
            [chance.choice((" ", "\t", "\ufeff", "\x85", "\u2028", "#", ";")) + line],
            [
                line.rstrip("\n")
                + chance.choice(("", "\r\n", "\r", " \n", "\x0b\n", "\x0c", "\x1c", "\u2028"))
            ],
            [line.swapcase()],
            [line.replace(chance.choice(": ,=/"), chance.choice(("", " ", "::", ",,", "//", "\\")), 1)],
        )
    )
    return "".join(lines)


def _in_other_form(wheel: Wheel, chance: random.Random) -> Wheel:
    """Write zip64 records, or a data descriptor for one member."""
    if chance.random() < 0.5:
        return wheel.in_archive(lambda archive: replace(archive, zip64=True))
    name = chance.choice(wheel.archive.members).name.decode()
    return wheel.edited(name, lambda member: replace(member, has_descriptor=True))


def _header_byte(content: bytes, chance: random.Random) -> bytes:
    """Change one byte of a record."""
    at = _record(content, chance) + chance.randrange(_HEADER_BYTES)
    return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]


def _header_number(content: bytes, chance: random.Random) -> bytes:
    """Write a number at an even place of a record."""
    at = _record(content, chance) + chance.randrange(0, _HEADER_BYTES, 2)
    size = chance.choice((2, 4))
    number = chance.choice(_NUMBERS) & ((1 << 8 * size) - 1)
    return content[:at] + bytes(number >> 8 * place & 0xFF for place in range(size)) + content[at + size :]


def _flipped_bit(content: bytes, chance: random.Random) -> bytes:
    at = _record(content, chance) + chance.randrange(_HEADER_BYTES)
    if at >= len(content):
        return content
    return content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1 :]


def _inserted_record(content: bytes, chance: random.Random) -> bytes:
    """Insert a signature, or a copy of a record, before a record or at the end."""
    source = _record(content, chance)
    new = chance.choice((chance.choice(_RECORDS), content[source : source + chance.choice((22, 46, 76))]))
    at = chance.choice((_record(content, chance), len(content)))
    return content[:at] + new + content[at:]


def _comment(content: bytes, chance: random.Random) -> bytes:
    """Add a comment with a record to the end record, which states its length."""
    at = content.rindex(b"PK\x05\x06") if b"PK\x05\x06" in content else len(content)
    source = _record(content, chance)
    new = chance.choice((chance.choice(_RECORDS), content[source:], content))[:0xFFFF]
    return content[: at + 20] + len(new).to_bytes(2, "little") + new


def _cut(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) or 1)
    return content[:at] + content[at + chance.choice((1, 2, 30, 400)) :]


_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _header_byte,
    _header_number,
    _header_number,
    _flipped_bit,
    _flipped_bit,
    _inserted_record,
    _comment,
    _cut,
)


_TEXT_CHANGES: tuple[Callable[[str, random.Random], str], ...] = (_text_edited, _lines_edited, _lines_edited)


def _record(content: bytes, chance: random.Random) -> int:
    """Return where a record starts."""
    return chance.choice([match.start() for match in _SIGNATURE.finditer(content)] or [0])


def judge(seed: int, installers: Installers) -> Outcome:
    """Verify one changed wheel, and run the installers if verify reports no error."""
    name, content = changed(seed)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / name
        path.write_bytes(content)
        before = time.monotonic()
        contents = read_wheel(path, scratch=Path(temporary), trust=TRUST)
        errors = errors_of(contents)
        if (seconds := time.monotonic() - before) > _SECONDS:
            return Outcome(wrong=f"verify took {seconds:.0f} s", seconds=seconds)
        if "check-crashed" in errors:
            return Outcome(wrong="a check crashed", seconds=seconds)
        if errors:
            return Outcome(seconds=seconds)
        answers = installers.answers(path, contents)
    wrong = {one: answer for one, answer in answers.items() if answer != "same"}
    return Outcome(answers=answers, wrong=f"verify accepts it: {wrong}" if wrong else "", seconds=seconds)


def main(number: int = 5000, seed: int = 0, directory: Path | None = None) -> int:
    """Judge changed wheels, and print what is wrong and what the installers did; return the exit status."""
    answers: Counter[tuple[str, str]] = Counter()
    accepted = wrong = 0
    slowest_s = 0.0
    with (
        tempfile.TemporaryDirectory() as temporary,
        Installers.started(directory or Path(temporary)) as installers,
    ):
        for one in range(seed, seed + number):
            outcome = judge(one, installers)
            slowest_s = max(slowest_s, outcome.seconds)
            accepted += bool(outcome.answers)
            answers.update(outcome.answers.items())
            if outcome.wrong:
                wrong += 1
                _say(f"seed {one}: {outcome.wrong}")
            if (one - seed) % 250 == 249:
                _say(f"{one - seed + 1} wheels, {accepted} accepted, {wrong} wrong")
    _say(f"seeds {seed} to {seed + number - 1}: {accepted} of {number} accepted, {wrong} wrong")
    _say(f"verify took at most {slowest_s:.2f} s")
    for (installer, answer), count in sorted(answers.items()):
        _say(f"{installer}: {count} {answer}")
    return int(wrong > 0)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    number, seed, *rest = (*sys.argv[1:], *("5000", "0")[len(sys.argv) - 1 :])
    sys.exit(main(int(number), int(seed), Path(rest[0]) if rest else None))

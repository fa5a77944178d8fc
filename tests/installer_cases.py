"""Defects that ``factory verify`` once missed or misjudged: then, now, and what pip, uv and unzip do.

``python -m tests.installer_cases [DIRECTORY]`` asks all installers and writes docs/cases.md. It needs the
package registry for the installers' own packages, and takes some minutes.
"""

import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from factory.core.model import Severity
from factory.system.files import atomic_write
from factory.verify.reading.read import read_wheel
from tests.authority import TRUST
from tests.installers import VERSIONS, Installers
from tests.wheels import Wheel, good_wheel
from tests.zoo.breakage import Breakage, Twin
from tests.zoo.catalogue import TWINS, ZOO
from tests.zoo.dist_info import NOT_UNDERSTOOD
from tests.zoo.judge import checks_like, findings_of

PAGE = Path(__file__).parent.parent / "docs" / "cases.md"
_PASSED, _WARNING = "passed", "warning"
_ENDLESS = "did not end"

BEFORE: Mapping[str, str] = {
    "an end record in the comment whose comment is too long": _PASSED,
    "an end record in the comment whose offset is too high": _PASSED,
    "a wheel with other code in the comment": _PASSED,
    "a signature of an end record in the comment": _PASSED,
    "two end records that name two directories": _WARNING,
    "a spare byte after compressed data": _ENDLESS,
    "an absolute path": _ENDLESS,
    **{f"the platform tag {tag}": _PASSED for tag in NOT_UNDERSTOOD if tag != "any"},
    "tags of two operating systems": _PASSED,
    "tags of two architectures": _PASSED,
    "32-bit programs for armv7l": "error `elf-class`",
    "a segment beyond the file": _PASSED,
    "an entry point in no segment": _PASSED,
    "no program headers": _PASSED,
    "an unknown e_version": _PASSED,
    "program headers beyond the file": _PASSED,
    "a static program cut to half": _PASSED,
    "a PE program cut to half": _PASSED,
    "a Mach-O program cut to half": _PASSED,
    "a descriptor with another size": _PASSED,
    "a zip64 field beside the sizes": _PASSED,
    "a deflated directory": _PASSED,
    "a zip64 locator that points elsewhere": _PASSED,
    "a flag for patch data": _PASSED,
    "a member that needs zip 9.9": _PASSED,
    "a name of 260 bytes": _PASSED,
    "an end record with another disk than the zip64 one": _PASSED,
    "a group-writable file": "error",
    "a program of another project under an unknown root": "error",
    "no PT_GNU_STACK": _PASSED,
    "a library without PT_GNU_STACK": _PASSED,
    "segments for AArch64 with pages of 4 KiB only": _PASSED,
    "a library that no search path leads to": _PASSED,
    "an @rpath library that the wheel lacks": "error",
    "a libstdc++ newer than the tag's": _PASSED,
    "a private symbol of glibc": _PASSED,
    "ARM64EC code in an x86-64 wheel": _PASSED,
    "code for Haswell and later only": _PASSED,
    "an invented API set": _PASSED,
    "an invented loader": _PASSED,
    "an invented loader of macOS": _PASSED,
    "an invented library of macOS": _PASSED,
    "a path that is too long for Windows": _PASSED,
    "a Windows device as a name": _WARNING,
    "a licence classifier beside the licence expression": _PASSED,
    "an unknown classifier": _PASSED,
    "a Requires-Python that no Python satisfies": _PASSED,
    "a Tag that is not a tag": _PASSED,
    "a second Tag for another platform": "error",
    "a codex.exe that needs the Visual C++ runtime": _WARNING,
}
"""What verify answered to each wheel of the zoo on 2026-11-28, from the report that asked for the checks."""

BEFORE_SOUND: Mapping[str, str] = {
    "libraries of newer versions of Windows": "error `pe-dll`",
    "a weak signature with a strong one nested in it": "error",
    "a SHA-512 in RECORD": "error",
    "RECORD without sizes": "error",
}
"""Likewise for sound wheels, which resemble wheels of other projects with false findings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """The answers to one wheel."""

    name: str
    now: str
    answers: Mapping[str, str]


def now(wheel: Wheel, check: str, directory: Path) -> str:
    """Return what verify answers to a wheel, from the check that is to find its defect."""
    found = [
        finding
        for finding in findings_of(wheel, directory)
        if finding.check in checks_like(check, [finding]) and finding.severity is not Severity.NOTE
    ]
    return ", ".join(sorted({f"{finding.severity} `{finding.check}`" for finding in found})) or _PASSED


def _ask(case: Breakage | Twin, installers: Installers) -> _Case:
    wheel = case.make(good_wheel(case.platform))
    check = case.check if isinstance(case, Breakage) else ""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        answer = now(wheel, check, directory)
        path = wheel.write(directory)
        scratch = directory / "second"
        scratch.mkdir()
        contents = read_wheel(path, scratch=scratch, trust=TRUST)
        return _Case(name=case.name, now=answer, answers=installers.answers(path, contents))


def all_cases() -> list[Breakage | Twin]:
    """Return the wheels of the table, in its order."""
    broken = {breakage.name: breakage for breakage in ZOO}
    sound = {twin.name: twin for twin in TWINS}
    return [*(broken[name] for name in BEFORE), *(sound[name] for name in BEFORE_SOUND)]


def cases(installers: Installers) -> list[_Case]:
    """Ask about every case, in the order of the table."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda case: _ask(case, installers), all_cases()))


def render(rows: list[_Case]) -> str:
    """Return the page."""
    names = list(rows[0].answers)
    lines = [
        "# Defects that verify once missed",
        "",
        "`python -m tests.installer_cases` writes this page. Each row is a wheel of `tests/zoo/` with one",
        "defect; the last ones are sound. *Before* is what `factory verify` answered on 2026-11-28. The",
        "installers are as in [installers.md](installers.md): `same` is an installation of the files that",
        "verify read.",
        "A test compares the first three columns with what verify answers now.",
        "",
        f"Versions: {', '.join(f'`{version}`' for version in VERSIONS.values())}, and the system's `unzip`,",
        "on Linux x86-64.",
        "",
        f"| A wheel with | before | now | {' | '.join(names)} |",
        f"|---|---|---|{'---|' * len(names)}",
    ]
    before = {**BEFORE, **BEFORE_SOUND}
    for row in rows:
        answers = " | ".join(row.answers[name] for name in names)
        lines.append(f"| {row.name} | {before[row.name]} | {row.now} | {answers} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Ask all installers, and write the page."""
    with (
        tempfile.TemporaryDirectory() as temporary,
        Installers.started(Path(sys.argv[1] if sys.argv[1:] else temporary)) as installers,
    ):
        rows = cases(installers)
    atomic_write(PAGE, render(rows).encode())


if __name__ == "__main__":
    main()

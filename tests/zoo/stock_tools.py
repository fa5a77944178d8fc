"""The stock tools, run as a careful user would, and what counts as detecting a defect.

Exit codes alone would be unfair to tools that only print, and counting every printed
difference would credit them for noise. So this module defines for each tool which lines
count; docs/checks.md lists them.
"""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from pathlib import Path

from factory.core.targets import OperatingSystem
from factory.system.process import Command, Completed

_TIMEOUT_S = 120.0
_SCRIPTS = Path(sys.executable).parent
_TEMPORARY = re.compile(r"\b(?:tmp|pip-[a-z-]+-)\w{8}\b")
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_POLICY = re.compile(r'consistent with the following platform tag: "(?:manylinux_(\d+)_(\d+)|linux)_\w+"')
_PROMISED = re.compile(r"-manylinux_(\d+)_(\d+)_\w+\.whl\Z")
_OF_EVERY_STATIC_MUSLLINUX_WHEEL = "can't determine musl libc version, latest known version will be used."
_OTOOL = """\
#!/bin/sh
for argument do
    shift
    [ "$argument" = -m ] || set -- "$@" "$argument"
done
exec llvm-otool-14 "$@"
"""
"""delocate calls ``otool -m``, which LLVM's otool refuses; these files do not need the option."""


class StockTool(StrEnum):
    """A column of the table; the value is the name of the distribution."""

    AUDITWHEEL = "auditwheel"
    DELOCATE = "delocate"
    DELVEWHEEL = "delvewheel"
    TWINE = "twine"
    CHECK_WHEEL_CONTENTS = "check-wheel-contents"
    PIP = "pip"

    @property
    def system(self) -> OperatingSystem | None:
        """The only operating system that it inspects wheels of; None for all systems."""
        match self:
            case StockTool.AUDITWHEEL:
                return OperatingSystem.LINUX
            case StockTool.DELOCATE:
                return OperatingSystem.MACOS
            case StockTool.DELVEWHEEL:
                return OperatingSystem.WINDOWS
            case StockTool.TWINE | StockTool.CHECK_WHEEL_CONTENTS | StockTool.PIP:
                return None


class Mark(StrEnum):
    """How a tool reacted to a broken wheel."""

    REFUSED = "refused"
    CRASHED = "crashed"
    REPORTED = "reported"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A tool's exit status (the last one that is not 0) and its lines of output, for one wheel."""

    returncode: int
    lines: tuple[str, ...]

    @classmethod
    def of(cls, runs: Iterable[Completed], *, directory: Path) -> "Answer":
        """Combine the output of a tool's runs, without styles, temporary names and the directory."""
        runs = tuple(runs)
        text = "\n".join(_STYLE.sub("", run.output).replace(f"{directory}/", "") for run in runs)
        text = _TEMPORARY.sub("TMP", text)
        failed = [run.returncode for run in runs if run.returncode]
        return cls(returncode=failed[-1] if failed else 0, lines=tuple(text.splitlines()))


def commands(tool: StockTool, wheel: Path) -> tuple[Command, ...]:
    """Plan the commands that a user would run on a wheel; they may write beside the wheel."""
    directory = wheel.parent
    lines: tuple[tuple[str, ...], ...]
    python = (sys.executable, "-B", "-m")
    match tool:
        case StockTool.AUDITWHEEL:
            lines = ((*python, "auditwheel", "show", str(wheel)),)
        case StockTool.DELOCATE:
            listing = (str(_SCRIPTS / "delocate-listdeps"), "--all", "--depending", str(wheel))
            lines = (listing, _delocate_wheel(wheel))
        case StockTool.DELVEWHEEL:
            options = ("--analyze-existing-exes", "--analyze-existing", "--ignore-existing")
            lines = ((*python, "delvewheel", "show", *options, str(wheel)),)
        case StockTool.TWINE:
            lines = ((*python, "twine", "check", "--strict", str(wheel)),)
        case StockTool.CHECK_WHEEL_CONTENTS:
            lines = ((*python, "check_wheel_contents", "--no-config", str(wheel)),)
        case StockTool.PIP:
            lines = ((*python, "pip", *_pip_arguments(wheel)),)
    env = {
        "PATH": f"{directory / 'bin'}:/usr/bin:/bin",
        "TMPDIR": str(directory),
        "HOME": str(directory),
        "COLUMNS": "200",
    }
    return tuple(Command(argv=line, env=env, cwd=directory, timeout_s=_TIMEOUT_S) for line in lines)


def _delocate_wheel(wheel: Path) -> tuple[str, ...]:
    architecture = "arm64" if wheel.name.endswith("arm64.whl") else "x86_64"
    options = ("--require-archs", architecture, "-w", str(wheel.parent / "delocated"))
    return (str(_SCRIPTS / "delocate-wheel"), "-v", *options, str(wheel))


def _pip_arguments(wheel: Path) -> tuple[str, ...]:
    platforms = wheel.name.removesuffix(".whl").rpartition("-")[2].split(".")
    return (
        *("--disable-pip-version-check", "--no-input", "install", "--no-index", "--no-deps", "--no-compile"),
        *("--only-binary", ":all:", "--target", str(wheel.parent / "installed")),
        *(part for platform in platforms for part in ("--platform", platform)),
        str(wheel),
    )


def write_otool(directory: Path) -> None:
    """Provide the three programs that delocate calls, from LLVM 14 (Debian's llvm-14)."""
    otool = directory / "otool"
    directory.mkdir()
    otool.write_text(_OTOOL, encoding="utf-8")
    otool.chmod(0o755)
    for name in ("lipo", "install_name_tool"):
        (directory / name).symlink_to(f"/usr/bin/llvm-{name.replace('_', '-')}-14")


def mark(tool: StockTool, answer: Answer, *, good: Answer, wheel: str) -> tuple[Mark, str]:
    """Compare a tool's answers for a broken and a good wheel; return also the line that decided."""
    new = [line.strip() for line in answer.lines if line.strip() and line not in good.lines]
    if answer.returncode != good.returncode and answer.returncode:
        last = next((line for line in reversed(new) if _is_statement(line)), "")
        is_crash = any("Traceback (most recent call last)" in line for line in new)
        is_own = last.startswith(f"{tool}.")
        return (Mark.CRASHED if is_crash and not is_own else Mark.REFUSED), last
    reports = [line for line in new if _is_report(tool, line)] + list(_reported_tags(tool, answer, wheel))
    return (Mark.REPORTED, reports[0]) if reports else (Mark.SILENT, "")


def _is_statement(line: str) -> bool:
    """Whether a line is a sentence, and not a stack frame, a path or a rule."""
    return line[:1].isalpha() and not line.startswith(("File ", "codex_cli_bin/"))


def _is_report(tool: StockTool, line: str) -> bool:
    match tool:
        case StockTool.AUDITWHEEL:
            return line.startswith("WARNING") and not line.endswith(_OF_EVERY_STATIC_MUSLLINUX_WHEEL)
        case StockTool.DELOCATE:
            return line.startswith(("WARNING", "ERROR")) or line.endswith(("not found", ":"))
        case StockTool.DELVEWHEEL:
            return "Error:" in line or line.endswith(".dll")
        case StockTool.TWINE | StockTool.PIP:
            return line.startswith(("WARNING", "ERROR", "DEPRECATION"))
        case StockTool.CHECK_WHEEL_CONTENTS:
            return re.search(r": W\d{3}: ", line) is not None


def _reported_tags(tool: StockTool, answer: Answer, wheel: str) -> Iterable[str]:
    """Yield the tags that a tool reports, if they are of a newer system than the wheel's own."""
    text = " ".join(answer.lines)
    if tool is StockTool.AUDITWHEEL:
        policy, promised = _POLICY.search(text), _PROMISED.search(wheel)
        if policy and promised and _glibc(policy) > _glibc(promised):
            yield policy[0]
    elif tool is StockTool.DELOCATE:
        tags = set(re.findall(r"-(macosx_\w+)\.whl", text))
        yield from sorted(tag for tag in tags if not wheel.endswith(f"-{tag}.whl"))


def _glibc(tag: re.Match[str]) -> tuple[float, float]:
    """Return the glibc version of a manylinux tag; plain linux counts as newer than any."""
    return (float(tag[1]), float(tag[2])) if tag[1] else (inf, inf)

"""The stock tools, as a careful person would run them on a wheel, and what counts as their seeing a defect.

Exit codes alone would be unfair to tools that only print, and any printed
difference would flatter them: so each tool has the lines that count, written
down here and told in the page that is made of the results.
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
"""delocate calls ``otool -m``, which LLVM's refuses; dropping the option changes nothing for these files."""


class StockTool(StrEnum):
    """A column of the table; the value is the distribution's name."""

    AUDITWHEEL = "auditwheel"
    DELOCATE = "delocate"
    DELVEWHEEL = "delvewheel"
    TWINE = "twine"
    CHECK_WHEEL_CONTENTS = "check-wheel-contents"
    PIP = "pip"

    @property
    def system(self) -> OperatingSystem | None:
        """The operating system whose wheels it inspects; None for all."""
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
    """What a tool made of a broken wheel."""

    REFUSED = "refused"
    CRASHED = "crashed"
    TOLD = "told"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a tool said of one wheel: its exit status (the last that is not 0), and its lines."""

    returncode: int
    lines: tuple[str, ...]

    @classmethod
    def of(cls, runs: Iterable[Completed], *, directory: Path) -> "Answer":
        """Take the style, the place and the wrapping out of what a tool's runs printed."""
        runs = tuple(runs)
        text = "\n".join(_STYLE.sub("", run.output).replace(f"{directory}/", "") for run in runs)
        text = _TEMPORARY.sub("TMP", text)
        failed = [run.returncode for run in runs if run.returncode]
        return cls(returncode=failed[-1] if failed else 0, lines=tuple(text.splitlines()))


def commands(tool: StockTool, wheel: Path) -> tuple[Command, ...]:
    """Plan what a person would type to have a tool look at a wheel; it may write beside the wheel."""
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
    """Give delocate the three programs it calls, from LLVM 14 (Debian's llvm-14)."""
    otool = directory / "otool"
    directory.mkdir()
    otool.write_text(_OTOOL, encoding="utf-8")
    otool.chmod(0o755)
    for name in ("lipo", "install_name_tool"):
        (directory / name).symlink_to(f"/usr/bin/llvm-{name.replace('_', '-')}-14")


def mark(tool: StockTool, answer: Answer, *, good: Answer, wheel: str) -> tuple[Mark, str]:
    """Judge what a tool said of a broken wheel by what it says of the good one; with the line that tells."""
    new = [line.strip() for line in answer.lines if line.strip() and line not in good.lines]
    if answer.returncode != good.returncode and answer.returncode:
        last = next((line for line in reversed(new) if _is_statement(line)), "")
        is_crash = any("Traceback (most recent call last)" in line for line in new)
        is_own = last.startswith(f"{tool}.")
        return (Mark.CRASHED if is_crash and not is_own else Mark.REFUSED), last
    telling = [line for line in new if _tells(tool, line)] + list(_tag_told(tool, answer, wheel))
    return (Mark.TOLD, telling[0]) if telling else (Mark.SILENT, "")


def _is_statement(line: str) -> bool:
    """Whether a line is more than a frame, a path or a closing rule."""
    return line[:1].isalpha() and not line.startswith(("File ", "codex_cli_bin/"))


def _tells(tool: StockTool, line: str) -> bool:
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


def _tag_told(tool: StockTool, answer: Answer, wheel: str) -> Iterable[str]:
    """Yield what the tool says of the tag, when that is of a newer system than the wheel's own."""
    text = " ".join(answer.lines)
    if tool is StockTool.AUDITWHEEL:
        policy, promised = _POLICY.search(text), _PROMISED.search(wheel)
        if policy and promised and _glibc(policy) > _glibc(promised):
            yield policy[0]
    elif tool is StockTool.DELOCATE:
        tags = set(re.findall(r"-(macosx_\w+)\.whl", text))
        yield from sorted(tag for tag in tags if not wheel.endswith(f"-{tag}.whl"))


def _glibc(tag: re.Match[str]) -> tuple[float, float]:
    """Return the glibc version of a manylinux tag; plain linux is beyond all."""
    return (float(tag[1]), float(tag[2])) if tag[1] else (inf, inf)

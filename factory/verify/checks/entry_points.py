"""The check of entry points: all installers read the same ones, and the wheel's own source defines them."""

import configparser
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache

from factory.core.counted import counted
from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info_files import (
    NOT_TEXT,
    dist_info_member,
    dist_info_place,
    dist_info_text,
    member_text,
    why_lines_are_unclear,
)
from factory.verify.checks.python_source import ANY_NAME, possible_names
from factory.verify.reading.contents import WheelContents

_FILE = "entry_points.txt"
_NOT_DEFINED = "which the wheel does not define"
_SCRIPTS = ("console_scripts", "gui_scripts")
_SCRIPT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_REFERENCE = re.compile(r"[\w.]+\s*(:\s*(?P<attribute>[\w.]+)\s*)?(\[.*\])?")

check = Checks[WheelContents]()


@check(
    "entry-points",
    Severity.ERROR,
    title="Every entry point exists, and all installers find the same ones",
    protects="Users: the command fails with ImportError, or depends on the installer.",
    standard="packaging.python.org: entry points specification",
    remedy="Remove or correct the entry point, or add what it names.",
)
def _find_entry_points(wheel: WheelContents) -> Iterator[Fault]:
    text, place = dist_info_text(wheel, _FILE), dist_info_place(wheel, _FILE)
    if text is None:
        if (member := dist_info_member(wheel, _FILE)) and member.sha256:
            yield Fault(place, NOT_TEXT)
        return
    try:
        points = entry_points(text)
    except ValueError as error:
        yield Fault(place, str(error))
        return
    for evidence in _find_bad_names(points):
        yield Fault(place, evidence)
    names = cache(possible_names)  # a thousand entry points can be in one module
    for group, references in points.items():
        for name, reference in references.items():
            if (reason := _why_malformed(group, reference) or _why_not(wheel, reference, names)) is not None:
                yield Fault(place, f"{group}: {name} names {reference}, {reason}")


def entry_points(text: str) -> dict[str, dict[str, str]]:
    """Return the entry points of a file by group and name.

    pip reads the lines one by one; other installers have a parser of configuration files, which joins
    indented lines and refuses repeated names. Only a text that means the same to both is accepted.

    Raises:
        ValueError: The file cannot be parsed, or readers differ in what it says.
    """
    if (reason := why_lines_are_unclear(text)) is not None:
        raise ValueError(reason)
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep case
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ValueError(f"it cannot be parsed: {error.message.splitlines()[0]}") from error
    points = {group: dict(parser.items(group)) for group in parser.sections()}
    if points != _by_lines(text):
        raise ValueError("a reader of lines and a reader of configuration files find different entry points")
    return points


def scripts(text: str) -> list[str]:
    """Return the names of the scripts that installers make; none if `entry_points` cannot read the file."""
    try:
        points = entry_points(text)
    except ValueError:
        return []
    return _scripts_in(points)


def _scripts_in(points: dict[str, dict[str, str]]) -> list[str]:
    return [name for group in _SCRIPTS for name in points.get(group, {})]


def _by_lines(text: str) -> dict[str, dict[str, str]]:
    """Return what ``importlib.metadata``, which pip uses, reads."""
    points: dict[str, dict[str, str]] = {}
    group = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("[") and line.endswith("]"):
            group = line.strip("[]")
            points[group] = {}
        elif not line.startswith("#"):
            name, _, reference = line.partition("=")
            points.setdefault(group, {})[name.strip()] = reference.strip()
    return points


def _find_bad_names(points: dict[str, dict[str, str]]) -> Iterator[str]:
    """Yield what is wrong with the scripts: each name becomes the name of a file."""
    names = _scripts_in(points)
    for name in names:
        if not _SCRIPT_NAME.fullmatch(name):
            yield f"{name!r} is not a name that every installer can give to a script"
    for name, count in Counter(name.lower() for name in names).items():
        if count > 1:
            yield f"{counted(count, 'script')} would have the name {name} where case is ignored"


def _why_malformed(group: str, reference: str) -> str | None:
    """Return what is wrong with the form of a reference, or None."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return "which is not of the form module:attribute"
    return "which is no function" if group in _SCRIPTS and match["attribute"] is None else None


def _why_not(wheel: WheelContents, reference: str, names: Callable[[str], frozenset[str]]) -> str | None:
    """Return what is wrong with ``module:attribute``; None if a module of the wheel may define it."""
    module, _, attribute = reference.partition("[")[0].strip().partition(":")
    path = module.strip().replace(".", "/")
    for candidate in (f"{path}.py", f"{path}/__init__.py"):
        member = wheel.member(candidate)
        if member is not None and not attribute:
            return None
        text = member_text(member)
        if text is not None:
            wanted = {attribute.strip().partition(".")[0], *ANY_NAME}
            return None if names(text) & wanted else _NOT_DEFINED
        if member is not None:
            return f"which is not judged: {candidate} is damaged, not UTF-8, or above the limit python_bytes"
    # What a compiled module defines cannot be read here, and a directory of files is a namespace package.
    compiled = re.compile(rf"{re.escape(path)}\.([^/]+\.)?(so|pyd)")
    is_compiled = any(compiled.fullmatch(member.name) for member in wheel.members)
    is_namespace = not attribute and wheel.has_directory(path)
    return None if is_compiled or is_namespace else _NOT_DEFINED


CHECKS = check.registered()

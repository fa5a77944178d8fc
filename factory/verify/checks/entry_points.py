"""The check of entry points: the wheel's own source defines what each one names."""

import configparser
import re
from collections.abc import Iterator

from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info_files import (
    NOT_TEXT,
    dist_info_member,
    dist_info_place,
    dist_info_text,
    member_text,
)
from factory.verify.checks.python_source import may_define
from factory.verify.reading.contents import WheelContents

_FILE = "entry_points.txt"
_NOT_DEFINED = "which the wheel does not define"

check = Checks[WheelContents]()


@check(
    "entry-points",
    Severity.ERROR,
    title="Every entry point exists",
    protects="Users: the command fails with ImportError.",
    standard="packaging.python.org: entry points specification",
    remedy="Remove the entry point, or add what it names.",
)
def _find_entry_points(wheel: WheelContents) -> Iterator[Fault]:
    text, place = dist_info_text(wheel, _FILE), dist_info_place(wheel, _FILE)
    if text is None:
        if (member := dist_info_member(wheel, _FILE)) and member.sha256:
            yield Fault(place, NOT_TEXT)
        return
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep case
    try:
        parser.read_string(text)
    except configparser.Error as error:
        yield Fault(place, f"it cannot be parsed: {error.message.splitlines()[0]}")
        return
    for group in parser.sections():
        for name, reference in parser.items(group):
            if (reason := _why_not(wheel, reference)) is not None:
                yield Fault(place, f"{group}: {name} names {reference}, {reason}")


def _why_not(wheel: WheelContents, reference: str) -> str | None:
    """Return what is wrong with ``module:attribute``; None if a module of the wheel may define it."""
    module, _, attribute = reference.partition("[")[0].strip().partition(":")
    path = module.strip().replace(".", "/")
    for candidate in (f"{path}.py", f"{path}/__init__.py"):
        member = wheel.member(candidate)
        if member is not None and not attribute:
            return None
        text = member_text(member)
        if text is not None:
            is_defined = may_define(text, attribute.strip().partition(".")[0])
            return None if is_defined else _NOT_DEFINED
        if member is not None:
            return f"which is not judged: {candidate} is damaged, not UTF-8, or above the limit python_bytes"
    # What a compiled module defines cannot be read here, and a directory of files is a namespace package.
    compiled = re.compile(rf"{re.escape(path)}\.([^/]+\.)?(so|pyd)")
    is_compiled = any(compiled.fullmatch(member.name) for member in wheel.members)
    is_namespace = not attribute and wheel.has_directory(path)
    return None if is_compiled or is_namespace else _NOT_DEFINED


CHECKS = check.registered()

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
from factory.verify.checks.python_source import defined_names
from factory.verify.reading.contents import WheelContents

_FILE = "entry_points.txt"

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
            if not _exists(wheel, reference):
                yield Fault(place, f"{group}: {name} names {reference}, which the wheel does not define")


def _exists(wheel: WheelContents, reference: str) -> bool:
    """Whether the source of a module of the wheel defines what ``module:attribute`` names."""
    module, _, attribute = reference.partition("[")[0].strip().partition(":")
    path = module.strip().replace(".", "/")
    for candidate in (f"{path}.py", f"{path}/__init__.py"):
        text = member_text(wheel.member(candidate))
        if text is not None:
            return not attribute or attribute.strip().partition(".")[0] in defined_names(text)
    # What a compiled module defines cannot be read here.
    compiled = re.compile(rf"{re.escape(path)}\.([^/]+\.)?(so|pyd)")
    return any(compiled.fullmatch(member.name) for member in wheel.members)


CHECKS = check.registered()

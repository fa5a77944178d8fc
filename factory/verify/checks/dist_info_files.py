"""Find and parse the files of a wheel's ``.dist-info`` directory, which may be missing or damaged."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import Parser
from email.policy import compat32

from packaging.metadata import RawMetadata, parse_email

from factory.verify.checks.check import Fault
from factory.verify.reading.contents import Member, WheelContents

NOT_TEXT = "it is not UTF-8 text"
"""Evidence for a file whose content was kept; `archive-limit` reports one that was not."""
MOST_FIELD_NAMES = 256
"""No format of METADATA has fifty fields."""

_LONGEST_VALUE = 10_000
_TEXT_FIELDS = ("description", "license")
_RECORD_COLUMNS = 3
_UNCLEAR_LINE_END = re.compile("\r(?!\n)|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""Python's ``splitlines`` and other readers differ in whether a line ends there."""


def dist_info_directories(wheel: WheelContents) -> tuple[str, ...]:
    """Return the names of all top-level ``.dist-info`` directories, sorted."""
    tops = {member.name.partition("/")[0] for member in wheel.members if "/" in member.name}
    return tuple(sorted(top for top in tops if top.endswith(".dist-info")))


def dist_info_member(wheel: WheelContents, name: str) -> Member | None:
    """Return a file of the ``.dist-info`` directory; None unless there is one directory with that file."""
    directories = dist_info_directories(wheel)
    return wheel.member(f"{directories[0]}/{name}") if len(directories) == 1 else None


def dist_info_text(wheel: WheelContents, name: str) -> str | None:
    """Return a file of the ``.dist-info`` directory as text; None if it is missing or not text."""
    return member_text(dist_info_member(wheel, name))


def dist_info_place(wheel: WheelContents, name: str) -> str:
    """Return the member name of a ``.dist-info`` file, for a finding about it."""
    directories = dist_info_directories(wheel)
    return f"{directories[0]}/{name}" if len(directories) == 1 else name


def member_text(member: Member | None) -> str | None:
    """Return a member's content as text; None if it is missing, too large, damaged or not UTF-8."""
    if member is None or member.data is None:
        return None
    try:
        return member.data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def find_missing_text(wheel: WheelContents, name: str) -> Iterator[Fault]:
    """Yield a fault if a file is missing from the ``.dist-info`` directory or is not text.

    `dist-info-directory` reports a missing directory, `archive-content` a damaged file.
    """
    member = dist_info_member(wheel, name)
    if len(dist_info_directories(wheel)) == 1 and member is None:
        yield Fault(wheel.name, f"{name} is missing")
    elif member is not None and member.data is not None and member_text(member) is None:
        yield Fault(member.name, NOT_TEXT)


def wheel_fields(wheel: WheelContents) -> dict[str, tuple[str, ...]] | None:
    """Return the fields of WHEEL, each with all its values; None if it is missing or not text."""
    return _fields(wheel, "WHEEL")


def metadata_fields(wheel: WheelContents) -> dict[str, tuple[str, ...]] | None:
    """Return the fields of METADATA likewise, without the description in its body."""
    return _fields(wheel, "METADATA")


def why_lines_are_unclear(text: str) -> str | None:
    """Return why readers differ in where the lines of a text end, or None."""
    unclear = _UNCLEAR_LINE_END.search(text)
    return None if unclear is None else f"readers differ in whether {unclear[0]!a} ends a line"


def find_unclear_fields(text: str, *, has_body: bool) -> Iterator[str]:
    """Yield why readers differ in the fields of WHEEL or METADATA; a body is a description."""
    message = Parser(policy=compat32).parsestr(text)
    body = str(message.get_payload())
    if message.defects:
        yield "a line is not a field: some readers stop there, others go on"
    elif body.strip() and not has_body:
        yield "there is text after an empty line, which some readers take for fields"
    if (reason := why_lines_are_unclear(text.removesuffix(body))) is not None:
        yield reason


def _fields(wheel: WheelContents, name: str) -> dict[str, tuple[str, ...]] | None:
    text = dist_info_text(wheel, name)
    if text is None:
        return None
    items = [(field, str(value).strip()) for field, value in Parser(policy=compat32).parsestr(text).items()]
    values: dict[str, list[str]] = defaultdict(list)
    for field, value in items:
        values[field.lower()].append(value)
    shared = {name: tuple(texts) for name, texts in values.items()}
    return {field: shared[field.lower()] for field, _ in items}


def raw_metadata(wheel: WheelContents) -> tuple[RawMetadata, Mapping[str, Sequence[str]]] | None:
    """Return the fields of METADATA, not validated, and those that packaging does not understand.

    None is returned if METADATA cannot be read, or for the reasons of `why_not_judged`.
    """
    text = dist_info_text(wheel, "METADATA")
    return None if text is None or why_not_judged(text) is not None else parse_email(text)


def why_not_judged(text: str) -> str | None:
    """Return why the fields of METADATA are not judged, or None.

    packaging searches all fields for each different one, and parses some values in quadratic time.
    """
    items = Parser(policy=compat32).parsestr(text, headersonly=True).items()
    names = {field.lower() for field, _ in items}
    if len(names) > MOST_FIELD_NAMES:
        return f"it has {len(names)} different fields"
    for field, value in items:
        if len(str(value)) > _LONGEST_VALUE and field.lower() not in _TEXT_FIELDS:
            return f"{field[:60]} has {len(str(value))} characters"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLine:
    """One line of RECORD, undecoded: a path, ``sha256=<base64>`` or empty, a size or empty."""

    path: str
    hash: str
    size: str


def record_lines(wheel: WheelContents) -> tuple[RecordLine, ...] | None:
    """Return the lines of RECORD; None if it is missing, not UTF-8, or not a CSV file of three columns.

    An empty line has no column: pip ends with a traceback on it.
    """
    text = dist_info_text(wheel, "RECORD")
    if text is None:
        return None
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return None
    if any(len(row) != _RECORD_COLUMNS for row in rows):
        return None
    return tuple(RecordLine(path=row[0], hash=row[1], size=row[2]) for row in rows)

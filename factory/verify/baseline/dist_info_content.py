"""Judge METADATA, WHEEL and RECORD: their whole content is known, or the difference is named."""

import base64
import csv
import io
import re
from collections.abc import Iterator, Sequence
from email.parser import Parser
from email.policy import compat32

from packaging.utils import canonicalize_name

from factory.build.template import DISTRIBUTION
from factory.core.digests import Sha256
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.verify.baseline.baseline import Shape
from factory.verify.baseline.comparison import Judgement
from factory.verify.baseline.member_kinds import MemberKind
from factory.verify.reading.contents import Member

_KNOWN: Judgement = (MemberKind.DIST_INFO, "")
_PROSE = frozenset(
    {
        "metadata-version",
        "summary",
        "description",
        "description-content-type",
        "keywords",
        "home-page",
        "download-url",
        "project-url",
        "author",
        "author-email",
        "maintainer",
        "maintainer-email",
        "license",
        "license-expression",
        "license-file",
        "classifier",
        "requires-python",
    }
)
"""Fields that no installer acts on, except that Requires-Python can refuse an installation."""
_DEPENDENCY_FIELDS = frozenset(
    {
        "requires",
        "requires-dist",
        "requires-external",
        "provides",
        "provides-dist",
        "provides-extra",
        "obsoletes",
        "obsoletes-dist",
        "dynamic",
        "import-name",
        "import-namespace",
        "setup-requires-dist",
    }
)
_WHEEL_FILE = re.compile(
    r"Wheel-Version: 1\.0\nGenerator: (?P<generator>[ -~]+)\nRoot-Is-Purelib: false\nTag: (?P<tag>[!-~]+)\n"
)


def normalised_metadata(content: bytes, tag: CodexTag) -> bytes | None:
    """Return METADATA with its version replaced; None unless it has the release's version exactly once."""
    head, blank, body = content.partition(b"\n\n")
    lines = head.split(b"\n")
    version = b"Version: " + tag.pep440.encode()
    if lines.count(version) != 1:
        return None
    lines[lines.index(version)] = b"Version: {version}"
    return b"\n".join(lines) + blank + body


def requirements(text: str) -> tuple[str, ...]:
    """Return the ``Requires-Dist`` fields of METADATA, sorted."""
    return tuple(sorted(value for field, value in _fields(text) if field == "requires-dist"))


def judge_metadata(content: bytes, *, tag: CodexTag, shape: Shape) -> Judgement:
    """Judge METADATA: a known one, one with other prose, or one with other dependencies."""
    known = shape.metadata_for(tag)
    normal = normalised_metadata(content, tag)
    if normal is not None and Sha256.of([normal]) in {entry.sha256 for entry in known}:
        return _KNOWN
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return MemberKind.FOREIGN, "it is not UTF-8"
    return _judge_fields(text, tag, {entry.requires for entry in known})


def _judge_fields(text: str, tag: CodexTag, known_requires: set[tuple[str, ...]]) -> Judgement:
    fields = _fields(text)
    names = {name for name, _ in fields}
    for name, wanted in (("name", DISTRIBUTION), ("version", tag.pep440)):
        values = [value for field, value in fields if field == name]
        if len(values) != 1 or not _is_same(name, values[0], wanted):
            return MemberKind.FOREIGN, f"{name} is {', '.join(values) or 'missing'}, expected {wanted}"
    requires = requirements(text)
    if requires not in (known_requires or {()}):
        return MemberKind.DEPENDENCY, f"Requires-Dist: {', '.join(requires) or 'missing'}"
    others = sorted(names & (_DEPENDENCY_FIELDS - {"requires-dist"}))
    if others:
        return MemberKind.DEPENDENCY, f"it has the fields {', '.join(others)}"
    foreign = sorted(names - _PROSE - {"name", "version", "requires-dist"})
    if foreign or _has_control(text):
        return MemberKind.FOREIGN, f"unexpected fields or characters: {', '.join(foreign) or 'not fields'}"
    return MemberKind.UNSEEN_METADATA, f"SHA-256 {Sha256.of([text.encode()])}"


def _fields(text: str) -> list[tuple[str, str]]:
    """Return the fields as installers read them; names have no case."""
    message = Parser(policy=compat32).parsestr(text)
    found = [(name.lower(), str(value).strip()) for name, value in message.items()]
    return [*found, *(("defect", str(defect)) for defect in message.defects)]


def _is_same(field: str, value: str, wanted: str) -> bool:
    return canonicalize_name(value) == wanted if field == "name" else value == wanted


def _has_control(text: str) -> bool:
    return any(ord(char) < ord(" ") and char not in "\n\t" for char in text)


def judge_wheel_file(content: bytes, *, tag: CodexTag, platform: Platform, shape: Shape) -> Judgement:
    """Judge WHEEL: it has exactly the known fields, in their order, and a known generator."""
    found = _WHEEL_FILE.fullmatch(content.decode("utf-8", "backslashreplace"))
    if found is None:
        return MemberKind.FOREIGN, "WHEEL does not have exactly the fields of reviewed wheels"
    if found["tag"] != platform.wheel_tag:
        return MemberKind.FOREIGN, f"Tag is {found['tag']}, expected {platform.wheel_tag}"
    known = [entry.name for entry in shape.generators_for(tag)]
    if found["generator"] not in known:
        return MemberKind.UNKNOWN_GENERATOR, f"{found['generator']}; known are {', '.join(known) or 'none'}"
    return _KNOWN


def judge_record(content: bytes, *, name: str, members: Sequence[Member]) -> Judgement:
    """Judge RECORD: it lists every member once with its digest and size, and nothing else."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        return MemberKind.FOREIGN, f"it cannot be parsed: {error}"
    expected = sorted(_record_rows(name, members))
    found = sorted(tuple(row) for row in rows)
    if found != expected:
        odd = next(iter(sorted(set(found) ^ set(expected))), ("repeated lines",))
        return MemberKind.FOREIGN, f"it does not describe the members: {','.join(odd)}"
    return _KNOWN


def _record_rows(name: str, members: Sequence[Member]) -> Iterator[tuple[str, ...]]:
    for member in members:
        if member.name == name:
            yield name, "", ""
        elif member.sha256 is not None and not member.is_directory:
            digest = base64.urlsafe_b64encode(bytes.fromhex(member.sha256.hex)).rstrip(b"=").decode()
            yield member.name, f"sha256={digest}", str(member.size_bytes)

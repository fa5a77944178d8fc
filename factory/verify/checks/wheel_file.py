"""Checks of WHEEL: its fields, and its tags compared with those of the file name."""

import math
from collections import Counter
from collections.abc import Iterator

from packaging.tags import InvalidTag, Tag, parse_tag

from factory.core.counted import counted
from factory.core.model import Severity
from factory.core.platform_tags import why_not_understood
from factory.core.targets import OperatingSystem
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info_files import (
    dist_info_place,
    dist_info_text,
    find_missing_text,
    find_unclear_fields,
    wheel_fields,
)
from factory.verify.reading.contents import ParsedName, WheelContents

_TAGS = "packaging.python.org: platform compatibility tags"
_GENERATOR = "hatchling "
_MOST_TAGS = 4096
_DECISIVE_FIELDS = ("Wheel-Version", "Root-Is-Purelib", "Build")
_KNOWN_FIELDS = frozenset({"Wheel-Version", "Generator", "Root-Is-Purelib", "Tag", "Build"})

check = Checks[WheelContents](standard="packaging.python.org: binary distribution format")
check_for_project = Checks[WheelContents](
    standard="packaging.python.org: binary distribution format", is_for_project=True
)


def _fault(wheel: WheelContents, evidence: str) -> Fault:
    return Fault(dist_info_place(wheel, "WHEEL"), evidence)


def _field(wheel: WheelContents, name: str) -> str | None:
    """Return a field's first value, empty if WHEEL lacks it; None if WHEEL cannot be read."""
    fields = wheel_fields(wheel)
    return None if fields is None else next(iter(fields.get(name, ())), "")


@check(
    "wheel-present",
    Severity.ERROR,
    title="There is a WHEEL file",
    protects="Users: installers refuse the wheel.",
    remedy="Build the wheel again.",
)
def _find_missing(wheel: WheelContents) -> Iterator[Fault]:
    return find_missing_text(wheel, "WHEEL")


@check(
    "wheel-format",
    Severity.ERROR,
    title="WHEEL is a list of fields, and those that decide about the installation occur once",
    protects="Users: installers differ in which fields they read.",
    remedy="Build the wheel again; it was edited.",
)
def _find_unclear_fields(wheel: WheelContents) -> Iterator[Fault]:
    text = dist_info_text(wheel, "WHEEL")
    if text is None:
        return
    for evidence in find_unclear_fields(text, has_body=False):
        yield _fault(wheel, evidence)
    for field, values in (wheel_fields(wheel) or {}).items():
        if field in _DECISIVE_FIELDS and len(values) > 1:
            yield _fault(wheel, f"{field} occurs {counted(len(values), 'time')}")


@check(
    "wheel-fields",
    Severity.WARNING,
    title="WHEEL has only known fields, and Generator once",
    protects="Anyone who reads the wheel: nothing reads the field, or which value counts is open.",
    remedy="Build the wheel again.",
)
def _find_unknown_fields(wheel: WheelContents) -> Iterator[Fault]:
    for field, values in (wheel_fields(wheel) or {}).items():
        if field not in {"Tag", *_DECISIVE_FIELDS} and len(values) > 1:
            yield _fault(wheel, f"{field} occurs {counted(len(values), 'time')}")
        if field not in _KNOWN_FIELDS:
            yield _fault(wheel, f"{field} is not a field of the format")


@check(
    "wheel-version",
    Severity.ERROR,
    title="Wheel-Version is 1.0",
    protects="Users: installers warn or refuse.",
    remedy="Build the wheel with a current backend.",
)
def _find_wheel_version(wheel: WheelContents) -> Iterator[Fault]:
    version = _field(wheel, "Wheel-Version")
    if version not in {None, "1.0"}:
        yield _fault(wheel, f"Wheel-Version is {version or 'missing'}")


@check(
    "wheel-purelib",
    Severity.WARNING,
    title="Root-Is-Purelib is false",
    protects="Users of systems that install executables and Python code into different directories.",
    remedy="Set pure_python to false in the build hook.",
)
def _find_purelib(wheel: WheelContents) -> Iterator[Fault]:
    purelib = _field(wheel, "Root-Is-Purelib")
    if purelib is not None and purelib.lower() != "false":
        yield _fault(wheel, f"Root-Is-Purelib is {purelib or 'missing'}")


@check_for_project(
    "wheel-generator",
    Severity.NOTE,
    title="The generator is known",
    protects="Anyone who rebuilds the wheel: the recipe of another backend is unknown.",
    remedy="Build the wheel with hatchling, or add the backend's recipe to the factory.",
)
def _find_generator(wheel: WheelContents) -> Iterator[Fault]:
    generator = _field(wheel, "Generator")
    if generator is not None and not generator.startswith(_GENERATOR):
        yield _fault(wheel, f"Generator is {generator or 'missing'}")


@check(
    "wheel-build",
    Severity.ERROR,
    title="WHEEL and the file name have the same build tag",
    protects="Users: installers use the build tag to decide which of two wheels is newer.",
    remedy="Build the wheel again; do not rename wheels.",
)
def _find_build(wheel: WheelContents) -> Iterator[Fault]:
    build = _field(wheel, "Build")
    if build is not None and wheel.parsed is not None and build != wheel.parsed.build:
        in_name = wheel.parsed.build or "no build tag"
        yield _fault(wheel, f"Build is {build or 'missing'}; the file name has {in_name}")


@check(
    "wheel-tags",
    Severity.ERROR,
    title="WHEEL and the file name have the same tags",
    protects="Users: pip could install it on a platform that it was not built for.",
    standard=_TAGS,
    remedy="Build the wheel for that platform; do not rename wheels.",
)
def _find_tags(wheel: WheelContents) -> Iterator[Fault]:
    fields = wheel_fields(wheel)
    if fields is None or wheel.parsed is None:
        return
    texts = fields.get("Tag", ())
    for text in texts:
        if not _tags_in(text):
            yield _fault(wheel, f"Tag is {text[:80]}, which is not a tag, or a set of more than {_MOST_TAGS}")
    tags = frozenset(tag for text in texts for tag in _tags_in(text))
    if tags != wheel.parsed.tags:
        in_wheel = ", ".join(sorted(map(str, tags))) or "missing"
        in_name = ", ".join(sorted(map(str, wheel.parsed.tags)))
        yield _fault(wheel, f"Tag is {in_wheel}; the file name has {in_name}")


def _tags_in(text: str) -> frozenset[Tag]:
    """Return the tags of a line; none if it is not valid, or a set of more tags than a wheel can need."""
    if math.prod(part.count(".") + 1 for part in text.split("-")) > _MOST_TAGS:
        return frozenset()
    try:
        return parse_tag(text)
    except (InvalidTag, ValueError):
        return frozenset()


@check(
    "wheel-tag-compressed",
    Severity.WARNING,
    title="WHEEL has one line per tag",
    protects="Users: pip's later checks of the installation do not understand a compressed tag set.",
    remedy="Write each tag on a line of its own.",
)
def _find_compressed_tags(wheel: WheelContents) -> Iterator[Fault]:
    for text in (wheel_fields(wheel) or {}).get("Tag", ()):
        if "." in text:
            yield _fault(wheel, f"Tag is {text[:80]}, which is a compressed set and not one tag")


@check_for_project(
    "wheel-tag-form",
    Severity.ERROR,
    title="The tag is py3-none-<platform>",
    protects="Users: pip installs the wheel where it cannot run, or refuses it where it can.",
    standard=_TAGS,
    remedy="Build the wheel with the build hook of runtime_template.",
)
def _find_tag_form(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.parsed is not None:
        for reason in _tag_faults(wheel.parsed):
            yield Fault(wheel.name, reason)


def _tag_faults(parsed: ParsedName) -> Iterator[str]:
    languages = sorted({f"{tag.interpreter}-{tag.abi}" for tag in parsed.tags})
    if languages != ["py3-none"]:
        yield f"Python and ABI tags are {', '.join(languages)}; the package depends on neither: py3-none"
    repeated = sorted(tag for tag, count in Counter(parsed.platforms).items() if count > 1)
    if repeated:
        yield f"platforms are repeated: {', '.join(repeated)}"


@check(
    "wheel-platform-not-judged",
    Severity.ERROR,
    title="Every platform tag is understood, and all of them can be right for the same files",
    protects="Users: nothing is known about whether the executables run where installers put them.",
    standard=_TAGS,
    remedy="Give the wheel a tag from the table that 'factory show platforms' prints.",
)
def _find_unjudged_platform(wheel: WheelContents) -> Iterator[Fault]:
    reasons = {tag: why_not_understood(tag) for tag in wheel.platforms}
    for tag, reason in reasons.items():
        if reason is not None:
            yield Fault(wheel.name, f"not judged for {tag}: {reason}")
    if any(reasons.values()) or not reasons:
        return
    if wheel.operating_system is None:
        yield Fault(
            wheel.name, f"not judged: {', '.join(wheel.platforms)} are for different operating systems"
        )
    elif wheel.operating_system is not OperatingSystem.MACOS and wheel.architecture is None:
        # Only a Mach-O file can have code for two architectures; macho-architecture asks for both.
        yield Fault(wheel.name, f"not judged: {'.'.join(wheel.platforms)} names several architectures")


CHECKS = (*check.registered(), *check_for_project.registered())

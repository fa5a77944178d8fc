"""Checks of WHEEL: its fields, and its tags against the file name's."""

from collections import Counter
from collections.abc import Iterator

from packaging.tags import InvalidTag, Tag, parse_tag

from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info_files import (
    dist_info_directories,
    dist_info_member,
    dist_info_place,
    wheel_fields,
)
from factory.verify.reading.contents import ParsedName, WheelContents

_STANDARD = "packaging.python.org: binary distribution format"
_TAGS = "packaging.python.org: platform compatibility tags"
_GENERATORS = ("hatchling ",)
_KNOWN_FIELDS = frozenset({"Wheel-Version", "Generator", "Root-Is-Purelib", "Tag", "Build"})


check = Checks[WheelContents](standard=_STANDARD)


@check(
    "wheel-present",
    Severity.ERROR,
    title="There is a WHEEL",
    protects="Users: installers refuse the wheel.",
    remedy="Build the wheel again.",
)
def _find_missing_wheel(wheel: WheelContents) -> Iterator[Fault]:
    if len(dist_info_directories(wheel)) != 1:
        return
    member = dist_info_member(wheel, "WHEEL")
    if member is None:
        yield Fault(wheel.name, "there is no WHEEL")
    elif member.sha256 is not None and wheel_fields(wheel) is None:
        yield Fault(member.name, "it is no UTF-8 text, or over 1 MiB")


@check(
    "wheel-fields",
    Severity.WARNING,
    title="WHEEL has known fields, each one once",
    protects="Users: which value holds depends on the installer.",
    remedy="Build the wheel again.",
)
def _find_repeated_fields(wheel: WheelContents) -> Iterator[Fault]:
    for field, values in (wheel_fields(wheel) or {}).items():
        if field != "Tag" and len(values) > 1:
            yield Fault(dist_info_place(wheel, "WHEEL"), f"{field} is there {len(values)} times")
        if field not in _KNOWN_FIELDS:
            yield Fault(dist_info_place(wheel, "WHEEL"), f"{field} is no field of the format")


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
        yield Fault(dist_info_place(wheel, "WHEEL"), f"Wheel-Version is {version or 'missing'}")


@check(
    "wheel-purelib",
    Severity.ERROR,
    title="Root-Is-Purelib is false",
    protects="Users of systems where executables and Python code go to different directories.",
    remedy="Set pure_python to false in the build hook.",
)
def _find_purelib(wheel: WheelContents) -> Iterator[Fault]:
    purelib = _field(wheel, "Root-Is-Purelib")
    if purelib is not None and purelib.lower() != "false":
        yield Fault(dist_info_place(wheel, "WHEEL"), f"Root-Is-Purelib is {purelib or 'missing'}")


@check(
    "wheel-generator",
    Severity.NOTE,
    title="The generator is known",
    protects="Whoever rebuilds the wheel: the recipe of another backend is not known.",
    remedy="Rebuild it with hatchling, or teach the factory that backend's recipe.",
)
def _find_generator(wheel: WheelContents) -> Iterator[Fault]:
    generator = _field(wheel, "Generator")
    if generator is not None and not generator.startswith(_GENERATORS):
        yield Fault(dist_info_place(wheel, "WHEEL"), f"Generator is {generator or 'missing'}")


@check(
    "wheel-build",
    Severity.ERROR,
    title="WHEEL and file name have the same build tag",
    protects="Users: which of two wheels is newer is told by the build tag.",
    remedy="Build the wheel again; do not rename wheels.",
)
def _find_build(wheel: WheelContents) -> Iterator[Fault]:
    build = _field(wheel, "Build")
    if build is not None and wheel.parsed is not None and build != wheel.parsed.build:
        in_name = wheel.parsed.build or "none"
        yield Fault(
            dist_info_place(wheel, "WHEEL"), f"Build is {build or 'none'}, in the file name it is {in_name}"
        )


def _field(wheel: WheelContents, name: str) -> str | None:
    """Return a field's first value, empty when WHEEL lacks it; None when there is no WHEEL to ask."""
    fields = wheel_fields(wheel)
    return None if fields is None else next(iter(fields.get(name, ())), "")


@check(
    "wheel-tags",
    Severity.ERROR,
    title="WHEEL and file name have the same tags",
    protects="Users: installed on a platform that the build did not mean.",
    standard=_TAGS,
    remedy="Build the wheel for that platform; do not rename wheels.",
)
def _find_tags(wheel: WheelContents) -> Iterator[Fault]:
    fields = wheel_fields(wheel)
    if fields is None or wheel.parsed is None:
        return
    stated = _expanded(fields.get("Tag", ()))
    if stated != wheel.parsed.tags:
        in_wheel = ", ".join(sorted(map(str, stated))) or "none"
        in_name = ", ".join(sorted(map(str, wheel.parsed.tags)))
        yield Fault(
            dist_info_place(wheel, "WHEEL"), f"its tags are {in_wheel}; those of the file name {in_name}"
        )


def _expanded(texts: tuple[str, ...]) -> frozenset[Tag]:
    tags: set[Tag] = set()
    for text in texts:
        try:
            tags |= parse_tag(text)
        except (InvalidTag, ValueError):
            continue
    return frozenset(tags)


@check(
    "wheel-tag-compressed",
    Severity.WARNING,
    title="WHEEL has one line per tag",
    protects="Users: pip's later checks of the installation do not understand a compressed set.",
    remedy="Write every tag on a line of its own.",
)
def _find_compressed_tags(wheel: WheelContents) -> Iterator[Fault]:
    for text in (wheel_fields(wheel) or {}).get("Tag", ()):
        if "." in text:
            yield Fault(dist_info_place(wheel, "WHEEL"), f"Tag: {text} is a compressed set, and not one tag")


@check(
    "wheel-tag-form",
    Severity.ERROR,
    title="The tag is py3-none-<platform>",
    protects="Users: a wheel that is installed where it cannot run, or not where it can.",
    standard=_TAGS,
    remedy="Build the wheel with the build hook of runtime_template.",
)
def _find_tag_form(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.parsed is None:
        return
    for reason in _tag_faults(wheel.parsed):
        yield Fault(wheel.name, reason)


def _tag_faults(parsed: ParsedName) -> Iterator[str]:
    languages = sorted({f"{tag.interpreter}-{tag.abi}" for tag in parsed.tags})
    if languages != ["py3-none"]:
        yield f"its Python and ABI tags are {', '.join(languages)}; the package depends on neither: py3-none"
    if "any" in parsed.platforms:
        yield "its platform is any, and executables run on one platform"
    repeated = sorted(tag for tag, count in Counter(parsed.platforms).items() if count > 1)
    if repeated:
        yield f"platforms are repeated: {', '.join(repeated)}"


CHECKS = check.registered()

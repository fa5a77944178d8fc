"""Checks of ``codex-package.json``: what the release package states about itself is true of the wheel.

Releases before 0.133.0 have no such file; the checks find no fault in those.
"""

import ast
import json
from collections.abc import Iterator

from packaging.version import Version

from factory.core.json_reader import without_duplicates
from factory.core.model import Severity
from factory.core.tags import CodexTag, MalformedTag
from factory.core.targets import Target
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info import PACKAGE
from factory.verify.checks.dist_info_files import NOT_TEXT, member_text
from factory.verify.checks.python_source import parsed_source
from factory.verify.reading.contents import WheelContents

_NAME = "codex-package.json"
_PATH = f"{PACKAGE}/{_NAME}"
_SINCE = Version("0.133.0")
_STRINGS = ("version", "target", "variant", "entrypoint", "resourcesDir", "pathDir")
_LAYOUT_VERSION = 1

check = Checks[WheelContents](standard="the release package's layout", is_for_project=True)


def _parse(wheel: WheelContents) -> dict[str, object] | str | None:
    """Return the parsed object, or what is wrong with it; None if it is missing or damaged."""
    member = wheel.member(_PATH)
    if member is None or member.sha256 is None:
        return None
    text = member_text(member)
    if text is None:
        return NOT_TEXT
    try:
        value = json.loads(text, object_pairs_hook=without_duplicates)
    except (ValueError, RecursionError) as error:
        return f"it is not valid JSON: {error}"
    return value if isinstance(value, dict) else "it is not a JSON object"


def _text(wheel: WheelContents, key: str) -> str | None:
    """Return a string of it; None if that is missing, which `package-json-schema` reports."""
    parsed = _parse(wheel)
    value = parsed.get(key) if isinstance(parsed, dict) else None
    return value if isinstance(value, str) else None


@check(
    "package-json-present",
    Severity.ERROR,
    title="codex-package.json exists if the package's code looks for it",
    protects="Users: bundled_codex_path() raises FileNotFoundError.",
    remedy="Stage the whole release package.",
)
def _find_missing(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.member(_PATH) is None and _code_needs_it(wheel):
        yield Fault(wheel.name, f"{_PATH} is missing; {PACKAGE}/__init__.py looks for it")


@check(
    "package-json-expected",
    Severity.WARNING,
    title="Releases since 0.133.0 have a codex-package.json",
    protects="Codex itself: it finds its resources by this file.",
    remedy="Stage the whole release package.",
)
def _find_missing_since(wheel: WheelContents) -> Iterator[Fault]:
    is_new = wheel.parsed is not None and wheel.parsed.version >= _SINCE
    if is_new and wheel.member(_PATH) is None and not _code_needs_it(wheel):
        yield Fault(wheel.name, f"{_PATH} is missing; release packages have it since {_SINCE}")


def _code_needs_it(wheel: WheelContents) -> bool:
    """Whether the file's name is a string in the package's code."""
    return any(
        isinstance(node, ast.Constant) and node.value == _NAME
        for statement in parsed_source(member_text(wheel.member(f"{PACKAGE}/__init__.py")) or "")
        for node in ast.walk(statement)
    )


@check(
    "package-json-schema",
    Severity.ERROR,
    title="codex-package.json has the known layout",
    protects="Codex itself: it does not find its resources.",
    remedy="Compare it with the one in the release package; a new layoutVersion needs a new factory.",
)
def _find_schema(wheel: WheelContents) -> Iterator[Fault]:
    parsed = _parse(wheel)
    if isinstance(parsed, str):
        yield Fault(_PATH, parsed)
    elif parsed is not None:
        for key in _STRINGS:
            if not isinstance(parsed.get(key), str):
                yield Fault(_PATH, f"{key} is {parsed.get(key)!r:.60}, not a string")
        version = parsed.get("layoutVersion")
        if version != _LAYOUT_VERSION or isinstance(version, bool):
            yield Fault(_PATH, f"layoutVersion is {version!r:.60}; only {_LAYOUT_VERSION} is known")


@check(
    "package-json-version",
    Severity.ERROR,
    title="codex-package.json has the wheel's version",
    protects="Users: the executables are of another release than the pinned one.",
    remedy="Stage the release package of this very tag.",
)
def _find_version(wheel: WheelContents) -> Iterator[Fault]:
    text = _text(wheel, "version")
    if text is None or wheel.parsed is None:
        return
    try:
        agrees = CodexTag.parse(text).pep440 == str(wheel.parsed.version)
    except (MalformedTag, ValueError):
        agrees = False
    if not agrees:
        yield Fault(_PATH, f"version is {text}; the wheel has {wheel.parsed.version}")


@check(
    "package-json-target",
    Severity.ERROR,
    title="codex-package.json has the platform's target",
    protects="Users: the executables do not start on their platform.",
    remedy="Stage the release package of the platform's own target.",
)
def _find_target(wheel: WheelContents) -> Iterator[Fault]:
    text = _text(wheel, "target")
    wanted = _target_of(wheel)
    if text is not None and wanted is not None and text != wanted.value:
        yield Fault(_PATH, f"target is {text}; for {', '.join(wheel.platforms)} it is {wanted.value}")


def _target_of(wheel: WheelContents) -> Target | None:
    for target in Target:
        if target.operating_system is wheel.operating_system and target.architecture is wheel.architecture:
            return target
    return None


@check(
    "package-json-variant",
    Severity.ERROR,
    title="codex-package.json has the variant codex",
    protects="Users: they get another program than codex.",
    remedy="Stage the release package of codex.",
)
def _find_variant(wheel: WheelContents) -> Iterator[Fault]:
    text = _text(wheel, "variant")
    if text not in {None, "codex"}:
        yield Fault(_PATH, f"variant is {text}, not codex")


@check(
    "package-json-entrypoint",
    Severity.ERROR,
    title="The entry point is the executable that bundled_codex_path() returns",
    protects="Users: Codex starts itself by this path.",
    remedy="Stage the whole release package.",
)
def _find_entrypoint(wheel: WheelContents) -> Iterator[Fault]:
    text = _text(wheel, "entrypoint")
    if text is None:
        return
    target = _target_of(wheel)
    if target is None:
        if wheel.member(f"{PACKAGE}/{text}") is None:
            yield Fault(_PATH, f"entrypoint is {text}, which is not in the wheel")
    elif text != (wanted := f"bin/codex{target.executable_suffix}"):
        yield Fault(_PATH, f"entrypoint is {text}; bundled_codex_path() returns {wanted}")


@check(
    "package-json-tools",
    Severity.WARNING,
    title="The directory of tools that codex-package.json names exists",
    protects="Users: Codex has no bundled search tool and needs the system's rg ('codex doctor' warns).",
    remedy="Stage the whole release package.",
)
def _find_no_tools(wheel: WheelContents) -> Iterator[Fault]:
    return _missing_directory(wheel, "pathDir")


@check(
    "package-json-resources",
    Severity.NOTE,
    title="The directory of resources that codex-package.json names exists",
    protects="Users: features that need the resources, voice on macOS for one, do not work.",
    remedy="No action if the recipe leaves all of it out; otherwise stage the whole release package.",
)
def _find_no_resources(wheel: WheelContents) -> Iterator[Fault]:
    return _missing_directory(wheel, "resourcesDir")


def _missing_directory(wheel: WheelContents, key: str) -> Iterator[Fault]:
    """Find a named directory without files, not counting files that the recipe leaves out for a reason."""
    text = _text(wheel, key)
    names = {*wheel.by_name, *wheel.left_out}
    if text is not None and not any(name.startswith(f"{PACKAGE}/{text}/") for name in names):
        yield Fault(_PATH, f"{key} is {text}, but the wheel has no file there")


CHECKS = check.registered()

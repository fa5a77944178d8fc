"""Checks of ``codex-package.json``: what the release package says of itself is true of the wheel.

Releases before 0.133.0 have none; the checks are silent on those.
"""

import ast
import json
from collections.abc import Iterator

from packaging.version import Version

from factory.core.model import Severity
from factory.core.tags import CodexTag, MalformedTag
from factory.core.targets import Target
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info import PACKAGE
from factory.verify.checks.dist_info_files import member_text
from factory.verify.checks.python_source import parsed_source
from factory.verify.reading.contents import WheelContents

_NAME = "codex-package.json"
_PATH = f"{PACKAGE}/{_NAME}"
_SINCE = Version("0.133.0")
_TEXTS = ("version", "target", "variant", "entrypoint", "resourcesDir", "pathDir")
_LAYOUT_VERSION = 1
_STANDARD = "the release package's layout"


class _DoubledKey(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(f"{key!r} is there twice")


check = Checks[WheelContents](standard=_STANDARD)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            raise _DoubledKey(key)
        members[key] = value
    return members


def _parse(wheel: WheelContents) -> dict[str, object] | str | None:
    """Return the parsed object, or what is wrong with it; None when there is none to read."""
    member = wheel.member(_PATH)
    if member is None or member.sha256 is None:
        return None
    text = member_text(member)
    if text is None:
        return "it is no UTF-8 text, or over 1 MiB"
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        return f"it is no JSON: {error}"
    return value if isinstance(value, dict) else "its top is no object"


def _text(wheel: WheelContents, key: str) -> str | None:
    """Return a text of it; None where it is not there, for `package-json-schema` to say."""
    parsed = _parse(wheel)
    value = parsed.get(key) if isinstance(parsed, dict) else None
    return value if isinstance(value, str) else None


@check(
    "package-json-present",
    Severity.ERROR,
    title="codex-package.json is there when the package's code looks for it",
    protects="Users: bundled_codex_path() raises FileNotFoundError.",
    remedy="Stage the whole release package.",
)
def _find_absent(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.member(_PATH) is None and _own_code_asks(wheel):
        yield Fault(wheel.name, f"there is no {_PATH}, which {PACKAGE}/__init__.py looks for")


@check(
    "package-json-expected",
    Severity.WARNING,
    title="codex-package.json is there since 0.133.0",
    protects="Codex itself: it finds its resources by this file.",
    remedy="Stage the whole release package.",
)
def _find_absent_since(wheel: WheelContents) -> Iterator[Fault]:
    is_new = wheel.parsed is not None and wheel.parsed.version >= _SINCE
    if is_new and wheel.member(_PATH) is None and not _own_code_asks(wheel):
        yield Fault(wheel.name, f"there is no {_PATH}; release packages have it since {_SINCE}")


def _own_code_asks(wheel: WheelContents) -> bool:
    """Whether the package's code has the file's name as a text of its own."""
    member = wheel.member(f"{PACKAGE}/__init__.py")
    source = member_text(member) if member is not None else None
    return any(
        isinstance(node, ast.Constant) and node.value == _NAME
        for statement in parsed_source(source or "")
        for node in ast.walk(statement)
    )


@check(
    "package-json-schema",
    Severity.ERROR,
    title="codex-package.json has the known layout",
    protects="Codex itself: it does not find its resources.",
    remedy="Compare it with the release package's; for a new layoutVersion the factory must learn it.",
)
def _find_schema(wheel: WheelContents) -> Iterator[Fault]:
    parsed = _parse(wheel)
    if isinstance(parsed, str):
        yield Fault(_PATH, parsed)
    elif parsed is not None:
        for key in _TEXTS:
            if not isinstance(parsed.get(key), str):
                yield Fault(_PATH, f"{key} is {parsed.get(key)!r:.60} and no text")
        version = parsed.get("layoutVersion")
        if version != _LAYOUT_VERSION or isinstance(version, bool):
            yield Fault(_PATH, f"layoutVersion is {version!r:.60}; {_LAYOUT_VERSION} is known")


@check(
    "package-json-version",
    Severity.ERROR,
    title="codex-package.json has the wheel's version",
    protects="Users: executables of another release than they pinned.",
    remedy="Stage the release package of that very tag.",
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
        yield Fault(_PATH, f"version is {text}, the wheel's is {wheel.parsed.version}")


@check(
    "package-json-target",
    Severity.ERROR,
    title="codex-package.json has the platform's target",
    protects="Users: executables that do not start there.",
    remedy="Stage the release package of the platform's own target.",
)
def _find_target(wheel: WheelContents) -> Iterator[Fault]:
    text = _text(wheel, "target")
    wanted = _target_of(wheel)
    if text is not None and wanted is not None and text != wanted.value:
        platforms = ", ".join(wheel.platforms)
        yield Fault(_PATH, f"target is {text}; for {platforms} it is {wanted.value}")


def _target_of(wheel: WheelContents) -> Target | None:
    for target in Target:
        if target.operating_system is wheel.operating_system and target.architecture is wheel.architecture:
            return target
    return None


@check(
    "package-json-variant",
    Severity.ERROR,
    title="codex-package.json is of the codex variant",
    protects="Users: another program than the one they asked for.",
    remedy="Stage the release package of codex.",
)
def _find_variant(wheel: WheelContents) -> Iterator[Fault]:
    text = _text(wheel, "variant")
    if text not in {None, "codex"}:
        yield Fault(_PATH, f"variant is {text}, and codex is what the package is for")


@check(
    "package-json-entrypoint",
    Severity.ERROR,
    title="The entry point is the executable that the package gives",
    protects="Users: Codex starts itself by that path.",
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
        yield Fault(_PATH, f"entrypoint is {text}; bundled_codex_path() gives {wanted}")


@check(
    "package-json-tools",
    Severity.WARNING,
    title="The directory of tools that it names is there",
    protects="Users: Codex has no search tool of its own, needs the system's rg ('codex doctor' warns).",
    remedy="Stage the whole release package.",
)
def _find_no_tools(wheel: WheelContents) -> Iterator[Fault]:
    yield from _absent_directory(wheel, "pathDir")


@check(
    "package-json-resources",
    Severity.NOTE,
    title="The directory of resources that it names is there",
    protects="Users: what the release package has there, voice on macOS, does not work from this wheel.",
    remedy="Nothing, if the recipe leaves all of it out; else stage the whole release package.",
)
def _find_no_resources(wheel: WheelContents) -> Iterator[Fault]:
    yield from _absent_directory(wheel, "resourcesDir")


def _absent_directory(wheel: WheelContents, key: str) -> Iterator[Fault]:
    text = _text(wheel, key)
    if text is not None and not _has_directory(wheel, text):
        yield Fault(_PATH, f"{key} is {text}, and the wheel has no file there")


def _has_directory(wheel: WheelContents, path: str) -> bool:
    """Whether a file is there, or would be had the recipe not left it out for a reason."""
    prefix = f"{PACKAGE}/{path}/"
    return any(name.startswith(prefix) for name in {*wheel.by_name, *wheel.left_out})


CHECKS = check.registered()

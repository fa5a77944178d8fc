"""Checks of the import package: its Python interface, and its executables where they belong."""

import ast
from collections.abc import Iterator

from packaging.utils import canonicalize_name

from factory.core.model import FileKind, Severity
from factory.core.targets import OperatingSystem
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info import PACKAGE
from factory.verify.checks.dist_info_files import member_text
from factory.verify.checks.member_modes import is_program
from factory.verify.checks.python_source import defined_names, parsed_source
from factory.verify.reading.contents import WheelContents

_INIT = f"{PACKAGE}/__init__.py"
_API = ("PACKAGE_NAME", "bundled_codex_path")
_LATER_API = ("bundled_package_dir", "bundled_path_dir")
_PAYLOAD_DIRECTORIES = ("bin", "codex-path", "codex-resources")
_STANDARD = "the interface that the official SDK calls"
_LAYOUT = "the release package's layout"


check = Checks[WheelContents](standard=_STANDARD)


def _source(wheel: WheelContents) -> str | None:
    """Return the source of the package's ``__init__.py``; None when it is not there or is no text."""
    member = wheel.member(_INIT)
    return None if member is None else member_text(member)


@check(
    "package-init",
    Severity.ERROR,
    title="The import package is there and is Python",
    protects="Users: the import fails.",
    remedy="Build the wheel from the staged runtime.",
)
def _find_broken_init(wheel: WheelContents) -> Iterator[Fault]:
    member = wheel.member(_INIT)
    if member is None:
        yield Fault(wheel.name, f"there is no {_INIT}")
    elif member.sha256 is not None:
        source = _source(wheel)
        if source is None or (source.strip() and not parsed_source(source) and not _only_comments(source)):
            yield Fault(_INIT, "it is no Python source")


def _only_comments(source: str) -> bool:
    return all(not line.strip() or line.lstrip().startswith("#") for line in source.splitlines())


@check(
    "package-interface",
    Severity.ERROR,
    title="The package has its name and bundled_codex_path",
    protects="Users of the SDK: it cannot find the executable.",
    remedy="Build the wheel from runtime_template.",
)
def _find_missing_api(wheel: WheelContents) -> Iterator[Fault]:
    yield from _missing(wheel, _API)


@check(
    "package-interface-directories",
    Severity.WARNING,
    title="A package with codex-package.json has bundled_package_dir and bundled_path_dir",
    protects="Users of newer SDKs, which call these.",
    remedy="Build the wheel from runtime_template.",
)
def _find_missing_later_api(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.member(f"{PACKAGE}/codex-package.json") is not None:
        yield from _missing(wheel, _LATER_API)


def _missing(wheel: WheelContents, names: tuple[str, ...]) -> Iterator[Fault]:
    source = _source(wheel)
    if source is None or not (parsed_source(source) or _only_comments(source)):
        return
    for name in names:
        if name not in defined_names(source):
            yield Fault(_INIT, f"it does not define {name}")


@check(
    "package-name",
    Severity.ERROR,
    title="PACKAGE_NAME is the distribution's name",
    protects="Users: messages and version look-ups that name another project.",
    remedy="Build the wheel from runtime_template.",
)
def _find_other_package_name(wheel: WheelContents) -> Iterator[Fault]:
    value = _package_name(_source(wheel) or "")
    if value is None or wheel.parsed is None:
        return
    if canonicalize_name(value) != canonicalize_name(wheel.parsed.distribution):
        yield Fault(_INIT, f"PACKAGE_NAME is {value!r}, the file name says {wheel.parsed.distribution}")


def _package_name(source: str) -> str | None:
    """Return the text assigned to ``PACKAGE_NAME`` at the top level, if there is one."""
    for node in parsed_source(source):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or not isinstance(node.value, ast.Constant):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        named = any(isinstance(target, ast.Name) and target.id == "PACKAGE_NAME" for target in targets)
        if named and isinstance(node.value.value, str):
            return node.value.value
    return None


@check(
    "package-executable",
    Severity.ERROR,
    title="The codex executable is there under the platform's name",
    protects="Users: bundled_codex_path() raises FileNotFoundError.",
    standard=_LAYOUT,
    remedy="Stage the release package of the platform's own target.",
)
def _find_missing_executable(wheel: WheelContents) -> Iterator[Fault]:
    system = wheel.operating_system
    if system is None:
        return
    name = f"{PACKAGE}/bin/codex{_suffix(system)}"
    if wheel.member(name) is None:
        yield Fault(wheel.name, f"there is no {name}, bundled_codex_path()'s result")


def _suffix(system: OperatingSystem) -> str:
    return ".exe" if system is OperatingSystem.WINDOWS else ""


@check(
    "package-suffix",
    Severity.ERROR,
    title="Programs have the platform's suffix",
    protects="Users: without .exe it does not start on Windows; elsewhere .exe is for another system.",
    standard=_LAYOUT,
    remedy="Stage the release package of the platform's own target.",
)
def _find_wrong_suffixes(wheel: WheelContents) -> Iterator[Fault]:
    system = wheel.operating_system
    for member in wheel.members:
        if system is None or not is_program(member):
            continue
        has_suffix = member.name.lower().endswith(".exe")
        if has_suffix != bool(_suffix(system)):
            wanted = "ends in .exe" if _suffix(system) else "has no .exe"
            yield Fault(member.name, f"on {system.value} a program's name {wanted}")


@check(
    "package-bin",
    Severity.ERROR,
    title="Everything in bin is an executable image",
    protects="Users: they would start a text, or a script in the executable's place.",
    standard=_LAYOUT,
    remedy="Compare the file with the release package's; do not install it.",
)
def _find_data_in_bin(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        below_bin = member.name.startswith(f"{PACKAGE}/bin/") and not member.is_directory
        if below_bin and member.sha256 is not None and not member.kind.is_executable_image:
            what = "a script" if member.kind is FileKind.SCRIPT else "no program of any system"
            yield Fault(member.name, f"it is {what}, by its first bytes")


@check(
    "package-image-place",
    Severity.ERROR,
    title="Executable images are only where the release package has them",
    protects="Users: code hidden beside the Python source, importable even.",
    standard=_LAYOUT,
    remedy="Compare the wheel with the release package; do not install it.",
)
def _find_misplaced_images(wheel: WheelContents) -> Iterator[Fault]:
    places = tuple(f"{PACKAGE}/{directory}/" for directory in _PAYLOAD_DIRECTORIES)
    for member in wheel.members:
        if member.kind.is_executable_image and not member.name.startswith(places):
            yield Fault(member.name, f"{member.kind.value} outside of {', '.join(_PAYLOAD_DIRECTORIES)}")


@check(
    "package-typed",
    Severity.NOTE,
    title="The package is marked as typed",
    protects="Users of type checkers.",
    standard="PEP 561",
    remedy="Add py.typed.",
)
def _find_untyped(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.member(_INIT) is not None and wheel.member(f"{PACKAGE}/py.typed") is None:
        yield Fault(wheel.name, f"there is no {PACKAGE}/py.typed")


@check(
    "package-line-ends",
    Severity.NOTE,
    title="Python source has LF line ends",
    protects="Whoever rebuilds the wheel: the bytes depend on the building host.",
    remedy="Check the template out without line end conversion.",
)
def _find_crlf(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if member.name.endswith(".py") and member.data is not None and b"\r\n" in member.data:
            yield Fault(member.name, "its lines end in CR LF")


CHECKS = check.registered()

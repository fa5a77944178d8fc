"""Checks of the import package: its Python interface, and the places of its executables."""

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
_LAYOUT = "the release package's layout"

check = Checks[WheelContents](standard="the interface that the official SDK calls", is_for_project=True)


def _source(wheel: WheelContents) -> str | None:
    """Return the source of the package's ``__init__.py``; None if it is missing or not valid Python."""
    source = member_text(wheel.member(_INIT))
    return source if source is not None and _is_python(source) else None


def _is_python(source: str) -> bool:
    is_empty = all(not line.strip() or line.lstrip().startswith("#") for line in source.splitlines())
    return is_empty or bool(parsed_source(source))


@check(
    "package-init",
    Severity.ERROR,
    title="The import package exists and is valid Python",
    protects="Users: the import fails.",
    remedy="Build the wheel from the staged runtime.",
)
def _find_broken_init(wheel: WheelContents) -> Iterator[Fault]:
    member = wheel.member(_INIT)
    if member is None:
        yield Fault(wheel.name, f"{_INIT} is missing")
    elif member.sha256 is not None and _source(wheel) is None:
        yield Fault(_INIT, "it is not valid Python")


@check(
    "package-interface",
    Severity.ERROR,
    title="The package defines PACKAGE_NAME and bundled_codex_path",
    protects="Users of the SDK: it cannot find the executable.",
    remedy="Build the wheel from runtime_template.",
)
def _find_missing_api(wheel: WheelContents) -> Iterator[Fault]:
    return _undefined(wheel, _API)


@check(
    "package-interface-directories",
    Severity.WARNING,
    title="A package with codex-package.json defines bundled_package_dir and bundled_path_dir",
    protects="Users of newer SDKs, which call these functions.",
    remedy="Build the wheel from runtime_template.",
)
def _find_missing_later_api(wheel: WheelContents) -> Iterator[Fault]:
    has_layout = wheel.member(f"{PACKAGE}/codex-package.json") is not None
    return _undefined(wheel, _LATER_API if has_layout else ())


def _undefined(wheel: WheelContents, names: tuple[str, ...]) -> Iterator[Fault]:
    source = _source(wheel)
    if source is None:
        return
    for name in names:
        if name not in defined_names(source):
            yield Fault(_INIT, f"it does not define {name}")


@check(
    "package-name",
    Severity.ERROR,
    title="PACKAGE_NAME is the name of the distribution",
    protects="Users: messages and version look-ups name another project.",
    remedy="Build the wheel from runtime_template.",
)
def _find_other_package_name(wheel: WheelContents) -> Iterator[Fault]:
    value = _package_name(_source(wheel) or "")
    if value is None or wheel.parsed is None:
        return
    if canonicalize_name(value) != canonicalize_name(wheel.parsed.distribution):
        yield Fault(_INIT, f"PACKAGE_NAME is {value!r}; the file name has {wheel.parsed.distribution}")


def _package_name(source: str) -> str | None:
    """Return the string assigned to ``PACKAGE_NAME`` at the top level, if there is one."""
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
    title="The codex executable has the platform's name and place",
    protects="Users: bundled_codex_path() raises FileNotFoundError.",
    standard=_LAYOUT,
    remedy="Stage the release package of the platform's own target.",
)
def _find_missing_executable(wheel: WheelContents) -> Iterator[Fault]:
    system = wheel.operating_system
    name = f"{PACKAGE}/bin/codex{_suffix(system)}"
    if system is not None and wheel.member(name) is None:
        yield Fault(wheel.name, f"{name} is missing; bundled_codex_path() returns it")


def _suffix(system: OperatingSystem | None) -> str:
    return ".exe" if system is OperatingSystem.WINDOWS else ""


@check(
    "package-suffix",
    Severity.ERROR,
    title="Programs have the platform's suffix",
    protects="Users: Windows does not start a program without .exe; elsewhere .exe is for another system.",
    standard=_LAYOUT,
    remedy="Stage the release package of the platform's own target.",
)
def _find_wrong_suffixes(wheel: WheelContents) -> Iterator[Fault]:
    system = wheel.operating_system
    for member in wheel.members if system is not None else ():
        has_suffix = member.name.lower().endswith(".exe")
        if is_program(member) and has_suffix != bool(_suffix(system)):
            ending = "with" if _suffix(system) else "without"
            yield Fault(member.name, f"on {system} a program's name is {ending} .exe")


@check(
    "package-bin",
    Severity.ERROR,
    title="bin contains only executable images",
    protects="Users: they would start a text file, or a script in place of the executable.",
    standard=_LAYOUT,
    remedy="Compare the file with the one in the release package; do not install the wheel.",
)
def _find_data_in_bin(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        is_in_bin = member.name.startswith(f"{PACKAGE}/bin/") and not member.is_directory
        if is_in_bin and member.sha256 is not None and not member.kind.is_executable_image:
            what = "a script" if member.kind is FileKind.SCRIPT else "not a program of any system"
            yield Fault(member.name, f"by its first bytes it is {what}")


@check(
    "package-image-place",
    Severity.ERROR,
    title="Executable images are only where the release package has them",
    protects="Users: code can hide beside the Python source, where it may even be importable.",
    standard=_LAYOUT,
    remedy="Compare the wheel with the release package; do not install the wheel.",
)
def _find_misplaced_images(wheel: WheelContents) -> Iterator[Fault]:
    places = tuple(f"{PACKAGE}/{directory}/" for directory in _PAYLOAD_DIRECTORIES)
    for member in wheel.members:
        if member.kind.is_executable_image and not member.name.startswith(places):
            yield Fault(member.name, f"{member.kind.value} file outside {', '.join(_PAYLOAD_DIRECTORIES)}")


@check(
    "package-typed",
    Severity.NOTE,
    title="The package is marked as typed",
    protects="Users of type checkers, which ignore the types of an unmarked package.",
    standard="PEP 561",
    remedy="Add py.typed.",
)
def _find_untyped(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.member(_INIT) is not None and wheel.member(f"{PACKAGE}/py.typed") is None:
        yield Fault(wheel.name, f"{PACKAGE}/py.typed is missing")


@check(
    "package-line-ends",
    Severity.NOTE,
    title="Python source has LF line ends",
    protects="Anyone who rebuilds the wheel: the bytes depend on the build host.",
    remedy="Check out the template without line end conversion.",
)
def _find_crlf(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if member.name.endswith(".py") and member.data is not None and b"\r\n" in member.data:
            yield Fault(member.name, "its lines end in CR LF")


CHECKS = check.registered()

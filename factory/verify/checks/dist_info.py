"""Checks of the file name, and of the contents of the top level and of ``.dist-info``."""

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info_files import dist_info_directories
from factory.verify.reading.contents import WheelContents

PACKAGE = "codex_cli_bin"
_KNOWN_FILES = frozenset({"METADATA", "WHEEL", "RECORD", "entry_points.txt", "top_level.txt"})
_KNOWN_DIRECTORIES = frozenset({"licenses", "sboms"})
_INSTALLERS_FILES = frozenset(
    {"INSTALLER", "REQUESTED", "direct_url.json", "provenance_url.json", "uv_cache.json", "uv_build.json"}
)

check = Checks[WheelContents](standard="packaging.python.org: binary distribution format")
check_for_project = Checks[WheelContents](
    standard="packaging.python.org: binary distribution format", is_for_project=True
)


@check(
    "name-format",
    Severity.ERROR,
    title="The file name is a valid wheel name",
    protects="Users: installers refuse the file.",
    remedy="Give the file the name that its WHEEL and METADATA imply.",
)
def _find_malformed_name(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.parsed is None:
        yield Fault(wheel.name, "not of the form NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl")


@check(
    "name-normalised",
    Severity.WARNING,
    title="Name and version in the file name are normalised",
    protects="Users: some tools do not find the project, and PyPI refuses new uploads.",
    remedy="Build the wheel with a current backend.",
)
def _find_unnormalised_name(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.parsed is None:
        return
    name, version = wheel.parsed.distribution, wheel.parsed.version_text
    for what, written, normal in (
        ("name", name, canonicalize_name(name).replace("-", "_")),
        ("version", version, str(wheel.parsed.version)),
    ):
        if written != normal:
            yield Fault(wheel.name, f"{what} is {written}; normalised it is {normal}")


@check(
    "dist-info-directory",
    Severity.ERROR,
    title="There is one .dist-info directory, and it matches the file name",
    protects="Users: pip refuses the wheel, or installs another project's metadata.",
    remedy="Build the wheel again; do not rename wheels.",
)
def _find_dist_info(wheel: WheelContents) -> Iterator[Fault]:
    directories = dist_info_directories(wheel)
    if len(directories) != 1:
        shown = f"{len(directories)}: {', '.join(directories)}" if directories else "none"
        yield Fault(wheel.name, f"expected one .dist-info directory, found {shown}")
    elif wheel.parsed is not None:
        wanted = f"{wheel.parsed.distribution}-{wheel.parsed.version_text}.dist-info"
        if directories[0] != wanted:
            yield Fault(directories[0], f"the file name requires {wanted}")


@check_for_project(
    "top-level",
    Severity.ERROR,
    title="The top level contains only the package and .dist-info",
    protects="Users: files could overwrite another project's, or put scripts on PATH.",
    remedy="Build the wheel from the staged runtime alone.",
)
def _find_foreign_top_level(wheel: WheelContents) -> Iterator[Fault]:
    tops = {member.name.partition("/")[0] for member in wheel.members}
    for top in sorted(tops - {PACKAGE} - set(dist_info_directories(wheel))):
        if not top.endswith(".pth") and top not in {"", ".", ".."}:
            yield Fault(top, f"only {PACKAGE} and .dist-info belong at the top level")


@check(
    "path-file",
    Severity.ERROR,
    title="There are no .pth files",
    protects="Users: Python runs the code in them at every start, even if the package is not imported.",
    standard="docs.python.org: site",
    remedy="Do not install the wheel; build it again.",
)
def _find_path_files(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if member.name.endswith(".pth"):
            yield Fault(member.name, "Python runs .pth files at every start")


@check(
    "bytecode",
    Severity.ERROR,
    title="There is no bytecode",
    protects="Users: Python runs the bytecode, which may differ from the source beside it.",
    remedy="Build the wheel from clean sources.",
)
def _find_bytecode(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if member.name.endswith((".pyc", ".pyo")) or "__pycache__" in member.name.split("/"):
            yield Fault(member.name, "bytecode, which cannot be compared with the source")


@check(
    "dist-info-installer-file",
    Severity.ERROR,
    title=".dist-info has no files that only installers write",
    protects="Users: the wheel would appear to come from elsewhere, or to be installed by another tool.",
    standard="packaging.python.org: recording installed projects",
    remedy="Build the wheel again from clean sources.",
)
def _find_installers_files(wheel: WheelContents) -> Iterator[Fault]:
    for place, name in _files_of_dist_info(wheel):
        if name in _INSTALLERS_FILES:
            yield Fault(place, "installers write this file to record how they installed the wheel")


@check(
    "dist-info-file",
    Severity.WARNING,
    title=".dist-info has only known files",
    protects="Anyone who relies on the file: no tool reads it.",
    remedy="Remove the file from the build.",
)
def _find_unknown_files(wheel: WheelContents) -> Iterator[Fault]:
    known = _KNOWN_FILES | _INSTALLERS_FILES
    for place, name in _files_of_dist_info(wheel):
        if name not in known and name.partition("/")[0] not in _KNOWN_DIRECTORIES:
            yield Fault(place, "not a known .dist-info file")


def _files_of_dist_info(wheel: WheelContents) -> Iterator[tuple[str, str]]:
    """Yield the member name of each file below ``.dist-info``, and its path in that directory."""
    for directory in dist_info_directories(wheel):
        for name, member in wheel.by_name.items():
            if name.startswith(f"{directory}/") and not member.is_directory:
                yield name, name.removeprefix(f"{directory}/")


CHECKS = (*check.registered(), *check_for_project.registered())

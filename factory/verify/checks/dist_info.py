"""Checks of the file name, and of what lies at the top level and in ``.dist-info``."""

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from factory.core.model import Severity
from factory.verify.checks.check import Check, Fault
from factory.verify.checks.dist_info_files import dist_info_directories
from factory.verify.reading.contents import WheelContents

PACKAGE = "codex_cli_bin"
_STANDARD = "packaging.python.org: binary distribution format"
_KNOWN_FILES = frozenset({"METADATA", "WHEEL", "RECORD", "entry_points.txt", "top_level.txt"})
_KNOWN_DIRECTORIES = frozenset({"licenses", "sboms"})
_INSTALLERS_FILES = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "provenance_url.json"})


def _find_malformed_name(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.parsed is None:
        yield Fault(place=wheel.name, evidence="it is no NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl")


def _find_unnormalised_name(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.parsed is None:
        return
    name = wheel.parsed.distribution
    normal_name = canonicalize_name(name).replace("-", "_")
    if name != normal_name:
        yield Fault(place=wheel.name, evidence=f"the name is written {name}, normalised it is {normal_name}")
    version, normal_version = wheel.parsed.version_text, str(wheel.parsed.version)
    if version != normal_version:
        evidence = f"the version is written {version}, normalised it is {normal_version}"
        yield Fault(place=wheel.name, evidence=evidence)


def _find_dist_info(wheel: WheelContents) -> Iterator[Fault]:
    directories = dist_info_directories(wheel)
    if len(directories) != 1:
        shown = ", ".join(directories) or "none"
        yield Fault(place=wheel.name, evidence=f"one .dist-info directory is right, there are: {shown}")
    elif wheel.parsed is not None:
        wanted = f"{wheel.parsed.distribution}-{wheel.parsed.version_text}.dist-info"
        if directories[0] != wanted:
            yield Fault(place=directories[0], evidence=f"by the file name it should be {wanted}")


def _find_foreign_top_level(wheel: WheelContents) -> Iterator[Fault]:
    tops = {member.name.partition("/")[0] for member in wheel.members}
    for top in sorted(tops - {PACKAGE} - set(dist_info_directories(wheel))):
        if not top.endswith(".pth") and top not in {"", ".", ".."}:
            yield Fault(place=top, evidence=f"only {PACKAGE} and .dist-info belong at the top level")


def _find_path_files(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if member.name.endswith(".pth"):
            yield Fault(place=member.name, evidence="Python runs such a file at every start")


def _find_bytecode(wheel: WheelContents) -> Iterator[Fault]:
    for member in wheel.members:
        if member.name.endswith((".pyc", ".pyo")) or "__pycache__" in member.name.split("/"):
            yield Fault(place=member.name, evidence="bytecode, which nobody can compare with the source")


def _find_installers_files(wheel: WheelContents) -> Iterator[Fault]:
    for place, name in _files_of_dist_info(wheel):
        if name in _INSTALLERS_FILES:
            yield Fault(place=place, evidence="installers write this file to say how they installed")


def _find_unknown_files(wheel: WheelContents) -> Iterator[Fault]:
    known = _KNOWN_FILES | _INSTALLERS_FILES
    for place, name in _files_of_dist_info(wheel):
        if name not in known and name.partition("/")[0] not in _KNOWN_DIRECTORIES:
            yield Fault(place=place, evidence="no file that .dist-info is known to have")


def _files_of_dist_info(wheel: WheelContents) -> Iterator[tuple[str, str]]:
    """Yield the member names of all files there, and their paths below it."""
    for directory in dist_info_directories(wheel):
        for name, member in wheel.by_name.items():
            if name.startswith(f"{directory}/") and not member.is_directory:
                yield name, name.removeprefix(f"{directory}/")


CHECKS: tuple[Check[WheelContents], ...] = (
    Check(
        id="name-format",
        title="The file name is a wheel's",
        severity=Severity.ERROR,
        protects="Users: no installer takes it.",
        standard=_STANDARD,
        remedy="Give the file the name that its WHEEL and METADATA imply.",
        find=_find_malformed_name,
    ),
    Check(
        id="name-normalised",
        title="Name and version in the file name are normalised",
        severity=Severity.WARNING,
        protects="Users: some tools do not find the project, and PyPI refuses new uploads.",
        standard=_STANDARD,
        remedy="Build the wheel with a current backend.",
        find=_find_unnormalised_name,
    ),
    Check(
        id="dist-info-directory",
        title="There is one .dist-info directory, and it is the file name's",
        severity=Severity.ERROR,
        protects="Users: pip refuses the wheel, or installs another project's metadata.",
        standard=_STANDARD,
        remedy="Build the wheel again; do not rename wheels.",
        find=_find_dist_info,
    ),
    Check(
        id="top-level",
        title="Nothing is at the top level but the package and .dist-info",
        severity=Severity.ERROR,
        protects="Users: files written over another project's, or scripts put on PATH.",
        standard=_STANDARD,
        remedy="Build the wheel from the staged runtime alone.",
        find=_find_foreign_top_level,
    ),
    Check(
        id="path-file",
        title="There are no .pth files",
        severity=Severity.ERROR,
        protects="Users: code that runs whenever Python starts, imported or not.",
        standard="docs.python.org: site",
        remedy="Do not install it; build the wheel again.",
        find=_find_path_files,
    ),
    Check(
        id="bytecode",
        title="There is no bytecode",
        severity=Severity.ERROR,
        protects="Users: bytecode is what runs, and it may differ from the source beside it.",
        standard=_STANDARD,
        remedy="Build the wheel from clean sources.",
        find=_find_bytecode,
    ),
    Check(
        id="dist-info-installer-file",
        title=".dist-info has none of the files that installers write",
        severity=Severity.ERROR,
        protects="Users: it would claim to come from elsewhere, or to be installed by something else.",
        standard="packaging.python.org: recording installed projects",
        remedy="Build the wheel again from clean sources.",
        find=_find_installers_files,
    ),
    Check(
        id="dist-info-file",
        title=".dist-info has only known files",
        severity=Severity.WARNING,
        protects="Whoever reads it: data that no tool looks at.",
        standard=_STANDARD,
        remedy="Remove the file from the build.",
        find=_find_unknown_files,
    ),
)

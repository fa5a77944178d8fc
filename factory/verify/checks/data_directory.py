"""Checks of the ``.data`` directory: installers spread its files, and must put each at a place of its own."""

from collections import defaultdict
from collections.abc import Iterator

from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info_files import dist_info_directories, dist_info_text
from factory.verify.checks.entry_points import scripts
from factory.verify.reading.contents import WheelContents

_SUFFIX = ".data"
_LIBRARIES = ("purelib", "platlib")
_SCRIPTS = "scripts"
_SCHEMES = (*_LIBRARIES, "headers", _SCRIPTS, "data")
_METADATA = (".dist-info", ".egg-info")
_BIN = "//"
"""Before the place of a script, which is not below site-packages."""

check = Checks[WheelContents](standard="packaging.python.org: binary distribution format")


def _spread(wheel: WheelContents) -> Iterator[tuple[str, str, str]]:
    """Yield the member name of each file below a ``.data`` directory, its scheme, and its path in that."""
    for name, member in wheel.by_name.items():
        top, _, rest = name.partition("/")
        if top.endswith(_SUFFIX) and rest and not member.is_directory:
            scheme, _, path = rest.partition("/")
            yield name, scheme, path


@check(
    "data-directory",
    Severity.ERROR,
    title="The .data directory has the name of .dist-info",
    protects="Users: pip spreads the files of every .data directory, uv only those of the right one.",
    remedy="Build the wheel again; it was edited.",
)
def _find_other_directories(wheel: WheelContents) -> Iterator[Fault]:
    expected = {one.removesuffix(".dist-info") + _SUFFIX for one in dist_info_directories(wheel)}
    tops = {name.partition("/")[0] for name in wheel.by_name if "/" in name}
    for top in sorted(tops - expected):
        if top.endswith(_SUFFIX):
            yield Fault(top, f"expected {' or '.join(sorted(expected)) or 'no such directory'}")


@check(
    "data-scheme",
    Severity.ERROR,
    title="Every file in .data belongs to a scheme that all installers know",
    protects="Users: installers refuse the wheel.",
    remedy="Build the wheel again with the file in the package.",
)
def _find_unknown_schemes(wheel: WheelContents) -> Iterator[Fault]:
    for name, scheme, path in _spread(wheel):
        if scheme not in _SCHEMES or not path:
            yield Fault(name, f"it is not below one of {', '.join(_SCHEMES)}")
        elif scheme == _SCRIPTS and "/" in path:
            yield Fault(name, "uv refuses a directory among the scripts")


@check(
    "data-place",
    Severity.ERROR,
    title="Every file is installed at a place of its own, and no other distribution's metadata with it",
    protects="Users: installers differ in which file they keep, and the checks read another one.",
    remedy="Do not install the wheel; build it again.",
)
def _find_shared_places(wheel: WheelContents) -> Iterator[Fault]:
    for names in _sources(wheel).values():
        if len(names) > 1:
            first, *others = names
            yield Fault(first, f"installed at the same place as {', '.join(others)}")
    for name, scheme, path in _spread(wheel):
        if scheme in _LIBRARIES and _is_metadata(path):
            yield Fault(name, "installers put it among the metadata of distributions")
        elif scheme == "data" and "site-packages" in path.casefold().split("/"):
            yield Fault(name, "not judged: it is installed among Python packages if this is their directory")
    for name in wheel.by_name:
        if name.partition("/")[0].endswith(".egg-info"):
            yield Fault(name, "metadata of an older format: pip refuses it, or reads it instead of METADATA")


def _is_metadata(path: str) -> bool:
    return path.partition("/")[0].endswith(_METADATA)


def _sources(wheel: WheelContents) -> dict[str, list[str]]:
    """Return the members, and scripts of entry points, by the place where they are installed."""
    sources: dict[str, list[str]] = defaultdict(list)
    for name, scheme, path in _spread(wheel):
        if scheme in _LIBRARIES:
            sources[path.casefold()].append(name)
        elif scheme == _SCRIPTS:
            sources[f"{_BIN}{path.casefold()}"].append(name)
        elif scheme == "data" and path.startswith("bin/"):
            sources[_BIN + path.removeprefix("bin/").casefold()].append(name)
    for name in wheel.by_name:
        if (place := name.casefold()) in sources:
            sources[place].append(name)
    for script in scripts(dist_info_text(wheel, "entry_points.txt") or ""):
        if (place := _BIN + script.casefold()) in sources:
            sources[place].append(f"the entry point {script}")
    return sources


CHECKS = check.registered()

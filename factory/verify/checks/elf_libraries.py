"""Checks of what an ELF file needs from other files: libraries, symbol versions, and the paths to them."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from factory.core.model import Severity
from factory.executables.elf import ElfFacts, glibc_of
from factory.executables.elf_symbols import symbols_of_versions
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.elf_files import (
    GLIBC_LOADERS,
    elf_files,
    policy_of,
    promises,
    provided_libraries,
)
from factory.verify.checks.images import dotted
from factory.verify.checks.manylinux import ManylinuxPolicy
from factory.verify.reading.contents import Member, WheelContents

_PRIVATE = "GLIBC_PRIVATE"
_MAX_SYMBOLS = 3
_ORIGIN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})(?=/|\Z)")

check = Checks[WheelContents]()


@check(
    "elf-glibc-floor",
    Severity.ERROR,
    title="No ELF file needs a newer glibc than the manylinux tag promises",
    protects="Users of the oldest system that the tag allows: pip installs it, but it does not start.",
    standard="PEP 600",
    remedy="Leave the file out of this wheel, or give the wheel the newer tag.",
)
def _find_glibc_floor(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts, promised, policy in promises(wheel):
        newer = [version for version in _newer(facts, promised) if version not in policy.glibc_versions]
        if newer:
            evidence = f"needs {_with_symbols(member, newer)}; the tag promises glibc {dotted(promised)}"
            yield Fault(member.name, evidence)


@check(
    "elf-glibc-backport",
    Severity.NOTE,
    title="No ELF file needs a symbol version that only some builds of the tag's glibc have",
    protects="Users of an unpatched glibc: CentOS 7 for AArch64 has GLIBC_2.18 in its 2.17, others do not.",
    standard="auditwheel's policy file and its issue 647",
    remedy="No action if CentOS 7 is the oldest system you support; otherwise give the wheel the newer tag.",
)
def _find_backport(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts, promised, policy in promises(wheel):
        newer = [version for version in _newer(facts, promised) if version in policy.glibc_versions]
        if newer:
            evidence = f"needs {', '.join(newer)}, which the policy for glibc {dotted(promised)} allows"
            yield Fault(member.name, evidence)


def _newer(facts: ElfFacts, promised: tuple[int, int]) -> list[str]:
    versions = {version for _, version in facts.versions}
    return sorted(version for version in versions if (glibc_of(version) or promised) > promised)


@check(
    "elf-symbol-version",
    Severity.ERROR,
    title="The libraries of the manylinux policy have every needed symbol version",
    protects="Users of the oldest system that the tag allows: \"version 'GLIBCXX_3.4.30' not found\".",
    standard="PEP 600, with the symbol versions in auditwheel's policy file",
    remedy="Link the library statically, put it in the wheel, or give the wheel the newer tag.",
)
def _find_symbol_version(wheel: WheelContents) -> Iterator[Fault]:
    provided = provided_libraries(wheel)
    for member, facts, promised, policy in promises(wheel):
        for library, version in dict.fromkeys(facts.versions):
            if library not in provided and _is_missing(version, policy):
                seen = f"needs {_with_symbols(member, [version])} of {library}"
                yield Fault(member.name, f"{seen}; the policy for glibc {dotted(promised)} lacks it")


def _is_missing(version: str, policy: ManylinuxPolicy) -> bool:
    """Whether a policy has other versions with the same prefix only; glibc's own numbers are not meant."""
    allowed = policy.versions.get(version.partition("_")[0])
    return (
        allowed is not None and version not in allowed and version != _PRIVATE and glibc_of(version) is None
    )


@check(
    "elf-private-symbol",
    Severity.ERROR,
    title="No ELF file needs a private symbol of glibc",
    protects="Users of another glibc: a private symbol can change or disappear with any update.",
    standard="glibc, the version GLIBC_PRIVATE; auditwheel's policies allow it for no tag",
    remedy="Find the library that calls it, often a static copy of a part of glibc, and link it otherwise.",
)
def _find_private(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts, _, _ in promises(wheel):
        libraries = [library for library, version in facts.versions if version == _PRIVATE]
        if libraries:
            evidence = f"needs {_with_symbols(member, [_PRIVATE])} of {', '.join(libraries)}"
            yield Fault(member.name, evidence)


def _with_symbols(member: Member, versions: Iterable[str]) -> str:
    """Name each version with the symbols that need it, such as ``GLIBC_2.34 (dlsym)``."""
    names = symbols_of_versions(member.extracted) if member.extracted else {}
    return ", ".join(_with_names(version, names.get(version, ())) for version in versions)


def _with_names(version: str, symbols: tuple[str, ...]) -> str:
    if not symbols:
        return version
    more = len(symbols) - _MAX_SYMBOLS
    return f"{version} ({', '.join(symbols[:_MAX_SYMBOLS])}{f' and {more} more' if more > 0 else ''})"


@check(
    "elf-needed",
    Severity.ERROR,
    title="Every needed library is in the manylinux policy or in the wheel",
    protects="Users of systems without the library: 'cannot open shared object file'.",
    standard="PEP 600, with the library list of auditwheel",
    remedy="Link the library statically, or leave the file out of this wheel.",
)
def _find_needed(wheel: WheelContents) -> Iterator[Fault]:
    promise = policy_of(wheel)
    if promise is None or wheel.architecture is None:
        return
    loader = posixpath.basename(GLIBC_LOADERS[wheel.architecture])
    present = provided_libraries(wheel) | {loader} | promise[1].libraries
    for member, facts in elf_files(wheel):
        missing = [name for name in dict.fromkeys(facts.needed) if name not in present]
        if missing:
            evidence = f"needs {', '.join(missing)}: neither in the manylinux policy nor in the wheel"
            yield Fault(member.name, evidence)


@check(
    "elf-unreached",
    Severity.ERROR,
    title="Every program finds the libraries that the wheel has for it",
    protects="Users: 'cannot open shared object file', although the wheel has the library.",
    standard="ld.so(8), DT_RPATH, DT_RUNPATH and $ORIGIN; auditwheel's issues 416 and 451",
    remedy="Link the program with a search path relative to $ORIGIN that leads to the library.",
)
def _find_unreached(wheel: WheelContents) -> Iterator[Fault]:
    return _find_unreached_in(wheel, is_library=False)


@check(
    "elf-unreached-library",
    Severity.WARNING,
    title="Every library finds the libraries that the wheel has for it",
    protects="Users: it can be loaded only by a program or a package that loads the other library first.",
    standard="ld.so(8), DT_RPATH, DT_RUNPATH and $ORIGIN; auditwheel's issues 416 and 451",
    remedy="Link the library with a search path relative to $ORIGIN that leads to the other library.",
)
def _find_unreached_by_library(wheel: WheelContents) -> Iterator[Fault]:
    return _find_unreached_in(wheel, is_library=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LibrarySearch:
    """Where the loader searches, besides a file's own paths.

    Attributes:
        system: The libraries that the system has.
        provided: The libraries that the wheel has somewhere.
        inherited: The directories of DT_RPATH of other files, which count for the libraries they load.
    """

    wheel: WheelContents
    system: frozenset[str]
    provided: frozenset[str]
    inherited: frozenset[str]

    def unreached(self, member: Member, facts: ElfFacts) -> list[str]:
        """Return the needed libraries that the wheel has, but that no search path leads to."""
        own = {_within_wheel(path, member) for path in facts.runpaths or facts.rpaths}
        places = own | self.inherited if facts.is_library else own
        return [
            name
            for name in dict.fromkeys(facts.needed)
            if name in self.provided
            and name not in self.system
            and not any(self.wheel.member(f"{place}/{name}") for place in places if place is not None)
        ]


def _find_unreached_in(wheel: WheelContents, *, is_library: bool) -> Iterator[Fault]:
    files = tuple(elf_files(wheel))
    promise = policy_of(wheel)
    inherited = (
        _within_wheel(path, member) for member, facts in files if not facts.runpaths for path in facts.rpaths
    )
    search = _LibrarySearch(
        wheel=wheel,
        system=frozenset() if promise is None else promise[1].libraries,
        provided=provided_libraries(wheel),
        inherited=frozenset(place for place in inherited if place is not None),
    )
    for member, facts in files:
        if facts.is_library is is_library and (unreached := search.unreached(member, facts)):
            paths = ", ".join(facts.runpaths or facts.rpaths) or "no search path"
            yield Fault(member.name, f"needs {', '.join(unreached)}, which {paths} does not lead to")


@check(
    "elf-search-path",
    Severity.WARNING,
    title="Library search paths are existing directories of the wheel",
    protects="Users: anyone who can write to such a directory decides which code is loaded.",
    standard="System V gABI, DT_RUNPATH; ld.so(8) on $ORIGIN",
    remedy="Remove the entry when linking, or with patchelf before the release is signed.",
)
def _find_search_path(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts in elf_files(wheel):
        stray = [
            path or "the working directory (an empty path)"
            for path in dict.fromkeys(facts.rpaths + facts.runpaths)
            if not _is_directory(path, member, wheel)
        ]
        if stray:
            yield Fault(member.name, f"searches {', '.join(stray)}: not a directory of the wheel")


def _is_directory(path: str, member: Member, wheel: WheelContents) -> bool:
    below = _within_wheel(path, member)
    return below is not None and wheel.has_directory(below)


def _within_wheel(path: str, member: Member) -> str | None:
    """Return where in the wheel a search path leads; None for a path not relative to the file."""
    origin = _ORIGIN.match(path)
    if origin is None:
        return None
    return posixpath.normpath(f"{posixpath.dirname(member.name)}/{path[origin.end() :]}")


CHECKS = check.registered()

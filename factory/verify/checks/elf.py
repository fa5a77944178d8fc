"""Checks of ELF files: each file of a Linux wheel keeps what the platform tag promises.

auditwheel assesses a wheel as a whole and skips files of another libc or architecture;
these checks look at every file. `factory.verify.stock.stock_tools` adds what auditwheel
reports.
"""

import posixpath
import re
from collections.abc import Iterator

from factory.core.model import FileKind, Severity
from factory.core.platform_tags import glibc_of_tag
from factory.core.targets import Architecture
from factory.executables.elf import ElfFacts, ElfType, glibc_of, read_elf
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.images import dotted, readable
from factory.verify.checks.manylinux import ManylinuxPolicy, manylinux_policy
from factory.verify.reading.contents import Member, WheelContents

_MACHINES = {Architecture.X86_64: 62, Architecture.AARCH64: 183}
_MACHINE_NAMES = {3: "i386", 40: "ARM", 62: "x86-64", 183: "AArch64", 243: "RISC-V"}
_OS_ABIS = {0, 3}  # System V and Linux
_GLIBC_LOADERS = {
    Architecture.X86_64: "/lib64/ld-linux-x86-64.so.2",
    Architecture.AARCH64: "/lib/ld-linux-aarch64.so.1",
}
_LOADERS = ("ld-linux", "ld64.so")
_ORIGIN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})(?=/|\Z)")

check = Checks[WheelContents]()


def _elves(wheel: WheelContents) -> Iterator[tuple[Member, ElfFacts]]:
    return readable(wheel, FileKind.ELF, read_elf)


def _oldest_glibc(wheel: WheelContents) -> tuple[int, int] | None:
    return min((floor for tag in wheel.platforms if (floor := glibc_of_tag(tag))), default=None)


def _provided(wheel: WheelContents) -> frozenset[str]:
    """Return the library names that the wheel itself provides."""
    return frozenset(wheel.image_names | {facts.soname for _, facts in _elves(wheel) if facts.soname})


@check(
    "elf-machine",
    Severity.ERROR,
    title="Every ELF file is for the tag's architecture",
    protects="Users: 'cannot execute binary file'. auditwheel only prints a warning.",
    standard="Platform compatibility tags, PEP 425; System V gABI, e_machine",
    remedy="Build the wheel from the release package of its own target.",
)
def _find_machine(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.architecture is None:
        return
    expected = _MACHINES[wheel.architecture]
    for member, facts in _elves(wheel):
        if facts.machine != expected:
            seen = _MACHINE_NAMES.get(facts.machine, str(facts.machine))
            yield Fault(member.name, f"machine is {seen}, not {_MACHINE_NAMES[expected]}")


@check(
    "elf-class",
    Severity.ERROR,
    title="Every ELF file is 64-bit and little-endian",
    protects="Users of systems without 32-bit support, such as most containers.",
    standard="System V psABI of x86-64 and AArch64",
    remedy="Build the wheel from the release package of its own target.",
)
def _find_class(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts in _elves(wheel):
        if not facts.is_64_bit or not facts.is_little_endian:
            order = "little" if facts.is_little_endian else "big"
            yield Fault(member.name, f"a {64 if facts.is_64_bit else 32}-bit {order}-endian file")


@check(
    "elf-type",
    Severity.WARNING,
    title="Every ELF file is a program or a shared library for Linux",
    protects="Readers of the wheel: object files and core dumps cannot run.",
    standard="System V gABI, e_type and EI_OSABI",
    remedy="Leave the file out.",
)
def _find_type(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts in _elves(wheel):
        if facts.type not in set(ElfType) or facts.os_abi not in _OS_ABIS:
            seen = f"type is {facts.type} and OS ABI is {facts.os_abi}"
            yield Fault(member.name, f"{seen}; Linux loads types 2 and 3 with OS ABI 0 or 3")


@check(
    "elf-glibc-floor",
    Severity.ERROR,
    title="No ELF file needs a newer glibc than the manylinux tag promises",
    protects="Users of the oldest system that the tag allows: pip installs it, but it does not start.",
    standard="PEP 600",
    remedy="Leave the file out of this wheel, or give the wheel the newer tag.",
)
def _find_glibc_floor(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts, promised, policy in _promises(wheel):
        newer = [version for version in _newer(facts, promised) if version not in policy.glibc_versions]
        if newer:
            yield Fault(member.name, f"needs {', '.join(newer)}; the tag promises glibc {dotted(promised)}")


@check(
    "elf-glibc-backport",
    Severity.NOTE,
    title="No ELF file needs a symbol version that only some builds of the tag's glibc have",
    protects="Users of an unpatched glibc: CentOS 7 for AArch64 has GLIBC_2.18 in its 2.17, others do not.",
    standard="auditwheel's policy file and its issue 647",
    remedy="No action if CentOS 7 is the oldest system you support; otherwise give the wheel the newer tag.",
)
def _find_backport(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts, promised, policy in _promises(wheel):
        newer = [version for version in _newer(facts, promised) if version in policy.glibc_versions]
        if newer:
            evidence = f"needs {', '.join(newer)}, which the policy for glibc {dotted(promised)} allows"
            yield Fault(member.name, evidence)


def _promises(
    wheel: WheelContents,
) -> Iterator[tuple[Member, ElfFacts, tuple[int, int], ManylinuxPolicy]]:
    """Yield the files of a manylinux wheel with the glibc version and the policy of its tag."""
    promised = _oldest_glibc(wheel)
    if promised is None or wheel.architecture is None:
        return
    policy = manylinux_policy(promised, wheel.architecture)
    for member, facts in _elves(wheel):
        yield member, facts, promised, policy


def _newer(facts: ElfFacts, promised: tuple[int, int]) -> list[str]:
    versions = {version for _, version in facts.versions}
    return sorted(version for version in versions if (glibc_of(version) or promised) > promised)


@check(
    "elf-interpreter",
    Severity.ERROR,
    title="Programs in a manylinux wheel use glibc's standard loader",
    protects="Users: with the loader of musl or of a build machine, 'no such file or directory'.",
    standard="PEP 600; System V psABI, program interpreter",
    remedy="Link the program statically, or against glibc with the standard loader path.",
)
def _find_interpreter(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.architecture is None or _oldest_glibc(wheel) is None:
        return
    loader = _GLIBC_LOADERS[wheel.architecture]
    for member, facts in _elves(wheel):
        if facts.machine == _MACHINES[wheel.architecture] and facts.interpreter not in {None, loader}:
            yield Fault(member.name, f"interpreter is {facts.interpreter}, not {loader}")


@check(
    "elf-needed",
    Severity.ERROR,
    title="Every needed library is in the manylinux policy or in the wheel",
    protects="Users of systems without the library: 'cannot open shared object file'.",
    standard="PEP 600, with the library list of auditwheel",
    remedy="Link the library statically, or leave the file out of this wheel.",
)
def _find_needed(wheel: WheelContents) -> Iterator[Fault]:
    provided = _provided(wheel)
    for member, facts, _, policy in _promises(wheel):
        known = policy.libraries | provided
        missing = [name for name in facts.needed if name not in known and not name.startswith(_LOADERS)]
        if missing:
            evidence = f"needs {', '.join(missing)}: neither in the manylinux policy nor in the wheel"
            yield Fault(member.name, evidence)


@check(
    "elf-musl",
    Severity.ERROR,
    title="Every ELF file in a musllinux wheel runs with musl alone",
    protects="Users of Alpine and other systems without glibc. auditwheel only prints 'ignoring'.",
    standard="PEP 656",
    remedy="Leave the file out of this wheel, or link it statically.",
)
def _find_not_musl(wheel: WheelContents) -> Iterator[Fault]:
    is_for_musl = any(tag.startswith("musllinux_") for tag in wheel.platforms)
    if not is_for_musl or wheel.architecture is None:
        return
    name = wheel.architecture.value
    known = _provided(wheel) | {"libc.so", f"libc.musl-{name}.so.1", f"ld-musl-{name}.so.1"}
    for member, facts in _elves(wheel):
        reasons = tuple(_musl_reasons(facts, known, loader=f"/lib/ld-musl-{name}.so.1"))
        if reasons:
            yield Fault(member.name, "; ".join(reasons))


def _musl_reasons(facts: ElfFacts, known: frozenset[str], *, loader: str) -> Iterator[str]:
    if facts.interpreter not in {None, loader}:
        yield f"interpreter is {facts.interpreter}, not {loader}"
    missing = [name for name in facts.needed if name not in known]
    if missing:
        yield f"needs {', '.join(missing)}, which musl does not have"
    if facts.glibc_floor is not None:
        yield f"needs glibc {dotted(facts.glibc_floor)}"


@check(
    "elf-search-path",
    Severity.WARNING,
    title="Library search paths are existing directories of the wheel",
    protects="Users: anyone who can write to such a directory decides which code is loaded.",
    standard="System V gABI, DT_RUNPATH; ld.so(8) on $ORIGIN",
    remedy="Remove the entry when linking, or with patchelf before the release is signed.",
)
def _find_search_path(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts in _elves(wheel):
        stray = [
            path or "the working directory (an empty path)"
            for path in dict.fromkeys(facts.rpaths)
            if _within_wheel(path, member) not in wheel.directories
        ]
        if stray:
            yield Fault(member.name, f"searches {', '.join(stray)}: not a directory of the wheel")


def _within_wheel(path: str, member: Member) -> str | None:
    """Return where in the wheel a search path leads; None for a path not relative to the file."""
    origin = _ORIGIN.match(path)
    if origin is None:
        return None
    return posixpath.normpath(f"{posixpath.dirname(member.name)}/{path[origin.end() :]}")


@check(
    "elf-executable-stack",
    Severity.WARNING,
    title="No ELF file asks for an executable stack",
    protects="Users: a buffer overflow can run an attacker's code. glibc 2.41 refuses such libraries.",
    standard="ld(1), -z noexecstack",
    remedy="Link with -z noexecstack; usually an assembly file lacks its .note.GNU-stack section.",
)
def _find_executable_stack(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts in _elves(wheel):
        if facts.has_executable_stack:
            yield Fault(member.name, "PT_GNU_STACK is executable")


@check(
    "elf-text-relocations",
    Severity.WARNING,
    title="No ELF file has text relocations",
    protects="Users: code that is written to at start can be overwritten later; SELinux refuses it.",
    standard="System V gABI, DT_TEXTREL",
    remedy="Compile all of it as position-independent code.",
)
def _find_text_relocations(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts in _elves(wheel):
        if facts.has_text_relocations:
            yield Fault(member.name, "the dynamic section has DT_TEXTREL")


CHECKS = check.registered()

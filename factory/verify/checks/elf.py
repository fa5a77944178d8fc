"""Checks of ELF files: what a Linux wheel's platform tag promises, file by file.

auditwheel judges a wheel as a whole and leaves out files of another libc or
architecture; these checks judge every file. `factory.verify.stock.stock_tools` brings
auditwheel's own word in as a second witness.
"""

import posixpath
import re
from collections.abc import Iterator

from factory.core.model import FileKind, Severity
from factory.core.targets import Architecture
from factory.executables.elf import ElfFacts, ElfType, glibc_of, read_elf
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.images import readable
from factory.verify.checks.manylinux import ManylinuxPolicy, manylinux_policy, promised_glibc
from factory.verify.reading.contents import Member, WheelContents

_MACHINES = {Architecture.X86_64: 62, Architecture.AARCH64: 183}
_MACHINE_NAMES = {3: "i386", 40: "ARM", 62: "x86-64", 183: "AArch64", 243: "RISC-V"}
_OS_ABIS = {0, 3}
_GLIBC_LOADERS = {
    Architecture.X86_64: "/lib64/ld-linux-x86-64.so.2",
    Architecture.AARCH64: "/lib/ld-linux-aarch64.so.1",
}
_LOADERS = ("ld-linux", "ld64.so")
_ORIGIN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})(?=/|\Z)")


check = Checks[WheelContents]()


def _elves(contents: WheelContents) -> Iterator[tuple[Member, ElfFacts]]:
    return readable(contents, FileKind.ELF, read_elf)


def _oldest_glibc(contents: WheelContents) -> tuple[int, int] | None:
    return min((floor for tag in contents.platforms if (floor := promised_glibc(tag))), default=None)


def _is_for_musl(contents: WheelContents) -> bool:
    return any(tag.startswith("musllinux_") for tag in contents.platforms)


def _provided(contents: WheelContents) -> frozenset[str]:
    """Return the library names that the wheel itself can answer to."""
    files = {posixpath.basename(member.name) for member in contents.images}
    return frozenset(files | {facts.soname for _, facts in _elves(contents) if facts.soname})


@check(
    "elf-machine",
    Severity.ERROR,
    title="Every ELF file is for the tag's architecture",
    protects="Whoever runs it: 'cannot execute binary file'. auditwheel only warns of it.",
    standard="Platform compatibility tags, PEP 425; System V gABI, e_machine",
    remedy="Build the wheel from the release package of its own target.",
)
def _find_machine(contents: WheelContents) -> Iterator[Fault]:
    if contents.architecture is None:
        return
    expected = _MACHINES[contents.architecture]
    for member, facts in _elves(contents):
        if facts.machine != expected:
            seen = _MACHINE_NAMES.get(facts.machine, str(facts.machine))
            yield Fault(member.name, f"machine {seen}, not {_MACHINE_NAMES[expected]}")


@check(
    "elf-class",
    Severity.ERROR,
    title="Every ELF file is 64-bit and little-endian",
    protects="Whoever runs it on a system without 32-bit support, which is most containers.",
    standard="System V psABI of x86-64 and AArch64",
    remedy="Build the wheel from the release package of its own target.",
)
def _find_class(contents: WheelContents) -> Iterator[Fault]:
    for member, facts in _elves(contents):
        if not facts.is_64_bit or not facts.is_little_endian:
            order = "little" if facts.is_little_endian else "big"
            bits = 64 if facts.is_64_bit else 32
            yield Fault(member.name, f"a {bits}-bit {order}-endian file")


@check(
    "elf-type",
    Severity.WARNING,
    title="Every ELF file is a program or a shared library for Linux",
    protects="Readers of the wheel: nobody can run an object file or a core dump in it.",
    standard="System V gABI, e_type and EI_OSABI",
    remedy="Leave the file out.",
)
def _find_type(contents: WheelContents) -> Iterator[Fault]:
    for member, facts in _elves(contents):
        if facts.type not in set(ElfType) or facts.os_abi not in _OS_ABIS:
            yield Fault(member.name, f"type {facts.type}, OS ABI {facts.os_abi}")


@check(
    "elf-glibc-floor",
    Severity.ERROR,
    title="No ELF file asks for a newer glibc than the manylinux tag promises",
    protects="Users of the oldest system that the tag admits: pip installs it, and it does not start.",
    standard="PEP 600",
    remedy="Leave the file out of this wheel, or give the wheel the newer tag.",
)
def _find_glibc_floor(contents: WheelContents) -> Iterator[Fault]:
    for member, facts, promised, policy in _promises(contents):
        newer = [version for version in _newer(facts, promised) if version not in policy.glibc_versions]
        if newer:
            yield Fault(
                member.name, f"asks for {', '.join(newer)}, the tag promises glibc {_dotted(promised)}"
            )


@check(
    "elf-glibc-backport",
    Severity.NOTE,
    title="No ELF file leans on a symbol version that only some builds of the tag's glibc have",
    protects="Users of a plain glibc: CentOS 7 for AArch64 has GLIBC_2.18 in its 2.17, others have not.",
    standard="auditwheel's policy file and its issue 647",
    remedy="Nothing, if CentOS 7 is the oldest system you mean; else give the wheel the newer tag.",
)
def _find_backport(contents: WheelContents) -> Iterator[Fault]:
    for member, facts, promised, policy in _promises(contents):
        newer = [version for version in _newer(facts, promised) if version in policy.glibc_versions]
        if newer:
            yield Fault(
                member.name, f"asks for {', '.join(newer)}, which the policy of {_dotted(promised)} admits"
            )


def _promises(
    contents: WheelContents,
) -> Iterator[tuple[Member, ElfFacts, tuple[int, int], ManylinuxPolicy]]:
    promised = _oldest_glibc(contents)
    if promised is None or contents.architecture is None:
        return
    policy = manylinux_policy(promised, contents.architecture)
    for member, facts in _elves(contents):
        yield member, facts, promised, policy


def _newer(facts: ElfFacts, promised: tuple[int, int]) -> list[str]:
    versions = dict.fromkeys(version for _, version in facts.versions)
    return sorted(version for version in versions if (glibc_of(version) or promised) > promised)


@check(
    "elf-interpreter",
    Severity.ERROR,
    title="Programs in a manylinux wheel ask for glibc's own loader",
    protects="Whoever runs it: with a musl or a build machine's loader, 'no such file or directory'.",
    standard="PEP 600; System V psABI, program interpreter",
    remedy="Link the program statically, or against glibc with the standard loader path.",
)
def _find_interpreter(contents: WheelContents) -> Iterator[Fault]:
    if contents.architecture is None or _oldest_glibc(contents) is None:
        return
    loader = _GLIBC_LOADERS[contents.architecture]
    for member, facts in _elves(contents):
        if facts.machine == _MACHINES[contents.architecture] and facts.interpreter not in {None, loader}:
            yield Fault(member.name, f"interpreter {facts.interpreter}, not {loader}")


@check(
    "elf-needed",
    Severity.ERROR,
    title="Every needed library is one of the manylinux policy's or in the wheel",
    protects="Whoever runs it on a system without that library: 'cannot open shared object file'.",
    standard="PEP 600, with the library list that auditwheel keeps",
    remedy="Link the library statically, or leave the file out of this wheel.",
)
def _find_needed(contents: WheelContents) -> Iterator[Fault]:
    provided = _provided(contents)
    for member, facts, _, policy in _promises(contents):
        missing = [
            name
            for name in facts.needed
            if name not in policy.libraries | provided and not name.startswith(_LOADERS)
        ]
        if missing:
            yield Fault(member.name, f"needs {', '.join(missing)}: neither in the policy nor in the wheel")


@check(
    "elf-musl",
    Severity.ERROR,
    title="Every ELF file in a musllinux wheel runs on musl alone",
    protects="Users of Alpine and its kin, where glibc is not there. auditwheel only says 'ignoring'.",
    standard="PEP 656",
    remedy="Leave the file out of this wheel, or link it statically.",
)
def _find_not_musl(contents: WheelContents) -> Iterator[Fault]:
    if not _is_for_musl(contents) or contents.architecture is None:
        return
    name = contents.architecture.value
    known = _provided(contents) | {"libc.so", f"libc.musl-{name}.so.1", f"ld-musl-{name}.so.1"}
    for member, facts in _elves(contents):
        reasons = tuple(_musl_reasons(facts, known, loader=f"/lib/ld-musl-{name}.so.1"))
        if reasons:
            yield Fault(member.name, "; ".join(reasons))


def _musl_reasons(facts: ElfFacts, known: frozenset[str], *, loader: str) -> Iterator[str]:
    if facts.interpreter not in {None, loader}:
        yield f"interpreter {facts.interpreter}, not {loader}"
    missing = [name for name in facts.needed if name not in known]
    if missing:
        yield f"needs {', '.join(missing)}, which musl does not have"
    if facts.glibc_floor is not None:
        yield f"asks for glibc {_dotted(facts.glibc_floor)}"


@check(
    "elf-search-path",
    Severity.WARNING,
    title="Library search paths stay inside the wheel and exist there",
    protects="Whoever runs it: somebody who can write to such a directory decides which code is loaded.",
    standard="System V gABI, DT_RUNPATH; ld.so(8) on $ORIGIN",
    remedy="Remove the entry when linking, or with patchelf before the release is signed.",
)
def _find_search_path(contents: WheelContents) -> Iterator[Fault]:
    directories = frozenset(
        parent for member in contents.members for parent in _parents(member.name.rstrip("/"))
    )
    for member, facts in _elves(contents):
        stray = [
            path for path in dict.fromkeys(facts.rpaths) if _within_wheel(path, member) not in directories
        ]
        if stray:
            shown = ", ".join(path or "the working directory (an empty path)" for path in stray)
            yield Fault(member.name, f"searches {shown}: no directory of the wheel")


def _parents(name: str) -> Iterator[str]:
    while name := posixpath.dirname(name):
        yield name


def _within_wheel(path: str, member: Member) -> str | None:
    """Return where in the wheel a search path leads; None for one that does not start at the file."""
    origin = _ORIGIN.match(path)
    if origin is None:
        return None
    return posixpath.normpath(f"{posixpath.dirname(member.name)}/{path[origin.end() :]}")


@check(
    "elf-executable-stack",
    Severity.WARNING,
    title="No ELF file asks for an executable stack",
    protects="Whoever runs it: an overflow of the stack becomes code. glibc 2.41 refuses such libraries.",
    standard="ld(1), -z noexecstack",
    remedy="Link with -z noexecstack; most often an assembly file lacks its .note.GNU-stack section.",
)
def _find_executable_stack(contents: WheelContents) -> Iterator[Fault]:
    for member, facts in _elves(contents):
        if facts.has_executable_stack:
            yield Fault(member.name, "PT_GNU_STACK is executable")


@check(
    "elf-text-relocations",
    Severity.WARNING,
    title="No ELF file writes to its own code at start",
    protects="Whoever runs it: code that can be written once can be written again; SELinux refuses.",
    standard="System V gABI, DT_TEXTREL",
    remedy="Compile everything in it as position-independent code.",
)
def _find_text_relocations(contents: WheelContents) -> Iterator[Fault]:
    for member, facts in _elves(contents):
        if facts.has_text_relocations:
            yield Fault(member.name, "its dynamic section has DT_TEXTREL")


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


CHECKS = check.registered()

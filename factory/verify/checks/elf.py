"""Checks of ELF files: each file of a Linux wheel keeps what the platform tag promises.

auditwheel assesses a wheel as a whole and skips files of another libc or architecture;
these checks look at every file. `factory.verify.stock.stock_tools` adds what auditwheel
reports.
"""

from collections.abc import Iterator

from factory.core.counted import counted
from factory.core.model import Severity
from factory.core.targets import Architecture
from factory.executables.elf import ElfFacts
from factory.executables.elf_frame import ElfType
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.elf_files import GLIBC_LOADERS, elf_files, oldest_glibc, provided_libraries
from factory.verify.checks.images import dotted
from factory.verify.reading.contents import WheelContents

_MACHINES = {Architecture.X86_64: 62, Architecture.AARCH64: 183}
_MACHINE_NAMES = {3: "i386", 40: "ARM", 62: "x86-64", 183: "AArch64", 243: "RISC-V"}
_NOT_LOADED = {ElfType.RELOCATABLE: "an object file", ElfType.CORE: "a core dump"}
_OBJECT_SUFFIXES = (".o", ".obj", ".ko")
_LARGEST_PAGE_BYTES = 1 << 16

check = Checks[WheelContents]()


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
    for member, facts in elf_files(wheel):
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
    for member, facts in elf_files(wheel):
        if not facts.is_64_bit or not facts.is_little_endian:
            order = "little" if facts.is_little_endian else "big"
            yield Fault(member.name, f"a {64 if facts.is_64_bit else 32}-bit {order}-endian file")


@check(
    "elf-type",
    Severity.WARNING,
    title="Every ELF file is a program or a shared library",
    protects="Readers of the wheel: object files and core dumps cannot run.",
    standard="System V gABI, e_type",
    remedy="Leave the file out.",
)
def _find_type(wheel: WheelContents) -> Iterator[Fault]:
    return _find_not_loaded(wheel, is_program=False)


@check(
    "elf-type-program",
    Severity.ERROR,
    title="No object file and no core dump is marked as a program",
    protects="Users: 'cannot execute binary file'.",
    standard="System V gABI, e_type; Linux loads types 2 and 3",
    remedy="Put the linked program into the wheel.",
)
def _find_type_of_program(wheel: WheelContents) -> Iterator[Fault]:
    return _find_not_loaded(wheel, is_program=True)


def _find_not_loaded(wheel: WheelContents, *, is_program: bool) -> Iterator[Fault]:
    """Find files that Linux never loads: those that are meant as programs, or all others."""
    for member, facts in elf_files(wheel):
        is_meant = bool(member.mode & 0o111) and not member.name.endswith(_OBJECT_SUFFIXES)
        for elf_type, name in _NOT_LOADED.items():
            if facts.type == elf_type and is_meant is is_program:
                yield Fault(member.name, f"it is {name} (e_type {facts.type})")


@check(
    "elf-page-size",
    Severity.WARNING,
    title="Every ELF file for AArch64 can be loaded with pages of 64 KiB",
    protects="Users of kernels with pages of 16 or 64 KiB: 'ELF load command alignment not page-aligned'.",
    standard="ELF for the Arm 64-bit Architecture, program loading; auditwheel's issue 251",
    remedy="Link with -z max-page-size=65536.",
)
def _find_page_size(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts in elf_files(wheel):
        smallest = min(facts.alignments, default=_LARGEST_PAGE_BYTES)
        if facts.machine == _MACHINES[Architecture.AARCH64] and smallest < _LARGEST_PAGE_BYTES:
            yield Fault(
                member.name,
                f"a segment is aligned to {counted(smallest, 'byte')}, not to {_LARGEST_PAGE_BYTES}",
            )


@check(
    "elf-interpreter",
    Severity.ERROR,
    title="Programs in a manylinux wheel use glibc's standard loader",
    protects="Users: with the loader of musl or of a build machine, 'no such file or directory'.",
    standard="PEP 600; System V psABI, program interpreter",
    remedy="Link the program statically, or against glibc with the standard loader path.",
)
def _find_interpreter(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.architecture is None or oldest_glibc(wheel) is None:
        return
    loader = GLIBC_LOADERS[wheel.architecture]
    for member, facts in elf_files(wheel):
        if facts.machine == _MACHINES[wheel.architecture] and facts.interpreter not in {None, loader}:
            yield Fault(member.name, f"interpreter is {facts.interpreter}, not {loader}")


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
    known = provided_libraries(wheel) | {"libc.so", f"libc.musl-{name}.so.1", f"ld-musl-{name}.so.1"}
    for member, facts in elf_files(wheel):
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
    "elf-executable-stack",
    Severity.WARNING,
    title="No ELF file asks for an executable stack",
    protects="Users: a buffer overflow can run an attacker's code.",
    standard="ld(1), -z noexecstack; a file without PT_GNU_STACK asks for it, too (auditwheel's issue 634)",
    remedy="Link with -z noexecstack; usually an assembly file lacks its .note.GNU-stack section.",
)
def _find_executable_stack(wheel: WheelContents) -> Iterator[Fault]:
    return _find_stack(wheel, is_refused=False)


@check(
    "elf-library-stack",
    Severity.ERROR,
    title="No library for glibc asks for an executable stack",
    protects="Users of glibc 2.41: dlopen refuses it, 'cannot enable executable stack'.",
    standard="glibc 2.41, release notes; auditwheel's issue 634",
    remedy="Link with -z noexecstack; usually an assembly file lacks its .note.GNU-stack section.",
)
def _find_library_stack(wheel: WheelContents) -> Iterator[Fault]:
    return _find_stack(wheel, is_refused=True)


def _find_stack(wheel: WheelContents, *, is_refused: bool) -> Iterator[Fault]:
    """Find executable stacks: of libraries that glibc refuses for it, or of all other files."""
    for member, facts in elf_files(wheel):
        if (facts.is_library and oldest_glibc(wheel) is not None) is is_refused:
            if facts.has_executable_stack:
                yield Fault(member.name, "PT_GNU_STACK is executable")
            elif facts.stack_flags is None and facts.type in ElfType.loadable():
                yield Fault(member.name, "it has no PT_GNU_STACK, so its stack is executable")


@check(
    "elf-text-relocations",
    Severity.WARNING,
    title="No ELF file has text relocations",
    protects="Users: code that is written to at start can be overwritten later; SELinux refuses it.",
    standard="System V gABI, DT_TEXTREL",
    remedy="Compile all of it as position-independent code.",
)
def _find_text_relocations(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts in elf_files(wheel):
        if facts.has_text_relocations:
            yield Fault(member.name, "the dynamic section has DT_TEXTREL")


CHECKS = check.registered()

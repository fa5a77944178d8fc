"""Checks of PE files: what a Windows wheel's platform tag promises, file by file.

delvewheel does not compare the machine with the tag and looks for missing DLLs on
the host that runs it; these checks ask only the file, the wheel, and delvewheel's
list of what Windows has.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator

from delvewheel import _dll_list  # type: ignore[import-untyped]

from factory.core.model import FileKind, Severity
from factory.core.targets import Architecture
from factory.executables.pe import Mitigation, PeFacts, Subsystem, read_pe
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.images import readable
from factory.verify.reading.contents import Member, WheelContents

_MACHINES = {Architecture.X86_64: 0x8664, Architecture.AARCH64: 0xAA64}
_MACHINE_NAMES = {0x14C: "x86", 0x1C4: "ARM", 0x8664: "x86-64", 0xAA64: "ARM64"}
_API_SET = re.compile(r"(?:api|ext)-.+\.dll")
_LATER_WINDOWS = {"combase.dll"}  # since Windows 8; delvewheel's lists are of Windows 7
_NOWHERE = "neither part of Windows nor beside it in the wheel"
_COMMAND = "codex.exe"
_OWN_PROGRAM = re.compile(r"codex[\w-]*\.exe")


check = Checks[WheelContents](standard="Microsoft PE Format, attribute certificate table")


def _files(contents: WheelContents) -> Iterator[tuple[Member, PeFacts]]:
    return readable(contents, FileKind.PE, read_pe)


def _file_name(member: Member) -> str:
    return posixpath.basename(member.name).lower()


@check(
    "pe-machine",
    Severity.ERROR,
    title="Every PE file is for the tag's architecture",
    protects="Whoever runs it: 'not a valid Win32 application'. delvewheel does not look.",
    standard="Platform compatibility tags, PEP 425; Microsoft PE Format, Machine",
    remedy="Build the wheel from the release package of its own target.",
)
def _find_machine(contents: WheelContents) -> Iterator[Fault]:
    if contents.architecture is None:
        return
    expected = _MACHINES[contents.architecture]
    for member, facts in _files(contents):
        if facts.machine != expected or not facts.is_64_bit:
            seen = _MACHINE_NAMES.get(facts.machine, f"{facts.machine:#x}")
            form = "PE32+" if facts.is_64_bit else "PE32"
            yield Fault(member.name, f"{form} for {seen}, not PE32+ for {_MACHINE_NAMES[expected]}")


@check(
    "pe-dll",
    Severity.ERROR,
    title="Every needed DLL is part of Windows or in the wheel",
    protects="Whoever runs it: 'the code execution cannot proceed because X.dll was not found'.",
    standard="Microsoft, dynamic-link library search order; delvewheel's list of Windows' DLLs",
    remedy="Link the DLL statically or put it beside the program.",
)
def _find_missing_dll(contents: WheelContents) -> Iterator[Fault]:
    for member, facts in _files(contents):
        missing = [
            name for name in _absent(facts.imports, member, facts, contents) if not _is_visual_cpp(name)
        ]
        if missing:
            yield Fault(member.name, f"needs {', '.join(missing)}: {_NOWHERE}")


@check(
    "pe-delayed-dll",
    Severity.WARNING,
    title="Every DLL that is loaded on use is part of Windows or in the wheel",
    protects="Whoever uses that part of the program: it starts, and fails later.",
    standard="Microsoft PE Format, delay-load import tables",
    remedy="Link the DLL statically or put it beside the program.",
)
def _find_missing_delayed_dll(contents: WheelContents) -> Iterator[Fault]:
    for member, facts in _files(contents):
        names = _absent(facts.delay_imports, member, facts, contents)
        missing = [name for name in names if not _is_visual_cpp(name)]
        if missing:
            yield Fault(member.name, f"loads {', '.join(missing)} on use: {_NOWHERE}")


@check(
    "pe-visual-cpp",
    Severity.WARNING,
    title="No PE file needs the Visual C++ runtime, unless the wheel has it",
    protects="Users of a fresh Windows: other programs bring it, and only Python finds Python's copy.",
    standard="Microsoft, Visual C++ Redistributable; delvewheel's list of its DLLs",
    remedy="Link the C runtime statically (Rust: +crt-static), or tell users what to install.",
)
def _find_visual_cpp(contents: WheelContents) -> Iterator[Fault]:
    for member, facts in _files(contents):
        names = _absent(facts.imports + facts.delay_imports, member, facts, contents)
        needed = [name for name in names if _is_visual_cpp(name)]
        if needed:
            yield Fault(member.name, f"needs {', '.join(needed)}: {_NOWHERE}")


def _absent(names: Iterable[str], member: Member, facts: PeFacts, contents: WheelContents) -> Iterator[str]:
    """Yield the DLLs that are neither part of Windows, by delvewheel's list, nor in the wheel.

    DLL names know no case. API sets (``api-ms-win-...``) are names that Windows maps
    to its own DLLs. A program's own directory is searched and no other of the
    wheel; where a DLL's needs are searched depends on who loads it.
    """
    bundled = {
        _file_name(other)
        for other in contents.images
        if facts.is_dll or posixpath.dirname(other.name) == posixpath.dirname(member.name)
    }
    machine = _dll_list.MachineType.machine_field_to_type(facts.machine)
    windows: set[str] = _dll_list.ignore_names.get(machine, set())
    for name in names:
        lower = name.lower()
        if not (lower in bundled or lower in windows or lower in _LATER_WINDOWS or _API_SET.fullmatch(lower)):
            yield name


def _is_visual_cpp(name: str) -> bool:
    return bool(_dll_list.vc_redist.fullmatch(name.lower()))


@check(
    "pe-subsystem",
    Severity.ERROR,
    title="Programs are for the Windows console or GUI, and codex for the console",
    protects="Whoever runs it: a GUI codex shows nothing, and other subsystems do not start.",
    standard="Microsoft PE Format, Subsystem",
    remedy="Link it with /SUBSYSTEM:CONSOLE.",
)
def _find_subsystem(contents: WheelContents) -> Iterator[Fault]:
    for member, facts in _files(contents):
        if facts.subsystem not in set(Subsystem):
            yield Fault(member.name, f"subsystem {facts.subsystem}; programs have 2 or 3")
        elif _file_name(member) == _COMMAND and facts.subsystem != Subsystem.CONSOLE:
            yield Fault(member.name, "a GUI program: it has no console to print to")


@check(
    "pe-aslr",
    Severity.WARNING,
    title="Every PE file can be loaded at a random address",
    protects="Whoever runs it: an attacker knows where its code lies.",
    standard="Microsoft PE Format, DYNAMIC_BASE and HIGH_ENTROPY_VA",
    remedy="Link it with /DYNAMICBASE and /HIGHENTROPYVA.",
)
def _find_fixed_address(contents: WheelContents) -> Iterator[Fault]:
    wanted = Mitigation.DYNAMIC_BASE | Mitigation.HIGH_ENTROPY_VA
    for member, facts in _files(contents):
        missing = wanted & ~facts.mitigations
        if missing:
            names = ", ".join(str(flag.name) for flag in missing)
            yield Fault(member.name, f"DllCharacteristics lacks {names}")


@check(
    "pe-nx",
    Severity.WARNING,
    title="Every PE file keeps data from being executed",
    protects="Whoever runs it: an overflow becomes code.",
    standard="Microsoft PE Format, NX_COMPAT",
    remedy="Link it with /NXCOMPAT.",
)
def _find_executable_data(contents: WheelContents) -> Iterator[Fault]:
    for member, facts in _files(contents):
        if Mitigation.NX_COMPAT not in facts.mitigations:
            yield Fault(member.name, "DllCharacteristics lacks NX_COMPAT")


@check(
    "pe-signature",
    Severity.WARNING,
    title="Codex's own programs carry an Authenticode signature",
    protects="Users whose policy admits signed programs; upstream signs these, so somebody changed it.",
    remedy="Use the release's signed file.",
)
def _find_unsigned_own(contents: WheelContents) -> Iterator[Fault]:
    return (
        Fault(member.name, "it has no Authenticode signature")
        for member, facts in _files(contents)
        if not facts.is_signed and _OWN_PROGRAM.fullmatch(_file_name(member))
    )


@check(
    "pe-signature-bundled",
    Severity.NOTE,
    title="Bundled PE files carry an Authenticode signature",
    protects="Users whose policy admits signed programs only; ripgrep's own releases are unsigned.",
    remedy="Nothing, if the file is what its project releases.",
)
def _find_unsigned_other(contents: WheelContents) -> Iterator[Fault]:
    return (
        Fault(member.name, "it has no Authenticode signature")
        for member, facts in _files(contents)
        if not facts.is_signed and not _OWN_PROGRAM.fullmatch(_file_name(member))
    )


CHECKS = check.registered()

"""Checks of PE files: each file of a Windows wheel keeps what the platform tag promises.

delvewheel does not compare the machine with the tag, and it searches the host that it runs
on for missing DLLs; these checks use only the file, the wheel, and delvewheel's list of the
DLLs of Windows.
"""

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator

from delvewheel import _dll_list  # type: ignore[import-untyped]

from factory.core.model import Severity
from factory.core.targets import Architecture
from factory.executables.pe import Mitigation, PeFacts, Subsystem
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.images import readable
from factory.verify.checks.system_names import LATER_WINDOWS, is_api_set_name, is_known_api_set
from factory.verify.reading.contents import Member, WheelContents

_MACHINES = {Architecture.X86_64: 0x8664, Architecture.AARCH64: 0xAA64}
_MACHINE_NAMES = {0x14C: "x86", 0x1C4: "ARM", 0x8664: "x86-64", 0xAA64: "ARM64"}
COMMAND = "codex.exe"
_EXTENSION_MODULE = ".pyd"
_OF_PYTHON = re.compile(r"python3\d*t?\.dll|vcruntime140(_1)?\.dll")
_OWN_PROGRAM = re.compile(r"codex[\w-]*\.exe")

check = Checks[WheelContents]()


def _files(wheel: WheelContents) -> Iterator[tuple[Member, PeFacts]]:
    return readable(wheel, PeFacts)


def file_name(member: Member) -> str:
    """Return the file name of a member as Windows compares it."""
    return posixpath.basename(member.name).lower()


@check(
    "pe-machine",
    Severity.ERROR,
    title="Every PE file is for the tag's architecture",
    protects="Users: 'not a valid Win32 application'. delvewheel does not check it.",
    standard="Platform compatibility tags, PEP 425; Microsoft PE Format, Machine",
    remedy="Build the wheel from the release package of its own target.",
)
def _find_machine(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.architecture is None:
        return
    expected = _MACHINES[wheel.architecture]
    for member, facts in _files(wheel):
        if facts.machine != expected or not facts.is_64_bit:
            seen = _MACHINE_NAMES.get(facts.machine, f"{facts.machine:#x}")
            form = "PE32+" if facts.is_64_bit else "PE32"
            evidence = f"the format is {form} for {seen}, not PE32+ for {_MACHINE_NAMES[expected]}"
            yield Fault(member.name, evidence)
        elif facts.has_arm64ec and facts.machine == _MACHINES[Architecture.X86_64]:
            yield Fault(member.name, "it has ARM64EC code, which only Windows on ARM64 runs")


@check(
    "pe-dll",
    Severity.ERROR,
    title="Every needed DLL is part of Windows or in the wheel",
    protects="Users: 'the code execution cannot proceed because X.dll was not found'.",
    standard="Microsoft, dynamic-link library search order; delvewheel's list of the DLLs of Windows",
    remedy="Link the DLL statically or put it beside the program.",
)
def _find_missing_dll(wheel: WheelContents) -> Iterator[Fault]:
    return _find_absent(wheel, lambda facts: facts.imports, "needs {}")


@check(
    "pe-delayed-dll",
    Severity.WARNING,
    title="Every delay-loaded DLL is part of Windows or in the wheel",
    protects="Users of that part of the program: it starts, and fails later.",
    standard="Microsoft PE Format, delay-load import tables",
    remedy="Link the DLL statically or put it beside the program.",
)
def _find_missing_delayed_dll(wheel: WheelContents) -> Iterator[Fault]:
    return _find_absent(wheel, lambda facts: facts.delay_imports, "loads {} on first use")


@check(
    "pe-api-set",
    Severity.WARNING,
    title="Every needed API set is one that Windows is known to have",
    protects="Users: Windows does not start a program that needs an API set without a DLL behind it.",
    standard="Microsoft, Windows API sets; the import libraries of mingw-w64",
    remedy="Check the name against the documentation of Windows; link against the DLL itself if it is wrong.",
)
def _find_unknown_api_set(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts in _files(wheel):
        names = [name for name in facts.imports + facts.delay_imports if is_api_set_name(name.lower())]
        unknown = [name for name in names if not is_known_api_set(name.lower())]
        if unknown:
            yield Fault(member.name, f"not judged: {', '.join(unknown)}: not in the list of API sets")


def _find_absent(
    wheel: WheelContents, imports: Callable[[PeFacts], Iterable[str]], wording: str
) -> Iterator[Fault]:
    for member, absent in absent_dlls(wheel, imports, is_visual_cpp=False):
        yield missing(member, absent, wording)


def missing(member: Member, absent: Iterable[str], wording: str = "needs {}") -> Fault:
    """Return the fault of a file that needs absent DLLs."""
    needs = wording.format(", ".join(absent))
    return Fault(member.name, f"{needs}: neither part of Windows nor beside it in the wheel")


def absent_dlls(
    wheel: WheelContents, imports: Callable[[PeFacts], Iterable[str]], *, is_visual_cpp: bool
) -> Iterator[tuple[Member, tuple[str, ...]]]:
    """Yield each file that needs absent DLLs: those of the Visual C++ runtime, or all others.

    Args:
        wheel: A Windows wheel; in others nothing is found.
        imports: The imports of a file to look at.
        is_visual_cpp: Which of the two.
    """
    bundled: defaultdict[str, set[str]] = defaultdict(set)
    for image in wheel.images:
        bundled[posixpath.dirname(image.name)].add(file_name(image))
    anywhere = {name for names in bundled.values() for name in names}
    for member, facts in _files(wheel):
        beside = anywhere if facts.is_dll else bundled[posixpath.dirname(member.name)]
        absent = tuple(
            name
            for name in _absent(imports(facts), facts, beside)
            if bool(_dll_list.vc_redist.fullmatch(name.lower())) is is_visual_cpp
            and not is_loaded_by_python(member.name, name)
        )
        if absent:
            yield member, absent


def is_loaded_by_python(file: str, dll: str) -> bool:
    """Whether a file is an extension module, and Python has loaded a DLL before it loads the file."""
    return file.lower().endswith(_EXTENSION_MODULE) and _OF_PYTHON.fullmatch(dll.lower()) is not None


def _absent(names: Iterable[str], facts: PeFacts, bundled: Collection[str]) -> Iterator[str]:
    """Yield the DLLs that are neither part of Windows, by delvewheel's list, nor in the wheel.

    DLL names ignore case. API sets (``api-ms-win-...``) are names that Windows maps to its own DLLs.

    Args:
        names: The DLLs that a file imports.
        facts: The file.
        bundled: The files, in lower case, where Windows looks: for a program its own directory and no other
            one of the wheel; for a DLL any, since that depends on the program that loads it.
    """
    machine = _dll_list.MachineType.machine_field_to_type(facts.machine)
    windows: set[str] = _dll_list.ignore_names.get(machine, set())
    for name in names:
        lower = name.lower()
        if not (lower in bundled or lower in windows or lower in LATER_WINDOWS or is_api_set_name(lower)):
            yield name


@check(
    "pe-subsystem",
    Severity.ERROR,
    title="Programs are for the Windows console or GUI, and codex for the console",
    protects="Users: a GUI codex shows no output, and programs of other subsystems do not start.",
    standard="Microsoft PE Format, Subsystem",
    remedy="Link it with /SUBSYSTEM:CONSOLE.",
)
def _find_subsystem(wheel: WheelContents) -> Iterator[Fault]:
    for member, facts in _files(wheel):
        if facts.subsystem not in set(Subsystem):
            yield Fault(member.name, f"subsystem is {facts.subsystem}; programs have 2 (GUI) or 3 (console)")
        elif file_name(member) == COMMAND and facts.subsystem != Subsystem.CONSOLE:
            yield Fault(member.name, "subsystem is 2 (GUI), which has no console to print to")


@check(
    "pe-aslr",
    Severity.WARNING,
    title="Every PE file can be loaded at a random address",
    protects="Users: an attacker knows the address of the code.",
    standard="Microsoft PE Format, DYNAMIC_BASE and HIGH_ENTROPY_VA",
    remedy="Link it with /DYNAMICBASE and /HIGHENTROPYVA.",
)
def _find_fixed_address(wheel: WheelContents) -> Iterator[Fault]:
    return _find_lacking(wheel, Mitigation.DYNAMIC_BASE | Mitigation.HIGH_ENTROPY_VA)


@check(
    "pe-nx",
    Severity.WARNING,
    title="Every PE file keeps data from being executed",
    protects="Users: a buffer overflow can run an attacker's code.",
    standard="Microsoft PE Format, NX_COMPAT",
    remedy="Link it with /NXCOMPAT.",
)
def _find_executable_data(wheel: WheelContents) -> Iterator[Fault]:
    return _find_lacking(wheel, Mitigation.NX_COMPAT)


def _find_lacking(wheel: WheelContents, wanted: Mitigation) -> Iterator[Fault]:
    for member, facts in _files(wheel):
        missing = wanted & ~facts.mitigations
        if missing:
            names = ", ".join(str(flag.name) for flag in missing)
            yield Fault(member.name, f"DllCharacteristics lacks {names}")


@check(
    "pe-signature",
    Severity.WARNING,
    title="Codex's own programs have an Authenticode signature",
    protects="Users whose policy allows only signed programs; upstream signs these, so someone changed it.",
    standard="Microsoft PE Format, attribute certificate table",
    remedy="Use the signed file of the release.",
)
def _find_unsigned_own(wheel: WheelContents) -> Iterator[Fault]:
    return _find_unsigned(wheel, is_own=True)


@check(
    "pe-signature-bundled",
    Severity.NOTE,
    title="Bundled PE files have an Authenticode signature",
    protects="Users whose policy allows only signed programs; ripgrep's own releases are unsigned.",
    standard="Microsoft PE Format, attribute certificate table",
    remedy="No action if the file is the one that its project releases.",
)
def _find_unsigned_bundled(wheel: WheelContents) -> Iterator[Fault]:
    return _find_unsigned(wheel, is_own=False)


def _find_unsigned(wheel: WheelContents, *, is_own: bool) -> Iterator[Fault]:
    for member, facts in _files(wheel):
        if not facts.is_signed and bool(_OWN_PROGRAM.fullmatch(file_name(member))) is is_own:
            yield Fault(member.name, "it has no Authenticode signature")


CHECKS = check.registered()

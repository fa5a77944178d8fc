"""Checks of the Visual C++ runtime, which is not part of Windows.

Without it, a program that needs it ends at once, without a message (openai/codex#20827). For ``codex.exe``
in a wheel of this project that is an error. Releases with wheels on the index are excepted, if the
program is byte for byte the one of the release: there the wheel only repeats what users have already.
"""

from collections.abc import Iterator

from packaging.version import Version

from factory.core.model import Severity
from factory.verify.checks.check import Check, Checks, Fault
from factory.verify.checks.closed_world import BUNDLED, Reference, release_of
from factory.verify.checks.pe import COMMAND, absent_dlls, file_name, missing
from factory.verify.checks.project import is_of_this_project
from factory.verify.reading.contents import Member, WheelContents

_FIRST_ON_THE_INDEX = Version("0.131.0")
"""The first release with published wheels."""


def visual_cpp_checks(known: Reference = BUNDLED) -> tuple[Check[WheelContents], ...]:
    """Return the checks.

    Args:
        known: Has the executables that releases are known to contain.
    """
    check = Checks[WheelContents](
        standard="Microsoft, Visual C++ Redistributable; delvewheel's list of its DLLs"
    )

    @check(
        "pe-visual-cpp",
        Severity.WARNING,
        title="The wheel contains the Visual C++ runtime that its PE files need",
        protects="Users of a fresh Windows: other programs install it, and only Python finds Python's copy.",
        remedy="Link the C runtime statically (Rust: +crt-static), or document the requirement.",
    )
    def _find_needed(wheel: WheelContents) -> Iterator[Fault]:
        own = {fault.place for fault in _find_needed_by_codex(wheel)}
        files = absent_dlls(wheel, lambda facts: facts.imports + facts.delay_imports, is_visual_cpp=True)
        return (missing(member, absent) for member, absent in files if member.name not in own)

    @check(
        "pe-visual-cpp-own",
        Severity.ERROR,
        title="codex.exe of this project's wheels does not need the Visual C++ runtime to start",
        protects="Users of a fresh Windows: codex ends at once, without a message.",
        remedy="Use a release that links the C runtime statically, or accept the finding with a waiver.",
    )
    def _find_needed_by_codex(wheel: WheelContents) -> Iterator[Fault]:
        if not is_of_this_project(wheel):
            return
        for member, absent in absent_dlls(wheel, lambda facts: facts.imports, is_visual_cpp=True):
            if file_name(member) == COMMAND and not _is_published(wheel, member, known):
                yield missing(member, absent)

    return check.registered()


def _is_published(wheel: WheelContents, member: Member, known: Reference) -> bool:
    """Whether the index has wheels of the release, and the program is the release's."""
    release = release_of(wheel)
    if release is None or member.sha256 is None:
        return False
    tag, _ = release
    is_of_release = any(one.release == tag for one in known.executables().lookup(member.sha256))
    return is_of_release and Version(tag.pep440) >= _FIRST_ON_THE_INDEX

"""Wheels with members that have bad names, types or modes."""

from collections.abc import Callable
from dataclasses import replace

from tests.wheels import INFO, PACKAGE, Wheel
from tests.zip_writer import ZipMember
from tests.zoo.breakage import Breakage

_CODEX = f"{PACKAGE}/bin/codex"
_NOTICE = f"{PACKAGE}/codex-resources/NOTICE.md"


def _added(name: bytes, *, content: bytes = b"text\n", flags: int = 0) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.with_first(ZipMember(name=name, content=content, flags=flags))


def _mode(mode: int, name: str = _NOTICE) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.edited(name, lambda member: replace(member, mode=mode))


def _twice(wheel: Wheel) -> Wheel:
    """Repeat a member byte by byte; RECORD still lists it once."""
    first = wheel.with_first(wheel.member(_NOTICE))
    return replace(first, edit_record=lambda text: "\n".join(dict.fromkeys(text.split("\n"))))


def _link(wheel: Wheel) -> Wheel:
    link = ZipMember(name=f"{PACKAGE}/link.md".encode(), content=b"/etc/passwd", mode=0o120777)
    return wheel.with_first(link)


def _with_second_info(wheel: Wheel) -> Wheel:
    other = INFO.replace("0.163.0", "0.162.0")
    return wheel.in_archive(
        lambda archive: replace(
            archive,
            members=(
                *archive.members,
                ZipMember(name=f"{other}/METADATA".encode(), content=b"", mode=0o644),
            ),
        )
    )


MEMBERS: tuple[Breakage, ...] = (
    Breakage(
        name="a path out of site-packages",
        check="member-path",
        make=_added(f"{PACKAGE}/../../evil.txt".encode()),
    ),
    Breakage(
        name="a path with a dot component",
        check="member-path",
        make=_added(f"{PACKAGE}/./dot.txt".encode()),
    ),
    Breakage(
        name="a path with backslashes",
        check="member-path",
        make=_added(f"{PACKAGE}/..\\..\\evil.txt".encode()),
    ),
    Breakage(
        name="a newline in a name",
        check="member-control-character",
        make=_added(f"{PACKAGE}/a\nb.txt".encode()),
    ),
    Breakage(
        name="a right-to-left override in a name",
        check="member-control-character",
        make=_added(f"{PACKAGE}/gnp.\u202etxt".encode(), flags=0x800),
    ),
    Breakage(
        name="a UTF-8 name without the UTF-8 flag",
        check="member-encoding",
        make=_added(f"{PACKAGE}/gr\u00fcn.txt".encode()),
    ),
    Breakage(
        name="a Latin-1 name with the UTF-8 flag",
        check="member-encoding",
        make=_added(f"{PACKAGE}/gr".encode() + b"\xfcn.txt", flags=0x800),
    ),
    Breakage(name="a duplicate member", check="member-duplicate", make=_twice),
    Breakage(
        name="two names that differ by case",
        check="member-case-collision",
        make=_added(f"{PACKAGE}/Codex-Package.json".encode()),
    ),
    Breakage(
        name="two directories that differ by case",
        check="member-case-collision",
        make=_added(f"{PACKAGE}/codex-Resources/other.md".encode()),
    ),
    Breakage(
        name="two names that differ by Unicode normal form",
        check="member-case-collision",
        make=lambda wheel: wheel.with_first(
            ZipMember(name=f"{PACKAGE}/\u00e9.txt".encode(), content=b"1", flags=0x800),
            ZipMember(name=f"{PACKAGE}/e\u0301.txt".encode(), content=b"2", flags=0x800),
        ),
    ),
    Breakage(
        name="a file with the name of a directory",
        check="member-file-and-directory",
        make=_added(f"{PACKAGE}/codex-resources".encode()),
    ),
    Breakage(
        name="a Windows device as a name",
        check="member-windows-name",
        make=_added(f"{PACKAGE}/aux.txt".encode()),
    ),
    Breakage(
        name="a question mark in a name",
        check="member-windows-name",
        make=_added(f"{PACKAGE}/why?.txt".encode()),
    ),
    Breakage(name="a symbolic link", check="member-special-file", make=_link),
    Breakage(name="a FIFO", check="member-special-file", make=_mode(0o010644)),
    Breakage(name="a setuid executable", check="member-setuid", make=_mode(0o104755, _CODEX)),
    Breakage(name="a world-writable file", check="member-writable", make=_mode(0o100666)),
    Breakage(name="a missing executable bit", check="member-not-executable", make=_mode(0o100644, _CODEX)),
    Breakage(
        name="a mode without the bits of a regular file",
        check="member-not-executable",
        make=_mode(0o755, _CODEX),
    ),
    Breakage(name="an executable text", check="member-executable-data", make=_mode(0o100755)),
    Breakage(name="a file of mode 0600", check="member-mode", make=_mode(0o100600)),
    Breakage(name="a program of mode 0750", check="member-mode", make=_mode(0o100750, _CODEX)),
    Breakage(
        name="a directory member",
        check="member-directory",
        make=lambda wheel: wheel.with_first(
            ZipMember(name=f"{PACKAGE}/".encode(), content=b"", mode=0o040755, method=0)
        ),
    ),
    Breakage(
        name="a .pth file",
        check="path-file",
        make=_added(b"codex.pth", content=b"import os\n"),
    ),
    Breakage(name="a second package", check="top-level", make=_added(b"codex_tools/__init__.py")),
    Breakage(
        name="a script for PATH",
        check="top-level",
        make=_added(b"openai_codex_cli_bin-0.163.0.data/scripts/codex"),
    ),
    Breakage(
        name="bytecode",
        check="bytecode",
        make=_added(f"{PACKAGE}/__pycache__/__init__.cpython-311.pyc".encode()),
    ),
    Breakage(
        name="an INSTALLER file",
        check="dist-info-installer-file",
        make=lambda wheel: wheel.with_info("INSTALLER", "pip\n"),
    ),
    Breakage(
        name="an unknown file in .dist-info",
        check="dist-info-file",
        make=lambda wheel: wheel.with_info("notes.txt", "hello\n"),
    ),
    Breakage(
        name="a second .dist-info",
        check="dist-info-directory",
        make=_with_second_info,
    ),
)

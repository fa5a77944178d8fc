"""Wheels with members that have bad names, types or modes."""

from collections.abc import Callable
from dataclasses import replace

from tests.wheels import INFO, PACKAGE, Wheel
from tests.zip_writer import ZipMember
from tests.zoo.breakage import Breakage, Twin
from tests.zoo.package import of_another_project

_CODEX = f"{PACKAGE}/bin/codex"
_NOTICE = f"{PACKAGE}/codex-resources/NOTICE.md"


def _added(name: bytes, *, content: bytes = b"text\n", flags: int = 0) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.with_first(ZipMember(name=name, content=content, flags=flags))


def _mode(mode: int, name: str = _NOTICE) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.edited(name, lambda member: replace(member, mode=mode))


def _twice(wheel: Wheel) -> Wheel:
    """Repeat a member byte for byte; RECORD still lists it once."""
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


def _long_path(length: int) -> Callable[[Wheel], Wheel]:
    start = f"{PACKAGE}/codex-resources/"
    return _added(start.encode() + b"a/" * 10 + b"n" * (length - len(start) - 20))


_DATA = "tool-0.163.0.data"


def _spread(*names: str) -> Callable[[Wheel], Wheel]:
    """Add members to a wheel of another project."""
    added = [ZipMember(name=name.encode(), content=f"{name}\n".encode()) for name in names]
    return lambda wheel: of_another_project(wheel.with_first(*added))


def _script_twice(wheel: Wheel) -> Wheel:
    points = "[console_scripts]\ntool = codex_cli_bin:bundled_codex_path\n"
    renamed = points.replace("codex_cli_bin", "tool")
    return _spread(f"{_DATA}/scripts/tool")(wheel.with_info("entry_points.txt", renamed))


MEMBERS_TWINS: tuple[Twin, ...] = (
    Twin("a path of 200 characters", _long_path(200), platform="win_amd64"),
    Twin("a part of 255 bytes", _added(f"{PACKAGE}/codex-resources/{'n' * 255}".encode())),
    Twin("a name of 64 parts", _added(f"{PACKAGE}/codex-resources/{'a/' * 61}b".encode())),
    Twin(
        "names that begin as those of Windows devices do",
        lambda wheel: wheel.with_first(
            *(
                ZipMember(name=f"{PACKAGE}/codex-resources/{name}".encode(), content=name.encode())
                for name in ("auxiliary.txt", "com10.txt", "nul_.txt", "console")
            )
        ),
    ),
)

MEMBERS: tuple[Breakage, ...] = (
    Breakage("a path out of site-packages", "member-path", _added(f"{PACKAGE}/../../evil.txt".encode())),
    Breakage("an absolute path", "member-path", _added(b"/etc/evil")),
    Breakage("a path with a dot component", "member-path", _added(f"{PACKAGE}/./dot.txt".encode())),
    Breakage("a path with backslashes", "member-path", _added(f"{PACKAGE}/..\\..\\evil.txt".encode())),
    Breakage(
        "a path that is too long for Windows",
        "member-windows-path",
        _long_path(201),
        platform="win_amd64",
    ),
    Breakage("a newline in a name", "member-control-character", _added(f"{PACKAGE}/a\nb.txt".encode())),
    Breakage(
        "a right-to-left override in a name",
        "member-control-character",
        _added(f"{PACKAGE}/gnp.\u202etxt".encode(), flags=0x800),
    ),
    Breakage(
        "a UTF-8 name without the UTF-8 flag", "member-encoding", _added(f"{PACKAGE}/gr\u00fcn.txt".encode())
    ),
    Breakage(
        "a Latin-1 name with the UTF-8 flag",
        "member-encoding",
        _added(f"{PACKAGE}/gr".encode() + b"\xfcn.txt", flags=0x800),
    ),
    Breakage("a duplicate member", "member-duplicate", _twice),
    Breakage(
        "two names that differ by case",
        "member-case-collision",
        _added(f"{PACKAGE}/Codex-Package.json".encode()),
    ),
    Breakage(
        "two directories that differ by case",
        "member-case-collision",
        _added(f"{PACKAGE}/codex-Resources/other.md".encode()),
    ),
    Breakage(
        "two names that differ by Unicode normal form",
        "member-case-collision",
        lambda wheel: wheel.with_first(
            ZipMember(name=f"{PACKAGE}/\u00e9.txt".encode(), content=b"1", flags=0x800),
            ZipMember(name=f"{PACKAGE}/e\u0301.txt".encode(), content=b"2", flags=0x800),
        ),
    ),
    Breakage(
        "a file with the name of a directory",
        "member-file-and-directory",
        _added(f"{PACKAGE}/codex-resources".encode()),
    ),
    Breakage("a Windows device as a name", "member-windows-name", _added(f"{PACKAGE}/aux.txt".encode())),
    Breakage("a question mark in a name", "member-windows-name", _added(f"{PACKAGE}/why?.txt".encode())),
    Breakage("a symbolic link", "member-special-file", _link),
    Breakage("a FIFO", "member-special-file", _mode(0o010644)),
    Breakage("a setuid executable", "member-setuid", _mode(0o104755, _CODEX)),
    Breakage("a group-writable file", "member-writable", _mode(0o100664)),
    Breakage("a world-writable file", "member-writable", _mode(0o100666)),
    Breakage("a missing executable bit", "member-not-executable", _mode(0o100644, _CODEX)),
    Breakage("a mode without the bits of a regular file", "member-not-executable", _mode(0o755, _CODEX)),
    Breakage("an executable text", "member-executable-data", _mode(0o100755)),
    Breakage("a file of mode 0600", "member-mode", _mode(0o100600)),
    Breakage("a program of mode 0750", "member-mode", _mode(0o100750, _CODEX)),
    Breakage(
        "a directory member",
        "member-directory",
        lambda wheel: wheel.with_first(
            ZipMember(name=f"{PACKAGE}/".encode(), content=b"", mode=0o040755, method=0)
        ),
    ),
    Breakage("a .pth file", "path-file", _added(b"codex.pth", content=b"import os\n")),
    Breakage("a second package", "top-level", _added(b"codex_tools/__init__.py")),
    Breakage("a script for PATH", "top-level", _added(b"openai_codex_cli_bin-0.163.0.data/scripts/codex")),
    *(
        Breakage(name, check, _spread(*members), is_of_another_project=True)
        for name, check, *members in (
            ("a .data directory of another name", "data-directory", "other-1.data/purelib/other.py"),
            ("a .data directory of another spelling", "data-directory", "tool-0.163.data/purelib/other.py"),
            ("an unknown scheme in .data", "data-scheme", f"{_DATA}/python/other.py"),
            ("a file in no scheme of .data", "data-scheme", f"{_DATA}/other.py"),
            ("a directory among the scripts", "data-scheme", f"{_DATA}/scripts/sub/tool"),
            ("two files for one place", "data-place", f"{_DATA}/purelib/tool/__init__.py"),
            (
                "two schemes with one place",
                "data-place",
                f"{_DATA}/purelib/one.py",
                f"{_DATA}/platlib/One.py",
            ),
            (
                "a script and a file of data for one place",
                "data-place",
                f"{_DATA}/scripts/x",
                f"{_DATA}/data/bin/x",
            ),
            ("metadata of another distribution", "data-place", f"{_DATA}/purelib/other-1.dist-info/METADATA"),
            ("a file of data for site-packages", "data-place", f"{_DATA}/data/lib/site-packages/other.py"),
            ("metadata of an older format", "data-place", "tool.egg-info/PKG-INFO"),
        )
    ),
    Breakage(
        "a script that an entry point makes, too", "data-place", _script_twice, is_of_another_project=True
    ),
    Breakage("a name of 65 parts", "member-name-length", _added(f"{PACKAGE}/{'a/' * 63}b".encode())),
    Breakage(
        "a file that only uv writes",
        "dist-info-installer-file",
        lambda wheel: wheel.with_info("uv_cache.json", "{}"),
    ),
    Breakage("bytecode", "bytecode", _added(f"{PACKAGE}/__pycache__/__init__.cpython-311.pyc".encode())),
    Breakage(
        "an INSTALLER file", "dist-info-installer-file", lambda wheel: wheel.with_info("INSTALLER", "pip\n")
    ),
    Breakage(
        "an unknown file in .dist-info",
        "dist-info-file",
        lambda wheel: wheel.with_info("notes.txt", "hello\n"),
    ),
    Breakage("a second .dist-info", "dist-info-directory", _with_second_info),
)

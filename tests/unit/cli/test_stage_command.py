from pathlib import Path

import pytest

from factory.core.targets import Target
from tests.packages import executable, package_directory, release_files
from tests.unit.cli.conftest import Ended, Factory

PLATFORM = "win_arm64"
CODEX = "src/codex_cli_bin/bin/codex.exe"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return package_directory(tmp_path / "package", release_files(Target.WINDOWS_AARCH64))


def run(factory: Factory, stage: Path, source: Path, *more: str, version: str = "--codex-version") -> Ended:
    return factory("stage-runtime", stage, source, version, "0.163.0", "--platform-tag", PLATFORM, *more)


def nothing_but(tmp_path: Path, *names: str) -> None:
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(("cache", *names))


@pytest.mark.parametrize("version", ["--codex-version", "--runtime-version"])
def test_a_package_directory_is_staged(factory: Factory, source: Path, tmp_path: Path, version: str) -> None:
    ended = run(factory, tmp_path / "stage", source, version=version)

    assert (ended.status, ended.out) == (0, "")
    assert ended.err == (
        f"staged 0.163.0 for win_arm64 in {tmp_path / 'stage'}\n"
        f"build it with: python -m build --wheel {tmp_path / 'stage'}\n"
    )
    assert (tmp_path / "stage" / CODEX).read_bytes() == (source / "bin/codex.exe").read_bytes()
    nothing_but(tmp_path, "package", "stage")


def test_an_archive_is_staged_with_json_output(factory: Factory, packages: Path, tmp_path: Path) -> None:
    ended = run(factory, tmp_path / "stage", packages / "codex-0.163.0-win32-arm64.tgz", "--json")
    assert ended.document == {
        "path": str(tmp_path / "stage"),
        "version": "0.163.0",
        "platform": "win_arm64",
    }
    assert ended.err == ""


def test_one_executable_is_staged(factory: Factory, tmp_path: Path) -> None:
    (tmp_path / "codex.exe").write_bytes(executable(Target.WINDOWS_AARCH64, name="codex"))
    assert run(factory, tmp_path / "stage", tmp_path / "codex.exe").status == 0
    assert (tmp_path / "stage" / CODEX).is_file()


def test_an_earlier_stage_is_replaced_whole(factory: Factory, source: Path, tmp_path: Path) -> None:
    run(factory, tmp_path / "stage", source)
    (tmp_path / "stage" / "left-over").touch()
    assert run(factory, tmp_path / "stage", source).status == 0
    assert not (tmp_path / "stage" / "left-over").exists()


def test_both_version_options_may_name_one_release(factory: Factory, source: Path, tmp_path: Path) -> None:
    assert run(factory, tmp_path / "stage", source, "--runtime-version", "rust-v0.163.0").status == 0


def test_disagreeing_versions_are_refused(factory: Factory, source: Path, tmp_path: Path) -> None:
    ended = run(factory, tmp_path / "stage", source, "--runtime-version", "0.162.0")
    assert (ended.status, ended.err) == (
        20,
        (
            "factory: --codex-version is 0.163.0, but --runtime-version is 0.162.0\n"
            "hint: Give only --codex-version; --runtime-version is its older name.\n"
        ),
    )
    nothing_but(tmp_path, "package")


def test_a_release_must_be_named(factory: Factory, source: Path, tmp_path: Path) -> None:
    ended = factory("stage-runtime", tmp_path / "stage", source, "--platform-tag", PLATFORM)
    assert (ended.status, ended.err) == (
        20,
        "factory: no release given\nhint: Give --codex-version, for example rust-v0.163.0.\n",
    )
    nothing_but(tmp_path, "package")


def test_a_package_of_another_release_is_refused(factory: Factory, source: Path, tmp_path: Path) -> None:
    ended = factory(
        "stage-runtime", tmp_path / "s", source, "--codex-version", "0.162.0", "--platform-tag", PLATFORM
    )
    assert (ended.status, ended.err) == (
        22,
        (
            "factory: the package's codex-package.json has version '0.163.0', but '0.162.0' was requested\n"
            "hint: Name the release and the platform of the package, or give the right package.\n"
        ),
    )
    nothing_but(tmp_path, "package")


@pytest.mark.parametrize("stage", ["package", "package/stage", "."])
def test_an_overlapping_stage_is_refused(factory: Factory, source: Path, tmp_path: Path, stage: str) -> None:
    before = sorted(source.rglob("*"))
    ended = run(factory, tmp_path / stage, source)
    assert ended.status == 20
    assert ended.err.startswith(
        f"factory: the stage {tmp_path / stage} and its source {source} overlap\nhint: "
    )
    assert sorted(source.rglob("*")) == before
    nothing_but(tmp_path, "package")


def test_a_directory_with_other_files_is_kept(factory: Factory, source: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    ended = run(factory, tmp_path / "mine", source)
    assert ended.status == 20
    assert "was not created by this command, so it is not replaced" in ended.err
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"
    nothing_but(tmp_path, "mine", "package")


def test_an_incomplete_package_is_refused(factory: Factory, source: Path, tmp_path: Path) -> None:
    (source / "bin/codex.exe").unlink()
    ended = run(factory, tmp_path / "stage", source)
    assert ended.status == 22
    assert "has no bin/codex.exe" in ended.err
    assert "hint: " in ended.err
    nothing_but(tmp_path, "package")


def test_a_link_is_refused(factory: Factory, source: Path, tmp_path: Path) -> None:
    (source / "bin/more.exe").symlink_to("codex.exe")
    ended = run(factory, tmp_path / "stage", source)
    assert ended.status == 22
    assert "more.exe" in ended.err
    nothing_but(tmp_path, "package")


@pytest.mark.parametrize("content", [None, b"no archive"])
def test_an_unreadable_source_is_refused(factory: Factory, tmp_path: Path, content: bytes | None) -> None:
    source = tmp_path / "source.tar.gz"
    if content is not None:
        source.write_bytes(content)
    ended = run(factory, tmp_path / "stage", source)
    assert ended.status in {20, 22}
    assert "source.tar.gz" in ended.err
    assert "hint: " in ended.err
    assert not (tmp_path / "stage").exists()


def test_a_package_of_another_target_is_refused(factory: Factory, packages: Path, tmp_path: Path) -> None:
    ended = run(factory, tmp_path / "stage", packages / "codex-0.163.0-linux-x64.tgz")
    assert ended.status != 0
    assert "aarch64-pc-windows-msvc" in ended.err
    assert "hint: " in ended.err
    nothing_but(tmp_path)


def test_an_unknown_platform_is_refused(factory: Factory, source: Path, tmp_path: Path) -> None:
    ended = factory(
        "stage-runtime", tmp_path / "s", source, "--codex-version", "0.163.0", "--platform-tag", "any"
    )
    assert ended.status == 20
    assert "'any'" in ended.err
    nothing_but(tmp_path, "package")


@pytest.mark.parametrize(
    ("name", "platform"), [("linux-x64", "manylinux_2_17_x86_64"), ("win32-arm64", "win_arm64")]
)
def test_without_a_platform_the_package_decides(
    factory: Factory, packages: Path, tmp_path: Path, name: str, platform: str
) -> None:
    package = packages / f"codex-0.163.0-{name}.tgz"
    ended = factory("stage-runtime", tmp_path / "stage", package, "--codex-version", "0.163.0", "--json")
    assert ended.document == {"path": str(tmp_path / "stage"), "version": "0.163.0", "platform": platform}


def test_without_a_platform_a_package_must_name_its_target(factory: Factory, tmp_path: Path) -> None:
    (tmp_path / "codex").write_bytes(executable(Target.LINUX_X86_64, name="codex"))
    ended = factory("stage-runtime", tmp_path / "stage", tmp_path / "codex", "--codex-version", "0.163.0")
    assert ended.status == 20
    assert "codex does not name its target\nhint: Give --platform" in ended.complaint
    nothing_but(tmp_path, "codex")

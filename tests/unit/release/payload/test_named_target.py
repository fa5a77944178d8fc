"""The target that a package itself names."""

import json
import shutil
from pathlib import Path

import pytest

from factory.core.errors import UsageError
from factory.core.targets import Target
from factory.release.payload.named_target import named_target
from tests.packages import executable, npm_tarball, package_directory, release_files

LINUX, WINDOWS = Target.LINUX_AARCH64, Target.WINDOWS_X86_64


@pytest.mark.parametrize("target", [LINUX, WINDOWS])
def test_an_npm_tarball_names_it_in_its_paths(tmp_path: Path, target: Target) -> None:
    assert named_target(npm_tarball(tmp_path / "some.tgz", {target: release_files(target)})) is target


def test_a_tarball_for_several_targets_is_ambiguous(tmp_path: Path) -> None:
    files = {target: release_files(target) for target in (LINUX, WINDOWS)}
    with pytest.raises(
        UsageError, match=r"some\.tgz is for several targets: aarch64-unknown-linux-musl, x86"
    ):
        named_target(npm_tarball(tmp_path / "some.tgz", files))


def test_a_directory_names_it_in_its_description(tmp_path: Path) -> None:
    assert named_target(package_directory(tmp_path / "package", release_files(LINUX))) is LINUX


@pytest.mark.parametrize("place", ["package/vendor", "vendor"])
def test_an_unpacked_tarball_names_it_in_its_directories(tmp_path: Path, place: str) -> None:
    package_directory(tmp_path / "some" / place / LINUX.value, release_files(LINUX))
    assert named_target(tmp_path / "some") is LINUX


@pytest.mark.parametrize(
    "description",
    [b"", b"[]", b"{}", json.dumps({"target": 5}).encode(), b'{"target": "sparc"}', b" " * 70_000],
)
def test_a_description_that_names_none_leaves_the_file_name(tmp_path: Path, description: bytes) -> None:
    for name, expected in (("some", None), (f"codex-package-{LINUX.value}", LINUX)):
        package = tmp_path / name
        package.mkdir()
        (package / "codex-package.json").write_bytes(description)
        if description.endswith(b'"sparc"}') or expected is None:
            with pytest.raises(UsageError, match="does not name its target"):
                named_target(package)
        else:
            assert named_target(package) is expected
        shutil.rmtree(package)


def test_an_executable_names_it_in_its_file_name_only(tmp_path: Path) -> None:
    content = executable(LINUX, name="codex")
    (tmp_path / f"codex-{LINUX.value}").write_bytes(content)
    (tmp_path / "codex").write_bytes(content)
    assert named_target(tmp_path / f"codex-{LINUX.value}") is LINUX
    with pytest.raises(UsageError, match="codex does not name its target"):
        named_target(tmp_path / "codex")


def test_what_is_not_a_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text")
    with pytest.raises(UsageError, match="is not a release package"):
        named_target(tmp_path / "text")
    with pytest.raises(UsageError, match="is not a release package"):
        named_target(tmp_path / "absent")

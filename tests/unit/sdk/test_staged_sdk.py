"""Staging an SDK from a checkout, an sdist and a wheel, and every reason to refuse one."""

import io
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import tomlkit

from factory.core.errors import FactoryError, UsageError
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.sdk.sdk_files import UnusableSdk, requested_sdk
from factory.sdk.staged_sdk import SdkOrder, stage_sdk
from factory.system.process import Command, SubprocessRunner
from tests.unit.cli.conftest import Factory, cache, cache_with_toolchain, factory

__all__ = ["cache", "cache_with_toolchain", "factory"]

PROJECT = """\
# The SDK.
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "tiny-sdk"
version = "0.0.0.dev0"  # stamped
requires-python = ">=3.10"
dependencies = [
    "packaging>=1",
    "openai-codex-cli-bin==0.1.0",  # the runtime
]

[tool.hatch.build.targets.wheel]
packages = ["src/tiny_sdk"]
"""
TAG = CodexTag.parse("rust-v0.163.0")
METADATA = """\
Metadata-Version: 2.4
Name: tiny-sdk
Version: 0.5.0
Summary: Says hello
Keywords: a,b
Author: Somebody
License-Expression: Apache-2.0
Classifier: Intended Audience :: Developers
Requires-Dist: packaging>=1
Requires-Dist: openai-codex-cli-bin==0.5.0
Requires-Python: >=3.10
Project-URL: Homepage, https://sdk.example.invalid/
Description-Content-Type: text/markdown

# Tiny
"""


def checkout(path: Path, project: str = PROJECT) -> Path:
    files = {
        "pyproject.toml": project,
        "src/tiny_sdk/__init__.py": "SAID = 'hello'\n",
        "src/tiny_sdk/bin/codex": "an old runtime",
        "src/tiny_sdk/__pycache__/x.cpython-311.pyc": "",
        ".venv/pyvenv.cfg": "",
        "dist/tiny_sdk-0.whl": "",
        "src/tiny_sdk.egg-info/PKG-INFO": "",
        "docs/build.md": "how",
    }
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content, encoding="utf-8")
    return path


def sdist(path: Path, *, tops: tuple[str, ...] = ("tiny_sdk-0.5.0",)) -> Path:
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for top in tops:
            for name, text in (
                ("pyproject.toml", PROJECT),
                ("PKG-INFO", "x"),
                ("src/tiny_sdk/a.py", "A = 1\n"),
            ):
                member = tarfile.TarInfo(f"{top}/{name}")
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
    return path


def wheel(path: Path, metadata: str = METADATA) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny_sdk/__init__.py", "SAID = 'hello'\n")
        archive.writestr("tiny_sdk-0.5.0.dist-info/METADATA", metadata)
        archive.writestr("tiny_sdk-0.5.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    return path


def order(source: Path, tmp_path: Path, version: str = "0.163.0") -> SdkOrder:
    return SdkOrder(source=source, destination=tmp_path / "stage", runtime=TAG, version=version)


def files_in(directory: Path) -> list[str]:
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())


def test_a_checkout_is_copied_without_build_output_and_stamped(tmp_path: Path) -> None:
    staged = stage_sdk(order(checkout(tmp_path / "sdk"), tmp_path))
    assert (staged.name, staged.version, staged.requirement) == (
        "tiny-sdk",
        "0.163.0",
        "openai-codex-cli-bin==0.163.0",
    )
    assert files_in(staged.path) == ["docs/build.md", "pyproject.toml", "src/tiny_sdk/__init__.py"]
    assert (staged.path / "pyproject.toml").read_text() == PROJECT.replace("0.0.0.dev0", "0.163.0").replace(
        "cli-bin==0.1.0", "cli-bin==0.163.0"
    ) + (
        '\n[tool.codex-wheel-factory]\nruntime = "0.163.0"\nrepinned = true\nregenerated = false\n'
        '\n[tool.codex-wheel-factory.source]\nname = "tiny-sdk"\nversion = "0.0.0.dev0"\n'
        f'sha256 = "{requested_sdk(tmp_path / "sdk").sha256}"\n'
    )


def test_an_sdist_is_staged_without_its_top_level_directory(tmp_path: Path) -> None:
    staged = stage_sdk(order(sdist(tmp_path / "tiny_sdk-0.5.0.tar.gz"), tmp_path))
    assert files_in(staged.path) == ["pyproject.toml", "src/tiny_sdk/a.py"]


def test_a_wheel_becomes_a_project_with_the_same_metadata(tmp_path: Path) -> None:
    staged = stage_sdk(order(wheel(tmp_path / "tiny_sdk-0.5.0-py3-none-any.whl"), tmp_path))
    assert files_in(staged.path) == ["README.md", "pyproject.toml", "src/tiny_sdk/__init__.py"]
    assert (staged.path / "README.md").read_text() == "# Tiny\n"
    document = tomlkit.parse((staged.path / "pyproject.toml").read_text()).unwrap()
    assert document["project"] == {
        "name": "tiny-sdk",
        "version": "0.163.0",
        "readme": "README.md",
        "dependencies": ["packaging>=1", "openai-codex-cli-bin==0.163.0"],
        "description": "Says hello",
        "requires-python": ">=3.10",
        "license": "Apache-2.0",
        "keywords": ["a", "b"],
        "classifiers": ["Intended Audience :: Developers"],
        "authors": [{"name": "Somebody"}],
        "urls": {"Homepage": "https://sdk.example.invalid/"},
    }


@pytest.mark.parametrize("form", ["checkout", "wheel"])
def test_the_stage_builds_with_its_own_backend(tmp_path: Path, form: str) -> None:
    source = checkout(tmp_path / "sdk") if form == "checkout" else wheel(tmp_path / "a-1-py3-none-any.whl")
    staged = stage_sdk(order(source, tmp_path))
    argv = (
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "-o",
        str(tmp_path / "out"),
        str(staged.path),
    )
    completed = SubprocessRunner().run(Command(argv=argv, env={"PYTHONDONTWRITEBYTECODE": "1"}))
    assert completed.returncode == 0, completed.output
    with zipfile.ZipFile(tmp_path / "out" / "tiny_sdk-0.163.0-py3-none-any.whl") as built:
        metadata = built.read("tiny_sdk-0.163.0.dist-info/METADATA").decode()
        assert "tiny_sdk/__init__.py" in built.namelist()
    assert "Requires-Dist: openai-codex-cli-bin==0.163.0\n" in metadata


def test_only_an_earlier_stage_is_replaced(tmp_path: Path) -> None:
    source = checkout(tmp_path / "sdk")
    staged = stage_sdk(order(source, tmp_path))
    (staged.path / "stale.py").touch()
    stage_sdk(order(source, tmp_path))
    assert not (staged.path / "stale.py").exists()
    (staged.path / "pyproject.toml").write_text(PROJECT)
    with pytest.raises(UsageError, match="was not created by this command"):
        stage_sdk(order(source, tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sdk", "stage"]


PIN = '"openai-codex-cli-bin==0.1.0",  # the runtime'


@pytest.mark.parametrize(
    ("project", "error", "message"),
    [
        (PROJECT.replace(PIN, ""), UsageError, "the SDK has no requirements of openai-codex-cli-bin"),
        (
            PROJECT.replace(PIN, f'"openai_codex.cli-bin>=0",\n{PIN}'),
            UsageError,
            "the SDK has 2 requirements",
        ),
        (
            PROJECT.replace("==0.1.0", "==0.1.0; sys_platform == 'linux'"),
            UsageError,
            "the SDK's requirement of its runtime has a marker, extras or a URL",
        ),
        (
            PROJECT.replace('version = "0.0.0.dev0"', 'dynamic = ["version"]'),
            UsageError,
            "the SDK's version must be static, not dynamic",
        ),
        (
            PROJECT.replace("[project]", '[project]\ndynamic = ["dependencies"]'),
            UsageError,
            "the SDK's dependencies must be static",
        ),
        (PROJECT.replace('"packaging>=1"', '"=="'), UsageError, "'==' is not a requirement"),
        (PROJECT.replace('"packaging>=1"', "1"), UsageError, "no list of dependencies"),
        ("[project", UnusableSdk, "is not TOML"),
        ("[tool.x]\n", UnusableSdk, "names no project"),
    ],
)
def test_a_project_that_cannot_be_pinned_is_refused(
    tmp_path: Path, project: str, error: type[FactoryError], message: str
) -> None:
    with pytest.raises(error) as caught:
        stage_sdk(order(checkout(tmp_path / "sdk", project), tmp_path))
    assert message in str(caught.value)
    assert caught.value.exit_code == 20
    assert [path.name for path in tmp_path.iterdir()] == ["sdk"]


def test_an_invalid_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'new' is not a version"):
        stage_sdk(order(checkout(tmp_path / "sdk"), tmp_path, version="new"))


def test_a_stage_inside_the_sdk_is_refused(tmp_path: Path) -> None:
    source = checkout(tmp_path / "sdk")
    with pytest.raises(UsageError, match="overlap"):
        stage_sdk(SdkOrder(source=source, destination=source / "stage", runtime=TAG, version="1"))


def test_a_path_that_is_not_an_sdk_is_refused(tmp_path: Path) -> None:
    linked = checkout(tmp_path / "linked")
    (linked / "link.py").symlink_to("pyproject.toml")
    (tmp_path / "plain.txt").touch()
    (tmp_path / "empty").mkdir()
    reasons = {
        linked: "link.py is not a regular file",
        tmp_path / "plain.txt": "neither a directory nor an archive",
        tmp_path / "empty": "no pyproject.toml",
        tmp_path / "gone": "does not exist",
        tmp_path / "gone.whl": "No such file",
        sdist(tmp_path / "two.tar.gz", tops=("a", "b")): "must have one top-level directory",
        wheel(tmp_path / "bad.whl", "Name: x\n"): "its METADATA is not valid",
    }
    for path, reason in reasons.items():
        with pytest.raises(UnusableSdk) as caught:
            stage_sdk(order(path, tmp_path))
        assert reason in str(caught.value)
    assert not (tmp_path / "stage").exists()


def test_the_command_refuses_to_pin_without_the_requested_proof(tmp_path: Path, factory: Factory) -> None:
    source = checkout(tmp_path / "sdk")
    stage = ("stage-sdk", tmp_path / "stage", "--sdk-source", source, "--codex-version", "v0.163.0")
    ended = factory(*stage, "--manifest", tmp_path)
    assert ended.status == 20
    assert ended.complaint == (
        f"factory: cannot read {tmp_path}/manifest.json: No such file or directory\n"
        "hint: Name the manifest.json that 'factory wheels' wrote, or its directory.\n"
    )
    assert not (tmp_path / "stage").exists()
    ended = factory(*stage, "--runtime-version", "0.163.0", "--sdk-version", "0.163.1", "--json")
    assert ended.document == {
        "path": str(tmp_path / "stage"),
        "name": "tiny-sdk",
        "version": "0.163.1",
        "requirement": "openai-codex-cli-bin==0.163.0",
        "source": {
            "name": "tiny-sdk",
            "version": "0.0.0.dev0",
            "sha256": str(requested_sdk(source).sha256),
        },
        "repinned": True,
        "regenerated": False,
        "runtime": "0.163.0",
        "changes": [],
    }
    assert factory(*stage, "--runtime-version", "0.162.0").status == 20


def test_an_exact_version_is_downloaded_by_pip(tmp_path: Path, factory: Factory) -> None:
    local = tmp_path / "local"
    local.mkdir()
    wheel(local / "tiny_sdk-0.5.0-py3-none-any.whl")
    where = ("--find-links", local, "--no-index", "--codex-version", "0.163.0", "--json")
    ended = factory("stage-sdk", tmp_path / "stage", "--sdk-source", "tiny-sdk==0.5.0", *where)
    assert ended.status == 0, ended.err
    assert ended.document["requirement"] == "openai-codex-cli-bin==0.163.0"
    assert "src/tiny_sdk/__init__.py" in files_in(tmp_path / "stage")

    ended = factory("stage-sdk", tmp_path / "other", "--sdk-source", "tiny-sdk==0.6.0", *where)
    assert (ended.status, ended.out) == (21, "")
    assert "pip could not download tiny-sdk==0.6.0" in ended.err
    assert not (tmp_path / "other").exists()


def test_the_readme_names_the_missing_platforms(tmp_path: Path) -> None:
    source = checkout(tmp_path / "sdk")
    (source / "README.md").write_text("# Tiny\n\n")
    missing = (Platform.parse("win_amd64"), Platform.parse("win_arm64"))
    stage_sdk(replace(order(source, tmp_path), missing=missing))
    readme = (order(source, tmp_path).destination / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# Tiny\n\n## Missing platforms\n\n")
    assert readme.endswith("There is no wheel of openai-codex-cli-bin==0.163.0 for: win_amd64, win_arm64.\n")

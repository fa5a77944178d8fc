"""The distributions of this project: strict metadata, complete contents, an install beside factory-boy."""

import os
import subprocess  # noqa: TID251 - it starts installers as a user does
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow]


def run(
    *words: str | Path, cwd: Path, env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    argv = [str(word) for word in words]
    return subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and the wheel from it, as a release does."""
    directory = tmp_path_factory.mktemp("built")
    ended = run(sys.executable, "-m", "build", "--no-isolation", "--outdir", directory, ROOT, cwd=directory)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return directory


def only(directory: Path, pattern: str) -> Path:
    (path,) = directory.glob(pattern)
    return path


def test_twine_accepts_the_metadata(built: Path) -> None:
    ended = run(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir(), cwd=built)
    assert ended.returncode == 0, ended.stdout


def test_the_wheel_has_the_template_the_locks_and_the_script(built: Path) -> None:
    with zipfile.ZipFile(only(built, "*.whl")) as wheel:
        names = set(wheel.namelist())
    assert {
        "codex_wheel_factory.py",
        "factory/_runtime_template/hatch_build.py",
        "factory/build/locks/hatchling-1.33.0.txt",
        "factory/audit/report/templates/page.html",
        "factory/py.typed",
    } <= names
    assert not any(name.startswith("tests/") for name in names)


def test_the_sdist_has_every_file_of_the_repository(built: Path) -> None:
    listed = run("git", "ls-files", cwd=ROOT)
    if listed.returncode != 0:
        pytest.skip("this is not a checkout")
    with tarfile.open(only(built, "*.tar.gz")) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert set(listed.stdout.splitlines()) - names == set()


def test_the_sdist_passes_its_own_tests(built: Path, tmp_path: Path) -> None:
    with tarfile.open(only(built, "*.tar.gz")) as sdist:
        sdist.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    marks = "not network and not docker and not slow"
    words = ("-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "-m", marks, "-p", "no:cacheprovider")
    env = dict(os.environ) | {"PYTHONPATH": str(unpacked)}
    ended = run(sys.executable, *words, "tests/unit", cwd=unpacked, env=env)
    assert ended.returncode == 0, ended.stdout[-3000:]


@pytest.mark.network
def test_an_install_beside_factory_boy_says_what_is_wrong(built: Path, tmp_path: Path) -> None:
    env = dict(os.environ) | {"PYTHONPATH": ""}
    run(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    python = tmp_path / "env/bin/python"
    for what in (only(built, "*.whl"), "factory-boy"):
        ended = run(python, "-m", "pip", "install", "--quiet", what, cwd=tmp_path, env=env)
        assert ended.returncode == 0, ended.stderr
    for script in ("factory", "codex-wheel-factory"):
        ended = run(tmp_path / "env/bin" / script, "--version", cwd=tmp_path, env=env)
        assert (ended.returncode, ended.stdout) == (25, "")
        assert "is another package 'factory' from factory_boy, which replaced" in ended.stderr
    run(
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--force-reinstall",
        only(built, "*.whl"),
        cwd=tmp_path,
        env=env,
    )
    assert run(tmp_path / "env/bin/factory", "targets", cwd=tmp_path, env=env).returncode == 0

"""The key of a cache changes with the program's version and each lock, and with no other file."""

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.children import ROOT, Child

SCRIPT = ROOT / ".ci/cache_key.py"


@pytest.fixture(scope="module")
def cache_key() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cache_key", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def source(tmp_path: Path) -> Path:
    locks = tmp_path / "factory/build/locks"
    locks.mkdir(parents=True)
    (tmp_path / "factory/__init__.py").write_text('__version__ = "0.1.0"\n')
    (tmp_path / "requirements.txt").write_text("requests==1\n")
    (locks / "hatchling-1.txt").write_text("hatchling==1\n")
    return tmp_path


def test_the_key_names_the_version_and_the_machine(cache_key: ModuleType, source: Path) -> None:
    assert (
        cache_key.cache_key(source, "Linux", "X64") == "codex-wheel-factory-0.1.0-Linux-X64-67e25dbc52a6776e"
    )


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("factory/__init__.py", '__version__ = "0.2.0"\n'),
        ("requirements.txt", "requests==2\n"),
        ("factory/build/locks/hatchling-1.txt", "hatchling==1 --hash=sha256:0\n"),
        ("factory/build/locks/hatchling-2.txt", "hatchling==1\n"),
    ],
)
def test_the_version_and_each_lock_change_the_key(
    cache_key: ModuleType, source: Path, path: str, text: str
) -> None:
    before = cache_key.cache_key(source)
    (source / path).write_text(text)
    assert cache_key.cache_key(source) != before


def test_other_files_and_the_place_do_not_change_the_key(
    cache_key: ModuleType, source: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(source, tmp_path / "other")
    (other / "README.md").write_text("x")
    (other / "factory/build/locks/notes.md").write_text("x")
    assert cache_key.cache_key(other) == cache_key.cache_key(source)


def test_the_script_prints_one_line_with_python_s_version(tmp_path: Path) -> None:
    ended = Child(argv=(sys.executable, "-I", str(SCRIPT), "Linux", "X64"), cwd=tmp_path).run()
    (line,) = ended.out.splitlines()
    assert line.startswith("codex-wheel-factory-0.1.0-Linux-X64-py3.")

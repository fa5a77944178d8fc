"""A real part of a release: attest reads every byte of the wheels that it vouches for."""

import shutil
from pathlib import Path

import pytest

from tests.packages import release_directory
from tests.runs import run_factory


@pytest.fixture(scope="session")
def built_part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("built")
    packages = release_directory(root / "packages")
    run_factory(packages, root, cache=root / "cache", platforms=("win_amd64",))
    return root / "0.163.0"


@pytest.fixture
def part(built_part: Path, tmp_path: Path) -> Path:
    """Return a copy of the part, which a test may change."""
    return Path(shutil.copytree(built_part, tmp_path / "part"))

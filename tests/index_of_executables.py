"""The index of known executables that the tests of fabricated wheels use."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from factory.core.tags import CodexTag
from factory.verify.baseline import executables_file
from factory.verify.baseline.executables import KnownExecutables

REAL_INDEX = executables_file.EXECUTABLES_PATH
"""The index that belongs to the factory."""

FABRICATED = CodexTag.parse("rust-v0.163.0")
"""The release that the fabricated wheels and packages of the tests name."""


@contextmanager
def without_fabricated_release() -> Iterator[None]:
    """Use the bundled index without the release of the fabricated wheels.

    The real index lists the executables of that release, so that each fabricated executable would be found.
    """
    real = executables_file.read_executables(REAL_INDEX)
    kept = KnownExecutables(package for package in real.packages if package.release != FABRICATED)
    with tempfile.TemporaryDirectory(prefix="factory-index-") as directory:
        path = Path(directory) / "known_executables.json"
        path.write_text(executables_file.render_executables(kept), "utf-8")
        with index_at(path):
            yield


@contextmanager
def index_at(path: Path) -> Iterator[None]:
    """Use another file as the bundled index; every caller reads it as in production."""
    executables_file.bundled_executables.cache_clear()
    with patch.object(executables_file, "EXECUTABLES_PATH", path):
        yield
    executables_file.bundled_executables.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def index_without_the_fabricated_release() -> Iterator[None]:
    """Use the index in every test of a directory with a ``conftest.py`` that imports this."""
    with without_fabricated_release():
        yield

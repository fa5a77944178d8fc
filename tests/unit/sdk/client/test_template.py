"""The SDK's own tests, in a project that is made from the template and a small protocol."""

import os
import subprocess  # noqa: TID251 - it runs pytest, as a user of the project does
import sys
from pathlib import Path

import pytest

from tests.own_sdk import own_project

TESTS = Path(__file__).parents[4] / "factory/sdk/client_template/tests"


MODULES = frozenset(path.name for path in TESTS.glob("test_*.py"))
WITH_PROCESSES = frozenset({"test_async.py", "test_sync.py"})


@pytest.mark.parametrize(
    "modules",
    [
        pytest.param(MODULES - WITH_PROCESSES, id="without processes"),
        pytest.param(WITH_PROCESSES, id="with processes", marks=pytest.mark.slow),
    ],
)
def test_the_tests_of_the_sdk_pass(modules: frozenset[str], tmp_path: Path) -> None:
    project = own_project(tmp_path / "sdk")
    paths = [f"tests/{module}" for module in sorted(modules)]
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths]
    done = subprocess.run(  # noqa: S603 - an argument vector
        argv, cwd=project, env={**os.environ, "PYTHONPATH": ""}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout

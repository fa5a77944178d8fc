"""The SDK's own tests, in a project that is made from the template and a small protocol."""

import os
import subprocess  # noqa: TID251 - it runs pytest, as a user of the project does
import sys
from pathlib import Path

import pytest

from tests.own_sdk import own_project

TESTS = Path(__file__).parents[4] / "factory/sdk/client_template/tests"


MODULES = sorted(path.name for path in TESTS.glob("test_*.py"))
WITH_PROCESSES = {"test_async.py", "test_sync.py"}


@pytest.mark.parametrize("module", [name for name in MODULES if name not in WITH_PROCESSES])
def test_the_tests_of_the_sdk_pass(module: str, tmp_path: Path) -> None:
    run_tests(module, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("module", sorted(WITH_PROCESSES))
def test_the_tests_of_the_sdk_with_processes_pass(module: str, tmp_path: Path) -> None:
    run_tests(module, tmp_path)


def run_tests(module: str, tmp_path: Path) -> None:
    project = own_project(tmp_path / "sdk")
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/{module}"]
    done = subprocess.run(  # noqa: S603 - an argument vector
        argv, cwd=project, env={**os.environ, "PYTHONPATH": ""}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout

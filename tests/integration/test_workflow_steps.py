"""The scripts of the wheels workflow as they stand, run machine after machine on a synthetic release."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.children import Child
from tests.packages import release_directory
from tests.toolchains import place_toolchain
from tests.workflow_files import ROOT, script_of

WHEELS = ROOT / ".github/workflows/wheels.yml"
SHELL = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c")
FACTORY = """#!/bin/bash
case "$1" in
  matrix | wheels) set -- "$@" --channel directory --directory "$PACKAGES" ;;
esac
exec "$PYTHON" -m factory "$@"
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the jobs that run factory are on Linux"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine of the CI: a checkout with the factory set up, and a cache of its own."""

    home: Path
    packages: Path

    def step(self, saying: str, env: Mapping[str, str]) -> str:
        """Run the step whose script says something, and return what it wrote for other jobs."""
        self.run(script_of(WHEELS, saying), env)
        output = self.home / "github-output"
        return output.read_text() if output.exists() else ""

    def run(self, script: str, env: Mapping[str, str]) -> None:
        """Run a script as the CI does."""
        settings = {
            "PACKAGES": str(self.packages),
            "PYTHON": sys.executable,
            "PYTHONPATH": str(ROOT),
            "FACTORY_CACHE_DIR": str(self.home / "cache"),
            "GITHUB_OUTPUT": str(self.home / "github-output"),
            "GITHUB_STEP_SUMMARY": str(self.home / "summary"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        ended = Child(argv=(*SHELL, script), env={**settings, **env}, cwd=self.home).run()
        assert ended.status == 0, ended.err


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    return release_directory(tmp_path / "packages")


def machine(tmp_path: Path, name: str, packages: Path) -> Machine:
    home = tmp_path / "machines" / name
    program = home / ".venv" / "bin" / "factory"
    program.parent.mkdir(parents=True)
    program.write_text(FACTORY)
    program.chmod(0o755)
    place_toolchain(home / "cache")
    return Machine(home=home, packages=packages)


def test_eight_machines_build_and_one_merges_and_pins(tmp_path: Path, packages: Path) -> None:
    written = machine(tmp_path, "plan", packages).step("factory ci matrix", {"TAG": "v0.163.0"})
    jobs = json.loads(written.removeprefix("matrix="))["include"]
    assert len(jobs) == 8

    merging = machine(tmp_path, "merge", packages)
    for job in jobs:
        building = machine(tmp_path, job["platform"], packages)
        env = {name.upper(): job[name] for name in ("tag", "version", "platform", "wheel")}
        building.step("factory wheels", env)
        if job["runner"] == "ubuntu-24.04":
            building.step("pip install", {**env, "PYTHONPATH": "tried"})
        shutil.copytree(building.home / "part", merging.home / "parts" / f"part-{job['platform']}")
    merging.step("factory ci merge", {})
    merging.step("factory sdk pin", {})

    alone = machine(tmp_path, "alone", packages)
    alone.run(".venv/bin/factory wheels 0.163.0", {})
    assert content(merging.home / "release") == content(alone.home / "dist" / "0.163.0")
    assert (merging.home / "summary").read_text().count("--hash=sha256:") == 8


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}

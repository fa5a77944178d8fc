"""A bundle's README, run verbatim without a network: install the program, build, audit."""

import os
import shutil
import subprocess  # noqa: TID251 - it runs the README's commands in a shell, as a user does
import sys
from pathlib import Path

import pytest

from factory.core.digests import Sha256
from tests.children import ROOT

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare"),
]


def run(*words: str, cwd: Path, env: dict[str, str]) -> str:
    ended = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


WHEEL = "openai_codex_cli_bin-0.163.0-py3-none-win_arm64.whl"
SHA256 = "0b5a03d08394ec2c33cdce3862fa5d936b119a2ac74509f5f2ff37c464ac6680"


ISOLATED = ("unshare", "--net", "--map-root-user")


def make_bundle(directory: Path, *options: str) -> None:
    make = (sys.executable, "-m", "factory", "bundle", "0.163.0", "--out", str(directory))
    env = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    run(*make, "--platform", "win_arm64", *options, cwd=directory.parent, env=env)


def bare(home: Path) -> dict[str, str]:
    """Return an environment without the settings and the cache of this machine."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "FACTORY_CACHE_DIR": str(home / "other cache"),
        "DOCKER_HOST": "unix:///nonexistent/engine.sock",
    }


def test_a_bundle_without_the_program_builds_without_a_network(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    make_bundle(bundle, "--no-program")
    env = bare(tmp_path) | {"PYTHONPATH": str(ROOT)}
    build = (sys.executable, "-m", "factory", "wheels", "0.163.0", "--offline", str(bundle))
    run(*ISOLATED, *build, cwd=tmp_path, env=env)
    assert Sha256.of_file(tmp_path / "dist/0.163.0" / WHEEL) == Sha256(SHA256)


@pytest.mark.slow  # it installs the program with all of its dependencies
def test_the_readme_of_a_bundle_works_without_a_network(tmp_path: Path) -> None:
    bundle = tmp_path / "my bundle"
    make_bundle(bundle)
    lines = (bundle / "README.md").read_text().splitlines()
    script = "\n".join(["set -eux", *(line[4:] for line in lines if line.startswith("    "))])
    out = run(*ISOLATED, "sh", "-c", script, cwd=bundle, env=bare(tmp_path))
    assert Sha256.of_file(tmp_path / "dist/0.163.0" / WHEEL) == Sha256(SHA256)
    assert f"{WHEEL}\tlocal file\tIDENTICAL\t" in out

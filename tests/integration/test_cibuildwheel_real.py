"""cibuildwheel for real: it makes the same bytes, tries the wheel where it can, and leaves no container."""

import hashlib
import json
import signal
from contextlib import closing
from pathlib import Path

import docker
import pytest

from factory.core.targets import Target
from factory.system.containers.engine import OWNER_LABEL
from tests.children import Child, Ended, factory
from tests.engines import ENGINE, required_engine
from tests.packages import bulky_directory, npm_tarball, release_directory, release_files

pytestmark = [pytest.mark.docker, pytest.mark.network]

MANYLINUX, WINDOWS = "manylinux_2_17_x86_64", "win_arm64"


@pytest.fixture(autouse=True)
def engine() -> None:
    with required_engine():
        pass


def comparison(packages: Path, directory: Path, *more: str) -> Child:
    words = ("reproduce", "0.163.0", "--channel", "directory", "--directory", str(packages), "--json")
    env = {**ENGINE, "FACTORY_CACHE_DIR": str(directory / "cache")}
    return factory(*words, *more, "--variation", "cibuildwheel", cwd=directory, env=env)


def compare(packages: Path, directory: Path, *more: str) -> tuple[Ended, list[tuple[str, str, str]]]:
    ended = comparison(packages, directory, *more).run()
    # A run's lock file goes after its last container, wherever the run ended.
    assert list((directory / "cache" / "containers").iterdir()) == []
    outcomes = json.loads(ended.out)["outcomes"]
    return ended, [(one["variation"], one["platform"], one["state"]) for one in outcomes]


def test_a_container_of_linux_makes_every_platform_s_bytes(tmp_path: Path) -> None:
    packages = release_directory(tmp_path / "packages")
    ended, outcomes = compare(packages, tmp_path, "--platform", MANYLINUX, "--platform", WINDOWS)
    assert ended.status == 0, ended.err
    assert outcomes == [
        ("plain", MANYLINUX, "plain"),
        ("plain", WINDOWS, "plain"),
        ("cibuildwheel", MANYLINUX, "equal"),
        ("cibuildwheel", WINDOWS, "equal"),
    ]
    assert f"not tested after the build: the {WINDOWS} wheel" in ended.err
    assert f"the {MANYLINUX} wheel" not in ended.err


def test_a_wheel_whose_program_does_not_start_fails_there(tmp_path: Path) -> None:
    files = release_files(Target.LINUX_X86_64)
    files["bin/codex"] = (b"#!/bin/sh\nexit 7\n", 0o755)
    packages = tmp_path / "packages"
    packages.mkdir()
    tarball = npm_tarball(packages / "codex-0.163.0-linux-x64.tgz", {Target.LINUX_X86_64: files})
    digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
    (packages / "SHA256SUMS").write_text(f"{digest}  {tarball.name}\n")

    ended, outcomes = compare(packages, tmp_path, "--platform", MANYLINUX)
    assert ended.status == 11
    assert outcomes == [("plain", MANYLINUX, "plain"), ("cibuildwheel", MANYLINUX, "failed")]


@pytest.mark.slow
def test_a_killed_run_s_container_goes_with_it_or_with_the_next_run(tmp_path: Path) -> None:
    packages = bulky_directory(tmp_path / "packages", mib=40)
    command = comparison(packages, tmp_path, "--platform", "win_amd64")
    locks = tmp_path / "cache" / "containers"
    assert command.run().status == 0
    with closing(docker.DockerClient.from_env()) as client:

        def containers() -> list[str]:
            """List cibuildwheel's own containers of this test's runs, by their owner."""
            ours = {lock.stem for lock in locks.iterdir()}
            found = client.api.containers(all=True, filters={"label": OWNER_LABEL, "name": "cibuildwheel"})
            return [entry["Labels"][OWNER_LABEL] for entry in found if entry["Labels"][OWNER_LABEL] in ours]

        for by, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            assert command.kill_once(containers, by=by).status == status
            assert list(locks.iterdir()) == []

        assert command.kill_once(containers).status == -9
        (left,) = containers()
        assert command.run().status == 0
        assert list(locks.iterdir()) == []
        assert client.api.containers(all=True, filters={"label": f"{OWNER_LABEL}={left}"}) == []

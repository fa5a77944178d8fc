"""Directories of locked wheels are downloaded once, completely and with hashes."""

from pathlib import Path

import pytest

from factory.build.locked_wheels import WheelsNotFetched, fetch_locked_wheels
from factory.build.toolchain import lock_for, lock_named
from factory.system.process import Command, Completed
from tests.fake_runner import Expected, FakeRunner

PYTHON = Path("/env/bin/python")
LOCKS = (lock_for("1.33.0"), lock_named("virtualenv-21.15.0"))


def downloading(name: str) -> Expected:
    def effect(command: Command) -> None:
        (Path(command.argv[-3]) / name).touch()

    argv = [
        str(PYTHON),
        "-I",
        "-m",
        "pip",
        "download",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--no-deps",
    ]
    return Expected(argv=argv, effect=effect)


def fetch(cache: Path, runner: FakeRunner) -> Path:
    directory = fetch_locked_wheels(
        LOCKS, python=PYTHON, cache_dir=cache, env={"PIP_CERT": "ca.pem"}, runner=runner, hold=lambda _: None
    )
    runner.assert_done()
    return directory


def test_the_directory_has_wheels_and_locks_and_is_downloaded_once(tmp_path: Path) -> None:
    runner = FakeRunner(downloading("hatchling.whl"), downloading("virtualenv.whl"))
    directory = fetch(tmp_path, runner)
    assert {path.name for path in directory.iterdir()} == {
        "hatchling.whl",
        "virtualenv.whl",
        "hatchling-1.33.0.txt",
        "virtualenv-21.15.0.txt",
    }
    assert (directory / "hatchling-1.33.0.txt").read_bytes() == LOCKS[0].content
    assert all(command.env == {"PIP_CERT": "ca.pem"} for command in runner.commands)
    assert fetch(tmp_path, FakeRunner()) == directory


def test_a_failure_leaves_no_directory_and_the_next_run_starts_again(tmp_path: Path) -> None:
    failing = Expected(argv=["pip", "download"], completed=Completed(returncode=1))
    with pytest.raises(WheelsNotFetched, match=r"virtualenv-21\.15\.0 failed: exit status 1"):
        fetch(tmp_path, FakeRunner(downloading("hatchling.whl"), failing))
    assert [path for path in (tmp_path / "toolchains").iterdir() if path.is_dir()] == []
    fetch(tmp_path, FakeRunner(downloading("hatchling.whl"), downloading("virtualenv.whl")))

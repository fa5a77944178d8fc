import json
from pathlib import Path

import pytest

from factory.build.toolchain import (
    Toolchain,
    ToolchainFailed,
    lock_for,
    lock_named,
    lock_names,
    locked_versions,
    make_toolchain,
)
from factory.core.errors import UsageError
from factory.system.process import Command, Completed
from tests.fake_runner import Expected, FakeRunner

ANSWER = json.dumps(
    {
        "executable": "/opt/python/bin/python3",
        "implementation": "CPython",
        "python": "3.12.1",
        "name": "zlib",
        "version": "1.2.13",
        "answer": "ab" * 32,
    }
)
BASE = Path("/opt/python/bin/python3")
PROBE = Expected(argv=[str(BASE), "-I"], completed=Completed(returncode=0, output=ANSWER))


def make_interpreter(command: Command) -> None:
    python = Path(command.argv[-1]) / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()


VENV = Expected(argv=[str(BASE), "-I", "-m", "venv"], effect=make_interpreter)
PIP = Expected(argv=["-I", "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:", "-r"])


def make(cache: Path, runner: FakeRunner) -> Toolchain:
    toolchain = make_toolchain(
        lock=lock_for("1.33.0"), base_python=BASE, cache_dir=cache, env={"PIP_CERT": "ca.pem"}, runner=runner
    )
    runner.assert_done()
    return toolchain


def test_the_lock_of_our_backend() -> None:
    lock = lock_for("1.33.0")

    assert "1.33.0" in locked_versions()
    assert ("hatchling", "1.33.0") in lock.requirements
    assert {"build", "packaging", "pathspec", "pluggy", "pyproject-hooks"} <= {
        name for name, _ in lock.requirements
    }


@pytest.mark.parametrize("name", lock_names())
def test_every_lock_has_hashes_and_no_addresses(name: str) -> None:
    lock = lock_named(name)
    text = lock.content.decode()

    assert tuple(name.rsplit("-", 1)) in lock.requirements
    assert "://" not in text
    assert text.count("==") >= len(lock.requirements)
    blocks = text.replace("\\\n", " ").splitlines()
    assert all("--hash=sha256:" in line for line in blocks if line and not line.startswith("#"))


def test_locks_of_other_tools_are_not_backend_versions() -> None:
    assert "cibuildwheel-4.3.5" in lock_names()
    assert "4.3.5" not in locked_versions()


def test_an_unknown_version_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"'hatchling-0\.1'") as caught:
        lock_for("0.1")

    assert "hatchling-1.33.0" in caught.value.hint


def test_a_path_is_not_a_version() -> None:
    with pytest.raises(UsageError):
        lock_for("../../secret")


def test_the_environment_is_made_once(tmp_path: Path) -> None:
    first = FakeRunner(PROBE, VENV, PIP)

    made = make(tmp_path, first)
    again = make(tmp_path, FakeRunner(PROBE))

    assert again == made
    assert made.python.is_relative_to(tmp_path / "toolchains")
    assert made.interpreter.version == "3.12.1"
    assert all(command.env == {"PIP_CERT": "ca.pem"} for command in first.commands)
    assert (made.python.parent.parent / "lock.txt").read_bytes() == lock_for("1.33.0").content


def test_an_incomplete_environment_is_made_again(tmp_path: Path) -> None:
    made = make(tmp_path, FakeRunner(PROBE, VENV, PIP))
    (made.python.parent.parent / "complete.json").unlink()
    stray = made.python.parent / "stray"
    stray.touch()

    make(tmp_path, FakeRunner(PROBE, VENV, PIP))

    assert not stray.exists()


@pytest.mark.parametrize(
    ("script", "phase"),
    [
        ([PROBE, Expected(argv=["venv"], completed=Completed(returncode=3))], "creating the environment"),
        (
            [PROBE, VENV, Expected(argv=["pip"], completed=Completed(returncode=3))],
            "installing the locked packages",
        ),
    ],
)
def test_a_failure_names_the_phase_and_leaves_no_environment(
    tmp_path: Path, script: list[Expected], phase: str
) -> None:
    with pytest.raises(ToolchainFailed) as caught:
        make(tmp_path, FakeRunner(*script))

    assert f"the toolchain hatchling-1.33.0 failed while {phase}" in str(caught.value)
    assert "exit status 3" in str(caught.value)
    assert not [path for path in (tmp_path / "toolchains").iterdir() if path.is_dir()]

"""An environment that uv made has no pip; one with pip is made in the cache."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from factory.cli.pip_python import python_with_pip
from factory.cli.settings import Settings
from factory.core.errors import BuildError
from factory.system.process import Command, Completed, SubprocessRunner


def settings(cache: Path) -> Settings:
    return replace(Settings.from_environ({}), cache_dir=cache)


class NoProcess:
    def run(self, command: Command) -> Completed:
        raise AssertionError(command.argv)


def test_this_interpreter_is_taken_if_it_has_pip(tmp_path: Path) -> None:
    assert python_with_pip(settings(tmp_path), NoProcess()) == Path(sys.executable)


class FakeVenv:
    """Probes this interpreter really; an environment is only its interpreter's file."""

    def __init__(self, status: int = 0) -> None:
        self.status = status
        self.started: list[tuple[str, ...]] = []

    def run(self, command: Command) -> Completed:
        if "venv" in command.argv or "pip" in command.argv:
            self.started.append(command.argv)
            if "venv" in command.argv and not self.status:
                python = Path(command.argv[-1]) / "bin" / "python"
                python.parent.mkdir(parents=True)
                python.touch()
            return Completed(returncode=self.status)
        return SubprocessRunner().run(command)


def test_without_pip_an_environment_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    runner = FakeVenv()
    python = python_with_pip(settings(tmp_path), runner)
    assert python.is_relative_to(tmp_path / "toolchains")
    assert runner.started[0][:4] == (sys.executable, "-I", "-m", "venv")
    count = len(runner.started)
    assert python_with_pip(settings(tmp_path), runner) == python
    assert len(runner.started) == count


def test_an_environment_that_cannot_be_made_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(BuildError, match="creating the environment"):
        python_with_pip(settings(tmp_path), FakeVenv(status=1))

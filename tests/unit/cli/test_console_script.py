"""The console script, beside another distribution with a package ``factory``."""

import os
import subprocess  # noqa: TID251 - it starts the script as a user does
import sys
from pathlib import Path

import pytest

from factory import __version__
from factory.cli.console_script import main

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "factory/cli/console_script.py"


def start(*words: str, path: Path) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join((str(path), *sys.path))}
    code = "import runpy, sys; sys.argv[:] = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    return subprocess.run(  # noqa: S603
        [sys.executable, "-P", "-c", code, str(SCRIPT), *words],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Install another distribution with a package ``factory``."""
    package = tmp_path / "factory"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('not this one')\n")
    info = tmp_path / "factory_boy-3.3.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: factory_boy\nVersion: 3.3.3\n")
    (info / "RECORD").write_text("factory/__init__.py,,\nfactory_boy-3.3.3.dist-info/RECORD,,\n")
    return tmp_path


def test_the_script_runs_the_command_line() -> None:
    ended = start("--version", path=ROOT)
    assert (ended.returncode, ended.stdout) == (0, f"factory {__version__}\n"), ended.stderr


def test_a_foreign_package_gets_a_sentence(other: Path) -> None:
    ended = start("--version", path=other)
    assert (ended.returncode, ended.stdout) == (25, "")
    assert ended.stderr == (
        f"factory: {other / 'factory'} is another package 'factory' from factory_boy, which replaced that of"
        " codex-wheel-factory\nhint: Install this program into an environment of its own: 'uv tool install"
        " codex-wheel-factory' or 'pipx install codex-wheel-factory'. Then install the other distribution"
        " again: its files are damaged, too.\n"
    )


def test_a_missing_package_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "factory").mkdir()
    ended = start(path=tmp_path)
    assert (ended.returncode, "Traceback" in ended.stderr) in ((25, False), (2, False))


def test_our_own_package_is_recognised(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["factory", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, capsys.readouterr().out) == (0, f"factory {__version__}\n")

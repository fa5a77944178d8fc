"""The runtime with uv, PyInstaller and zipapp, as docs/sdk.md describes it."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.children import Child
from tests.integration.test_real_wheels import (
    SDK_RUNTIME,
    Place,
    environment,
    runs_linux_x86_64,
    sha256,
    succeed,
)

pytestmark = [pytest.mark.network, pytest.mark.slow, runs_linux_x86_64]
PROGRAM = """\
import subprocess, sys
from codex_cli_bin import bundled_codex_path
sys.exit(subprocess.run([bundled_codex_path(), "--version"]).returncode)
"""
VERSION = "codex-cli 0.163.0\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("tools")
    yield Place(directory=directory, cache=directory / "cache")
    shutil.rmtree(directory)


def test_uv_runs_the_runtime_but_does_not_install_it_as_a_tool(place: Place, tmp_path: Path) -> None:
    uv = str(environment(tmp_path / "uv", "uv").with_name("uv"))
    wheel = str(place.wheel(SDK_RUNTIME))
    env = {name: str(tmp_path / name) for name in ("UV_CACHE_DIR", "UV_TOOL_DIR", "UV_TOOL_BIN_DIR")}
    module = ("python", "-m", "codex_cli_bin", "--version")

    for words in (("tool", "run", "--from", wheel), ("run", "--no-project", "--with", wheel)):
        assert succeed(Child(argv=(uv, *words, *module), cwd=tmp_path, env=env)).out == VERSION
    ended = Child(argv=(uv, "tool", "install", wheel), cwd=tmp_path, env=env).run()
    assert ended.status != 0
    assert "No executables are provided" in ended.out + ended.err


def test_pyinstaller_collects_the_executables_if_it_is_asked_to(place: Place, tmp_path: Path) -> None:
    python = environment(tmp_path / "env", place.wheel(SDK_RUNTIME), "pyinstaller")
    (tmp_path / "app.py").write_text(PROGRAM, encoding="utf-8")
    make = (str(python), "-m", "PyInstaller", "--onedir", "--log-level", "ERROR")
    succeed(Child(argv=(*make, "--collect-data", "codex_cli_bin", "app.py"), cwd=tmp_path))
    succeed(Child(argv=(*make, "--name", "without", "app.py"), cwd=tmp_path))

    assert succeed(Child(argv=(str(tmp_path / "dist/app/app"),), cwd=tmp_path)).out == VERSION
    (installed,) = (tmp_path / "env").glob("lib/*/site-packages/codex_cli_bin/bin/codex")
    collected = tmp_path / "dist/app/_internal/codex_cli_bin/bin/codex"
    assert sha256(collected) == sha256(installed)
    without = Child(argv=(str(tmp_path / "dist/without/without"),), cwd=tmp_path).run()
    assert without.status == 1
    assert "with PyInstaller, add --collect-data codex_cli_bin" in without.err


def test_a_zipapp_says_why_the_executable_cannot_start(place: Place, tmp_path: Path) -> None:
    app = tmp_path / "app"
    install = (sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--target", str(app))
    succeed(Child(argv=(*install, str(place.wheel(SDK_RUNTIME))), cwd=tmp_path))
    (app / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    succeed(Child(argv=(sys.executable, "-m", "zipapp", str(app)), cwd=tmp_path))

    assert succeed(Child(argv=(sys.executable, str(app)), cwd=tmp_path)).out == VERSION
    ended = Child(argv=(sys.executable, str(tmp_path / "app.pyz")), cwd=tmp_path).run()
    assert ended.status == 1
    assert "openai-codex-cli-bin is imported from an archive" in ended.err

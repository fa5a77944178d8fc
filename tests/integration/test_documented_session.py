"""The documented commands that need the registries, run one after the other as a user does."""

import os
import sys
import venv
from pathlib import Path

import pytest

from tests.children import Child
from tests.documented_session import SESSION
from tests.workflow_files import ROOT

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(sys.platform != "linux", reason="the session installs a Linux wheel"),
]
_TIMEOUT_S = 900.0  # "make sdk" takes 90 s on two idle cores
PROGRAM = '#!/bin/bash\nPYTHONPATH="{root}" exec "{python}" -m factory "$@"\n'


def test_the_documented_commands_run_in_a_session(tmp_path: Path) -> None:
    work, env = prepare(tmp_path)
    for step in SESSION:
        (work / "factory.toml").write_text(step.settings)
        ended = Child(argv=("bash", "-c", step.script), env=env, cwd=work, timeout_s=_TIMEOUT_S).run()
        assert ended.status == step.status, (step.line, ended.err[-2000:])


def prepare(place: Path) -> tuple[Path, dict[str, str]]:
    """Make a working directory, and an environment for it with this program and an index that has it."""
    programs = place / "env" / "bin"
    venv.create(place / "env", with_pip=True, symlinks=True)
    (programs / "factory").write_text(PROGRAM.format(root=ROOT, python=sys.executable))
    (programs / "factory").chmod(0o755)
    work = place / "work"
    work.mkdir()
    (work / "Makefile").symlink_to(ROOT / "Makefile")
    for name in ("pyproject.toml", "requirements-dev.txt"):
        (work / name).touch()
    (place / "env" / ".ready").touch()  # make need not make the environment
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place / "own"))
    assert Child(argv=(*build, str(ROOT)), cwd=place).run().status == 0
    own = str(place / "own")
    return work, {
        "FACTORY_CACHE_DIR": str(place / "cache"),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PIP_FIND_LINKS": f"{os.environ.get('PIP_FIND_LINKS', '')} {own}",
        "PYTHONPATH": "",
        "UV_CACHE_DIR": str(place / "uv"),
        "UV_FIND_LINKS": own,
        "UV_TOOL_BIN_DIR": str(place / "programs"),
        "UV_TOOL_DIR": str(place / "tools"),
        "VENV": str(place / "env"),
    }

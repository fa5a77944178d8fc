"""The documented commands that need the registries, run one after the other as a user does."""

import os
import sys
import venv
from pathlib import Path

import pytest

from tests.children import Child
from tests.documented_session import SESSION, SETTINGS
from tests.workflow_files import ROOT

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(sys.platform != "linux", reason="the session installs a Linux wheel"),
]
PROGRAM = '#!/bin/bash\nPYTHONPATH="{root}" exec "{python}" -m factory "$@"\n'


def test_the_documented_commands_run_in_a_session(tmp_path: Path) -> None:
    programs = tmp_path / "env" / "bin"
    venv.create(tmp_path / "env", with_pip=True, symlinks=True)
    (programs / "factory").write_text(PROGRAM.format(root=ROOT, python=sys.executable))
    (programs / "factory").chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    (work / "factory.toml").write_text(SETTINGS)
    env = {
        "FACTORY_CACHE_DIR": str(tmp_path / "cache"),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": "",
    }
    for step in SESSION:
        ended = Child(argv=("bash", "-c", f"{step.before} && {step.line}"), env=env, cwd=work).run()
        assert ended.status == step.status, (step.line, ended.err[-2000:])

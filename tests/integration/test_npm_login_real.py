"""The real npm sends the header that `tests.npm_cases` says, to a server on this machine."""

import os
import re
import shutil
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from factory.system.process import Command, SubprocessRunner
from tests.npm_cases import NPM_CASES, NpmCase

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm"),
]


@pytest.mark.parametrize("case", NPM_CASES, ids=lambda case: case.id)
def test_npm_sends_the_header(case: NpmCase, httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request(re.compile(".*")).respond_with_data(status=404)
    host = f"127.0.0.1:{httpserver.port}"
    project = tmp_path / "project"
    project.mkdir()
    (project / "package.json").write_text("{}")
    (project / ".npmrc").write_text(case.project.replace("{HOST}", host))
    (tmp_path / ".npmrc").write_text(case.npmrc.replace("{HOST}", host))
    env = {name.replace("{HOST}", host): value.replace("{HOST}", host) for name, value in case.env.items()}
    options = () if "registry=" in case.npmrc else ("--registry", f"http://{host}{case.path}")
    command = Command(
        argv=("npm", "view", "@openai/codex", "--fetch-retries=0", *options),
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **env},
        cwd=project,
        timeout_s=60,
    )
    ended = SubprocessRunner().run(command)
    sent = [request.headers.get("Authorization") for request, _ in httpserver.log]
    assert sent, ended.output
    assert set(sent) == {case.header}

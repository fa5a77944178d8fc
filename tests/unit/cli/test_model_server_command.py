"""``factory sdk model-server`` in a process of its own, until it is ended."""

import http.client
import json
import re
import subprocess  # noqa: TID251 - it is ended while it runs
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.children import ROOT
from tests.unit.cli.conftest import Factory


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_it_serves_until_it_is_ended(tmp_path: Path) -> None:
    home = tmp_path / "home"
    argv = [sys.executable, "-m", "factory", "model-server", str(home)]
    with subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - as above
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert line.endswith(f"repeats what it is asked; CODEX_HOME={home}\n")
            (address,) = re.findall(r'base_url = "(.*)"', (home / "config.toml").read_text(encoding="utf-8"))
            assert address in line
            assert b"Repeat " in answer(address, "Repeat this.")
            process.terminate()
            assert process.wait(30) == 143
        finally:
            process.kill()


def answer(address: str, text: str) -> bytes:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 0, timeout=30)
    said = {"role": "user", "content": [{"type": "input_text", "text": text}]}
    try:
        connection.request("POST", f"{parts.path}/responses", json.dumps({"input": [said]}))
        return connection.getresponse().read()
    finally:
        connection.close()


def test_an_existing_directory_is_refused(factory: Factory, tmp_path: Path) -> None:
    ended = factory("model-server", tmp_path)
    assert ended.status == 20
    assert "exists already" in ended.complaint

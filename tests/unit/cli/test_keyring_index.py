"""The password of a keyring, with two servers: the index gets it, and the host of the files does not."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.unit.cli.conftest import Factory

SCRIPT = """\
#!{python}
import sys
if sys.argv[1:] == ["get", "{service}", "me"]:
    print("top-secret")
else:
    sys.exit(1)
"""


@pytest.fixture
def other() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1") as server:
        yield server


def test_only_the_index_gets_the_password_and_no_output_has_it(
    factory: Factory,
    packages: Path,
    httpserver: HTTPServer,
    other: HTTPServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str | None] = []
    leaked: list[str | None] = []

    def answer(request: Request) -> Response:
        seen.append(request.headers.get("Authorization"))
        if seen[-1] is None:
            return Response(status=401)
        name = "openai_codex_cli_bin-0.163.0-py3-none-win_arm64.whl"
        link = f'<a href="{other.url_for("/" + name)}#sha256={"0" * 64}">{name}</a>'
        return Response(f"<html><body>{link}</body></html>", content_type="text/html")

    def elsewhere(request: Request) -> Response:
        leaked.append(request.headers.get("Authorization"))
        return Response(status=404)

    httpserver.expect_request("/simple/openai-codex-cli-bin/").respond_with_handler(answer)
    other.expect_request("/openai_codex_cli_bin-0.163.0-py3-none-win_arm64.whl").respond_with_handler(
        elsewhere
    )
    plain = httpserver.url_for("/simple/")
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "keyring"
    program.write_text(SCRIPT.format(python=sys.executable, service=plain))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    channel = ("--channel", "directory", "--directory", packages, "--out", tmp_path / "out")
    ended = factory("audit", "0.163.0", "--index-url", plain.replace("://", "://me@"), *channel, "-v")
    assert [one is not None for one in seen] == [True]
    assert set(leaked) == {None}, ended.err
    assert "top-secret" not in ended.out + ended.err
    assert "with the password of the keyring" in ended.err

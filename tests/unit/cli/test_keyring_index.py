"""The credentials of a keyring, with two servers: the index gets them, and the host of the files does not."""

import base64
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.unit.cli.conftest import Factory

NAME = "openai_codex_cli_bin-0.163.0-py3-none-win_arm64.whl"
HEADER = f"Basic {base64.b64encode(b'me:top-secret').decode()}"
KEYRING = """\
import sys
if sys.argv[1:] == ["get", "{service}", "me"]:
    print("top-secret")
elif sys.argv[1:] == ["--mode", "creds", "--output", "json", "get", "{service}"]:
    print('{{"username": "me", "password": "top-secret"}}')
else:
    sys.exit(1)
"""


@pytest.fixture
def other() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1") as server:
        yield server


@pytest.fixture
def seen(httpserver: HTTPServer, other: HTTPServer) -> Iterator[list[str | None]]:
    """The Authorization headers that the index gets; the server of the files gets none."""
    headers: list[str | None] = []
    leaked: list[str | None] = []

    def answer(request: Request) -> Response:
        headers.append(request.headers.get("Authorization"))
        if headers[-1] is None:
            return Response(status=401)
        link = f'<a href="{other.url_for("/" + NAME)}#sha256={"0" * 64}">{NAME}</a>'
        return Response(f"<html><body>{link}</body></html>", content_type="text/html")

    def elsewhere(request: Request) -> Response:
        leaked.append(request.headers.get("Authorization"))
        return Response(status=404)

    httpserver.expect_request("/simple/openai-codex-cli-bin/").respond_with_handler(answer)
    other.expect_request(f"/{NAME}").respond_with_handler(elsewhere)
    yield headers
    assert set(leaked) <= {None}


def audit(factory: Factory, packages: Path, tmp_path: Path, index: str) -> str:
    channel = ("--channel", "directory", "--directory", packages, "--out", tmp_path / "out")
    ended = factory("audit", "0.163.0", "--index-url", index, *channel, "-v")
    assert "top-secret" not in ended.out + ended.err
    return ended.err


@pytest.fixture
def program(cache: Path, tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program on PATH; the module beside this program would ask the user's own keyring."""
    monkeypatch.setenv("PIP_KEYRING_PROVIDER", "subprocess")
    assert cache.is_dir()  # it removes the settings of pip first
    programs = tmp_path / "programs"
    programs.mkdir()
    script = programs / "keyring"
    script.write_text(f"#!{sys.executable}\n{KEYRING.format(service=httpserver.url_for('/simple/'))}")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("provider", "sent"), [("subprocess", [None, HEADER]), ("import", [None]), ("disabled", [None])]
)
def test_the_provider_comes_from_the_configuration_of_pip(  # noqa: PLR0913, PLR0917 - fixtures
    factory: Factory,
    packages: Path,
    httpserver: HTTPServer,
    tmp_path: Path,
    seen: list[str | None],
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    sent: list[str | None],
) -> None:
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "keyring.py").write_text("raise SystemExit(1)\n")  # not the user's own
    monkeypatch.setenv("PYTHONPATH", str(modules))
    monkeypatch.delenv("PIP_KEYRING_PROVIDER")
    conf = tmp_path / "pip.conf"
    conf.write_text(f"[global]\nkeyring-provider = {provider}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(conf))
    audit(factory, packages, tmp_path, httpserver.url_for("/simple/"))
    assert seen == sent


@pytest.mark.usefixtures("program")
def test_only_the_index_gets_the_password_and_no_output_has_it(
    factory: Factory, packages: Path, httpserver: HTTPServer, tmp_path: Path, seen: list[str | None]
) -> None:
    said = audit(factory, packages, tmp_path, httpserver.url_for("/simple/").replace("://", "://me@"))
    assert seen == [HEADER]
    assert "with the password of the keyring" in said


@pytest.mark.usefixtures("program")
def test_after_a_401_only_the_index_gets_the_credentials(
    factory: Factory, packages: Path, httpserver: HTTPServer, tmp_path: Path, seen: list[str | None]
) -> None:
    said = audit(factory, packages, tmp_path, httpserver.url_for("/simple/"))
    assert seen == [None, HEADER]
    assert "the index requires credentials: " in said
    assert "with the credentials of the keyring" in said


def test_the_module_beside_the_program_is_asked_if_no_program_is_on_path(
    factory: Factory,
    packages: Path,
    httpserver: HTTPServer,
    tmp_path: Path,
    seen: list[str | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "keyring.py").write_text(KEYRING.format(service=httpserver.url_for("/simple/")))
    monkeypatch.syspath_prepend(modules)
    monkeypatch.setenv("PYTHONPATH", str(modules))
    monkeypatch.setenv("PATH", str(tmp_path))
    audit(factory, packages, tmp_path, httpserver.url_for("/simple/"))
    assert seen == [None, HEADER]


def test_without_credentials_the_refusal_is_reported(
    factory: Factory,
    packages: Path,
    httpserver: HTTPServer,
    tmp_path: Path,
    seen: list[str | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_KEYRING_PROVIDER", "disabled")
    said = audit(factory, packages, tmp_path, httpserver.url_for("/simple/"))
    assert seen == [None]
    assert "answered with status 401" in said


@pytest.mark.usefixtures("program")
def test_doctor_asks_the_keyring_as_well(
    factory: Factory, httpserver: HTTPServer, seen: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request("/npm/@openai/codex").respond_with_data("{}")
    monkeypatch.setenv("FACTORY_NPM_REGISTRY", httpserver.url_for("/npm/"))
    monkeypatch.setenv("PIP_INDEX_URL", httpserver.url_for("/simple/"))
    ended = factory("doctor")
    assert "top-secret" not in ended.out + ended.err
    assert seen == [None, HEADER]
    (row,) = [line.split("\t") for line in ended.out.splitlines() if line.startswith("package index")]
    assert row[1] == "ok"
    assert row[2].endswith("; credentials: the address in PIP_INDEX_URL, with the credentials of the keyring")

"""Audits of a real index on the loopback address that is found in the settings and needs a password."""

import base64
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from factory.audit.results import parse_report
from factory.core.digests import Sha256
from factory.core.json_reader import JsonObject
from factory.statements.attest import make_statements
from factory.system.retry import RetryPolicy
from tests.packages import TAG
from tests.runs import run_factory
from tests.unit.cli.conftest import Factory, cache, cache_with_toolchain, factory, packages

__all__ = ["cache", "cache_with_toolchain", "factory", "packages"]

PROJECT = "openai-codex-cli-bin"
NAME = "openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl"
USER = "me"
PASSWORD = "correct-horse"  # noqa: S105 - of no account
TOKEN = "battery-staple"  # noqa: S105 - as above
SECRETS = [PASSWORD, TOKEN, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()]
BY = "https://example.invalid/auditor"


@pytest.fixture(scope="module")
def wheel(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    root = tmp_path_factory.mktemp("honest")
    run_factory(packages, root, cache=root / "cache", platforms=("win_amd64",))
    return (root / TAG.pep440 / NAME).read_bytes()


class ServedIndex:
    """An index that requires a password.

    Attributes:
        host: The host and port of the server.
        is_html: Whether the project page is in HTML.
        files: The address of the files, relative to the project page or absolute.
        edit: Changes the answers, by path.
    """

    def __init__(self, server: HTTPServer, wheel: bytes) -> None:
        self.host = f"{server.host}:{server.port}"
        self.is_html = False
        self.files = "../../files/"
        self.edit: dict[str, Response] = {}
        self._wheel = wheel
        for path in (f"/simple/{PROJECT}/", f"/files/{NAME}"):
            server.expect_request(path).respond_with_handler(self._answer)

    @property
    def address(self) -> str:
        """The address for the settings."""
        return f"http://{USER}:{PASSWORD}@{self.host}/simple/?token={TOKEN}"

    def _answer(self, request: Request) -> Response:
        login = request.authorization
        if login is None or (login.username, login.password) != (USER, PASSWORD):
            return Response(status=401)
        if request.path in self.edit:
            return self.edit[request.path]
        if request.path.startswith("/files/"):
            response = Response(self._wheel)
            response.make_conditional(request, accept_ranges=True, complete_length=len(self._wheel))
            return response
        assert request.args["token"] == TOKEN
        return Response(self._html() if self.is_html else self._json())

    def _json(self) -> str:
        file = {
            "filename": NAME,
            "url": f"{self.files}{NAME}",
            "hashes": {"sha256": str(Sha256.of([self._wheel]))},
            "size": len(self._wheel),
            "yanked": "withdrawn",
        }
        meta = {"api-version": "1.1"}
        return json.dumps({"meta": meta, "name": PROJECT, "versions": ["0.163.0"], "files": [file]})

    def _html(self) -> str:
        link = f"{self.files}{NAME}#sha256={Sha256.of([self._wheel])}"
        return f'<!DOCTYPE html><html><body><a href="{link}" data-yanked="withdrawn">{NAME}</a></body></html>'


@pytest.fixture
def index(httpserver: HTTPServer, wheel: bytes) -> ServedIndex:
    return ServedIndex(httpserver, wheel)


@pytest.fixture
def audit(
    factory: Factory, packages: Path, tmp_path: Path, index: ServedIndex, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Audit the release with the index in the settings; afterwards, no output has a secret."""
    printed: list[str] = []

    def run(*words: str | Path) -> tuple[int, str, str]:
        channel = ("--channel", "directory", "--directory", packages)
        ended = factory("audit", *channel, "--out", tmp_path / "out", *words)
        printed.extend((ended.out, ended.err))
        return ended.status, ended.out, ended.err

    monkeypatch.setenv("PIP_INDEX_URL", index.address)
    monkeypatch.setattr("factory.system.http.RetryPolicy", partial(RetryPolicy, sleep=lambda _: None))
    yield run
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "toolchains" not in path.parts]
    written = "\n".join([*printed, *(path.read_text("utf-8", "replace") for path in files)])
    assert printed
    assert [secret for secret in SECRETS if secret in written] == []


@pytest.mark.parametrize("is_html", [False, True])
@pytest.mark.parametrize("is_absolute", [False, True])
def test_a_private_index_is_audited_and_its_password_is_not_shown(
    audit: Callable[..., tuple[int, str, str]],
    index: ServedIndex,
    wheel: bytes,
    tmp_path: Path,
    *,
    is_html: bool,
    is_absolute: bool,
) -> None:
    index.is_html = is_html
    if is_absolute:
        index.files = f"http://{index.host}/files/"

    forms = ("--json", "--html", tmp_path / "page.html", "--sarif", tmp_path / "audit.sarif")
    _, out, err = audit("0.163.0", *forms)

    report = parse_report(JsonObject.parse(out.encode(), where="the report"))
    (verdict,) = report.verdicts
    assert report.index == f"http://{index.host}/simple/"
    assert json.loads(out)["wheels"][0]["origin"] == {
        "kind": "listed",
        "index": f"http://{index.host}/simple/",
        "asked_at": json.loads(out)["asked_at"],
        "sha256": str(Sha256.of([wheel])),
        "yanked": "withdrawn",
    }
    assert verdict.outcome == "IDENTICAL"
    assert f"index: http://{index.host}/simple/ (PIP_INDEX_URL)\n" in err
    assert "yanked" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "audit.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    (tmp_path / "report.json").write_text(out, encoding="utf-8")
    for named in make_statements(tmp_path / "report.json", by=BY):
        (tmp_path / f"{named.name}.json").write_bytes(named.statement.render())


def test_the_table_names_the_index_and_the_yanked_file(
    audit: Callable[..., tuple[int, str, str]], index: ServedIndex
) -> None:
    _, out, err = audit("0.163.0")
    assert out.splitlines()[1].split("\t")[1] == "index, yanked: withdrawn"
    assert f"\nindex: http://{index.host}/simple/, asked at 20" in err


@pytest.mark.parametrize(
    ("path", "answer", "message"),
    [
        (f"/simple/{PROJECT}/", Response(status=403), "/ answered with status 403"),
        (f"/simple/{PROJECT}/", Response("{"), "cannot parse the index's page"),
        (
            f"/simple/{PROJECT}/",
            Response('{"meta": {"api-version": "9.0"}}'),
            "cannot parse the index's page",
        ),
        (f"/files/{NAME}", Response(status=404), f"/files/{NAME} answered with status 404"),
        (f"/files/{NAME}", Response("x"), NAME),
    ],
)
def test_an_index_that_fails_is_reported_without_its_password(
    audit: Callable[..., tuple[int, str, str]],
    index: ServedIndex,
    path: str,
    answer: Response,
    message: str,
) -> None:
    index.edit[path] = answer
    status, out, err = audit("0.163.0")
    assert status in {11, 21}
    assert message in f"{out}{err}"


def test_a_server_that_does_not_answer_is_reported_without_the_password(
    audit: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{USER}:{PASSWORD}@127.0.0.1:1/simple/?token={TOKEN}")
    status, _, err = audit("0.163.0")
    assert status == 21
    assert f"cannot reach http://127.0.0.1:1/simple/{PROJECT}/" in err


def test_a_wrong_password_is_not_shown(
    audit: Callable[..., tuple[int, str, str]], index: ServedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.address.replace(f"{USER}:", "you:"))
    status, _, err = audit("0.163.0")
    assert status == 21
    assert f"{index.host}/simple/{PROJECT}/ answered with status 401" in err


def test_different_indexes_are_an_error_without_the_password(
    audit: Callable[..., tuple[int, str, str]], index: ServedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"https://{USER}:{PASSWORD}@other.example.invalid/simple/")
    status, _, err = audit("0.163.0")
    assert status == 20
    assert err == (
        "factory: the settings of pip and uv name different package indexes:"
        f" http://{index.host}/simple/ (PIP_INDEX_URL),"
        " https://other.example.invalid/simple/ (UV_DEFAULT_INDEX)\n"
        "hint: Name the index with --index-url.\n"
    )


def test_the_index_of_a_configuration_file_is_asked(
    audit: Callable[..., tuple[int, str, str]],
    index: ServedIndex,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PIP_INDEX_URL")
    hidden = tmp_path.parent / f"{tmp_path.name}-pip.conf"  # it has the password, as it must
    hidden.write_text(
        f"[global]\nindex-url = {index.address}\nextra-index-url =\nfind-links =\nno-index =\n", "utf-8"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(hidden))
    _, _, err = audit("0.163.0")
    assert f"index: http://{index.host}/simple/ (index-url in [global] of {hidden})" in err


def test_a_local_file_is_compared_with_the_listed_one(
    audit: Callable[..., tuple[int, str, str]], wheel: bytes, tmp_path: Path
) -> None:
    path = tmp_path / NAME
    path.write_bytes(wheel)
    _, out, _ = audit("--wheel", path, "--json")
    assert json.loads(out)["wheels"][0]["origin"]["kind"] == "listed"

    _, out, _ = audit("--wheel", path, "--json", "--no-index")
    document = json.loads(out)
    assert (document["index"], document["asked_at"]) == (None, None)
    assert document["wheels"][0]["origin"] == {"kind": "local", "name": NAME}


def test_the_doctor_shows_the_index_and_its_setting(
    factory: Factory, index: ServedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.address)
    monkeypatch.setenv("FACTORY_NPM_REGISTRY", f"http://{index.host}/npm/")
    ended = factory("doctor")
    rows = [line.split("\t") for line in ended.out.splitlines()]
    ((_, state, detail, remedy),) = [row for row in rows if row[0] == "package index"]
    assert (state, remedy) == ("ok", "")
    assert detail.startswith(f"http://{index.host}/simple/ (PIP_INDEX_URL); answers in ")
    assert detail.endswith("; credentials: the address in PIP_INDEX_URL")
    assert not any(secret in ended.out for secret in SECRETS)


def test_the_doctor_shows_settings_that_leave_a_choice(
    factory: Factory, index: ServedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", index.address)
    monkeypatch.setenv("FACTORY_NPM_REGISTRY", f"http://{index.host}/npm/")
    ended = factory("doctor", "--json")
    (item,) = [item for item in json.loads(ended.out) if item["what"] == "package index"]
    assert (item["state"], item["required"]) == ("broken", False)
    assert item["seen"].endswith(f"http://{index.host}/simple/ (PIP_EXTRA_INDEX_URL)")
    assert item["remedy"] == "Name the index with --index-url."
    assert PASSWORD not in ended.out

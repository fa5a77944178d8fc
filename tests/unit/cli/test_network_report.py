"""What ``factory doctor`` says about servers, proxies and certificates."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from factory.cli.host_report import Ability, Examination
from factory.cli.network_report import Server, examine_certificates, examine_proxy, examine_server
from factory.core.errors import UsageError
from factory.system.http import HttpResponse, unreachable
from tests.fakes import Answer, FakeHttpClient
from tests.npm_cases import SECRET
from tests.unit.cli.conftest import Factory

URL = f"https://me:{SECRET}@npm.example.invalid/codex"
SERVER = Server(
    url=URL,
    shown="https://npm.example.invalid (a setting)",
    login="a file",
    needed_for="needed for packages",
    is_required=True,
)


def examine(*answers: Answer, server: Server = SERVER) -> Examination:
    times = iter((10.0, 11.26))
    client = FakeHttpClient({URL: answers})
    return examine_server(
        "npm registry", lambda: server, client, is_required=False, clock=lambda: next(times)
    )


def test_a_server_that_answers_is_shown_with_its_time_and_the_place_of_the_credentials() -> None:
    assert examine(Answer()) == Examination(
        subject="npm registry",
        ability=Ability.OK,
        detail="https://npm.example.invalid (a setting); answers in 1.3 s; credentials: a file",
        is_required=True,
    )


def test_a_refusal_has_a_remedy_and_no_secret() -> None:
    found = examine(Answer(status=401))
    assert (found.ability, found.is_required) == (Ability.BROKEN, True)
    assert found.detail == (
        "https://npm.example.invalid (a setting); answers with status 401; credentials: a file"
    )
    assert found.remedy.startswith("needed for packages: The server requires credentials")
    assert SECRET not in f"{found!r}{SERVER!r}"


def test_a_server_that_does_not_answer_is_broken() -> None:
    class Down(FakeHttpClient):
        @contextmanager
        def stream(
            self,
            url: str,
            *,
            headers: Mapping[str, str] | None = None,  # noqa: ARG002 - the protocol's signature
        ) -> Iterator[HttpResponse]:
            if url == URL:
                raise unreachable(url, "refused")
            yield Answer()

    found = examine_server("npm registry", lambda: SERVER, Down({}), is_required=False, clock=lambda: 0.0)
    assert found.ability is Ability.BROKEN
    assert found.detail == (
        "https://npm.example.invalid (a setting); cannot reach https://npm.example.invalid/codex: refused;"
        " credentials: a file"
    )
    assert "Check the network, the proxy" in found.remedy


@pytest.mark.parametrize("is_required", [True, False])
def test_broken_settings_are_reported(is_required: bool) -> None:  # noqa: FBT001 - a parameter of a test
    def find() -> Server:
        raise UsageError("two indexes", hint="Name one.")

    found = examine_server(
        "package index", find, FakeHttpClient({}), is_required=is_required, clock=lambda: 0.0
    )
    assert found == Examination(
        subject="package index",
        ability=Ability.BROKEN,
        detail="two indexes",
        remedy="Name one.",
        is_required=is_required,
    )


def test_a_proxy_is_shown_without_its_password() -> None:
    found = examine_proxy({"npm registry": f"http://me:{SECRET}@proxy.example.invalid:8080", "index": None})
    assert found.detail == "http://proxy.example.invalid:8080 for the npm registry"
    assert examine_proxy({"index": None}).detail == "none: direct connections"


def test_certificates(tmp_path: Path) -> None:
    assert examine_certificates({}).detail == "the system's store"
    (tmp_path / "ca.pem").touch()
    named = examine_certificates({"SSL_CERT_FILE": str(tmp_path / "ca.pem"), "REQUESTS_CA_BUNDLE": ""})
    assert named.detail == f"the system's store, and {tmp_path / 'ca.pem'} (SSL_CERT_FILE)"
    missing = examine_certificates({"REQUESTS_CA_BUNDLE": str(tmp_path / "no.pem")})
    assert (missing.ability, missing.is_required) == (Ability.BROKEN, True)
    assert missing.detail == f"{tmp_path / 'no.pem'} (REQUESTS_CA_BUNDLE) does not exist"
    assert missing.remedy == "Correct REQUESTS_CA_BUNDLE, or remove it."


def rows(out: str) -> dict[str, dict[str, object]]:
    return {row["what"]: row for row in json.loads(out)}


def test_the_main_job_cannot_run_without_the_registry(
    factory: Factory, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request("/simple/openai-codex-cli-bin/").respond_with_data("")
    monkeypatch.setenv("PIP_INDEX_URL", httpserver.url_for("/simple/"))
    monkeypatch.setenv("FACTORY_NPM_REGISTRY", httpserver.url_for("/npm/"))
    ended = factory("doctor", "--json")
    seen = rows(ended.out)
    assert ended.status == 25
    assert ended.err.endswith("'factory wheels' cannot run here: npm registry\n")
    assert str(seen["npm registry"]["seen"]) == (
        f"{httpserver.url_for('/npm')} (FACTORY_NPM_REGISTRY); answers with status 500; no credentials"
    )
    httpserver.expect_request("/npm/@openai/codex").respond_with_data("{}")
    ended = factory("doctor", "--json")
    assert ended.status == 0, ended.out
    assert "'factory wheels' can run here, without: " in ended.err
    assert rows(ended.out)["npm registry"]["state"] == "ok"


@pytest.mark.parametrize(("has_toolchain", "status"), [(True, 0), (False, 25)])
def test_the_index_is_needed_until_the_toolchain_is_there(
    factory: Factory,
    httpserver: HTTPServer,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    has_toolchain: bool,  # noqa: FBT001 - a parameter of a test
    status: int,
) -> None:
    httpserver.expect_request("/npm/@openai/codex").respond_with_data("{}")
    httpserver.expect_request("/simple/openai-codex-cli-bin/").respond_with_data(status=404)
    monkeypatch.setenv("FACTORY_NPM_REGISTRY", httpserver.url_for("/npm/"))
    monkeypatch.setenv("PIP_INDEX_URL", httpserver.url_for("/simple/"))
    if not has_toolchain:
        (cache / "toolchains").unlink()
    ended = factory("doctor", "--json")
    seen = rows(ended.out)["package index"]
    assert (ended.status, seen["required"], seen["state"]) == (status, not has_toolchain, "broken")

"""The upload to code scanning, with a server on the loopback address in GitHub's place."""

import base64
import gzip
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.workflow_files import ROOT

TOKEN = "ghs_top-secret"  # noqa: S105 - invented
SARIFS = "/repos/owner/project/code-scanning/sarifs"
SARIF = {"version": "2.1.0", "runs": [{"tool": {}, "results": []}]}
Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def upload_sarif() -> ModuleType:
    spec = importlib.util.spec_from_file_location("upload_sarif", ROOT / ".ci/upload_sarif.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(
    upload_sarif: ModuleType,
    httpserver: HTTPServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Run]:
    """Run the script; the check is that no output has the token."""
    (tmp_path / "verify.sarif").write_text(json.dumps(SARIF))
    monkeypatch.setattr(sys, "argv", ["upload_sarif.py", str(tmp_path / "verify.sarif"), "check/verify"])
    env = {
        "GITHUB_API_URL": httpserver.url_for(""),
        "GITHUB_REPOSITORY": "owner/project",
        "GITHUB_SHA": "1" * 40,
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_WORKSPACE": str(tmp_path),
        "TOKEN": TOKEN,
    }

    def script(**more: str) -> tuple[int, str]:
        status = upload_sarif.main({**env, **more}, lambda _: None)
        printed = capsys.readouterr()
        assert TOKEN not in printed.out + printed.err
        assert printed.out.count("\n") == 1
        return status, printed.out.rstrip("\n")

    yield script
    httpserver.check_assertions()


def test_the_findings_are_those_of_the_merge_commit_of_a_pull_request(
    run: Run, httpserver: HTTPServer, tmp_path: Path
) -> None:
    sent: list[Request] = []

    def accept(request: Request) -> Response:
        sent.append(request)
        return Response('{"id": "ab-12"}', status=202)

    httpserver.expect_request(SARIFS, method="POST").respond_with_handler(accept)
    for state in ("pending", "complete"):
        httpserver.expect_oneshot_request(f"{SARIFS}/ab-12").respond_with_json({"processing_status": state})
    assert run() == (0, "code scanning has the findings (upload ab-12)")
    (request,) = sent
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    body = json.loads(request.data)
    findings = json.loads(gzip.decompress(base64.b64decode(body.pop("sarif"))))
    assert findings["runs"] == [{"tool": {}, "results": [], "automationDetails": {"id": "check/verify/"}}]
    assert body == {"commit_sha": "1" * 40, "ref": "refs/pull/7/merge", "checkout_uri": tmp_path.as_uri()}


def test_a_refusal_is_an_error_with_what_to_do(run: Run, httpserver: HTTPServer) -> None:
    message = f"Resource not accessible by {TOKEN}\n::set-output name=x::50%"
    httpserver.expect_request(SARIFS).respond_with_json({"message": message}, status=403)
    status, said = run()
    assert status == 21
    assert said == (
        "::error title=findings not uploaded::GitHub answered 403. Give the job the permission"
        " security-events: write; runs for a fork may not have it."
        " Resource not accessible by *** ::set-output name=x::50%25"
    )


def test_findings_that_are_refused_later_are_an_error(run: Run, httpserver: HTTPServer) -> None:
    httpserver.expect_request(SARIFS, method="POST").respond_with_json({"id": "x"}, status=202)
    failed = {"processing_status": "failed", "errors": ["unsuccessful execution"]}
    httpserver.expect_request(f"{SARIFS}/x").respond_with_json(failed)
    status, said = run()
    assert (status, "could not process the findings: ['unsuccessful execution']" in said) == (21, True)


def test_slow_processing_is_no_error(run: Run, httpserver: HTTPServer) -> None:
    httpserver.expect_request(SARIFS, method="POST").respond_with_json({"id": "x"}, status=202)
    httpserver.expect_request(f"{SARIFS}/x").respond_with_json({"processing_status": "pending"})
    assert run() == (0, "GitHub accepted the findings (upload x), but has not processed them yet")
    assert len(httpserver.log) == 25


def test_no_answer_is_an_error(run: Run) -> None:
    status, said = run(GITHUB_API_URL="http://127.0.0.1:9")
    assert status == 21
    assert said.startswith("::error title=findings not uploaded::GitHub did not answer: ")


@pytest.mark.parametrize("answer", ["<html>", "[]", "{}", '{"id": "../x"}'])
def test_an_answer_of_another_server_is_an_error(run: Run, httpserver: HTTPServer, answer: str) -> None:
    httpserver.expect_request(SARIFS).respond_with_data(answer, status=202)
    assert run()[0] == 21


def test_the_token_follows_no_redirect(run: Run, httpserver: HTTPServer) -> None:
    httpserver.expect_request(SARIFS).respond_with_data(
        status=307, headers={"Location": httpserver.url_for("/other")}
    )
    status, said = run()
    assert (status, "GitHub answered 307" in said) == (21, True)
    assert [request.path for request, _ in httpserver.log] == [SARIFS]


def test_without_a_token_nothing_is_sent(run: Run, httpserver: HTTPServer) -> None:
    assert run(TOKEN="")[0] == 21
    assert httpserver.log == []

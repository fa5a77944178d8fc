import gzip
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from factory.core.errors import UpstreamError
from factory.system.http import (
    HttpStatusError,
    RequestsClient,
    Timeouts,
)
from factory.system.process import Command, SubprocessRunner
from factory.system.retry import RequestFailed, RetryPolicy


@pytest.fixture
def slept_s() -> list[float]:
    return []


@pytest.fixture
def client(slept_s: list[float]) -> Iterator[RequestsClient]:
    retry = RetryPolicy(attempts=3, first_wait_s=0.1, max_wait_s=9.0, sleep=slept_s.append)
    with RequestsClient(retry=retry, timeouts=Timeouts(connect_s=2.0, read_s=0.5)) as client:
        yield client


def sequence(*responses: Response) -> Callable[[Request], Response]:
    left = list(responses)

    def handle(_: Request) -> Response:
        return left.pop(0)

    return handle


def test_a_body_is_not_decoded_and_the_headers_are_sent(
    httpserver: HTTPServer, client: RequestsClient
) -> None:
    seen: list[Request] = []

    def handle(request: Request) -> Response:
        seen.append(request)
        return Response(b"\x1f\x8b not really gzip", headers={"Content-Encoding": "gzip"})

    httpserver.expect_request("/package.tgz").respond_with_handler(handle)
    with client.stream(httpserver.url_for("/package.tgz"), headers={"Accept": "text/x"}) as response:
        assert b"".join(response.chunks()) == b"\x1f\x8b not really gzip"
    assert seen[0].headers["Accept"] == "text/x"
    assert seen[0].headers["Accept-Encoding"] == "identity"
    assert seen[0].headers["User-Agent"].startswith("codex-wheel-factory/")


@pytest.mark.parametrize(("encoding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_document_that_was_compressed_without_being_asked_is_decoded(
    httpserver: HTTPServer, client: RequestsClient, encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    content = b"0123456789" * 20_000
    httpserver.expect_request("/document").respond_with_data(
        encode(content), headers={"Content-Encoding": encoding}
    )
    assert client.get(httpserver.url_for("/document"), max_bytes=200_000) == content
    with pytest.raises(UpstreamError, match="sent more than 199999 bytes"):
        client.get(httpserver.url_for("/document"), max_bytes=199_999)


@pytest.mark.parametrize(
    ("encoding", "body", "message"),
    [
        ("br", b"x", "with the encoding br"),
        ("gzip", b"not gzip", "is not valid gzip"),
        ("gzip", gzip.compress(b"x" * 1000, mtime=0)[:-9], "is not complete gzip"),
    ],
)
def test_a_document_that_cannot_be_decoded_is_refused(
    httpserver: HTTPServer, client: RequestsClient, encoding: str, body: bytes, message: str
) -> None:
    httpserver.expect_request("/document").respond_with_data(body, headers={"Content-Encoding": encoding})
    with pytest.raises(UpstreamError, match=message):
        client.get(httpserver.url_for("/document"), max_bytes=100_000)


def slow_body() -> Iterator[bytes]:
    for _ in range(50):
        time.sleep(0.05)
        yield b"x"


def limited(**limits: float) -> RequestsClient:
    return RequestsClient(
        retry=RetryPolicy(attempts=3, sleep=lambda _: pytest.fail("tried again")), timeouts=Timeouts(**limits)
    )


def test_a_server_that_is_too_slow_is_given_up(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/slow").respond_with_handler(lambda _: Response(slow_body()))
    slow = limited(min_rate=1000, rate_window_s=0.2)
    with slow as client, pytest.raises(RequestFailed, match="it is slower than 1000 B/s over ") as caught:
        client.get(httpserver.url_for("/slow"), max_bytes=100)
    assert "--min-rate" in caught.value.hint
    with limited(min_rate=0, rate_window_s=0.2) as client:
        assert client.get(httpserver.url_for("/slow"), max_bytes=100) == b"x" * 50


def test_all_answers_together_have_a_limit(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/slow").respond_with_handler(lambda _: Response(slow_body()))
    with limited(total_s=0.3) as client:
        for _ in range(2):
            with pytest.raises(
                RequestFailed, match=r"the limit of 0\.3 s for all transfers has passed"
            ) as caught:
                client.get(httpserver.url_for("/slow"), max_bytes=100)
            assert "--max-time" in caught.value.hint


def test_a_missing_file_of_certificates_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent/authority.pem")
    with limited() as client, pytest.raises(RequestFailed, match=r"nonexistent/authority\.pem") as caught:
        client.get("https://127.0.0.1:9/", max_bytes=1)
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://user:word@[::1", "http://user:word@h:99999999/?sig=word"]
)
def test_an_address_that_cannot_be_parsed_is_an_error_without_its_secrets(url: str) -> None:
    with limited() as client, pytest.raises(RequestFailed) as caught:
        client.get(url, max_bytes=1)
    assert "word" not in str(caught.value)


def test_a_document_over_the_limit_is_refused(httpserver: HTTPServer, client: RequestsClient) -> None:
    httpserver.expect_request("/big").respond_with_data(b"x" * 101)
    with pytest.raises(UpstreamError, match="/big sent more than 100 bytes"):
        client.get(httpserver.url_for("/big"), max_bytes=100)


def test_a_missing_document_is_requested_once(
    httpserver: HTTPServer, client: RequestsClient, slept_s: list[float]
) -> None:
    httpserver.expect_oneshot_request("/gone").respond_with_data(status=404)
    with pytest.raises(HttpStatusError) as caught:
        client.get(httpserver.url_for("/gone"), max_bytes=100)
    assert caught.value.status == 404
    assert slept_s == []


def test_retry_after_sets_the_wait(
    httpserver: HTTPServer, client: RequestsClient, slept_s: list[float]
) -> None:
    dated = {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}
    handler = sequence(
        Response(status=429, headers={"Retry-After": "7"}),
        Response(status=503, headers=dated),
        Response(b"at last"),
    )
    httpserver.expect_request("/busy").respond_with_handler(handler)
    assert client.get(httpserver.url_for("/busy"), max_bytes=100) == b"at last"
    assert slept_s == [7.0, 9.0]


def test_the_status_of_the_last_attempt_is_reported(
    httpserver: HTTPServer, client: RequestsClient, slept_s: list[float]
) -> None:
    httpserver.expect_request("/broken").respond_with_data(status=500)
    with pytest.raises(HttpStatusError, match="/broken answered with status 500"):
        client.get(httpserver.url_for("/broken"), max_bytes=100)
    assert len(slept_s) == 2


def test_an_incomplete_body_is_a_transient_failure(httpserver: HTTPServer, client: RequestsClient) -> None:
    def handle(_: Request) -> Response:
        return Response(iter([b"half"]), headers={"Content-Length": "8"})

    httpserver.expect_request("/half").respond_with_handler(handle)
    received: list[bytes] = []
    with client.stream(httpserver.url_for("/half")) as response, pytest.raises(RequestFailed) as caught:
        received.extend(response.chunks())
    assert response.headers["content-length"] == "8"
    assert b"".join(received) == b"half"
    assert caught.value.is_transient


def test_a_refused_connection_is_reported_with_the_reason(client: RequestsClient) -> None:
    with HTTPServer() as closed:
        url = closed.url_for("/x")
    with pytest.raises(RequestFailed, match=r"cannot reach http://localhost:.*refused"):
        client.get(url, max_bytes=100)


def test_an_invalid_url_is_not_tried_again(client: RequestsClient, slept_s: list[float]) -> None:
    for url in ("ftp://example.invalid/x", "no address"):
        with pytest.raises(RequestFailed, match="cannot reach"):
            client.get(url, max_bytes=100)
    assert slept_s == []


def test_an_endless_redirect_is_reported(httpserver: HTTPServer, client: RequestsClient) -> None:
    httpserver.expect_request("/once").respond_with_data(status=302, headers={"Location": "/here"})
    httpserver.expect_request("/here").respond_with_data(b"here")
    httpserver.expect_request("/loop").respond_with_data(status=302, headers={"Location": "/loop"})
    assert client.get(httpserver.url_for("/once"), max_bytes=100) == b"here"
    with pytest.raises(RequestFailed, match="redirect"):
        client.get(httpserver.url_for("/loop"), max_bytes=100)


def test_cookies_are_not_sent_back(httpserver: HTTPServer, client: RequestsClient) -> None:
    cookies: list[object] = []

    def handle(request: Request) -> Response:
        cookies.append(dict(request.cookies))
        return Response(b"", headers={"Set-Cookie": "a=b"})

    httpserver.expect_request("/").respond_with_handler(handle)
    for _ in range(2):
        client.get(httpserver.url_for("/"), max_bytes=1)
    assert cookies == [{}, {}]


def test_importing_the_client_does_not_import_requests() -> None:
    code = "import sys, factory.system.http; sys.exit(bool({'requests', 'tenacity'} & set(sys.modules)))"
    completed = SubprocessRunner().run(Command(argv=(sys.executable, "-c", code), cwd=Path.cwd()))
    assert completed.returncode == 0, completed.output

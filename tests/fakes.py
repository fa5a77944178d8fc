"""A strict fake HTTP client: an unscripted request fails the test."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from factory.core.errors import UpstreamError
from factory.system.http import HttpResponse, HttpStatusError
from factory.system.retry import RequestFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A fake server's answer to one request.

    Attributes:
        body: The chunks.
        status: A status from 400 on is raised, as in the real client.
        headers: With lower-case names.
        breaks: Raised after the body.
        expect_range: The expected Range header; None if the request must not have one.
    """

    body: tuple[bytes, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks: RequestFailed | None = None
    expect_range: str | None = None

    def chunks(self) -> Iterator[bytes]:
        yield from self.body
        if self.breaks is not None:
            raise self.breaks


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that was sent."""

    url: str
    headers: Mapping[str, str]


class StreamedClient(ABC):
    """What fake clients share: `get` reads the whole answer of `stream`."""

    __slots__ = ()

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int) -> bytes:
        with self.stream(url, headers=headers) as response:
            body = b"".join(response.chunks())
        if len(body) > max_bytes:
            raise UpstreamError(f"{url} sent more than {max_bytes} bytes")
        return body

    @abstractmethod
    def stream(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> AbstractContextManager[HttpResponse]:
        """Send a request."""


class FakeHttpClient(StreamedClient):
    """An `HttpClient` that gives the scripted answers of each URL in order, each once."""

    def __init__(self, script: Mapping[str, tuple[Answer, ...]]) -> None:
        self._left = {url: list(answers) for url, answers in script.items()}
        self.requests: list[Request] = []

    @contextmanager
    def stream(self, url: str, *, headers: Mapping[str, str] | None = None) -> Iterator[HttpResponse]:
        sent = dict(headers or {})
        self.requests.append(Request(url=url, headers=sent))
        answers = self._left.get(url)
        assert answers, f"unscripted request: {url}"
        answer = answers.pop(0)
        assert sent.get("Range") == answer.expect_range
        if answer.status >= 400:
            raise HttpStatusError(url, answer.status)
        yield answer

    def assert_done(self) -> None:
        """Fail if a scripted answer was not requested."""
        assert {url: answers for url, answers in self._left.items() if answers} == {}

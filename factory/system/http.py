"""Send HTTP requests, behind an `HttpClient` that tests replace; no other module opens sockets.

`requests` is imported for the first request: a run that finds everything in the cache needs
none, and starts faster.
"""

import logging
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol, Self

from factory import __version__
from factory.core.addresses import redacted, scrubbed, split_address
from factory.core.errors import UpstreamError
from factory.core.printable import escaped
from factory.system.retry import RequestFailed, RetryPolicy

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session
    from requests.adapters import HTTPAdapter, _HostParams, _PoolKwargs

READ_BYTES = 1 << 16
"""The most that is read from a socket at a time; bytes that have arrived are returned at once."""

_MAX_REDIRECTS = 5
_POOL_SIZE = 16
_TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_UNREACHABLE_HINT = "Check the network, the proxy and the address, and run again: downloaded bytes are kept."
_CERTIFICATE_HINT = (
    "Certificates are checked against the system's store: add your organisation's authority "
    "there, or name its file in SSL_CERT_FILE or REQUESTS_CA_BUNDLE."
)


class HttpStatusError(RequestFailed):
    """A server answered with a status code other than success."""

    def __init__(self, url: str, status: int, *, retry_after_s: float | None = None) -> None:
        super().__init__(
            f"{redacted(url)} answered with status {status}",
            is_transient=status in _TRANSIENT_STATUS,
            retry_after_s=retry_after_s,
            hint=_status_hint(status),
        )
        self.status = status


class HttpResponse(Protocol):
    """A successful response; its body has not been read yet."""

    @property
    def status(self) -> int:
        """The status code, 200 to 299."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The header fields, with names in lower case."""

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives, without decoding it.

        Raises:
            RequestFailed: The connection was lost.
        """


class HttpClient(Protocol):
    """Sends HTTP requests. Several threads can use one client."""

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int) -> bytes:
        """Download a small document, with retries.

        Raises:
            RequestFailed: The server did not answer, or not with success.
            UpstreamError: The document is larger than `max_bytes`.
        """

    def stream(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> AbstractContextManager[HttpResponse]:
        """Request a large body, without retries: only the caller knows which bytes it already has.

        Raises:
            RequestFailed: The server did not answer, or not with success.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait for a server, in seconds.

    Attributes:
        connect_s: For a connection.
        read_s: For the next bytes.
        min_rate: The least number of bytes in a second, on average over `rate_window_s`; 0 for any.
        rate_window_s: Long enough that a slow or interrupted line is not taken for a hostile server.
        total_s: For all answers together, from the creation of the client on; the time is counted by
            a clock that is never set.
    """

    connect_s: float = 10.0
    read_s: float = 30.0
    min_rate: float = 1000.0
    rate_window_s: float = 60.0
    total_s: float = 6 * 3600.0


class _Pace:
    """Watches how fast an answer arrives, and when the time of all answers is up."""

    def __init__(self, url: str, timeouts: Timeouts, left_s: Callable[[], float]) -> None:
        self._url = url
        self._timeouts = timeouts
        self._left_s = left_s
        self._since_s = time.monotonic()
        self._size_bytes = 0

    def check(self, arrived_bytes: int) -> None:
        """Count bytes that have arrived.

        Raises:
            RequestFailed: They arrive too slowly, or the time is up; another attempt would not help.
        """
        if self._left_s() <= 0:
            raise out_of_time(self._url, self._timeouts.total_s)
        self._size_bytes += arrived_bytes
        elapsed_s = time.monotonic() - self._since_s
        if elapsed_s < self._timeouts.rate_window_s:
            return
        if self._size_bytes < self._timeouts.min_rate * elapsed_s:
            raise unreachable(
                self._url,
                f"it is slower than {self._timeouts.min_rate:g} B/s over {elapsed_s:.0f} s",
                is_transient=False,
                hint="Use another mirror, or allow a lower rate with --min-rate. Downloaded bytes are kept.",
            )
        self._since_s, self._size_bytes = time.monotonic(), 0


class RequestsClient:
    """An `HttpClient` on requests.

    Certificates are checked against the system's certificate store, so that an organisation's
    own authority works, and against requests' own list on machines without a store.
    Proxies, ``REQUESTS_CA_BUNDLE`` and ``~/.netrc`` work as in requests.
    """

    def __init__(self, *, retry: RetryPolicy | None = None, timeouts: Timeouts | None = None) -> None:
        self._timeouts = timeouts or Timeouts()
        self._end_s = time.monotonic() + self._timeouts.total_s
        self._retry = replace(retry or RetryPolicy(), left_s=self.left_s)
        self._lock = threading.Lock()
        self._session: Session | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None

    def left_s(self) -> float:
        """Return the seconds until all answers must have arrived."""
        return self._end_s - time.monotonic()

    @property
    def retry(self) -> RetryPolicy:
        """The policy of this client, for transfers that are repeated by the caller."""
        return self._retry

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int) -> bytes:
        """Download a small document, with retries."""
        return self._retry.call(lambda: self._get_once(url, headers, max_bytes))

    @contextmanager
    def stream(self, url: str, *, headers: Mapping[str, str] | None = None) -> Iterator[HttpResponse]:
        """Request a large body, without retries."""
        with self._send(url, headers or {}) as response:
            if not 200 <= response.status_code <= 299:  # noqa: PLR2004 - success in RFC 9110
                raise HttpStatusError(
                    url, response.status_code, retry_after_s=_retry_after_s(response.headers)
                )
            yield _RequestsResponse(url=url, response=response, pace=_Pace(url, self._timeouts, self.left_s))

    def _get_once(self, url: str, headers: Mapping[str, str] | None, max_bytes: int) -> bytes:
        body = bytearray()
        with self.stream(url, headers=headers) as response:
            encoding = response.headers.get("content-encoding", "identity").strip().lower()
            for chunk in _decoded(response.chunks(), encoding, url):
                body += chunk
                if len(body) > max_bytes:
                    raise UpstreamError(
                        f"{redacted(url)} sent more than {max_bytes} bytes",
                        hint="Check the address: no registry sends a document of this size.",
                    )
        return bytes(body)

    def _send(self, url: str, headers: Mapping[str, str]) -> "Response":
        import requests  # noqa: PLC0415 - see the module's docstring

        left_s = self.left_s()
        if left_s <= 0:
            raise out_of_time(url, self._timeouts.total_s)
        try:
            response = self._opened().get(
                url,
                headers={"Accept-Encoding": "identity", **headers},
                stream=True,
                timeout=(min(self._timeouts.connect_s, left_s), min(self._timeouts.read_s, left_s)),
                # Without an explicit auth, an entry in ~/.netrc would replace the caller's header.
                auth=_unchanged if "Authorization" in headers else None,
            )
        except requests.exceptions.SSLError as error:
            raise unreachable(url, _reason(error), is_transient=False, hint=_CERTIFICATE_HINT) from error
        except (requests.exceptions.TooManyRedirects, ValueError) as error:
            raise unreachable(url, _reason(error), is_transient=False) from error
        except requests.exceptions.RequestException as error:
            raise unreachable(url, _reason(error)) from error
        except OSError as error:  # a file in REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE that does not exist
            raise unreachable(url, _reason(error), is_transient=False, hint=_CERTIFICATE_HINT) from error
        _refuse_downgrade(url, response)
        logging.getLogger("factory").debug(
            "GET %s: status %d after %.2f s",
            redacted(url),
            response.status_code,
            response.elapsed.total_seconds(),
        )
        return response

    def _opened(self) -> "Session":
        with self._lock:
            if self._session is None:
                self._session = _new_session()
            return self._session


@dataclass(frozen=True, slots=True, kw_only=True)
class _RequestsResponse:
    url: str
    response: "Response"
    pace: _Pace
    headers: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        lowered = {name.lower(): value for name, value in self.response.headers.items()}
        object.__setattr__(self, "headers", lowered)

    @property
    def status(self) -> int:
        return self.response.status_code

    def chunks(self) -> Iterator[bytes]:
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - see the module's docstring

        raw = self.response.raw
        try:
            while chunk := raw.read1(READ_BYTES, decode_content=False):
                self.pace.check(len(chunk))
                yield chunk
        except (HTTPError, OSError) as error:
            raise unreachable(self.url, _reason(error)) from error


def out_of_time(url: str, total_s: float) -> RequestFailed:
    """Return the error for a transfer that the limit of a run ends."""
    return unreachable(
        url,
        f"the limit of {total_s:g} s for all transfers has passed",
        is_transient=False,
        hint="Run again: downloaded bytes are kept. --max-time allows more.",
    )


def _decoded(chunks: Iterator[bytes], encoding: str, url: str) -> Iterator[bytes]:
    """Decode a body in pieces of limited size; some servers compress although they are asked not to."""
    if encoding in {"identity", ""}:
        yield from chunks
        return
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise UpstreamError(
            f"{redacted(url)} sent a document with the encoding {escaped(encoding[:40])}",
            hint="It was asked for none, and this factory reads gzip only: use another mirror.",
        )
    decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: gzip or zlib, as the header says
    try:
        for chunk in chunks:
            while chunk and not decoder.eof:
                yield decoder.decompress(chunk, READ_BYTES)
                chunk = decoder.unconsumed_tail  # noqa: PLW2901 - the rest of the same chunk
    except zlib.error as error:
        raise unreachable(url, f"its answer is not valid {encoding}") from error
    if not decoder.eof:
        raise unreachable(url, f"its answer is not complete {encoding}")


def proxy_for(url: str) -> str | None:
    """Return the proxy that the environment sets for a URL, None for a direct connection."""
    from requests.utils import get_environ_proxies, select_proxy  # noqa: PLC0415 - see the module's docstring

    return select_proxy(url, get_environ_proxies(url))


def netrc_has(url: str) -> bool:
    """Whether ``~/.netrc`` has credentials for the host of a URL."""
    from requests.utils import get_netrc_auth  # noqa: PLC0415 - see the module's docstring

    return get_netrc_auth(url) is not None


def unreachable(
    url: str, reason: str, *, is_transient: bool = True, hint: str = _UNREACHABLE_HINT
) -> RequestFailed:
    """Return the error for a server that did not answer, or whose answer broke off."""
    return RequestFailed(f"cannot reach {redacted(url)}: {reason}", is_transient=is_transient, hint=hint)


def _new_session() -> "Session":
    from http.cookiejar import DefaultCookiePolicy  # noqa: PLC0415 - see the module's docstring

    import requests  # noqa: PLC0415 - as above

    session = requests.Session()
    session.max_redirects = _MAX_REDIRECTS
    session.headers["User-Agent"] = f"codex-wheel-factory/{__version__}"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", _system_trust_adapter())
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=_POOL_SIZE))
    return session


def _system_trust_adapter() -> "HTTPAdapter":
    """Return an adapter that uses the system's certificate store for direct and proxied connections."""
    import ssl  # noqa: PLC0415 - see the module's docstring

    import truststore  # noqa: PLC0415 - as above
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - as above

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    class SystemTrustAdapter(HTTPAdapter):
        def build_connection_pool_key_attributes(
            self,
            request: "PreparedRequest",
            verify: bool | str,  # noqa: FBT001 - requests' own signature
            cert: str | tuple[str, str] | None = None,
        ) -> "tuple[_HostParams, _PoolKwargs]":
            host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
            pool["ssl_context"] = context
            return host, pool

    return SystemTrustAdapter(pool_maxsize=_POOL_SIZE)


def _unchanged(request: "PreparedRequest") -> "PreparedRequest":
    return request


def _refuse_downgrade(url: str, response: "Response") -> None:
    hops = [*(hop.url for hop in response.history), response.url]
    plain = next((hop for hop in hops if not _is_https(hop)), None)
    if _is_https(url) and plain is not None:
        response.close()
        raise UpstreamError(
            f"{redacted(url)} redirects to {redacted(plain)}",
            hint="Use an address that stays on https: plain http can be altered on the way.",
        )


def _is_https(address: str) -> bool:
    parts = split_address(address)
    return parts is not None and parts.scheme == "https"


def _reason(error: BaseException) -> str:
    """Return the innermost cause, which requests and urllib3 wrap in several layers of text."""
    inner = error
    for _ in range(8):
        cause = inner.__cause__ or inner.__context__ or getattr(inner, "reason", None)
        if not isinstance(cause, BaseException):
            break
        inner = cause
    return scrubbed(str(inner)) or type(inner).__name__


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return Retry-After (RFC 9110, 10.2.3) in seconds; a date is compared with the response's own date."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        then, now = parsedate_to_datetime(text), parsedate_to_datetime(headers.get("Date", ""))
        return max((then - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def _status_hint(status: int) -> str:
    match status:
        case 401 | 403:
            return (
                "The server requires credentials or blocks this address. A user name and password in the"
                " address or in ~/.netrc are used."
            )
        case 404 | 410:
            return "Check the address of the channel, and the tag."
        case _ if status in _TRANSIENT_STATUS:
            return "The server is busy or broken; run again later: downloaded bytes are kept."
        case _:
            return "Check the address of the channel."

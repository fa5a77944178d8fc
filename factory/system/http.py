"""The one place that opens sockets, behind an `HttpClient` that tests can replace.

`requests` is imported with the first request and not before: a run that finds
everything in its store opens no socket and need not pay for one.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import urlsplit

from factory import __version__
from factory.core.errors import UpstreamError
from factory.system.retry import RequestFailed, RetryPolicy

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session
    from requests.adapters import HTTPAdapter, _HostParams, _PoolKwargs

READ_BYTES = 1 << 16
"""How much is taken from a socket at a time at most; what has arrived is taken at once."""

_MAX_REDIRECTS = 5
_POOL_SIZE = 16
_TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class Unreachable(RequestFailed):
    """A server could not be asked, or its answer broke off."""

    def __init__(self, url: str, reason: str, *, is_transient: bool = True) -> None:
        super().__init__(
            f"cannot reach {redacted(url)}: {reason}",
            is_transient=is_transient,
            hint="Check the network, the proxy and the address, and run again: what has arrived is kept.",
        )


class UntrustedCertificate(Unreachable):
    """A server's certificate is not one that this machine trusts."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason, is_transient=False)
        self.hint = (
            "Certificates are checked against the system's store: add your organisation's authority "
            "there, or name its file in SSL_CERT_FILE or REQUESTS_CA_BUNDLE."
        )


class HttpStatusError(RequestFailed):
    """A server answered, with a status that is no success.

    Attributes:
        status: The status code.
    """

    def __init__(self, url: str, status: int, *, retry_after_s: float | None = None) -> None:
        super().__init__(
            f"{redacted(url)} answered with status {status}",
            is_transient=status in _TRANSIENT_STATUS,
            retry_after_s=retry_after_s,
            hint=_status_hint(status),
        )
        self.status = status


class InsecureRedirect(UpstreamError):
    """A server sent an https request on to plain http."""

    hint = "Use an address that stays on https: what plain http brings, anybody on the way may have written."

    def __init__(self, url: str, target: str) -> None:
        super().__init__(f"{redacted(url)} redirects to {redacted(target)}")


class OversizeDocument(UpstreamError):
    """A document is larger than any honest one of its kind."""

    hint = "Check the address: this is not the answer of a registry."

    def __init__(self, url: str, max_bytes: int) -> None:
        super().__init__(f"{redacted(url)} sends more than {max_bytes} bytes")


class HttpResponse(Protocol):
    """A successful answer whose body has not been read yet."""

    @property
    def status(self) -> int:
        """The status code, 200 to 299."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The header fields; the names are lower case."""

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives, without decoding it.

        Raises:
            Unreachable: It broke off.
        """


class HttpClient(Protocol):
    """What asks servers. Safe to use from several threads."""

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int) -> bytes:
        """Fetch a small document, trying again where that makes sense.

        Raises:
            RequestFailed: No answer, or one that is no success.
            OversizeDocument: It is larger than `max_bytes`.
        """

    def stream(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> AbstractContextManager[HttpResponse]:
        """Ask for a large body once; the caller, who knows what it has already, tries again.

        Raises:
            RequestFailed: No answer, or one that is no success.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long a silent server is waited for, in seconds."""

    connect_s: float = 10.0
    read_s: float = 30.0


class RequestsClient:
    """The real `HttpClient`.

    Certificates are checked against the system's store, so that an organisation's own
    authority works, and against requests' own list for machines without a store.
    Proxies, ``REQUESTS_CA_BUNDLE`` and ``~/.netrc`` are taken as requests takes them.
    """

    def __init__(self, *, retry: RetryPolicy | None = None, timeouts: Timeouts | None = None) -> None:
        self._retry = retry or RetryPolicy()
        self._timeouts = timeouts or Timeouts()
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

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int) -> bytes:
        """Fetch a small document, trying again where that makes sense."""
        return self._retry.call(lambda: self._get_once(url, headers, max_bytes))

    @contextmanager
    def stream(self, url: str, *, headers: Mapping[str, str] | None = None) -> Iterator[HttpResponse]:
        """Ask for a large body once."""
        with self._send(url, headers or {}) as response:
            if not 200 <= response.status_code <= 299:  # noqa: PLR2004 - the successes of RFC 9110
                raise HttpStatusError(
                    url, response.status_code, retry_after_s=_retry_after_s(response.headers)
                )
            yield _RequestsResponse(url=url, response=response)

    def _get_once(self, url: str, headers: Mapping[str, str] | None, max_bytes: int) -> bytes:
        body = bytearray()
        with self.stream(url, headers=headers) as response:
            for chunk in response.chunks():
                body += chunk
                if len(body) > max_bytes:
                    raise OversizeDocument(url, max_bytes)
        return bytes(body)

    def _send(self, url: str, headers: Mapping[str, str]) -> "Response":
        import requests  # noqa: PLC0415 - see the module's docstring

        try:
            response = self._opened().get(
                url,
                headers={"Accept-Encoding": "identity", **headers},
                stream=True,
                timeout=(self._timeouts.connect_s, self._timeouts.read_s),
                # Without an explicit auth, an entry in ~/.netrc would replace the header that was asked for.
                auth=_as_it_is if "Authorization" in headers else None,
            )
        except requests.exceptions.SSLError as error:
            raise UntrustedCertificate(url, _reason(error)) from error
        except (requests.exceptions.TooManyRedirects, ValueError) as error:
            raise Unreachable(url, _reason(error), is_transient=False) from error
        except requests.exceptions.RequestException as error:
            raise Unreachable(url, _reason(error)) from error
        _refuse_downgrade(url, response)
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
                yield chunk
        except (HTTPError, OSError) as error:
            raise Unreachable(self.url, _reason(error)) from error


def redacted(url: str) -> str:
    """Return an address as it may be redacted: without a password or a query, which may hold a signature."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


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
    """Make an adapter that hands the system's certificate store to all pools, direct and proxied."""
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


def _as_it_is(request: "PreparedRequest") -> "PreparedRequest":
    return request


def _refuse_downgrade(url: str, response: "Response") -> None:
    hops = [*(hop.url for hop in response.history), response.url]
    plain = next((hop for hop in hops if urlsplit(hop).scheme != "https"), None)
    if urlsplit(url).scheme == "https" and plain is not None:
        response.close()
        raise InsecureRedirect(url, plain)


def _reason(error: BaseException) -> str:
    """Name the innermost cause: requests and urllib3 wrap it several times, each with its own noise."""
    inner = error
    for _ in range(8):
        cause = inner.__cause__ or inner.__context__ or getattr(inner, "reason", None)
        if not isinstance(cause, BaseException):
            break
        inner = cause
    return str(inner) or type(inner).__name__


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After (RFC 9110, 10.2.3): seconds, or a date, which is compared with the answer's own."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        then, now = parsedate_to_datetime(text), parsedate_to_datetime(headers.get("Date", ""))
        return max((then - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def _status_hint(status: int) -> str:
    match status:
        case 401 | 403:
            return "The server wants credentials or refuses this address; tokens of an npmrc are not read."
        case 404 | 410:
            return "Check the address of the channel, and the tag."
        case _ if status in _TRANSIENT_STATUS:
            return "The server is busy or broken; run again later: what has arrived is kept."
        case _:
            return "Check the address of the channel."

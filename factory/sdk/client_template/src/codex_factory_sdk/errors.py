"""The errors of the SDK; every one is a `CodexError`."""

from __future__ import annotations

from collections.abc import Mapping

_SHOWN_CHARACTERS = 400


class CodexError(Exception):
    """The base class of the SDK's errors."""


class RuntimeNotFound(CodexError, FileNotFoundError):
    """There is no app-server to start: the runtime is not installed, or the override names no file."""


class IncompatibleAppServer(CodexError):
    """The app-server does not identify itself, or is older than the release that this SDK was made for."""


class AuthenticationRequired(CodexError):
    """The model provider needs an account, and the client is not logged in."""


class RequestTimeout(CodexError, TimeoutError):
    """The app-server did not answer in time. The request may still be carried out."""


class UnexpectedMessage(CodexError):
    """A message is valid JSON-RPC, but its content does not fit the release's schema."""


class SlowConsumer(CodexError):
    """Notifications arrived faster than they were consumed, and the queue was full.

    Attributes:
        lost: The number of notifications that were not kept.
    """

    def __init__(self, lost: int, limit: int) -> None:
        super().__init__(
            f"{lost} notifications were lost: {limit} were already waiting to be consumed; "
            "consume faster, or raise queue_limit (client_queue_limit) of CodexConfig"
        )
        self.lost = lost


class ConnectionFailed(CodexError):
    """The connection to the app-server ended; all pending calls and streams get this error."""


class TransportClosedError(ConnectionFailed):
    """The app-server ended, or the client was closed.

    Attributes:
        exit_code: The exit status of the app-server, if it is known.
        stderr: The last lines that the app-server wrote to stderr.
    """

    def __init__(self, reason: str, *, exit_code: int | None = None, stderr: str = "") -> None:
        code = "" if exit_code is None else f" (exit status {exit_code})"
        words = f"; its last output was:\n{stderr}" if stderr else ""
        super().__init__(f"{reason}{code}{words}")
        self.exit_code = exit_code
        self.stderr = stderr


class ProtocolError(ConnectionFailed):
    """The app-server sent something that is not a message of the protocol, so the SDK stopped it."""


class CodexRpcError(CodexError):
    """The app-server refused a request.

    Attributes:
        code: The JSON-RPC error code.
        message: The app-server's own words.
        data: What came with the error, if anything.
    """

    def __init__(self, code: int, message: str, data: object = None) -> None:
        shown = message if len(message) <= _SHOWN_CHARACTERS else f"{message[:_SHOWN_CHARACTERS]}..."
        super().__init__(f"{shown} (JSON-RPC error {code})")
        self.code = code
        self.message = message
        self.data = data


class ParseError(CodexRpcError):
    """-32700: the app-server could not read the message."""


class InvalidRequestError(CodexRpcError):
    """-32600: the request is not valid; also what newer releases answer to invalid parameters."""


class MethodNotFoundError(CodexRpcError):
    """-32601: the app-server does not know the method."""


class InvalidParamsError(CodexRpcError):
    """-32602: the parameters are not valid."""


class InternalRpcError(CodexRpcError):
    """-32603: the app-server failed."""


class ServerBusyError(CodexRpcError):
    """-32001: the app-server is overloaded; the same request can succeed later. See `retry_on_overload`."""


_BUSY = -32001
_CLASSES: Mapping[int, type[CodexRpcError]] = {
    -32700: ParseError,
    -32600: InvalidRequestError,
    -32601: MethodNotFoundError,
    -32602: InvalidParamsError,
    -32603: InternalRpcError,
    _BUSY: ServerBusyError,
}
_OVERLOADED = frozenset({"serverOverloaded", "server_overloaded"})


def rpc_error(error: Mapping[str, object]) -> CodexRpcError:
    """Return the exception for a JSON-RPC error object (JSON-RPC 2.0, section 5.1)."""
    code, message, data = error.get("code"), error.get("message"), error.get("data")
    number = code if isinstance(code, int) else 0
    kind = _CLASSES.get(number, CodexRpcError)
    info = data.get("codexErrorInfo") if isinstance(data, Mapping) else None
    if isinstance(info, str) and info in _OVERLOADED:  # an object for some errors
        kind = ServerBusyError
    return kind(number, message if isinstance(message, str) else str(error), data)

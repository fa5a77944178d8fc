"""Cases about errors: which are retried, and which exception class each one has."""

import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from importlib import import_module

from factory.sdk.accept.driver.case_context import CaseContext, expect, expect_count, expect_error
from factory.sdk.model_server import Refuse, Say

FIRST_DELAY_S = 0.1
_CODES = {
    "-32700": "ParseError",
    "-32600": "InvalidRequestError",
    "-32601": "MethodNotFoundError",
    "-32602": "InvalidParamsError",
    "-32603": "InternalRpcError",
}
"""The error codes of JSON-RPC 2.0, section 5.1, and the SDK's class for each."""


def overload_is_retried(context: CaseContext) -> None:
    """Be overloaded twice: the third attempt succeeds, and the second wait is longer than the first."""
    with context.open(context.fake("well", "busy", "busy", "ok")) as codex:
        attempt, times = _timed(codex.models)
        context.sdk.retry_on_overload(
            attempt, max_attempts=3, initial_delay_s=FIRST_DELAY_S, jitter_ratio=0.0
        )
    expect_count(times, 3, "attempts")
    first, second = times[1] - times[0], times[2] - times[1]
    expect(first >= FIRST_DELAY_S, "the second attempt came at once")
    expect(second >= 2 * FIRST_DELAY_S, "the third attempt did not wait longer than the second")


def retries_end(context: CaseContext) -> None:
    """Stay overloaded: the caller gets the error after the last attempt."""
    with context.open(context.fake("well", "busy")) as codex:
        attempt, times = _timed(codex.models)
        expect_error(
            context.sdk.ServerBusyError,
            lambda: context.sdk.retry_on_overload(attempt, max_attempts=2, initial_delay_s=FIRST_DELAY_S),
        )
    expect_count(times, 2, "attempts")


def other_errors_are_not_retried(context: CaseContext) -> None:
    """Refuse the parameters, then the method: one attempt each."""
    for code in ("-32602", "-32601"):
        with context.open(context.fake("well", code, "ok")) as codex:
            attempt, times = _timed(codex.models)
            error = getattr(context.sdk, _CODES[code])
            expect_error(error, partial(context.sdk.retry_on_overload, attempt))
        expect_count(times, 1, f"attempts after {code}")


def _timed(action: Callable[[], object]) -> tuple[Callable[[], object], list[float]]:
    """Return the action and a list that gets the time of each call, in seconds."""
    times: list[float] = []

    def call() -> object:
        times.append(time.monotonic())
        return action()

    return call, times


def errors_have_types(context: CaseContext) -> None:
    """Answer with each JSON-RPC error code."""
    for code, name in _CODES.items():
        with context.open(context.fake("well", code)) as codex:
            error = expect_error(getattr(context.sdk, name), codex.models)
        expect(code in str(error), f"{name} does not show its code: {error}")


def model_overload_is_retried(context: CaseContext) -> None:
    """Let the model be overloaded twice: the turn still completes."""
    script = (Refuse(status=503), Refuse(status=503), Say(text="At last."))
    with context.talk(*script) as (codex, server):
        result = context.style.run(codex.thread_start(), "A question.")
    expect(result.final_response == "At last.", f"the turn ended with {result.final_response!r}")
    expect_count(server.turns, 3, "requests to the model")


def model_refusal_is_not_retried(context: CaseContext) -> None:
    """Let the model refuse the request: it is asked once, and ``run`` raises an error."""
    with context.talk(Refuse(status=400), Say(text="Never said.")) as (codex, server):
        thread = codex.thread_start()
        expect_error(RuntimeError, lambda: context.style.run(thread, "A question."))
    expect_count(server.turns, 1, "requests to the model")


def invalid_parameters(context: CaseContext) -> None:
    """Send the runtime a number instead of a path."""
    _expect_typed(context, "thread/start", {"cwd": 5})


def unknown_method(context: CaseContext) -> None:
    """Call a method that the runtime does not have."""
    _expect_typed(context, "factory/noSuchMethod", {})


def _expect_typed(context: CaseContext, method: str, params: dict[str, object]) -> None:
    shape = import_module(f"{context.package}.types").ModelListResponse
    with (
        context.model(Say(text="unused")),
        closing(context.style.connect(context.configuration())) as connection,
    ):
        error = expect_error(
            context.sdk.CodexRpcError, lambda: connection.request(method, params, response_model=shape)
        )
        expect(type(error) is not context.sdk.CodexRpcError, f"it has no type of its own: {error!r}")
        connection.request("model/list", {}, response_model=shape)

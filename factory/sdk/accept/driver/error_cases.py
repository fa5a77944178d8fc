"""Cases of errors: what is tried again, what is not, and of which type each error is."""

import time
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
"""JSON-RPC 2.0, section 5.1, and the SDK's class for each."""


def overload_is_retried(context: CaseContext) -> None:
    """Be overloaded twice: the third attempt succeeds, and each wait is longer; or give up in the end."""
    attempts: list[float] = []
    with context.open(context.fake("well", "busy", "busy", "ok")) as codex:

        def attempt() -> object:
            attempts.append(time.monotonic())
            return codex.models()

        context.sdk.retry_on_overload(
            attempt, max_attempts=3, initial_delay_s=FIRST_DELAY_S, jitter_ratio=0.0
        )
    expect_count(attempts, 3, "attempts")
    first, second = attempts[1] - attempts[0], attempts[2] - attempts[1]
    expect(first >= FIRST_DELAY_S, "the second attempt came at once")
    expect(second >= 2 * FIRST_DELAY_S, "the third attempt did not wait longer than the second")


def retries_end(context: CaseContext) -> None:
    """Stay overloaded: after the last attempt the error is the caller's."""
    attempts: list[object] = []
    with context.open(context.fake("well", "busy")) as codex:

        def attempt() -> object:
            attempts.append(None)
            return codex.models()

        expect_error(
            context.sdk.ServerBusyError,
            lambda: context.sdk.retry_on_overload(attempt, max_attempts=2, initial_delay_s=FIRST_DELAY_S),
        )
    expect_count(attempts, 2, "attempts")


def other_errors_are_not_retried(context: CaseContext) -> None:
    """Refuse the parameters, then the method: one attempt each."""
    for code in ("-32602", "-32601"):
        _expect_one_attempt(context, code)


def _expect_one_attempt(context: CaseContext, code: str) -> None:
    attempts: list[object] = []
    with context.open(context.fake("well", code, "ok")) as codex:

        def attempt() -> object:
            attempts.append(None)
            return codex.models()

        expect_error(getattr(context.sdk, _CODES[code]), lambda: context.sdk.retry_on_overload(attempt))
    expect_count(attempts, 1, f"attempts after {code}")


def errors_have_types(context: CaseContext) -> None:
    """Answer with each code of JSON-RPC."""
    for code, name in _CODES.items():
        with context.open(context.fake("well", code)) as codex:
            error = expect_error(getattr(context.sdk, name), codex.models)
        expect(code in str(error), f"{name} does not tell its code: {error}")


def model_overload_is_retried(context: CaseContext) -> None:
    """Let the model be overloaded twice: the turn completes."""
    script = (Refuse(status=503), Refuse(status=503), Say(text="At last."))
    with context.talk(*script) as (codex, server):
        result = codex.thread_start().run("A question.")
    expect(result.final_response == "At last.", f"the turn ended with {result.final_response!r}")
    expect_count(server.turns, 3, "questions to the model")


def model_refusal_is_not_retried(context: CaseContext) -> None:
    """Let the model call the request bad: it is asked once, and the turn fails where a program sees it."""
    with context.talk(Refuse(status=400), Say(text="Never said.")) as (codex, server):
        thread = codex.thread_start()
        expect_error(RuntimeError, lambda: thread.run("A question."))
    expect_count(server.turns, 1, "questions to the model")


def invalid_parameters(context: CaseContext) -> None:
    """Send the runtime a number where a path is due."""
    _expect_typed(context, "thread/start", {"cwd": 5})


def unknown_method(context: CaseContext) -> None:
    """Ask the runtime for a method that it has not."""
    _expect_typed(context, "factory/noSuchMethod", {})


def _expect_typed(context: CaseContext, method: str, params: dict[str, object]) -> None:
    client = import_module("openai_codex.client").CodexClient
    shape = import_module("openai_codex.types").ModelListResponse
    with context.model(Say(text="unused")), client(context.configuration()) as connection:
        connection.initialize()
        error = expect_error(
            context.sdk.CodexRpcError, lambda: connection.request(method, params, response_model=shape)
        )
        expect(type(error) is not context.sdk.CodexRpcError, f"its type tells nothing: {error!r}")
        connection.request("model/list", {}, response_model=shape)

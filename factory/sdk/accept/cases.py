"""The acceptance cases, as data: what each proves, and what an SDK must have for it to apply.

Each is an answer of the SDK's FAQ, or a sentence of its API's own documentation, told in our words; the code
that tries it is `factory.sdk.accept.driver.case_functions` under the same name.
"""

from dataclasses import dataclass

from factory.core.errors import UsageError


class UnknownCase(UsageError):
    """There is no case of a name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no acceptance case {name!r}", hint=f"Cases: {', '.join(CASE_NAMES)}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that the SDK documents.

    Attributes:
        name: Its name.
        proves: The documented sentence that it tests.
        needs: What the SDK must have, ``Codex.thread_resume`` or ``client:CodexClient`` of a module.
        uses_runtime: Whether the runtime under test is started; else an app-server of our own is, or none.
    """

    name: str
    proves: str
    needs: tuple[str, ...] = ("Codex",)
    uses_runtime: bool = True


_TURN = ("Codex.thread_start", "Thread.run")
_RETRY = ("retry_on_overload", "Codex.models", "CodexConfig")
CASES: tuple[Case, ...] = (
    Case(
        name="constructor-initialises",
        proves="The constructor is eager: it starts the runtime and initialises it.",
        needs=("Codex.metadata", *_TURN),
    ),
    Case(
        name="runtime-not-installed",
        proves="The constructor fails where the runtime's package is not installed, and names it.",
        uses_runtime=False,
    ),
    Case(
        name="override-points-nowhere",
        proves="The constructor fails where the executable override points to a missing file, and names it.",
        needs=("Codex", "CodexConfig"),
        uses_runtime=False,
    ),
    Case(
        name="app-server-incompatible",
        proves="The constructor fails where the app-server does not say who it is.",
        needs=("Codex", "CodexConfig"),
        uses_runtime=False,
    ),
    Case(
        name="app-server-too-old",
        proves="The constructor fails with a typed error where the app-server does not know the method.",
        needs=("CodexConfig", "MethodNotFoundError"),
        uses_runtime=False,
    ),
    Case(
        name="app-server-crashes",
        proves="The constructor fails where the app-server ends, and tells its last words.",
        needs=("CodexConfig", "TransportClosedError"),
        uses_runtime=False,
    ),
    Case(
        name="app-server-prints-garbage",
        proves="The constructor fails where what comes is no JSON, and tells what came.",
        needs=("CodexConfig", "CodexError"),
        uses_runtime=False,
    ),
    Case(
        name="thread-keeps-conversation",
        proves="A thread is conversation state: several turns on one thread are one chat.",
        needs=_TURN,
    ),
    Case(
        name="threads-are-apart",
        proves="A new thread for every prompt gives no continuity.",
        needs=_TURN,
    ),
    Case(
        name="start-and-resume",
        proves="thread_start begins a thread, and thread_resume continues it by its identifier.",
        needs=("Codex.thread_resume", *_TURN),
    ),
    Case(
        name="run-waits-for-completion",
        proves="run waits until the turn is completed and returns its result.",
        needs=_TURN,
    ),
    Case(
        name="stream-in-order",
        proves="stream yields the turn's notifications in order, to turn/completed and no further.",
        needs=("Codex.thread_start", "Thread.turn", "TurnHandle.stream"),
    ),
    Case(
        name="tool-calls",
        proves="A command that the model asks for is run, and the model gets its output.",
        needs=("Sandbox.full_access", "ApprovalMode.deny_all", *_TURN),
    ),
    Case(
        name="async-is-lazy",
        proves="The async client initialises on its first awaited use.",
        needs=("AsyncCodex.thread_start",),
    ),
    Case(
        name="async-mirrors-sync",
        proves="The async client has the sync one's public API, and does the same.",
        needs=("AsyncCodex", "AsyncThread", "AsyncTurnHandle", "Thread.turn", *_TURN),
    ),
    Case(
        name="keywords-are-snake-case",
        proves="Public keyword names are snake_case; the SDK maps them to the wire's spelling.",
        needs=("AsyncCodex", "AsyncThread", "AsyncTurnHandle", "TurnHandle", *_TURN),
    ),
    Case(
        name="overload-is-retried",
        proves="retry_on_overload tries again when the app-server is overloaded, and waits longer each time.",
        needs=_RETRY,
        uses_runtime=False,
    ),
    Case(
        name="retries-end",
        proves="A lasting overload is the caller's error after the last attempt.",
        needs=("ServerBusyError", *_RETRY),
        uses_runtime=False,
    ),
    Case(
        name="other-errors-are-not-retried",
        proves="Invalid parameters and unknown methods are not tried again.",
        needs=("InvalidParamsError", "MethodNotFoundError", *_RETRY),
        uses_runtime=False,
    ),
    Case(
        name="model-overload-is-retried",
        proves="A model that is overloaded for a while does not fail the turn.",
        needs=_TURN,
    ),
    Case(
        name="model-refusal-is-not-retried",
        proves="A request that the model refuses is not repeated, and the failed turn is told.",
        needs=_TURN,
    ),
    Case(
        name="errors-have-types",
        proves="Each error code of JSON-RPC is an exception class of its own.",
        needs=(
            "ParseError",
            "InvalidRequestError",
            "MethodNotFoundError",
            "InvalidParamsError",
            "InternalRpcError",
            "Codex.models",
        ),
        uses_runtime=False,
    ),
    Case(
        name="invalid-parameters",
        proves="The runtime's refusal of invalid parameters is a typed error; the connection stays usable.",
        needs=("CodexRpcError", "client:CodexClient.request", "types:ModelListResponse"),
    ),
    Case(
        name="unknown-method",
        proves="The runtime's refusal of an unknown method is a typed error; the connection stays usable.",
        needs=("CodexRpcError", "client:CodexClient.request", "types:ModelListResponse"),
    ),
    Case(
        name="closing-twice",
        proves="Closing a closed client is harmless.",
        needs=("Codex.close", *_TURN),
    ),
    Case(
        name="no-process-is-left",
        proves="A closed client leaves no process behind.",
        needs=("Codex.close", *_TURN),
    ),
)
CASE_NAMES = tuple(case.name for case in CASES)


def cases_named(names: tuple[str, ...]) -> tuple[Case, ...]:
    """Return the cases of these names in the table's order; all of them where no name is given.

    Raises:
        UnknownCase: A name is none.
    """
    for name in names:
        if name not in CASE_NAMES:
            raise UnknownCase(name)
    return tuple(case for case in CASES if not names or case.name in names)

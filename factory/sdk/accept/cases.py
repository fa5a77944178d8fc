"""The acceptance cases, as data: what each one proves, and what an SDK must have for it to apply.

Each case is a statement of the SDK's FAQ or of its API documentation, in our words. The code that
tests it is the function of the same name in `factory.sdk.accept.driver.case_functions`.
"""

from dataclasses import dataclass

from factory.core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One documented behaviour of the SDK.

    Attributes:
        proves: The documented sentence that it tests.
        needs: What the SDK must have: ``Codex.thread_resume``, or ``client:CodexClient`` for a name in a
            module of its package; ``|`` separates alternatives.
        uses_runtime: Whether the runtime under test is started. Other cases start a fake app-server or
            nothing.
    """

    name: str
    proves: str
    needs: tuple[str, ...] = ("Codex",)
    uses_runtime: bool = True


_TURN = ("Codex.thread_start", "Thread.run|final_text")
_LIVE = ("Codex.thread_start", "Thread.turn", "TurnHandle.stream", "TurnHandle.interrupt", *_TURN)
_RETRY = ("retry_on_overload", "Codex.models", "CodexConfig")
CASES: tuple[Case, ...] = (
    Case(
        name="constructor-initialises",
        proves="The constructor is eager: it starts the runtime and initialises it.",
        needs=("Codex.metadata", *_TURN),
    ),
    Case(
        name="runtime-not-installed",
        proves="The constructor fails if the runtime's package is not installed, and names it.",
        uses_runtime=False,
    ),
    Case(
        name="override-points-nowhere",
        proves="The constructor fails if the executable override points to a missing file, and names it.",
        needs=("Codex", "CodexConfig"),
        uses_runtime=False,
    ),
    Case(
        name="app-server-incompatible",
        proves="The constructor fails if the app-server does not identify itself.",
        needs=("Codex", "CodexConfig"),
        uses_runtime=False,
    ),
    Case(
        name="app-server-too-old",
        proves="The constructor fails with a typed error if the app-server does not know the method.",
        needs=("CodexConfig", "MethodNotFoundError"),
        uses_runtime=False,
    ),
    Case(
        name="app-server-crashes",
        proves="The constructor fails if the app-server exits, and shows its last output.",
        needs=("CodexConfig", "TransportClosedError"),
        uses_runtime=False,
    ),
    Case(
        name="app-server-prints-garbage",
        proves="The constructor fails if the app-server prints something other than JSON, and shows it.",
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
        proves="A new thread for every prompt does not continue the conversation.",
        needs=_TURN,
    ),
    Case(
        name="start-and-resume",
        proves="thread_start starts a thread, and thread_resume continues it by its identifier.",
        needs=("Codex.thread_resume", *_TURN),
    ),
    Case(
        name="run-waits-for-completion",
        proves="run waits until the turn is completed and returns its result.",
        needs=_TURN,
    ),
    Case(
        name="stream-in-order",
        proves="stream yields the turn's notifications in order and ends with turn/completed.",
        needs=("Codex.thread_start", "Thread.turn", "TurnHandle.stream"),
    ),
    Case(
        name="tool-calls",
        proves="A command that the model calls is run, and the model gets its output.",
        needs=("Sandbox.full_access|final_text", "ApprovalMode.deny_all|final_text", *_TURN),
    ),
    Case(
        name="code-mode",
        proves="With code mode on, a script of the model is run, and the model gets its output.",
        needs=_TURN,
    ),
    Case(
        name="async-is-lazy",
        proves="The async client initialises on its first awaited use.",
        needs=("AsyncCodex.thread_start",),
    ),
    Case(
        name="async-mirrors-sync",
        proves="The async client has the public API of the sync client, and behaves the same.",
        needs=("AsyncCodex", "AsyncThread", "AsyncTurnHandle", "Thread.turn", *_TURN),
    ),
    Case(
        name="keywords-are-snake-case",
        proves="Public keyword names are snake_case; the SDK maps them to the wire's spelling.",
        needs=("AsyncCodex", "AsyncThread", "AsyncTurnHandle", "TurnHandle", *_TURN),
    ),
    Case(
        name="overload-is-retried",
        proves="retry_on_overload retries when the app-server is overloaded, and waits longer each time.",
        needs=_RETRY,
        uses_runtime=False,
    ),
    Case(
        name="retries-end",
        proves="If the overload lasts, the caller gets the error after the last attempt.",
        needs=("ServerBusyError", *_RETRY),
        uses_runtime=False,
    ),
    Case(
        name="other-errors-are-not-retried",
        proves="Invalid parameters and unknown methods are not retried.",
        needs=("InvalidParamsError", "MethodNotFoundError", *_RETRY),
        uses_runtime=False,
    ),
    Case(
        name="model-overload-is-retried",
        proves="A model that is overloaded for a short time does not fail the turn.",
        needs=_TURN,
    ),
    Case(
        name="model-refusal-is-not-retried",
        proves="A request that the model refuses is not repeated, and the turn fails with an error.",
        needs=_TURN,
    ),
    Case(
        name="errors-have-types",
        proves="Each JSON-RPC error code has its own exception class.",
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
        proves="Invalid parameters raise a typed error, and the connection stays usable.",
        needs=("CodexRpcError", "client:CodexClient.request", "types:ModelListResponse"),
    ),
    Case(
        name="unknown-method",
        proves="An unknown method raises a typed error, and the connection stays usable.",
        needs=("CodexRpcError", "client:CodexClient.request", "types:ModelListResponse"),
    ),
    Case(
        name="interrupt-ends-the-turn",
        proves="interrupt ends a running turn, and the thread can go on.",
        needs=_LIVE,
    ),
    Case(
        name="steer-reaches-the-model",
        proves="steer adds input to a running turn.",
        needs=("TurnHandle.steer", *_LIVE),
    ),
    Case(
        name="turns-run-at-once",
        proves="Turns of several threads run at once on one client, and are kept apart.",
        needs=_LIVE,
    ),
    Case(
        name="many-notifications",
        proves="No notification is lost or out of order when many arrive at once.",
        needs=_LIVE,
    ),
    Case(
        name="cut-streams-are-retried",
        proves="An answer of the model that ends too early does not fail the turn.",
        needs=_TURN,
    ),
    Case(
        name="all-items-and-the-final-text",
        proves="The final text and all items of a turn can be had.",
        needs=("TurnHandle.items|TurnResult", *_TURN),
    ),
    Case(
        name="approval-is-accepted",
        proves="The approval handler can accept a command.",
        needs=("ServerRequest", *_TURN),
    ),
    Case(
        name="approval-is-declined",
        proves="The approval handler can decline a command, and the turn goes on.",
        needs=("ServerRequest", *_TURN),
    ),
    Case(
        name="approval-has-a-safe-default",
        proves="Without an approval handler, a command that needs approval does not run.",
        needs=("ServerRequest", *_TURN),
    ),
    Case(
        name="images-reach-the-model",
        proves="An image in the input reaches the model.",
        needs=("ImageInput", "TextInput", *_TURN),
    ),
    Case(
        name="viewed-images-reach-both-sides",
        proves="An image that the model looks at is an item of the turn, and reaches the model.",
        needs=("TurnHandle.stream", "Sandbox.full_access|final_text", *_TURN),
    ),
    Case(
        name="every-message-is-parsed",
        proves="The SDK parses every message that the runtime can send, in each of its forms.",
        needs=("generated.v2_all:Turn", "generated.notification_registry:NOTIFICATION_MODELS"),
    ),
    Case(
        name="cancelled-waiting-leaves-the-client-usable",
        proves="Cancelling the task that waits for a turn leaves the client usable, and no process behind.",
        needs=("AsyncCodex.thread_start", "AsyncTurnHandle.interrupt", *_TURN),
    ),
    Case(
        name="runtime-is-killed",
        proves="If the runtime is killed during a turn, the stream and further calls fail with an error.",
        needs=("TransportClosedError", "CodexError", *_LIVE),
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
    """Return the named cases in the table's order, or all cases if no name is given.

    Raises:
        UsageError: A name is unknown.
    """
    for name in names:
        if name not in CASE_NAMES:
            raise UsageError(f"there is no acceptance case {name!r}", hint=f"Cases: {', '.join(CASE_NAMES)}.")
    return tuple(case for case in CASES if not names or case.name in names)

"""Cases about a turn while it runs: interrupting, steering, approving, cancelling, losing the runtime."""

import asyncio
import base64
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from factory.sdk.accept.driver.case_context import (
    CannotRun,
    CaseContext,
    NotApplicable,
    expect,
    expect_count,
    expect_error,
)
from factory.sdk.accept.driver.processes import can_list_processes, case_processes, kill, remaining_processes
from factory.sdk.accept.driver.sdk_protocols import AsyncCodex, Codex, Notification, Question
from factory.sdk.accept.driver.turn_cases import tool_calls_of
from factory.sdk.model_server import Answer, CallTool, Echo, ModelServer, Say, Stream

_OFFICIAL = "openai_codex"
_DELTA = "item/agentMessage/delta"
_POLL_S = 0.05
_HOLD_S = 30.0
_HELD = Stream(pieces=("One ", "two "), hold_s=_HOLD_S)
"""An answer that does not end by itself while a case runs."""
_PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)


def interrupt_ends_the_turn(context: CaseContext) -> None:
    """Interrupt while the model is speaking: the turn ends as interrupted, and the thread is usable."""
    with context.talk(_HELD, Say(text="Usable.")) as (codex, _):
        thread = codex.thread_start()
        handle = thread.turn("A question.")
        seen: list[Notification] = []
        for event in handle.stream():
            if event.method == _DELTA and all(earlier.method != _DELTA for earlier in seen):
                handle.interrupt()
            seen.append(event)
        status = _status(seen[-1])
        expect(status == "interrupted", f"the turn ended as {status}")
        after = context.style.run(thread, "Another question.").final_response
        expect(after == "Usable.", f"the next turn returned {after!r}")


def steer_reaches_the_model(context: CaseContext) -> None:
    """Steer while the model is speaking: the next request of the same turn contains the new input.

    The model speaks until the runtime has accepted the input: a turn that has ended cannot be steered.
    """
    held = Stream(pieces=("Working.",), hold_s=_HOLD_S)
    with context.talk(held, Say(text="Steered.")) as (codex, server):
        handle = codex.thread_start().turn("A question.")
        texts = []
        for event in handle.stream():
            if event.method == _DELTA and not held.released.is_set():
                handle.steer("Turn left.")
                held.released.set()
            texts.append(json.dumps(_payload(event)))
    expect_count(server.turns, 2, "requests to the model")
    expect(b"Turn left." in server.turns[1], "the second request lacks the new input")
    expect(any("Steered." in text for text in texts), "the turn has no answer to the new input")


def turns_run_at_once(context: CaseContext) -> None:
    """Run two turns of two threads at once: each stream has the notifications of its own turn only."""
    with context.talk(Echo(hold_s=1.0)) as (codex, server):
        handles = [codex.thread_start().turn(f"Question {name}.") for name in ("one", "two")]
        streams = [list(handle.stream()) for handle in reversed(handles)]
    expect_count(server.turns, 2, "requests to the model")
    for name, own, other in (("two", streams[0], streams[1]), ("one", streams[1], streams[0])):
        texts = "".join(json.dumps(_payload(event)) for event in own)
        expect(f"Question {name}." in texts, f"turn {name} lacks its answer")
        expect(_turn_ids(own).isdisjoint(_turn_ids(other)), "a notification is in both streams")
        expect_count(_turn_ids(own), 1, f"turns in the stream of turn {name}")
        expect(_status(own[-1]) == "completed", f"turn {name} ended as {_status(own[-1])}")


def many_notifications(context: CaseContext) -> None:
    """Let the model speak in 2,000 pieces: all of them arrive, in order."""
    words = tuple(f"{number} " for number in range(2000))
    with context.talk(Stream(pieces=words)) as (codex, _):
        events = list(codex.thread_start().turn("Count.").stream())
    deltas = "".join(str(_payload(event).get("delta")) for event in events if event.method == _DELTA)
    expect(deltas == "".join(words), f"the pieces are {deltas[:80]!r}...")


def cut_streams_are_retried(context: CaseContext) -> None:
    """End the model's answer too early, in the middle of its events: the turn still completes."""
    cut = Stream(pieces=("Half a",), interval_s=0.1, is_cut=True)
    with context.talk(cut, Say(text="Whole.")) as (codex, server):
        result = context.style.run(codex.thread_start(), "A question.")
    expect(result.final_response == "Whole.", f"the turn ended with {result.final_response!r}")
    expect_count(server.turns, 2, "requests to the model")


def all_items_and_the_final_text(context: CaseContext) -> None:
    """Run a turn with a command: the command and the last message are both among its items."""
    with context.talk(*tool_calls_of("echo item"), Say(text="Done.")) as (codex, _):
        result = context.style.run(codex.thread_start(**context.style.full_access()), "Do it.")
    expect(result.final_response == "Done.", f"the final text is {result.final_response!r}")
    expect("commandExecution" in result.items, f"the items lack the command: {result.items}")
    expect(result.items[-1:] == ("agentMessage",), f"the last item is not the message: {result.items}")


def approval_is_accepted(context: CaseContext) -> None:
    """Accept what the runtime asks: the command runs."""
    made = context.home / "made"
    with _approving(context, lambda request: request.accept()) as (codex, asked):
        _run_touch(context, codex)
    expect(bool(asked), "the runtime asked nothing")
    expect(made.exists(), f"the accepted command did not run; asked: {asked}")


def approval_is_declined(context: CaseContext) -> None:
    """Decline what the runtime asks: the command does not run, and the turn goes on."""
    made = context.home / "made"
    with _approving(context, lambda request: request.decline()) as (codex, asked):
        _run_touch(context, codex)
    expect(bool(asked), "the runtime asked nothing")
    expect(not made.exists(), "the declined command ran")


def approval_has_a_safe_default(context: CaseContext) -> None:
    """Give no handler: the command does not run, and the turn goes on."""
    made = context.home / "made"
    with context.talk(*tool_calls_of(f"touch {made}"), Say(text="Done.")) as (codex, _):
        _run_touch(context, codex)
    expect(not made.exists(), "the command ran without an approval")


def cancelled_waiting_leaves_the_client_usable(context: CaseContext) -> None:
    """Cancel the task that waits for a turn: the turn can be interrupted, and another one runs."""

    async def use(server: ModelServer) -> str | None:
        client: AsyncCodex = context.sdk.AsyncCodex(context.configuration())
        try:
            thread = await client.thread_start()
            handle = await thread.turn("A question.")

            async def wait() -> None:
                await handle.run()

            waiting = asyncio.create_task(wait())
            # The held answer is for this turn; the next one would get it if the model were not asked yet.
            while not server.turns:  # noqa: ASYNC110 - the server runs in another thread
                await asyncio.sleep(_POLL_S)
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await waiting
            expect(waiting.cancelled(), "the task that waits for the turn was not cancelled")
            await handle.interrupt()
            return (await context.style.run_async(thread, "Another question.")).final_response
        finally:
            await client.close()

    with context.model(_HELD, Say(text="Usable.")) as server:
        response = asyncio.run(use(server))
    expect(response == "Usable.", f"the next turn returned {response!r}")
    left = remaining_processes(context.home)
    expect(not left, f"still running: {', '.join(process.name for process in left)}")


def runtime_is_killed(context: CaseContext) -> None:
    """Kill the runtime in the middle of a turn: the stream and further calls fail, and nothing hangs."""
    if not can_list_processes() or sys.platform == "win32":
        raise CannotRun("this system's processes cannot be listed here")
    if context.package == _OFFICIAL:
        raise NotApplicable("calls of the official SDK can wait for ever after its runtime was killed")
    with context.model(_HELD):
        codex = context.open()
        handle = codex.thread_start().turn("A question.")

        def consume() -> None:
            for event in handle.stream():
                if event.method == _DELTA:
                    kill(case_processes(context.home))

        expect_error(context.sdk.TransportClosedError, consume)
        expect_error(context.sdk.CodexError, codex.models)
        codex.close()


def images_reach_the_model(context: CaseContext) -> None:
    """Ask with an image: the request to the model contains it."""
    sdk = context.sdk
    with context.talk(Say(text="An image.")) as (codex, server):
        context.style.run(codex.thread_start(), [sdk.TextInput("Look."), sdk.ImageInput(_PNG)])
    expect(b"input_image" in server.turns[0], "the request has no image")
    expect(b"iVBORw0KGgo" in server.turns[0], "the request lacks the image's bytes")


def viewed_images_reach_both_sides(context: CaseContext) -> None:
    """Let the model look at a file: the image is an item of the turn, and goes back to the model."""
    image = context.home / "image.png"
    image.write_bytes(base64.b64decode(_PNG.partition(",")[2]))
    call = CallTool(name="view_image", arguments=json.dumps({"path": str(image)}))
    with context.talk(call, Say(text="Seen.")) as (codex, server):
        thread = codex.thread_start(**context.style.full_access())
        events = list(thread.turn("Look at it.").stream())
    items = [_payload(event).get("item") for event in events if event.method == "item/completed"]
    paths = [item.get("path") for item in items if isinstance(item, dict) and item.get("type") == "imageView"]
    expect(paths == [str(image)], f"the images among the items are {paths}")
    expect(_status(events[-1]) == "completed", f"the turn ended as {_status(events[-1])}")
    expect_count(server.turns, 2, "requests to the model")
    expect(b"iVBORw0KGgo" in server.turns[1], "the second request lacks the image's bytes")


@contextmanager
def _approving(
    context: CaseContext, decide: Callable[[Question], object]
) -> Iterator[tuple[Codex, list[str]]]:
    asked: list[str] = []

    def handler(request: Question) -> object:
        asked.append(request.method)
        return decide(request)

    script: tuple[Answer, ...] = (*tool_calls_of(f"touch {context.home / 'made'}"), Say(text="Done."))
    with (
        context.model(*script),
        context.sdk.Codex(context.configuration(), approval_handler=handler) as codex,
    ):
        yield codex, asked


def _run_touch(context: CaseContext, codex: Codex) -> None:
    thread = codex.thread_start(sandbox="danger-full-access", approval_policy="untrusted")
    result = context.style.run(thread, "Do it.")
    expect(result.final_response == "Done.", f"the turn ended with {result.final_response!r}")


def _payload(event: Notification) -> dict[str, object]:
    """Return the parameters of a notification as JSON."""
    dumped: dict[str, object] = event.payload.model_dump(mode="json", by_alias=True)
    return dumped


def _status(event: Notification) -> object:
    turn = _payload(event).get("turn")
    return turn.get("status") if isinstance(turn, dict) else None


def _turn_ids(events: list[Notification]) -> set[object]:
    found = set()
    for event in events:
        payload = _payload(event)
        turn = payload.get("turn")
        found.add(payload.get("turnId") or (turn.get("id") if isinstance(turn, dict) else None))
    return found

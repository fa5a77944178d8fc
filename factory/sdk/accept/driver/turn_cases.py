"""Cases about threads and turns, run against the model server."""

import json
from collections import Counter

from factory.sdk.accept.driver.case_context import CaseContext, expect, expect_count
from factory.sdk.model_server import CallTool, Say

PRODUCT = "5535"
_TOOLS = (
    ("exec_command", {"cmd": "echo $((41*135))"}),
    ("shell_command", {"command": "echo $((41*135))"}),
    ("shell", {"command": ["sh", "-c", "echo $((41*135))"]}),
)
"""The names of the command tool in different releases; the runtime refuses those that it does not have."""


def thread_keeps_conversation(context: CaseContext) -> None:
    """Run two turns on a thread: the second request to the model contains the whole first turn."""
    with context.talk(Say(text="The first answer."), Say(text="The second answer.")) as (codex, server):
        thread = codex.thread_start()
        thread.run("The first question.")
        thread.run("The second question.")
    expect_count(server.turns, 2, "requests to the model")
    for words in (b"The first question.", b"The first answer.", b"The second question."):
        expect(words in server.turns[1], f"the second request lacks {words.decode()!r}")


def threads_are_apart(context: CaseContext) -> None:
    """Start a second thread: its requests contain nothing of the first one."""
    with context.talk(Say(text="An answer.")) as (codex, server):
        codex.thread_start().run("The secret of the first thread.")
        codex.thread_start().run("Another question.")
    expect(b"The secret" not in server.turns[1], "the second thread contains text of the first one")


def run_waits_for_completion(context: CaseContext) -> None:
    """Delay the model's answer: ``run`` still returns all of it."""
    with context.talk(Say(text="Said late.", delay_s=1.0)) as (codex, _):
        result = codex.thread_start().run("Take your time.")
    expect(result.final_response == "Said late.", f"run returned {result.final_response!r}")
    status = getattr(result.status, "value", result.status)
    expect(status == "completed", f"run returned a turn that is {status}")


def stream_in_order(context: CaseContext) -> None:
    """Collect a turn's notifications: it starts, every item starts before it completes, and it completes."""
    with context.talk(Say(text="An answer.")) as (codex, _):
        methods = [event.method for event in codex.thread_start().turn("A question.").stream()]
    listed = ", ".join(methods)
    expect(methods[:1] == ["turn/started"], f"it does not begin with turn/started: {listed}")
    expect(methods[-1:] == ["turn/completed"], f"it does not end with turn/completed: {listed}")
    counts: Counter[str] = Counter()
    for method in methods:
        counts[method] += 1
        expect(counts["item/completed"] <= counts["item/started"], f"an item ends before it begins: {listed}")
    expect(counts["turn/completed"] == 1, f"the turn is completed more than once: {listed}")
    expect(counts["item/completed"] == counts["item/started"] > 0, f"an item is not completed: {listed}")


def start_and_resume(context: CaseContext) -> None:
    """Start a thread, close the runtime, and resume the thread with another runtime process."""
    with context.model(Say(text="The first answer.")) as server:
        with context.open() as codex:
            thread = codex.thread_start()
            thread.run("The first question.")
        with context.open() as codex:
            resumed = codex.thread_resume(thread.id)
            expect(resumed.id == thread.id, f"thread {thread.id} was resumed as {resumed.id}")
            resumed.run("The second question.")
        expect(b"The first question." in server.turns[-1], "the resumed thread lacks its first turn")


def tool_calls(context: CaseContext) -> None:
    """Let the model call a command: the runtime runs it and returns the output to the model."""
    calls = (CallTool(name=name, arguments=json.dumps(arguments), call_id=name) for name, arguments in _TOOLS)
    with context.talk(*calls, Say(text="Done.")) as (codex, server):
        thread = codex.thread_start(
            sandbox=context.sdk.Sandbox.full_access, approval_mode=context.sdk.ApprovalMode.deny_all
        )
        result = thread.run("Multiply.")
    expect(result.final_response == "Done.", f"the turn ended with {result.final_response!r}")
    items = json.loads(server.turns[-1])["input"]
    outputs = [str(item["output"]) for item in items if item["type"] == "function_call_output"]
    expect(any(PRODUCT in output for output in outputs), f"no command was run: {outputs}")

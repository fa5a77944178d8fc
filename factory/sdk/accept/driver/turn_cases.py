"""Cases about threads and turns, run against the model server."""

import importlib
import json
from collections import Counter
from pathlib import Path

from factory.sdk.accept.driver.case_context import (
    CaseContext,
    NotApplicable,
    expect,
    expect_count,
)
from factory.sdk.model_server import CallTool, RunScript, Say

PRODUCT = "5535"
_CODE_MODE = ("code_mode", "code_mode_only")
_COMMAND = "echo $((41*135))"


def tool_calls_of(command: str) -> tuple[CallTool, ...]:
    """Return a call of the command tool under each name that it has in some release.

    The runtime refuses those that it does not have.
    """
    tools = (
        ("exec_command", {"cmd": command}),
        ("shell_command", {"command": command}),
        ("shell", {"command": ["sh", "-c", command]}),
    )
    return tuple(
        CallTool(name=name, arguments=json.dumps(arguments), call_id=name) for name, arguments in tools
    )


def thread_keeps_conversation(context: CaseContext) -> None:
    """Run two turns on a thread: the second request to the model contains the whole first turn."""
    with context.talk(Say(text="The first answer."), Say(text="The second answer.")) as (codex, server):
        thread = codex.thread_start()
        context.style.run(thread, "The first question.")
        context.style.run(thread, "The second question.")
    expect_count(server.turns, 2, "requests to the model")
    for words in (b"The first question.", b"The first answer.", b"The second question."):
        expect(words in server.turns[1], f"the second request lacks {words.decode()!r}")


def threads_are_apart(context: CaseContext) -> None:
    """Start a second thread: its requests contain nothing of the first one."""
    with context.talk(Say(text="An answer.")) as (codex, server):
        context.style.run(codex.thread_start(), "The secret of the first thread.")
        context.style.run(codex.thread_start(), "Another question.")
    expect(b"The secret" not in server.turns[1], "the second thread contains text of the first one")


def run_waits_for_completion(context: CaseContext) -> None:
    """Delay the model's answer: ``run`` still returns all of it."""
    with context.talk(Say(text="Said late.", delay_s=1.0)) as (codex, _):
        result = context.style.run(codex.thread_start(), "Take your time.")
    expect(result.final_response == "Said late.", f"run returned {result.final_response!r}")
    expect(result.status == "completed", f"run returned a turn that is {result.status}")


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
            context.style.run(thread, "The first question.")
        with context.open() as codex:
            resumed = codex.thread_resume(thread.id)
            expect(resumed.id == thread.id, f"thread {thread.id} was resumed as {resumed.id}")
            context.style.run(resumed, "The second question.")
        expect(b"The first question." in server.turns[-1], "the resumed thread lacks its first turn")


def tool_calls(context: CaseContext) -> None:
    """Let the model call a command: the runtime runs it and returns the output to the model."""
    with context.talk(*tool_calls_of(_COMMAND), Say(text="Done.")) as (codex, server):
        thread = codex.thread_start(**context.style.full_access())
        result = context.style.run(thread, "Multiply.")
    expect(result.final_response == "Done.", f"the turn ended with {result.final_response!r}")
    items = json.loads(server.turns[-1])["input"]
    outputs = [str(item["output"]) for item in items if item["type"] == "function_call_output"]
    expect(any(PRODUCT in output for output in outputs), f"no command was run: {outputs}")


def _package_directory() -> Path:
    """Return the directory of the installed executable."""
    return Path(importlib.import_module("codex_cli_bin").bundled_codex_path()).parent


def code_mode(context: CaseContext) -> None:
    """Turn code mode on and let the model run a script: its output goes back to the model.

    The runtime starts another executable of the package for that. If it is missing, only this fails. Older
    releases have neither code mode nor that executable.
    """
    script = RunScript(script='text("the product is " + 41 * 135);')
    with context.model(script, Say(text="Done."), features=_CODE_MODE) as server, context.open() as codex:
        result = context.style.run(codex.thread_start(), "Multiply.")
    is_offered = b'"exec"' in server.turns[0]
    if not is_offered and not list(_package_directory().glob("codex-code-mode-host*")):
        raise NotApplicable("this release has no code mode")
    expect(result.final_response == "Done.", f"the turn ended with {result.final_response!r}")
    items = json.loads(server.turns[-1])["input"]
    outputs = [json.dumps(item["output"]) for item in items if item["type"] == "custom_tool_call_output"]
    expect(any(f"the product is {PRODUCT}" in output for output in outputs), f"no script was run: {outputs}")

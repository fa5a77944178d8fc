"""Cases about the async client and the names in the public API."""

import asyncio
import inspect
import re
from collections.abc import Iterator
from types import FunctionType, ModuleType

from factory.sdk.accept.driver.case_context import CaseContext, expect, expect_error
from factory.sdk.accept.driver.processes import case_processes
from factory.sdk.accept.driver.sdk_protocols import AsyncCodex
from factory.sdk.accept.driver.sdk_style import agent_of
from factory.sdk.model_server import Say

PAIRS = (("Codex", "AsyncCodex"), ("Thread", "AsyncThread"), ("TurnHandle", "AsyncTurnHandle"))
_SNAKE_CASE = re.compile(r"[a-z][a-z0-9_]*")


def async_is_lazy(context: CaseContext) -> None:
    """Construct an async client: no process is started until the first await."""

    async def use() -> None:
        client: AsyncCodex = context.sdk.AsyncCodex(context.configuration())
        expect(not case_processes(context.home), "the constructor started a process")
        expect_error(RuntimeError, lambda: client.metadata)
        await client.thread_start()
        agent = agent_of(client.metadata)
        expect(f"/{context.version} " in agent, f"the runtime reports {agent!r}, not {context.version}")
        await client.close()

    with context.model(Say(text="unused")):
        asyncio.run(use())


def async_mirrors_sync(context: CaseContext) -> None:
    """Compare the async classes with the sync ones, and run a turn with each client."""
    for sync, other in PAIRS:
        _expect_mirror(context.sdk, sync, other)

    async def use() -> tuple[str | None, list[str]]:
        client: AsyncCodex = context.sdk.AsyncCodex(context.configuration())
        try:
            thread = await client.thread_start()
            result = await context.style.run_async(thread, "A question.")
            handle = await thread.turn("Another question.")
            return result.final_response, [event.method async for event in handle.stream()]
        finally:
            await client.close()

    with context.model(Say(text="The same answer.")):
        with context.open() as codex:
            thread = codex.thread_start()
            response = context.style.run(thread, "A question.").final_response
            methods = [event.method for event in thread.turn("Another question.").stream()]
        other_response, other_methods = asyncio.run(use())
    expect(
        response == other_response,
        f"the sync client returns {response!r}, the async client {other_response!r}",
    )
    # Compared without order, which is the runtime's: 0.105.0 sends turn/started before or after an item.
    expect(
        sorted(methods) == sorted(other_methods),
        f"the sync client streams {methods}, the async client {other_methods}",
    )


def _expect_mirror(sdk: ModuleType, sync: str, other: str) -> None:
    mirror = dict(_public_methods(getattr(sdk, other)))
    for name, method in _public_methods(getattr(sdk, sync)):
        expect(name in mirror, f"{other} has no {name}")
        is_async = inspect.iscoroutinefunction(mirror[name]) or inspect.isasyncgenfunction(mirror[name])
        expect(is_async, f"{other}.{name} is not async")
        here, there = _parameters(method), _parameters(mirror[name])
        expect(here == there, f"{other}.{name} takes {there}, {sync}.{name} takes {here}")


def _public_methods(cls: type) -> Iterator[tuple[str, FunctionType]]:
    yield from (
        (name, member)
        for name, member in vars(cls).items()
        if isinstance(member, FunctionType) and not name.startswith("_")
    )


def _parameters(method: FunctionType) -> list[str]:
    parameters = inspect.signature(method).parameters.values()
    return [f"{parameter.kind.description} {parameter.name}" for parameter in parameters]


def keywords_are_snake_case(context: CaseContext) -> None:
    """Check every keyword's spelling; the SDK refuses the wire's spelling, and Python's reaches the model."""
    for name in (name for pair in PAIRS for name in pair):
        for method_name, method in _public_methods(getattr(context.sdk, name)):
            for parameter in inspect.signature(method).parameters:
                is_snake = _SNAKE_CASE.fullmatch(parameter) is not None
                expect(is_snake, f"{name}.{method_name} has {parameter}")
    with context.talk(Say(text="An answer.")) as (codex, server):
        wire = {"developerInstructions": "Speak."}
        expect_error(TypeError, lambda: codex.thread_start(**wire))
        thread = codex.thread_start(developer_instructions="Speak in riddles.")
        context.style.run(thread, "A question.")
        expect(b"Speak in riddles." in server.turns[0], "the keyword did not reach the model")

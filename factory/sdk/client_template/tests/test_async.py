"""The async client against the fake app-server."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest
from codex_factory_sdk import (
    AsyncCodex,
    AsyncCodexClient,
    AsyncThread,
    AsyncTurnHandle,
    AuthenticationRequired,
    Codex,
    CodexClient,
    CodexConfig,
    ProtocolError,
    RequestTimeout,
    ServerBusyError,
    ServerRequest,
    SlowConsumer,
    Thread,
    TransportClosedError,
    TurnHandle,
    async_retry_on_overload,
    final_text,
)

Fake = Callable[..., CodexConfig]


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(main, 60))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def process_of(codex: AsyncCodex) -> int:
    transport = codex.client._transport
    assert transport is not None
    return transport.process.pid


@pytest.mark.parametrize(
    ("sync", "other"),
    [
        (Codex, AsyncCodex),
        (Thread, AsyncThread),
        (TurnHandle, AsyncTurnHandle),
        (CodexClient, AsyncCodexClient),
    ],
)
def test_the_async_class_has_the_shape_of_the_sync_one(sync: type, other: type) -> None:
    for name, method in inspect.getmembers(sync, inspect.isfunction):
        if not name.startswith("_"):
            mirror = getattr(other, name)
            assert inspect.iscoroutinefunction(mirror) or inspect.isasyncgenfunction(mirror), name
            assert list(inspect.signature(method).parameters) == list(inspect.signature(mirror).parameters)


def test_nothing_is_started_before_the_first_await(fake: Fake) -> None:
    async def main() -> None:
        codex = AsyncCodex(fake())
        assert codex.client._transport is None
        with pytest.raises(RuntimeError, match="not started"):
            _ = codex.metadata
        await codex.models()
        assert codex.metadata.user_agent == "fake/9999.0.0 (loopback)"
        await codex.close()
        await codex.close()
        assert not is_running(process_of(codex))
        with pytest.raises(TransportClosedError):
            await codex.models()

    run(main())


def test_first_uses_at_once_start_one_app_server(fake: Fake) -> None:
    async def main() -> None:
        codex = AsyncCodex(fake())
        await asyncio.gather(*(codex.models() for _ in range(5)))
        await codex.close()

    run(main())


def test_a_turn_runs_and_streams(fake: Fake) -> None:
    async def main() -> None:
        async with AsyncCodex(fake()) as codex:
            thread = AsyncThread(codex, "thread-1")
            handle = await thread.turn("early hello")
            assert final_text(await handle.run()) == "hello"
            assert [getattr(item.root, "text", None) for item in await handle.items()] == ["hello"]
            handle = await thread.turn("unknown")
            methods = [notification.method async for notification in handle.stream()]
            assert methods[1] == "future/thing"
            assert methods[-1] == "turn/completed"
            async for notification in codex.notifications():
                assert notification.method == "future/other"
                break
            handle = await thread.turn("hold")
            await handle.steer("left")
            assert final_text(await handle.run()) == "steered: left"
            handle = await thread.turn("hold")
            await handle.interrupt()
            assert (await handle.run()).status.value == "interrupted"

    run(main())


def test_turns_at_once_are_kept_apart(fake: Fake) -> None:
    async def chat(codex: AsyncCodex, number: int) -> list[str | None]:
        thread = AsyncThread(codex, f"thread-{number}")
        return [final_text(await (await thread.turn(f"say {number}-{turn}")).run()) for turn in range(10)]

    async def main() -> None:
        async with AsyncCodex(fake()) as codex:
            results = await asyncio.gather(*(chat(codex, number) for number in range(5)))
        assert results == [[f"{number}-{turn}" for turn in range(10)] for number in range(5)]

    run(main())


def test_a_slow_consumer_blocks_nobody(fake: Fake) -> None:
    async def main() -> None:
        async with AsyncCodex(fake(queue_limit=10)) as codex:
            slow = await AsyncThread(codex, "thread-1").turn("burst 5000")
            quick = await AsyncThread(codex, "thread-2").turn("say hello")
            assert final_text(await quick.run()) == "hello"
            with pytest.raises(SlowConsumer):
                async for _ in slow.stream():
                    pass
            assert final_text(await slow.run()) == "5000"

    run(main())


@pytest.mark.parametrize("is_async", [True, False])
def test_a_handler_answers(fake: Fake, is_async: bool) -> None:
    def answer(request: ServerRequest) -> Mapping[str, object]:
        return request.accept()

    async def async_answer(request: ServerRequest) -> Mapping[str, object]:
        await asyncio.sleep(0)
        return request.accept()

    async def main() -> None:
        async with AsyncCodex(fake(), approval_handler=async_answer if is_async else answer) as codex:
            turn = await (await AsyncThread(codex, "thread-1").turn("ask")).run()
            assert json.loads(str(final_text(turn))) == {"decision": "accept"}

    run(main())


def test_a_failing_handler_declines(fake: Fake) -> None:
    async def answer(_request: ServerRequest) -> Mapping[str, object]:
        raise LookupError

    async def main() -> None:
        async with AsyncCodex(fake(), approval_handler=answer) as codex:
            turn = await (await AsyncThread(codex, "thread-1").turn("ask")).run()
            assert json.loads(str(final_text(turn))) == {"decision": "decline"}

    run(main())


def test_a_cancelled_request_leaves_the_client_usable(fake: Fake) -> None:
    async def main() -> None:
        async with AsyncCodex(fake()) as codex:
            waiting = asyncio.create_task(codex.models(cursor="never"))
            await asyncio.sleep(0.1)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert (await codex.models()).data == []

    run(main())


def test_a_cancelled_consumer_can_go_on(fake: Fake) -> None:
    async def main() -> None:
        async with AsyncCodex(fake()) as codex:
            handle = await AsyncThread(codex, "thread-1").turn("hold")
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(handle.run(), 0.1)
            await handle.interrupt()
            assert (await handle.run()).status.value == "interrupted"

    run(main())


def test_a_cancelled_task_leaves_no_process(fake: Fake) -> None:
    pids: list[int] = []

    async def work() -> None:
        async with AsyncCodex(fake()) as codex:
            pids.append(process_of(codex))
            await (await AsyncThread(codex, "thread-1").turn("hold")).run()

    async def main() -> None:
        task = asyncio.create_task(work())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not is_running(pids[0])

    run(main())


def test_a_loop_that_ends_leaves_no_process(fake: Fake) -> None:
    pids: list[int] = []

    async def main() -> None:
        codex = AsyncCodex(fake())
        await codex.models()
        pids.append(process_of(codex))

    run(main())
    assert not is_running(pids[0])


def test_a_dead_app_server_fails_what_waits(fake: Fake) -> None:
    async def main() -> None:
        async with AsyncCodex(fake()) as codex:
            held = await AsyncThread(codex, "thread-1").turn("hold")
            call = asyncio.create_task(codex.models(cursor="never"))
            dying = await AsyncThread(codex, "thread-1").turn("die")
            for waiting in (held.run(), dying.run(), call, codex.models()):
                with pytest.raises(TransportClosedError, match="my last words"):
                    await waiting

    run(main())


def test_garbage_and_silence_are_errors(fake: Fake) -> None:
    async def main() -> None:
        with pytest.raises(ProtocolError, match="this is not JSON"):
            async with AsyncCodex(fake("garbage")):
                pass
        with pytest.raises(RequestTimeout):
            await AsyncCodex(fake("silent", startup_timeout_s=0.2)).models()

    run(main())


def test_a_missing_account_is_found(fake: Fake) -> None:
    async def main() -> None:
        async with AsyncCodex(fake("well", "--needs-account")) as codex:
            with pytest.raises(AuthenticationRequired):
                await AsyncThread(codex, "thread-1").turn("say hello")
        with pytest.raises(AuthenticationRequired):
            async with AsyncCodex(fake("well", "--needs-account"), require_auth=True):
                pass

    run(main())


def test_a_login_is_waited_for(fake: Fake) -> None:
    async def main() -> None:
        async with AsyncCodex(fake()) as codex:
            login = await codex.login_chatgpt()
            assert (await login.wait()).success is True

    run(main())


def test_an_overload_is_retried(fake: Fake) -> None:
    async def main() -> None:
        async with AsyncCodex(fake()) as codex:
            with pytest.raises(ServerBusyError):
                await async_retry_on_overload(
                    lambda: codex.models(cursor="busy"), max_attempts=2, initial_delay_s=0.0
                )
            assert (await async_retry_on_overload(codex.models)).data == []

    run(main())

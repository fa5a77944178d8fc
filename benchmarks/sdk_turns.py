"""Run many turns over several threads on one client, and check that nothing is lost or out of order.

    python -m benchmarks.sdk_turns CODEX [--turns 1000] [--threads 20] [--package openai_codex ...]

The same turns are run over the bare wire, without an SDK, for comparison. Packages are imported from this
interpreter's environment; the model is a server on the loopback address in a process of its own.
"""

import argparse
import importlib
import json
import os
import queue
import subprocess  # noqa: TID251 - it starts clients in processes of their own, to measure their memory
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Protocol

from factory.sdk.model_server import Echo, model_server

WIRE = "wire"
WORDS = 20
_DELTA = "item/agentMessage/delta"
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
Events = Iterator[tuple[str, str]]
"""The method of each notification, and the piece of text in it."""


class Client(Protocol):
    """Something that can start a thread, and run a turn in it."""

    def start_thread(self) -> object:
        """Start a thread."""

    def turn(self, thread: object, prompt: str) -> Events:
        """Yield the method of the turn's notifications, and the piece of text that they have."""

    def close(self) -> None:
        """Stop the app-server."""


class WireClient:
    """Speaks JSON lines by itself, with a queue for each thread."""

    def __init__(self, codex: str, home: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - an argument vector
            [codex, "app-server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "CODEX_HOME": str(home)},
            cwd=home,
        )
        self._lock = threading.Lock()
        self._answers: dict[int, queue.Queue[dict[str, object]]] = {}
        self._threads: dict[str, queue.Queue[dict[str, object]]] = {}
        self._count = 0
        threading.Thread(target=self._read, daemon=True).start()
        self._call("initialize", {"clientInfo": {"name": "wire", "version": "1"}})
        self._send({"method": "initialized"})

    def start_thread(self) -> object:
        """Start a thread."""
        result = self._call("thread/start", {"sandbox": "read-only", "approvalPolicy": "never"})
        thread = result["thread"]["id"]  # type: ignore[index]
        self._threads[thread] = queue.Queue()
        return thread

    def turn(self, thread: object, prompt: str) -> Events:
        """Yield the turn's notifications, by the thread."""
        params = {"threadId": thread, "input": [{"type": "text", "text": prompt}]}
        self._call("turn/start", params)
        while True:
            message = self._threads[str(thread)].get()
            yield str(message["method"]), str(message["params"].get("delta", ""))  # type: ignore[attr-defined]
            if message["method"] == "turn/completed":
                return

    def close(self) -> None:
        """Stop the app-server."""
        _pipe(self._process.stdin).close()
        self._process.wait()

    def _call(self, method: str, params: dict[str, object]) -> dict[str, object]:
        with self._lock:
            self._count += 1
            number = self._count
            answer = self._answers[number] = queue.Queue()
        self._send({"id": number, "method": method, "params": params})
        message = answer.get()
        return message["result"]  # type: ignore[return-value]

    def _send(self, message: dict[str, object]) -> None:
        with self._lock:
            stdin = _pipe(self._process.stdin)
            stdin.write(json.dumps(message).encode() + b"\n")
            stdin.flush()

    def _read(self) -> None:
        for line in _pipe(self._process.stdout):
            message = json.loads(line)
            if "method" not in message:
                self._answers.pop(message["id"]).put(message)
            elif "turnId" in message["params"] or "turn" in message["params"]:
                self._threads[message["params"]["threadId"]].put(message)


class SdkClient:
    """Uses an SDK: the official one or ours, which do these steps alike."""

    def __init__(self, package: str, codex: str, home: Path) -> None:
        sdk = importlib.import_module(package)
        self._codex = sdk.Codex(
            sdk.CodexConfig(codex_bin=codex, cwd=str(home), env={"CODEX_HOME": str(home)})
        )

    def start_thread(self) -> object:
        """Start a thread."""
        return self._codex.thread_start()

    def turn(self, thread: object, prompt: str) -> Events:
        """Yield the turn's notifications."""
        for event in thread.turn(prompt).stream():  # type: ignore[attr-defined]
            yield event.method, event.payload.delta if event.method == _DELTA else ""

    def close(self) -> None:
        """Stop the app-server."""
        self._codex.close()


def run_turns(client: Client, *, turns: int, threads: int) -> dict[str, object]:
    """Run the turns, and return the figures and what went wrong."""
    opened = [client.start_thread() for _ in range(threads)]
    problems: list[str] = []
    sizes: list[int] = []

    def chat(number: int) -> None:
        for turn in range(turns // threads):
            problems.extend(check(client.turn(opened[number], prompt(number, turn)), prompt(number, turn)))
            if number == 0:
                sizes.append(resident_bytes())

    before, cpu = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(chat, range(threads)))
    elapsed, used = time.monotonic() - before, time.process_time() - cpu
    return {
        "turns": turns // threads * threads,
        "problems": problems[:5],
        "wall_ms_per_turn": round(1000 * elapsed / turns, 2),
        "client_cpu_ms_per_turn": round(1000 * used / turns, 2),
        "rss_mb": [round(sizes[int(part * (len(sizes) - 1))] / 1e6, 1) for part in (0.1, 0.5, 1.0)],
    }


def prompt(thread: int, turn: int) -> str:
    """Return the text of a turn, which the model repeats; no other turn has it."""
    return " ".join(f"{thread}-{turn}-{word}" for word in range(WORDS))


def check(events: Events, expected: str) -> list[str]:
    """Return what is wrong with the notifications of a turn."""
    methods, deltas = [], []
    for method, piece in events:
        methods.append(method)
        if method == _DELTA:
            deltas.append(piece)
    problems = []
    if "".join(deltas) != expected or len(deltas) != WORDS:
        problems.append(f"the pieces of {expected[:12]!r} are {deltas[:3]}... ({len(deltas)})")
    if methods[:1] != ["turn/started"] or methods[-1:] != ["turn/completed"]:
        problems.append(f"the turn begins and ends with {methods[:1]} and {methods[-1:]}")
    if methods.count("item/started") != methods.count("item/completed"):
        problems.append("an item is not completed")
    return problems


def resident_bytes() -> int:
    """Return the resident memory of this process (proc_pid_statm(5))."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES


def client_of(package: str, codex: str, home: Path) -> Client:
    """Return the client for a package, or that for the bare wire."""
    return WireClient(codex, home) if package == WIRE else SdkClient(package, codex, home)


def main(argv: Sequence[str]) -> None:
    """Run the turns with every package, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sdk_turns")
    parser.add_argument("codex", help="the codex executable")
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=20)
    parser.add_argument("--package", action="append", help="a package to import (repeatable)")
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.client is not None:
        client = client_of(arguments.client, arguments.codex, arguments.home)
        try:
            result = run_turns(client, turns=arguments.turns, threads=arguments.threads)
        finally:
            client.close()
        print(json.dumps(result))
        return
    for package in (WIRE, *(arguments.package or ["codex_factory_sdk"])):
        print(package, _measured(package, arguments), flush=True)


def _measured(package: str, arguments: argparse.Namespace) -> str:
    options = ("--turns", str(arguments.turns), "--threads", str(arguments.threads))
    with tempfile.TemporaryDirectory() as directory, model_server([Echo()]) as server:
        home = Path(directory) / "home"
        server.configure(home)
        words = (arguments.codex, "--client", package, "--home", str(home), *options)
        done = subprocess.run(  # noqa: S603 - an argument vector
            [sys.executable, "-m", "benchmarks.sdk_turns", *words],
            capture_output=True,
            text=True,
            check=False,
        )
    return done.stdout.strip() or done.stderr[-2000:]


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the process has no such pipe")
    return pipe


if __name__ == "__main__":
    main(sys.argv[1:])

"""A fake app-server: ``python fake_app_server.py START``.

START says how it begins: ``well``, or a way to be broken. The text of a turn says what the turn does:
``say hello``, ``burst 100``, ``hold``, ``ask``, ``early``, ``die``, ``garbage`` and so on.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

HELLO = {
    "userAgent": "fake/9999.0.0 (loopback)",
    "codexHome": "/nowhere",
    "platformFamily": "unix",
    "platformOs": "linux",
}
STARTS: dict[str, str] = {
    "garbage": "this is not JSON",
    "number": "5",
    "nameless": json.dumps({"id": 1, "result": {}}),
    "old": json.dumps({"id": 1, "result": {**HELLO, "userAgent": "fake/0.0.1 (loopback)"}}),
    "unknown-method": json.dumps({"id": 1, "error": {"code": -32601, "message": "no such method"}}),
    "null-id": json.dumps({"id": None, "error": {"code": -32700, "message": "cannot read that"}}),
    "other-id": json.dumps({"id": 99, "result": HELLO}),
    "utf-8": '{"id":1,"result":"\udcff"}',
}
_ASK = "item/commandExecution/requestApproval"
_OUTPUT = threading.Lock()


def send(message: object) -> None:
    write(json.dumps(message))


def write(line: str) -> None:
    with _OUTPUT:
        sys.stdout.buffer.write(line.encode("utf-8", "surrogateescape") + b"\n")
        sys.stdout.buffer.flush()


class Server:
    def __init__(self) -> None:
        self.turns = 0
        self.threads = 0
        self.asked: dict[int, tuple[str, str]] = {}

    def handle(self, message: dict[str, Any]) -> None:
        method = message.get("method")
        if method is None:
            self.answered(message)
        elif "id" in message:
            getattr(self, str(method).replace("/", "_"), self.unknown)(message["id"], message["params"])

    def unknown(self, number: int, _params: dict[str, Any]) -> None:
        send({"id": number, "error": {"code": -32601, "message": "no such method"}})

    def initialize(self, number: int, _params: dict[str, Any]) -> None:
        send({"id": number, "result": HELLO})

    def account_read(self, number: int, _params: dict[str, Any]) -> None:
        needs = "--needs-account" in sys.argv
        send({"id": number, "result": {"account": None, "requiresOpenaiAuth": needs}})

    def account_login_start(self, number: int, _params: dict[str, Any]) -> None:
        done = {"method": "account/login/completed", "params": {"loginId": "login-1", "success": True}}
        send(done)
        result = {"type": "chatgpt", "loginId": "login-1", "authUrl": "http://127.0.0.1/login"}
        send({"id": number, "result": result})

    def model_list(self, number: int, params: dict[str, Any]) -> None:
        answer = str(params.get("cursor"))
        if answer == "busy":
            data = {"codexErrorInfo": "serverOverloaded"}
            send({"id": number, "error": {"code": -32001, "message": "busy", "data": data}})
        elif answer.startswith("-"):
            send({"id": number, "error": {"code": int(answer), "message": "refused"}})
        elif answer == "odd":
            send({"id": number, "result": {"data": "not a list"}})
        elif answer == "twice":
            send({"id": number, "result": {"data": []}})
            send({"id": number, "result": {"data": []}})
        elif answer != "never":
            send({"id": number, "result": {"data": [], "nextCursor": None, "surprise": [1]}})

    def turn_interrupt(self, number: int, params: dict[str, Any]) -> None:
        send({"id": number, "result": {}})
        self.complete(params["threadId"], params["turnId"], "interrupted")

    def turn_steer(self, number: int, params: dict[str, Any]) -> None:
        send({"id": number, "result": {"turnId": params["expectedTurnId"]}})
        text = params["input"][0]["text"]
        self.message(params["threadId"], params["expectedTurnId"], f"steered: {text}")
        self.complete(params["threadId"], params["expectedTurnId"], "completed", f"steered: {text}")

    def turn_start(self, number: int, params: dict[str, Any]) -> None:
        self.turns += 1
        thread, turn = params["threadId"], f"turn-{self.turns}"
        verb, _, rest = params["input"][0]["text"].partition(" ")
        result = {"id": number, "result": {"turn": self.turn(turn, "inProgress")}}
        started = {"threadId": thread, "turn": self.turn(turn, "inProgress")}
        if verb == "early":
            send({"method": "turn/started", "params": started})
            self.message(thread, turn, rest)
            self.complete(thread, turn, "completed", rest)
            time.sleep(0.2)
            send(result)
            return
        send(result)
        send({"method": "turn/started", "params": started})
        getattr(self, f"do_{verb}")(thread, turn, rest)

    def do_say(self, thread: str, turn: str, text: str) -> None:
        self.message(thread, turn, text)
        self.complete(thread, turn, "completed", text)

    def do_hold(self, thread: str, turn: str, _text: str) -> None:
        """Wait for an interruption or a steer."""

    def do_burst(self, thread: str, turn: str, count: str) -> None:
        for index in range(int(count)):
            params = {"threadId": thread, "turnId": turn, "itemId": "item-1", "delta": str(index)}
            send({"method": "item/agentMessage/delta", "params": params})
        self.do_say(thread, turn, count)

    def do_ask(self, thread: str, turn: str, method: str) -> None:
        number = 1000 + self.turns
        self.asked[number] = (thread, turn)
        params = {"threadId": thread, "turnId": turn, "itemId": "item-1", "startedAtMs": 0}
        send({"id": number, "method": method or _ASK, "params": params})

    def answered(self, message: dict[str, Any]) -> None:
        thread, turn = self.asked.pop(message["id"])
        self.do_say(thread, turn, json.dumps(message.get("result", message.get("error"))))

    def do_unknown(self, thread: str, turn: str, _text: str) -> None:
        send({"method": "future/thing", "params": {"threadId": thread, "turnId": turn, "news": 1}})
        send({"method": "future/other", "params": {"news": 2}})
        item = {"type": "futureItem", "id": "item-1", "colour": "blue"}
        self.item(thread, turn, item)
        self.do_say(thread, turn, "done")

    def do_unreadable(self, thread: str, turn: str, _text: str) -> None:
        params = {"threadId": thread, "turnId": turn, "completedAtMs": 0, "item": {"type": "agentMessage"}}
        send({"method": "item/completed", "params": params})
        self.complete(thread, turn, "completed")

    def do_unauthorized(self, thread: str, turn: str, _text: str) -> None:
        error = {"message": "401 Unauthorized", "codexErrorInfo": "unauthorized"}
        completed = {**self.turn(turn, "failed"), "error": error}
        send({"method": "turn/completed", "params": {"threadId": thread, "turn": completed}})

    def do_die(self, _thread: str, _turn: str, _text: str) -> None:
        sys.stderr.write("my last words\n")
        sys.stderr.flush()
        sys.stdout.flush()
        raise SystemExit(7)

    def do_chatter(self, thread: str, turn: str, count: str) -> None:
        sys.stderr.write("".join(f"line {number} {'e' * 80}\n" for number in range(int(count))))
        self.do_die(thread, turn, "")

    def do_orphan(self, _thread: str, _turn: str, _text: str) -> None:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        sys.stderr.write(f"{child.pid}\n")
        sys.stderr.flush()
        raise SystemExit(7)

    def do_half(self, _thread: str, _turn: str, _text: str) -> None:
        sys.stdout.write('{"method": "turn/comp')
        sys.stdout.flush()
        raise SystemExit(0)

    def do_garbage(self, _thread: str, _turn: str, _text: str) -> None:
        write("this is not JSON")

    def do_long(self, _thread: str, _turn: str, size: str) -> None:
        write("x" * int(size))

    def do_repeat(self, thread: str, turn: str, _text: str) -> None:
        for _ in range(2):
            send({"id": 1, "method": "item/tool/call", "params": {"threadId": thread, "turnId": turn}})

    def message(self, thread: str, turn: str, text: str) -> None:
        self.item(thread, turn, self.agent_message(text))

    def item(self, thread: str, turn: str, item: Mapping[str, object]) -> None:
        base = {"threadId": thread, "turnId": turn, "item": item}
        send({"method": "item/started", "params": {**base, "startedAtMs": 0}})
        send({"method": "item/completed", "params": {**base, "completedAtMs": 0}})

    def complete(self, thread: str, turn: str, status: str, text: str | None = None) -> None:
        items = [] if text is None else [self.agent_message(text)]
        completed = {**self.turn(turn, status), "items": items}
        send({"method": "turn/completed", "params": {"threadId": thread, "turn": completed}})

    @staticmethod
    def agent_message(text: str) -> dict[str, object]:
        return {"type": "agentMessage", "id": "item-1", "text": text}

    @staticmethod
    def turn(turn: str, status: str) -> dict[str, object]:
        return {"id": turn, "items": [], "status": status}


def main(start: str) -> int:
    if start == "crash":
        sys.stdin.readline()
        sys.stderr.write("my last words\n")
        return 3
    if start in STARTS:
        sys.stdin.readline()
        write(STARTS[start])
    if start == "half":
        sys.stdout.write('{"id": 1, "res')
        sys.stdout.flush()
    if start in {"silent", "half"} or start in STARTS:
        sys.stdin.read()
        return 0
    server = Server()
    for line in sys.stdin:
        server.handle(json.loads(line))
    if start == "stubborn":
        time.sleep(60)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))

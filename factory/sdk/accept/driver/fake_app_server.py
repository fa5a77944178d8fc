"""A fake app-server: its arguments are its reaction to ``initialize`` and its further answers.

``python -m factory.sdk.accept.driver.fake_app_server well busy busy ok`` starts well, is overloaded twice and
then answers. A number is the JSON-RPC error code to answer with. The last answer repeats.
"""

import json
import sys
from collections.abc import Mapping, Sequence

INITIALIZED = {
    "userAgent": "fake/1.0 (loopback)",
    "codexHome": "/nowhere",
    "platformFamily": "unix",
    "platformOs": "linux",
}
BUSY = {"code": -32001, "message": "busy", "data": {"codexErrorInfo": "server_overloaded"}}
MODELS: Mapping[str, object] = {"data": [], "nextCursor": None}
LAST_OUTPUT = "this app-server has crashed on purpose"
NOT_JSON = "this is not JSON"
_EXIT_CRASHED = 3


def serve(start: str, answers: Sequence[str]) -> int:
    """Answer every request on stdin until it ends, and return the exit status."""
    asked = 0
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request:
            continue
        if request["method"] != "initialize":
            _reply(request["id"], answers[min(asked, len(answers) - 1)])
            asked += 1
        elif start == "crash":
            sys.stderr.write(f"{LAST_OUTPUT}\n")
            return _EXIT_CRASHED
        elif start == "garbage":
            _write(NOT_JSON)
        elif start == "nameless":
            _write(json.dumps({"id": request["id"], "result": {}}))
        else:
            _reply(request["id"], "hello" if start == "well" else start)
    return 0


def _reply(number: object, answer: str) -> None:
    match answer:
        case "hello":
            reply: dict[str, object] = {"result": INITIALIZED}
        case "ok":
            reply = {"result": MODELS}
        case "busy":
            reply = {"error": BUSY}
        case code:
            reply = {"error": {"code": int(code), "message": f"refused with {code}"}}
    _write(json.dumps({"id": number, **reply}))


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(serve(sys.argv[1], sys.argv[2:]))

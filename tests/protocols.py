"""A small protocol in the form of the real one, and fake runtimes that write it."""

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.sdk.types.schema import BUNDLE, SchemaBundle
from tests.packages import TAG, npm_tarball, release_files

Definitions = dict[str, object]
_TURN = {
    "type": "object",
    "required": ["id", "status"],
    "properties": {
        "id": {"type": "string"},
        "status": {"$ref": "#/definitions/v2/TurnStatus"},
        "startedAt": {"type": ["integer", "null"], "format": "int64"},
    },
}


def message(method: str, parameters: str | None, *, is_request: bool = False) -> dict[str, object]:
    """Return a message as the schema lists it; a title with a path is not a valid class name."""
    words = "Request" if is_request else "Notification"
    properties: dict[str, object] = {
        "method": {"type": "string", "enum": [method], "title": f"{method.title()}{words}Method"}
    }
    if parameters is not None:
        properties["params"] = {"$ref": f"#/definitions/v2/{parameters}"}
    return {
        "type": "object",
        "title": f"{method.capitalize()}{words}",
        "required": sorted(properties),
        "properties": properties,
    }


def definitions() -> Definitions:
    """Return the definitions of the small protocol, with those in the namespace ``v2``."""
    return copy.deepcopy(
        {
            "ServerNotification": {
                "oneOf": [
                    message("turn/completed", "TurnCompletedNotification"),
                    message("error", "ErrorNotification"),
                ]
            },
            "ServerRequest": {"oneOf": [message("approve", "ApproveParams", is_request=True)]},
            "ClientRequest": {
                "oneOf": [
                    message("turn/start", "TurnStartParams", is_request=True),
                    message("logout", None, is_request=True),
                ]
            },
            "ClientNotification": {"oneOf": [message("initialized", None)]},
            "v2": {
                "Turn": _TURN,
                "TurnStatus": {"type": "string", "enum": ["completed", "failed"]},
                "TurnCompletedNotification": {
                    "type": "object",
                    "required": ["threadId", "turn"],
                    "properties": {"threadId": {"type": "string"}, "turn": {"$ref": "#/definitions/v2/Turn"}},
                },
                "ErrorNotification": {
                    "type": "object",
                    "required": ["turnId"],
                    "properties": {"turnId": {"type": "string"}},
                },
                "ApproveParams": {"type": "object", "properties": {"force": {"type": "boolean"}}},
                "TurnStartParams": {
                    "type": "object",
                    "required": ["input"],
                    "properties": {
                        "input": {"type": "array", "items": {"$ref": "#/definitions/v2/UserInput"}}
                    },
                },
                "UserInput": {
                    "oneOf": [
                        {
                            "type": "object",
                            "title": "Textv2::UserInput",
                            "required": ["text", "type"],
                            "properties": {
                                "text": {"type": "string"},
                                "type": {"type": "string", "enum": ["text"], "title": "TextUserInputType"},
                            },
                        },
                        {"type": "string", "enum": ["again"]},
                    ]
                },
            },
        }
    )


def v2(protocol: Definitions) -> Definitions:
    """Return the definitions in the namespace ``v2``."""
    inner = protocol["v2"]
    assert isinstance(inner, dict)
    return inner


def content(protocol: Mapping[str, object] | None = None) -> bytes:
    """Return the file that a runtime writes."""
    chosen = definitions() if protocol is None else protocol
    return json.dumps({"title": "CodexAppServerProtocol", "definitions": chosen}).encode()


def bundle(protocol: Mapping[str, object] | None = None) -> SchemaBundle:
    return SchemaBundle.parse(content(protocol))


def runtime(protocol: Mapping[str, object] | None = None) -> bytes:
    """Return an executable that writes the protocol as codex does, and prints something."""
    return script(
        '[ "$1 $2 $3" = "app-server generate-json-schema --out" ] || exit 9',
        "echo talk; echo WARNING >&2",
        f"cat > \"$4/{BUNDLE}\" <<'END'",
        content(protocol).decode(),
        "END",
    )


def script(*lines: str) -> bytes:
    """Return a shell script of these lines."""
    return "\n".join(("#!/bin/sh", "PATH=/usr/bin:/bin", *lines, "")).encode()


def runtimes(
    path: Path, executable: bytes, *, tag: CodexTag = TAG, targets: Sequence[Target] = tuple(Target)
) -> Path:
    """Write release packages with this executable as codex to a directory, or add them."""
    path.mkdir(exist_ok=True)
    lines = []
    for target in targets:
        files = release_files(target, tag) | {f"bin/codex{target.executable_suffix}": (executable, 0o755)}
        name = f"codex-{tag.semver}-{target.npm_suffix}.tgz"
        tarball = npm_tarball(path / name, {target: files}, tag=tag)
        lines.append(f"{hashlib.sha256(tarball.read_bytes()).hexdigest()}  {name}\n")
    with (path / "SHA256SUMS").open("a", encoding="utf-8") as sums:
        sums.writelines(lines)
    return path

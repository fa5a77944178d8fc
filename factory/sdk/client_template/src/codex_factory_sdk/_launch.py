"""Decide which command to start, and check what the app-server says of itself."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from codex_factory_sdk._notification import parse
from codex_factory_sdk.config import CodexConfig
from codex_factory_sdk.errors import (
    CodexRpcError,
    IncompatibleAppServer,
    MethodNotFoundError,
    RuntimeNotFound,
    UnexpectedMessage,
)
from codex_factory_sdk.generated.release import RELEASE, RUNTIME_REQUIREMENT
from codex_factory_sdk.generated.v2_all import InitializeResponse

_RUNTIME_PACKAGE = "codex_cli_bin"
_AGENT_VERSION = re.compile(r"/(\d+)\.(\d+)(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?")
_Version = tuple[tuple[int, int, int], bool, tuple[tuple[int, int, str], ...]]


def command(config: CodexConfig) -> list[str]:
    """Return the command that starts the app-server.

    Raises:
        RuntimeNotFound: There is no such executable.
    """
    if config.launch_args_override is not None:
        return list(config.launch_args_override)
    overrides = [word for value in config.config_overrides for word in ("-c", value)]
    return [str(_executable(config)), *overrides, "app-server"]


def environment(config: CodexConfig) -> dict[str, str]:
    """Return the app-server's environment: that of this process, with the runtime's own tools on PATH."""
    env = dict(os.environ)
    for name, value in (config.env or {}).items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    if config.codex_bin is None and config.launch_args_override is None:
        tools = _bundled_path_dir()
        if tools is not None:
            env["PATH"] = os.pathsep.join(filter(None, (str(tools), env.get("PATH", ""))))
    return env


def initialize_params(config: CodexConfig) -> Mapping[str, object]:
    """Return the parameters of ``initialize``."""
    client = {"name": config.client_name, "title": config.client_title, "version": config.client_version}
    return {"clientInfo": client}


def initialize_failed(error: CodexRpcError) -> CodexRpcError:
    """Return the error of a refused ``initialize``, with what it means."""
    reason = "is too old for this SDK" if isinstance(error, MethodNotFoundError) else "is not compatible"
    return type(error)(
        error.code, f"the app-server refused initialize and {reason}: {error.message}", error.data
    )


def require_release(result: object, config: CodexConfig) -> InitializeResponse:
    """Check the answer to ``initialize``.

    Raises:
        IncompatibleAppServer: It does not identify the app-server, or the app-server is too old.
    """
    agent = result.get("userAgent") if isinstance(result, Mapping) else None
    match = _AGENT_VERSION.search(agent) if isinstance(agent, str) else None
    if match is None:
        raise IncompatibleAppServer(
            f"the app-server did not identify itself in its answer to initialize: {result!r}"
        )
    if _version(match) < _release() and not config.allow_other_release:
        raise IncompatibleAppServer(
            f"the app-server is {match.group(0)[1:]}, and this SDK needs {RELEASE} or newer; install "
            f"{RUNTIME_REQUIREMENT}, or set CodexConfig(allow_other_release=True)"
        )
    try:
        return parse(InitializeResponse, result, "the answer to initialize")
    except UnexpectedMessage as error:
        raise IncompatibleAppServer(str(error)) from error


def _executable(config: CodexConfig) -> Path:
    if config.codex_bin is not None:
        path = Path(config.codex_bin)
        if not path.is_file():
            raise RuntimeNotFound(f"codex_bin is {path}, and there is no such file")
        return path
    try:
        return Path(import_module(_RUNTIME_PACKAGE).bundled_codex_path())
    except ImportError as error:
        raise RuntimeNotFound(
            f"the runtime is not installed ({error}): install {RUNTIME_REQUIREMENT}, "
            "or set CodexConfig(codex_bin=...)"
        ) from error
    except FileNotFoundError as error:
        raise RuntimeNotFound(f"the installed runtime {RUNTIME_REQUIREMENT} is damaged: {error}") from error


def _bundled_path_dir() -> Path | None:
    """Return the directory of the runtime's tools, such as rg, if it has one."""
    try:
        found = getattr(import_module(_RUNTIME_PACKAGE), "bundled_path_dir", lambda: None)()
    except (ImportError, FileNotFoundError):
        return None
    return None if found is None else Path(found)


def _release() -> _Version:
    match = _AGENT_VERSION.search(f"/{RELEASE}")
    if match is None:
        raise ValueError(f"{RELEASE} is not a version")
    return _version(match)


def _version(match: re.Match[str]) -> _Version:
    """Return a key that sorts as Semantic Versioning says (section 11)."""
    major, minor, patch, suffix = match.groups()
    parts = (
        tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in suffix.split("."))
        if suffix
        else ()
    )
    return (int(major), int(minor), int(patch or 0)), not suffix, parts

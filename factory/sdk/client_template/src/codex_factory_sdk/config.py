"""What a client can be configured with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike

from codex_factory_sdk.generated.release import SDK_VERSION


@dataclass(frozen=True)
class CodexConfig:
    """How the app-server is started, and the limits of the client.

    Attributes:
        codex_bin: A codex executable to start in place of the installed runtime's.
        launch_args_override: A complete command to start in place of ``codex app-server``.
        config_overrides: Values for ``config.toml``, such as ``model="gpt-5"``; each becomes ``-c VALUE``.
        cwd: The app-server's working directory; by default, that of this process.
        env: Environment variables in addition to those of this process; None removes one.
        client_name: How the client introduces itself to the app-server.
        client_title: The same for people.
        client_version: The version of the program that uses the SDK.
        startup_timeout_s: Seconds that the app-server may take to answer ``initialize``.
        request_timeout_s: Seconds that it may take to answer any other request; None means no limit. A
            turn is not a request: only ``turn/start`` is.
        shutdown_timeout_s: Seconds that it may take to end by itself before it is killed.
        queue_limit: Notifications that may wait to be consumed, for each turn and each login.
        client_queue_limit: The same for those that belong to none.
        max_message_bytes: The longest message that is accepted from the app-server.
        allow_other_release: Accept an app-server that is older than the release of this SDK.
    """

    codex_bin: str | PathLike[str] | None = None
    launch_args_override: Sequence[str] | None = None
    config_overrides: Sequence[str] = ()
    cwd: str | PathLike[str] | None = None
    env: Mapping[str, str | None] | None = None
    client_name: str = "codex_factory_sdk"
    client_title: str = "codex-wheel-factory-sdk"
    client_version: str = SDK_VERSION
    startup_timeout_s: float = 60.0
    request_timeout_s: float | None = None
    shutdown_timeout_s: float = 5.0
    queue_limit: int = 4096
    client_queue_limit: int = 512
    max_message_bytes: int = 64 * 1024 * 1024
    allow_other_release: bool = False

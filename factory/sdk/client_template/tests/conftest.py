from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from codex_factory_sdk import CodexConfig

FAKE = Path(__file__).with_name("fake_app_server.py")


@pytest.fixture
def fake() -> Callable[..., CodexConfig]:
    """Return a function that configures a client to start the fake app-server."""

    def configure(start: str = "well", *arguments: str, **options: object) -> CodexConfig:
        command = (sys.executable, "-I", str(FAKE), start, *arguments)
        limits = {"startup_timeout_s": 20.0, "shutdown_timeout_s": 2.0, **options}
        return CodexConfig(launch_args_override=command, **limits)  # type: ignore[arg-type]

    return configure

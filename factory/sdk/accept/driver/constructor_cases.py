"""Cases about the constructor: it starts the runtime at once, or says why it cannot."""

import sys
from pathlib import Path

from factory.sdk.accept.driver.case_context import CaseContext, expect, expect_error
from factory.sdk.accept.driver.fake_app_server import LAST_OUTPUT, NOT_JSON
from factory.sdk.accept.driver.processes import can_list_processes, case_processes
from factory.sdk.accept.driver.sdk_style import agent_of
from factory.sdk.model_server import Say

RUNTIME = "openai-codex-cli-bin"


def constructor_initialises(context: CaseContext) -> None:
    """Check that right after construction the runtime is running and has reported its version."""
    with context.talk(Say(text="unused")) as (codex, server):
        agent = agent_of(codex.metadata)
        expect(f"/{context.version} " in agent, f"the runtime reports {agent!r}, not {context.version}")
        expect(bool(case_processes(context.home)) or not can_list_processes(), "no runtime was started")
        expect(not server.turns, "the model was asked before any turn")


def runtime_not_installed(context: CaseContext) -> None:
    """Hide the runtime's package, as if it were not installed."""
    sys.modules["codex_cli_bin"] = None  # type: ignore[assignment] # None makes the import fail (import system reference, 5.3.1)
    error = expect_error(FileNotFoundError, context.sdk.Codex)
    expect(RUNTIME in str(error), f"it does not name {RUNTIME}: {error}")


def override_points_nowhere(context: CaseContext) -> None:
    """Name an executable that does not exist."""
    nowhere = Path(context.home, "nowhere", "codex")
    configuration = context.sdk.CodexConfig(codex_bin=str(nowhere))
    error = expect_error(FileNotFoundError, lambda: context.open(configuration))
    expect(str(nowhere) in str(error), f"it does not name the path: {error}")


def app_server_incompatible(context: CaseContext) -> None:
    """Answer ``initialize`` without a name."""
    kinds = (RuntimeError, context.sdk.CodexError)
    error = expect_error(kinds, lambda: context.open(context.fake("nameless", "ok")))
    expect("initialize" in str(error), f"it does not say what is wrong: {error}")


def app_server_too_old(context: CaseContext) -> None:
    """Answer ``initialize`` with "method not found"."""
    expect_error(context.sdk.MethodNotFoundError, lambda: context.open(context.fake("-32601", "ok")))


def app_server_crashes(context: CaseContext) -> None:
    """Exit at the first request; the error must contain what was printed on stderr."""
    error = expect_error(context.sdk.TransportClosedError, lambda: context.open(context.fake("crash", "ok")))
    expect(LAST_OUTPUT in str(error), f"it does not show the app-server's output: {error}")


def app_server_prints_garbage(context: CaseContext) -> None:
    """Print a line on stdout that is not JSON."""
    error = expect_error(context.sdk.CodexError, lambda: context.open(context.fake("garbage", "ok")))
    expect(NOT_JSON in str(error), f"it does not show what was printed: {error}")

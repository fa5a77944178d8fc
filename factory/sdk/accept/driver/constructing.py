"""Cases of the constructor: it starts the runtime at once, or says clearly why it cannot."""

import sys
from pathlib import Path

from factory.sdk.accept.driver.app_server import LAST_WORDS
from factory.sdk.accept.driver.processes import can_look, survivors
from factory.sdk.accept.driver.trial import Trial, expect, expect_error
from factory.sdk.model_server import Say

RUNTIME = "openai-codex-cli-bin"


def constructor_initialises(trial: Trial) -> None:
    """Look at the client right after its construction: the runtime runs and has said its version."""
    with trial.talk(Say(text="unused")) as (codex, server):
        agent = codex.metadata.userAgent or ""
        expect(f"/{trial.version} " in agent, f"the runtime says it is {agent!r}, not {trial.version}")
        expect(bool(survivors(trial.home)) or not can_look(), "no runtime was started")
        expect(not server.turns, "the model was asked before any turn")


def runtime_not_installed(trial: Trial) -> None:
    """Hide the runtime's package, as where it was never installed."""
    sys.modules["codex_cli_bin"] = None  # type: ignore[assignment] # what makes an import fail, by its reference
    error = expect_error(FileNotFoundError, trial.sdk.Codex)
    expect(RUNTIME in str(error), f"it does not name {RUNTIME}: {error}")


def override_points_nowhere(trial: Trial) -> None:
    """Name an executable that is not there."""
    nowhere = Path(trial.home, "nowhere", "codex")
    configuration = trial.sdk.CodexConfig(codex_bin=str(nowhere))
    error = expect_error(FileNotFoundError, lambda: trial.open(configuration))
    expect(str(nowhere) in str(error), f"it does not name the path: {error}")


def app_server_incompatible(trial: Trial) -> None:
    """Answer ``initialize`` without saying who answers."""
    error = expect_error(RuntimeError, lambda: trial.open(trial.fake("nameless", "ok")))
    expect("initialize" in str(error), f"it does not say what is wrong: {error}")


def app_server_too_old(trial: Trial) -> None:
    """Answer ``initialize`` as a method that there is not."""
    expect_error(trial.sdk.MethodNotFoundError, lambda: trial.open(trial.fake("-32601", "ok")))


def app_server_crashes(trial: Trial) -> None:
    """End at the first request; what was said on stderr must not be lost."""
    error = expect_error(trial.sdk.TransportClosedError, lambda: trial.open(trial.fake("crash", "ok")))
    expect(LAST_WORDS in str(error), f"it does not tell what the app-server said: {error}")


def app_server_prints_garbage(trial: Trial) -> None:
    """Print what is no JSON on stdout."""
    error = expect_error(trial.sdk.CodexError, lambda: trial.open(trial.fake("garbage", "ok")))
    expect("this is no JSON" in str(error), f"it does not tell what came: {error}")

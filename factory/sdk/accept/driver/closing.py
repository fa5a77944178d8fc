"""Cases of the end."""

from factory.sdk.accept.driver.processes import can_look, survivors, survivors_after_grace
from factory.sdk.accept.driver.trial import CannotLook, Trial, expect
from factory.sdk.model_server import Say


def closing_twice(trial: Trial) -> None:
    """Close a client inside its context, so that it is closed again at the end, and once more."""
    with trial.talk(Say(text="An answer.")) as (codex, _):
        codex.thread_start().run("A question.")
        codex.close()
        codex.close()
    codex.close()


def no_process_is_left(trial: Trial) -> None:
    """Count processes before and after the end of a client that has run a turn."""
    if not can_look():
        raise CannotLook("this system's processes cannot be listed here")
    with trial.talk(Say(text="An answer.")) as (codex, _):
        codex.thread_start().run("A question.")
        expect(bool(survivors(trial.home)), "no runtime was started")
        codex.close()
        left = survivors_after_grace(trial.home)
        expect(not left, f"still there: {', '.join(one.name for one in left)}")

"""Cases of the end."""

from factory.sdk.accept.driver.case_context import CannotRun, CaseContext, expect
from factory.sdk.accept.driver.processes import can_list_processes, case_processes, remaining_processes
from factory.sdk.model_server import Say


def closing_twice(context: CaseContext) -> None:
    """Close a client inside its context, so that it is closed again at the end, and once more."""
    with context.talk(Say(text="An answer.")) as (codex, _):
        codex.thread_start().run("A question.")
        codex.close()
        codex.close()
    codex.close()


def no_process_is_left(context: CaseContext) -> None:
    """Count processes before and after the end of a client that has run a turn."""
    if not can_list_processes():
        raise CannotRun("this system's processes cannot be listed here")
    with context.talk(Say(text="An answer.")) as (codex, _):
        codex.thread_start().run("A question.")
        expect(bool(case_processes(context.home)), "no runtime was started")
        codex.close()
        left = remaining_processes(context.home)
        expect(not left, f"still there: {', '.join(one.name for one in left)}")

"""Cases about closing a client."""

from factory.sdk.accept.driver.case_context import CannotRun, CaseContext, expect
from factory.sdk.accept.driver.processes import can_list_processes, case_processes, remaining_processes
from factory.sdk.model_server import Say


def closing_twice(context: CaseContext) -> None:
    """Close a client twice inside its context, which closes it again, and once more after that."""
    with context.talk(Say(text="An answer.")) as (codex, _):
        context.style.run(codex.thread_start(), "A question.")
        codex.close()
        codex.close()
    codex.close()


def no_process_is_left(context: CaseContext) -> None:
    """Look for the runtime's processes before and after a client that ran a turn is closed."""
    if not can_list_processes():
        raise CannotRun("this system's processes cannot be listed here")
    with context.talk(Say(text="An answer.")) as (codex, _):
        context.style.run(codex.thread_start(), "A question.")
        expect(bool(case_processes(context.home)), "no runtime was started")
        codex.close()
        left = remaining_processes(context.home)
        expect(not left, f"still running: {', '.join(process.name for process in left)}")

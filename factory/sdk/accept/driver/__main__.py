"""Run one case and print its answer as a line of JSON: ``python -m factory.sdk.accept.driver REQUEST``."""

import importlib
import json
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from factory.core.case_result import CaseOutcome, CaseResult
from factory.sdk.accept.driver.case_context import CannotRun, CaseContext
from factory.sdk.accept.driver.case_functions import CASE_FUNCTIONS
from factory.sdk.accept.driver.processes import end, remaining_processes


def lacking(needs: Sequence[str]) -> str | None:
    """Return the first thing that a case needs and this SDK has not, found by looking."""
    return next((need for need in needs if not _has(need)), None)


def _has(need: str) -> bool:
    module, _, path = need.rpartition(":")
    name = f"openai_codex.{module}" if module else "openai_codex"
    try:
        found: object = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:  # the SDK lacks what it requires: that is no matter of what it offers
            raise
        return False
    for part in path.split("."):
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


def attempt(case: str, needs: Sequence[str], context: CaseContext) -> CaseResult:
    """Run a case to its answer; whatever it raises is one."""
    try:
        missing = lacking(needs)
        if missing is not None:
            detail = f"this SDK has no {missing}"
            return CaseResult(case=case, outcome=CaseOutcome.NOT_APPLICABLE, detail=detail)
        CASE_FUNCTIONS[case](context)
    except CannotRun as error:
        return CaseResult(case=case, outcome=CaseOutcome.COULD_NOT_RUN, detail=str(error))
    except BaseException as error:  # noqa: BLE001 - an SDK may raise anything, and it is what was seen
        return CaseResult(
            case=case,
            outcome=CaseOutcome.FAILED,
            detail=f"{type(error).__name__}: {error}".removeprefix("CaseFailed: "),
        )
    return CaseResult(case=case, outcome=CaseOutcome.PASSED)


def within(limit_s: float, case: str, needs: Sequence[str], context: CaseContext) -> CaseResult:
    """Give a case so many seconds, then end what it started."""
    answers: list[CaseResult] = []
    thread = threading.Thread(target=lambda: answers.append(attempt(case, needs, context)), daemon=True)
    thread.start()
    thread.join(limit_s)
    result = (
        answers[0]
        if answers
        else CaseResult(case=case, outcome=CaseOutcome.FAILED, detail=f"no end within {limit_s:g} s")
    )
    left = remaining_processes(context.home)
    end(left)
    if left and result.outcome is CaseOutcome.PASSED:
        names = ", ".join(survivor.name for survivor in left)
        return replace(result, outcome=CaseOutcome.FAILED, detail=f"left behind: {names}")
    return result


def main(argv: Sequence[str]) -> None:
    """Do what the request says, and end at once: a thread that hangs in the SDK must not hold the answer."""
    request = json.loads(argv[1])
    context = CaseContext(home=Path(request["home"]), codex=request["codex"], version=request["version"])
    result = within(request["limit_s"], request["case"], request["needs"], context)
    sys.stdout.write(f"\n{json.dumps(asdict(result))}\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv)

"""Run one case and print its result as a line of JSON: ``python -m factory.sdk.accept.driver REQUEST``."""

import importlib
import json
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from factory.core.case_result import CaseOutcome, CaseResult
from factory.sdk.accept.driver.case_context import CannotRun, CaseContext, CaseFailed, NotApplicable
from factory.sdk.accept.driver.case_functions import CASE_FUNCTIONS
from factory.sdk.accept.driver.processes import kill, remaining_processes


def _has(package: str, need: str) -> bool:
    """Whether the installed SDK has what a case needs; found by import, not by the SDK's version.

    ``Thread.run|final_text`` is one of two names.
    """
    return any(_has_one(package, name) for name in need.split("|"))


def _has_one(package: str, need: str) -> bool:
    module, _, path = need.rpartition(":")
    name = f"{package}.{module}" if module else package
    try:
        found: object = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:  # a requirement of the SDK is missing, so the SDK is broken
            raise
        return False
    for part in path.split("."):
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


def run_case(case: str, needs: Sequence[str], context: CaseContext) -> CaseResult:
    """Run a case and turn whatever it raises into a result."""
    try:
        missing = next((need for need in needs if not _has(context.package, need)), None)
        if missing is not None:
            detail = f"this SDK has no {missing}"
            return CaseResult(case=case, outcome=CaseOutcome.NOT_APPLICABLE, detail=detail)
        counted = CASE_FUNCTIONS[case](context)
    except NotApplicable as error:
        return CaseResult(case=case, outcome=CaseOutcome.NOT_APPLICABLE, detail=str(error))
    except CannotRun as error:
        return CaseResult(case=case, outcome=CaseOutcome.COULD_NOT_RUN, detail=str(error))
    except CaseFailed as error:
        return CaseResult(case=case, outcome=CaseOutcome.FAILED, detail=str(error), unparsed=error.unparsed)
    except BaseException as error:  # noqa: BLE001 - an SDK may raise anything, SystemExit among it
        return CaseResult(case=case, outcome=CaseOutcome.FAILED, detail=f"{type(error).__name__}: {error}")
    return CaseResult(case=case, outcome=CaseOutcome.PASSED, detail=counted or "")


def run_with_limit(limit_s: float, case: str, needs: Sequence[str], context: CaseContext) -> CaseResult:
    """Run a case for at most ``limit_s`` seconds, then kill the processes that it left."""
    results: list[CaseResult] = []
    thread = threading.Thread(target=lambda: results.append(run_case(case, needs, context)), daemon=True)
    thread.start()
    thread.join(limit_s)
    result = (
        results[0]
        if results
        else CaseResult(case=case, outcome=CaseOutcome.FAILED, detail=f"did not end within {limit_s:g} s")
    )
    left = remaining_processes(context.home)
    kill(left)
    if left and result.outcome is CaseOutcome.PASSED:
        names = ", ".join(process.name for process in left)
        return replace(result, outcome=CaseOutcome.FAILED, detail=f"left behind: {names}")
    return result


def main(argv: Sequence[str]) -> None:
    """Run the requested case, print the result, and exit at once: a thread may still hang in the SDK."""
    request = json.loads(argv[1])
    context = CaseContext(
        home=Path(request["home"]),
        package=request["package"],
        codex=request["codex"],
        version=request["version"],
        environ=request["environ"],
    )
    result = run_with_limit(request["limit_s"], request["case"], request["needs"], context)
    members = {name: value for name, value in asdict(result).items() if value is not None}
    sys.stdout.write(f"\n{json.dumps(members)}\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv)

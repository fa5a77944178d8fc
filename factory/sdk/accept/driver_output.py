"""What the driver answers, as evidence: no answer is no pass, and what differs from run to run goes."""

import re
from pathlib import Path

from factory.core.case_result import CaseOutcome, CaseResult
from factory.core.codec import from_json
from factory.core.json_reader import JsonObject, MalformedJson
from factory.system.process import Completed

_DETAIL_CHARACTERS = 500
_RUNS_DIFFER = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:<port>"),
    (re.compile(r"\bpid \d+"), "pid <number>"),
)


def read_result(case: str, completed: Completed) -> CaseResult:
    """Read the driver's answer, its last line; where there is none nobody knows, and that is said."""
    lines = [line for line in completed.output.splitlines() if line.strip()]
    try:
        answer = JsonObject.parse(lines[-1] if lines else "", where="the driver's answer")
        result = from_json(CaseResult, answer)
    except MalformedJson:
        result = None
    if result is None or result.case != case or completed.returncode != 0:
        said = " ".join(lines[-1:])
        detail = f"the driver gave no answer: {completed.reason}: {said}".removesuffix(": ")
        return CaseResult(case=case, outcome=CaseOutcome.COULD_NOT_RUN, detail=detail)
    return result


def normalise_detail(detail: str, scratch: Path) -> str:
    """Take out of a text what differs from run to run: paths of this run, ports, identifiers."""
    told = " ".join(detail.replace(str(scratch), "<scratch>").split())
    for pattern, name in _RUNS_DIFFER:
        told = pattern.sub(name, told)
    return told if len(told) <= _DETAIL_CHARACTERS else f"{told[:_DETAIL_CHARACTERS]}..."

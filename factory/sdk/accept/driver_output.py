"""Turn the driver's output into evidence that is equal in every run of the same wheel and SDK."""

import re
from pathlib import Path

from factory.core.case_result import CaseOutcome, CaseResult
from factory.core.codec import from_json
from factory.core.json_reader import JsonObject, MalformedJson
from factory.system.process import Completed

_DETAIL_CHARACTERS = 500
_PLACEHOLDERS = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:<port>"),
    (re.compile(r"\bpid \d+"), "pid <number>"),
)


def read_result(case: str, completed: Completed) -> CaseResult:
    """Read the case's result from the last line of output; anything else there is "could not run"."""
    lines = [line for line in completed.output.splitlines() if line.strip()]
    try:
        answer = JsonObject.parse(lines[-1] if lines else "", where="the driver's answer")
        result = from_json(CaseResult, answer)
    except MalformedJson:
        result = None
    if result is None or result.case != case or completed.returncode != 0:
        last = " ".join(lines[-1:])
        detail = f"the driver gave no answer: {completed.reason}: {last}".removesuffix(": ")
        return CaseResult(case=case, outcome=CaseOutcome.COULD_NOT_RUN, detail=detail)
    return result


def normalise_detail(detail: str, scratch: Path) -> str:
    """Replace what differs from run to run with placeholders: scratch paths, ports, identifiers."""
    text = " ".join(detail.replace(str(scratch), "<scratch>").split())
    for pattern, placeholder in _PLACEHOLDERS:
        text = pattern.sub(placeholder, text)
    return text if len(text) <= _DETAIL_CHARACTERS else f"{text[:_DETAIL_CHARACTERS]}..."

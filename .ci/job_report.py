"""Report a JSON document of verify or audit to GitHub: ``job_report.py REPORT``.

It prints an annotation for each problem, and appends a summary to the file that GITHUB_STEP_SUMMARY names.
Names, places and texts come from wheels that anybody may have made, so none of them can end a command
or start Markdown.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LIMIT = 50
"""GitHub shows few annotations for a step; the summary says how many problems there are in all."""
_LEVELS = {"error": "error", "warning": "warning", "note": "notice"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One problem, or a wheel without one."""

    wheel: str
    severity: str
    check: str
    text: str


def rows(document: dict[str, object]) -> list[Row]:
    """Return the problems of a report, of either command, the worst first."""
    found = [row for wheel in _dicts(document["wheels"]) for row in _of_wheel(wheel)]
    for release in _dicts(document.get("releases", [])):
        found += _findings(str(release.get("path", "")), release)
    order = list(_LEVELS)
    return sorted(found, key=lambda row: (order.index(row.severity), row.wheel, row.check))


def _of_wheel(wheel: dict[str, object]) -> Iterator[Row]:
    name = str(wheel["name"])
    yield from _findings(name, wheel)
    if wheel.get("not_looked_at"):
        yield Row(wheel=name, severity="error", check="not checked", text=str(wheel["not_looked_at"]))
    for cause in _dicts(wheel.get("causes", [])):
        text = f"{cause['place']}: {cause['sentence']}"
        yield Row(wheel=name, severity=str(cause["severity"]), check=str(cause["id"]), text=text)
    if wheel.get("outcome") == "NOT-REBUILT":
        yield Row(wheel=name, severity="warning", check="not rebuilt", text=str(wheel.get("reason", "")))


def _findings(name: str, part: dict[str, object]) -> Iterator[Row]:
    for finding in _dicts(part.get("findings", [])):
        text = f"{finding['place']}: {finding['evidence']} > {finding['remedy']}"
        yield Row(wheel=name, severity=str(finding["severity"]), check=str(finding["check"]), text=text)


def annotation(row: Row) -> str:
    """Return a workflow command; https://docs.github.com/actions/reference/workflow-commands-for-github-actions."""
    title = _property(f"{row.check} in {row.wheel}")
    return f"::{_LEVELS[row.severity]} title={title}::{_message(row.text)}"


def summary(document: dict[str, object], found: list[Row]) -> str:
    """Return the summary in Markdown."""
    wheels = _dicts(document["wheels"])
    verdict = document.get("verdict")
    answers = sorted({str(wheel["outcome"]) for wheel in wheels if "outcome" in wheel})
    lines = [
        f"### codex-wheel-factory: {_code(str(verdict) if verdict else ', '.join(answers) or 'no wheel')}",
        "",
        f"Wheels: {len(wheels)}. Problems: {len(found)}.",
        "",
    ]
    if found:
        lines += ["| severity | check | wheel | problem |", "|---|---|---|---|"]
        lines += [
            f"| {row.severity} | {_code(row.check)} | {_code(row.wheel)} | {_code(row.text)} |"
            for row in found[:LIMIT]
        ]
    if len(found) > LIMIT:
        lines += ["", f"{len(found) - LIMIT} more are in the JSON report."]
    return "\n".join(lines) + "\n"


def _dicts(value: object) -> list[dict[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def _code(text: str) -> str:
    """Return a code span that no text can end, and that stays in one cell of a table."""
    plain = re.sub(r"[\x00-\x1f\x7f]+", " ", text).replace("`", "'").replace("|", "\u2502").strip()
    return f"`{plain or ' '}`"


def main() -> None:
    """Report the document that the first argument names; a run that failed early has none."""
    try:
        document = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
        found = rows(document)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stdout.write(f"::error title=codex-wheel-factory::{_message(f'there is no report: {error!r}')}\n")
        return
    sys.stdout.write("".join(f"{annotation(row)}\n" for row in found[:LIMIT]))
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if place:
        with Path(place).open("a", encoding="utf-8") as file:
            file.write(summary(document, found))


if __name__ == "__main__":
    main()

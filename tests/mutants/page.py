"""Write docs/mutants.md."""

from collections.abc import Iterator
from pathlib import Path
from string import Template

from tests.mutants.results import ModuleResult, Reasons, Results, Survivor
from tests.mutants.rooms import ROOT
from tests.mutants.usual_reasons import usual_reason

PAGE = ROOT / "docs/mutants.md"
_TEMPLATE = Path(__file__).with_name("mutants_page.md")
NO_REASON = "**Not explained.**"


def render(results: Results, reasons: Reasons) -> str:
    """Write the whole page."""
    measured = [result for _, result in sorted(results.items())]
    modules = [result for result in measured if result.mutants]
    drawn, killed = (sum(getattr(result, name) for result in modules) for name in ("drawn", "killed"))
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        table="\n".join(_row(result) for result in modules),
        total=f"| together | | {drawn} | {killed} | {drawn - killed} | {100 * killed / drawn:.1f} % | |",
        without=", ".join(f"`{result.module}`" for result in measured if not result.mutants),
        survivors="\n\n".join(_section(result, reasons) for result in modules if result.survivors),
    )


def _row(result: ModuleResult) -> str:
    survived = len(result.survivors)
    return (
        f"| `{result.module}` | {result.mutants} | {result.drawn} | {result.killed} | {survived}"
        f" | {result.killed_percent:.1f} % | {result.measured_at:%Y-%m-%d %H:%M} |"
    )


def _section(result: ModuleResult, reasons: Reasons) -> str:
    lines = "\n".join(_lines(result, reasons))
    return f"### `{result.module}`\n\n{lines}"


def _lines(result: ModuleResult, reasons: Reasons) -> Iterator[str]:
    """Yield one list item for each change; the same change may survive in several places."""
    seen = set()
    for survivor in result.survivors:
        key = (survivor.function, survivor.change)
        if key not in seen:
            seen.add(key)
            name = survivor.function.removeprefix(_dotted(result.module))
            yield f"- `{name}`: {_change(survivor)}. {reason_of(survivor, reasons) or NO_REASON}"


def reason_of(survivor: Survivor, reasons: Reasons) -> str | None:
    """Return why a survivor needs no test: the reviewed reason, or one that holds for its kind."""
    return reasons.get((survivor.function, survivor.change)) or usual_reason(survivor.change)


def _dotted(module: str) -> str:
    return module.removesuffix(".py").removesuffix("/__init__").replace("/", ".") + "."


def _change(survivor: Survivor) -> str:
    lines = survivor.change.splitlines()
    removed, added = (
        " ".join(line[2:] for line in lines if line.startswith(sign) and line[2:]) for sign in "-+"
    )
    return f"`` {removed} `` became `` {added} ``"

"""Generate docs/checks.md from the registry and the results of the stock tools."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Template

from factory.core.model import Severity
from factory.verify.catalogue import CheckDescription, Scope, catalogue, entry
from tests.zoo.breakage import Breakage
from tests.zoo.catalogue import ZOO
from tests.zoo.stock_results import Question, Result, Results
from tests.zoo.stock_tools import Mark, StockTool

PAGE = Path(__file__).parents[2] / "docs/checks.md"
_TEMPLATE = Path(__file__).with_name("checks_page.md")
_SIGNS = {Mark.REFUSED: "**refuses**", Mark.CRASHED: "crashes", Mark.REPORTED: "reports", Mark.SILENT: "-"}
_LABELS = (
    (Mark.REFUSED, "refuses"),
    (Mark.CRASHED, "crashes"),
    (Mark.REPORTED, "reports"),
    (Mark.SILENT, "silent"),
)
_FAMILIES = {
    "project-": "The project",
    "archive-": "The archive",
    "member-": "Members: names and modes",
    "name-": "The file name",
    "dist-info": "`.dist-info` and the top level",
    "top-level": "`.dist-info` and the top level",
    "path-file": "`.dist-info` and the top level",
    "bytecode": "`.dist-info` and the top level",
    "wheel-": "`WHEEL`",
    "metadata-": "`METADATA`",
    "record-": "`RECORD`",
    "entry-": "`entry_points.txt`",
    "data-": "The `.data` directory",
    "package-": "The import package and `codex-package.json`",
    "payload": "The payload",
    "closed-world-": "Only reviewed contents, for wheels of this project",
    "sbom-": "Bills of materials",
    "image-": "Executables of every format",
    "elf-": "ELF",
    "macho-": "Mach-O",
    "pe-": "PE",
    "sign": "Signatures and authorship",
    "authorship-": "Signatures and authorship",
    "check-": "The checks themselves",
}
_SCOPES = {
    Scope.RELEASE: "Across a release",
    Scope.MANIFEST: "Against a manifest",
    Scope.STOCK_TOOL: "Stock tools",
    Scope.START: "Starting the executable",
}
_HEAD = "| check | severity | requirement | who is hurt otherwise | standard | what to do |"


def render(results: Results) -> str:
    """Return the whole page."""
    versions = {question.tool: result.version for question, result in results.items()}
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        registry="\n\n".join(_registry_tables()),
        breakages=len(ZOO),
        tools=", ".join(f"{tool} {versions[tool]}" for tool in StockTool),
        summary=_summary(results),
        table=_breakages(results),
    )


def _registry_tables() -> Iterator[str]:
    families: dict[str, list[CheckDescription]] = defaultdict(list)
    for listed in catalogue():
        families[_family(listed)].append(listed)
    for family, entries in families.items():
        rows = (_entry_row(listed) for listed in entries)
        yield "\n".join([f"## {family}\n", _HEAD, "|---|---|---|---|---|---|", *rows])


def _family(listed: CheckDescription) -> str:
    if listed.scope not in {Scope.WHEEL, Scope.PROJECT}:
        return _SCOPES[listed.scope]
    return next(title for prefix, title in _FAMILIES.items() if listed.id.startswith(prefix))


def _entry_row(listed: CheckDescription) -> str:
    texts = (_cell(text) for text in (listed.title, listed.protects, listed.standard, listed.remedy))
    return f"| `{listed.id}` | {listed.severity} | {' | '.join(texts)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


def _summary(results: Results) -> str:
    counts = Counter((question.tool, result.mark) for question, result in results.items())
    ours = Counter(_own_mark(breakage) for breakage in ZOO)
    seen = {question.breakage for question, result in results.items() if result.mark is not Mark.SILENT}
    head = f"| | factory | {' | '.join(StockTool)} |"
    asked = _row("wheels", len(ZOO), (_asked(results, tool) for tool in StockTool))
    rows = [_row(label, ours[mark], (counts[tool, mark] for tool in StockTool)) for mark, label in _LABELS]
    table = "\n".join([head, "|---|" + "---|" * (len(StockTool) + 1), asked, *rows])
    return f"{table}\n\nThe six tools miss {len(ZOO) - len(seen)} of the {len(ZOO)} defects."


def _own_mark(breakage: Breakage) -> Mark:
    """Return what `factory verify` does by the same measure: without an error it exits with 0."""
    return Mark.REFUSED if entry(breakage.check).severity is Severity.ERROR else Mark.REPORTED


def _asked(results: Results, tool: StockTool) -> int:
    return sum(question.tool is tool for question in results)


def _row(label: str, ours: int, numbers: Iterable[int]) -> str:
    return f"| {label} | {ours} | {' | '.join(str(number) for number in numbers)} |"


def _breakages(results: Results) -> str:
    by_cell = {(question.breakage, question.tool): (question, result) for question, result in results.items()}
    head = f"| a wheel with | factory | {' | '.join(StockTool)} |"
    rows = [
        f"| {_cell(breakage.name)} | `{breakage.check}` | "
        + " | ".join(_sign(by_cell.get((breakage.name, tool))) for tool in StockTool)
        + " |"
        for breakage in _in_registry_order()
    ]
    return "\n".join([head, "|---|---|" + "---|" * len(StockTool), *rows])


def _in_registry_order() -> list[Breakage]:
    order = {check.id: index for index, check in enumerate(catalogue())}
    return sorted(ZOO, key=lambda breakage: order[breakage.check])


def _sign(entry: tuple[Question, Result] | None) -> str:
    return "" if entry is None else _SIGNS[entry[1].mark]

"""Compare the findings of the checks with those of auditwheel, delocate and delvewheel.

Each tool is asked for facts in a process of its own, and the facts are interpreted here, because the
tools exit with 0 on almost anything. If a check found the same problem, the tool's evidence is added to
that finding. Otherwise the problem becomes a finding of its own. A tool that could not be asked is
reported, and does not count as passed.
"""

import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from factory.core.errors import FactoryError, HostError
from factory.core.json_reader import JsonObject
from factory.core.model import FileKind, Finding, Severity
from factory.core.targets import OperatingSystem
from factory.executables.image_bytes import MalformedImage
from factory.executables.macho import headers_without_segments
from factory.system.process import Command, Runner
from factory.verify.checks.check import Check, Fault
from factory.verify.reading.contents import Member, WheelContents
from factory.verify.reading.read import fresh_directory
from factory.verify.stock.stock_findings import StockFinding, StockTool, interpret_answer

_TIMEOUT_S = 120.0
_LINE_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class StockReport:
    """The report of a stock tool about one wheel.

    Attributes:
        version: The version of the tool; empty if it did not answer.
        not_run: Why the tool was not asked or did not answer.
        is_broken: Whether it was asked and failed.
    """

    wheel: str
    tool: StockTool
    version: str = ""
    not_run: str | None = None
    is_broken: bool = False
    findings: tuple[StockFinding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StockTools:
    """The stock tools on this host.

    Attributes:
        search_path: The PATH to search for ``otool``.
    """

    runner: Runner
    installed: frozenset[StockTool]
    search_path: str = ""

    def ask(self, contents: WheelContents, *, scratch: Path) -> StockReport | None:
        """Ask the tool for the platform of a wheel; None if the tags name no single platform.

        A wheel that could not be read completely is not given to a tool, because all three unpack or
        map any content.

        Raises:
            HostError: Scratch is not writable.
        """
        if contents.operating_system is None:
            return None
        tool = _tool_for(contents.operating_system)
        if tool not in self.installed:
            return StockReport(wheel=contents.name, tool=tool, not_run="it is not installed")
        own = fresh_directory(scratch, prefix="stock-")
        try:
            if contents.problems:
                raise _NotAsked("the archive could not be read completely")
            answer = self._answer(tool, _request(tool, contents, own, self.search_path), own)
            return StockReport(
                wheel=contents.name,
                tool=tool,
                version=answer.text("version"),
                findings=tuple(interpret_answer(tool, answer, contents)),
            )
        except (FactoryError, OSError) as error:
            is_broken = not isinstance(error, _NotAsked)
            return StockReport(wheel=contents.name, tool=tool, not_run=str(error), is_broken=is_broken)

    def _answer(self, tool: StockTool, request: Mapping[str, object], scratch: Path) -> JsonObject:
        question, answer = scratch / f"{tool}-request.json", scratch / f"{tool}-answer.json"
        question.write_text(json.dumps(request), encoding="utf-8")
        command = plan_question(tool, question=question, answer=answer, search_path=self.search_path)
        completed = self.runner.run(command)
        if completed.returncode != 0:
            last_line = completed.output.strip().rpartition("\n")[2][-_LINE_CHARACTERS:]
            raise HostError(f"{tool} ended with {completed.reason}: {last_line}")
        return JsonObject.parse(answer.read_bytes(), where=f"{tool}'s answer")


def installed_tools() -> frozenset[StockTool]:
    """Return the stock tools that this interpreter can import, without importing them."""
    return frozenset(tool for tool in StockTool if find_spec(tool.value) is not None)


class _NotAsked(FactoryError):
    """A reason not to ask a tool, for `StockReport.not_run`."""


def _tool_for(system: OperatingSystem) -> StockTool:
    match system:
        case OperatingSystem.LINUX:
            return StockTool.AUDITWHEEL
        case OperatingSystem.MACOS:
            return StockTool.DELOCATE
        case OperatingSystem.WINDOWS:
            return StockTool.DELVEWHEEL


def merge_stock_findings(findings: Iterable[Finding], stock_report: StockReport) -> tuple[Finding, ...]:
    """Add a stock tool's evidence to the findings of the checks, and add findings that no check reported."""
    joined = tuple(findings)
    for stock_finding in stock_report.findings:
        joined = tuple(_with_evidence(finding, stock_finding, stock_report) for finding in joined)
    unseen = tuple(
        stock_finding
        for stock_finding in stock_report.findings
        if stock_finding.is_enough and not any(stock_finding.is_about(finding) for finding in joined)
    )
    rest = replace(stock_report, findings=unseen)
    return joined + tuple(finding for check in CHECKS for finding in check.findings(rest))


def _with_evidence(finding: Finding, stock_finding: StockFinding, stock_report: StockReport) -> Finding:
    if not stock_finding.is_about(finding):
        return finding
    evidence = f"{stock_report.tool} {stock_report.version}: {stock_finding.evidence}"
    return replace(finding, evidence=f"{finding.evidence} [{evidence}]")


def _request(
    tool: StockTool, contents: WheelContents, scratch: Path, search_path: str
) -> Mapping[str, object]:
    match tool:
        case StockTool.AUDITWHEEL:
            return _auditwheel_request(contents)
        case StockTool.DELOCATE:
            return _delocate_request(contents, scratch, search_path)
        case StockTool.DELVEWHEEL:
            return _delvewheel_request(contents)


def _auditwheel_request(contents: WheelContents) -> Mapping[str, object]:
    if contents.architecture is None:
        raise _NotAsked("the tags name no single architecture")
    is_musl = all(tag.startswith("musllinux_") for tag in contents.platforms)
    return {
        "wheel": str(contents.path.absolute()),
        "libc": "musl" if is_musl else "glibc",
        "architecture": contents.architecture.value,
    }


def _delocate_request(contents: WheelContents, scratch: Path, search_path: str) -> Mapping[str, object]:
    headers, tree = scratch / "headers", scratch / "tree"
    headers.mkdir()
    tree.mkdir()
    has_otool = shutil.which("otool", path=search_path) is not None if search_path else False
    for index, (member, path) in enumerate(_images(contents, FileKind.MACHO)):
        for number, header in enumerate(_macho_headers(path)):
            (headers / f"{index}-{number}").write_bytes(header)
        if has_otool:
            _link(path, tree, member)
    return {"name": contents.name, "headers": str(headers), "tree": str(tree), "has_otool": has_otool}


def _macho_headers(path: Path) -> tuple[bytes, ...]:
    try:
        return headers_without_segments(path)
    except MalformedImage as error:
        raise _NotAsked(f"an executable could not be read: {error.reason}") from error


def _link(path: Path, tree: Path, member: Member) -> None:
    place = (tree / member.name).absolute()
    if ".." in Path(member.name).parts or not place.is_relative_to(tree.absolute()):
        raise _NotAsked(f"the member name {member.name!r} is outside the wheel")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.hardlink_to(path)


def _delvewheel_request(contents: WheelContents) -> Mapping[str, object]:
    bundled: dict[str, list[str]] = {}
    files: dict[str, str] = {}
    for member, path in _images(contents, FileKind.PE):
        files[member.name] = str(path.absolute())
        bundled.setdefault(Path(member.name).name.lower(), []).append(str(path.absolute()))
    return {"files": files, "bundled": bundled}


def _images(contents: WheelContents, kind: FileKind) -> Iterator[tuple[Member, Path]]:
    for member in contents.images:
        if member.kind is kind and member.extracted is not None:
            yield member, member.extracted


def plan_question(tool: StockTool, *, question: Path, answer: Path, search_path: str) -> Command:
    """Plan the process that asks a tool, without starting it.

    It gets only PATH and TMPDIR, because delvewheel searches PATH for DLLs and delocate reads
    MACOSX_DEPLOYMENT_TARGET.
    """
    program = Path(__file__).parent / f"{tool}_facts.py"
    return Command(
        argv=(sys.executable, "-I", "-B", str(program), str(question), str(answer)),
        env={"PATH": search_path if tool is StockTool.DELOCATE else "", "TMPDIR": str(answer.parent)},
        cwd=answer.parent,
        timeout_s=_TIMEOUT_S,
    )


def _find_unseen(stock_report: StockReport, *, tool: StockTool) -> Iterator[Fault]:
    if stock_report.tool is tool:
        for stock_finding in stock_report.findings:
            place = stock_finding.place or stock_report.wheel
            yield Fault(place=place, evidence=f"{tool} {stock_report.version}: {stock_finding.evidence}")


CHECKS: tuple[Check[StockReport], ...] = tuple(
    Check(
        id=f"{tool}-verdict",
        title=f"{tool} reports no problem that the other checks missed",
        severity=Severity.ERROR,
        protects="Users: an independent tool found a defect that the other checks missed.",
        standard=standard,
        remedy="Read the evidence; if the tool is right, please report the missing check.",
        find=partial(_find_unseen, tool=tool),
    )
    for tool, standard in (
        (StockTool.AUDITWHEEL, "PEP 600 and PEP 656, as auditwheel reads them"),
        (StockTool.DELOCATE, "Platform compatibility tags, macosx_X_Y, as delocate reads them"),
        (StockTool.DELVEWHEEL, "Microsoft, dynamic-link library search order, as delvewheel reads it"),
    )
)

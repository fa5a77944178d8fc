"""Interpret the facts that a stock tool returns, because the tools do not give a verdict themselves."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from factory.core.json_reader import JsonObject
from factory.core.model import FileKind, Finding
from factory.core.platform_tags import glibc_of_tag
from factory.verify.checks.macho import promised_macos
from factory.verify.checks.pe import is_loaded_by_python
from factory.verify.checks.system_names import LATER_WINDOWS
from factory.verify.reading.contents import WheelContents

_ELF_LOADING = ("elf-machine", "elf-class", "elf-interpreter", "elf-needed", "elf-musl", "image-")
_ELF_VERSIONS = ("elf-glibc-floor", "elf-symbol-version", "elf-private-symbol")
_DLLS = ("pe-dll", "pe-delayed-dll", "pe-visual-cpp")


class StockTool(StrEnum):
    """A stock inspector of wheels."""

    AUDITWHEEL = "auditwheel"
    DELOCATE = "delocate"
    DELVEWHEEL = "delvewheel"


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFinding:
    """One problem that a stock tool reports.

    Attributes:
        place: The member; None if the tool reports the wheel as a whole.
        checks: Prefixes of the ids of our checks that may report the same problem.
        mentions: A text that the evidence of the same problem must contain.
        is_enough: Whether it becomes a finding by itself. delocate wrongly reports libraries as missing
            that are weak, or that the search path of another file finds.
    """

    place: str | None
    evidence: str
    checks: tuple[str, ...]
    mentions: str = ""
    is_enough: bool = True

    def is_about(self, finding: Finding) -> bool:
        """Whether a finding of our checks reports the same problem."""
        return (
            finding.check.startswith(self.checks)
            and self.place in {None, finding.place}
            and self.mentions.lower() in finding.evidence.lower()
        )


def interpret_answer(tool: StockTool, answer: JsonObject, contents: WheelContents) -> Iterator[StockFinding]:
    """Yield the problems in a tool's answer.

    Raises:
        MalformedJson: The answer does not have the expected form.
    """
    match tool:
        case StockTool.AUDITWHEEL:
            return _interpret_auditwheel(answer, contents)
        case StockTool.DELOCATE:
            return _interpret_delocate(answer, contents)
        case StockTool.DELVEWHEEL:
            return _interpret_delvewheel(answer)


def _interpret_auditwheel(answer: JsonObject, contents: WheelContents) -> Iterator[StockFinding]:
    error = answer.text_or_none("error")
    if error is not None:
        yield StockFinding(place=None, evidence=error, checks=(*_ELF_LOADING, "wheel-", "package-"))
        return
    analysed = set(answer.texts("analysed"))
    for member in contents.images:
        if member.kind is FileKind.ELF and member.name not in analysed:
            yield StockFinding(
                place=member.name,
                evidence="ignored: of another libc or architecture, or not in RECORD",
                checks=(*_ELF_LOADING, "record-"),
            )
    policy = answer.text("policy")
    if not _complies(policy, answer.texts("policies"), contents.platforms):
        yield StockFinding(
            place=None,
            evidence=f"consistent with {policy} only",
            checks=(*_ELF_VERSIONS, *_ELF_LOADING),
        )


def _complies(policy: str, known: tuple[str, ...], tags: tuple[str, ...]) -> bool:
    """Whether a wheel that complies with auditwheel's policy may have these platform tags.

    auditwheel does not have a policy for every glibc version: a tag between two policies allows what
    the newer one allows. It has a single policy for musl.
    """
    floor = glibc_of_tag(policy)
    if floor is None:
        return policy.startswith("musllinux_") and not any(glibc_of_tag(tag) for tag in tags)
    floors = [glibc for name in known if (glibc := glibc_of_tag(name))]
    allowed = [
        min((glibc for glibc in floors if glibc >= promised), default=promised)
        for tag in tags
        if (promised := glibc_of_tag(tag))
    ]
    return all(floor <= most for most in allowed)


def _interpret_delocate(answer: JsonObject, contents: WheelContents) -> Iterator[StockFinding]:
    error = answer.text_or_none("error")
    if error is not None:
        yield StockFinding(place=None, evidence=error, checks=("macho-", "image-"))
    name = answer.text_or_none("name")
    tags = tuple(re.sub(r"\.whl\Z", "", name).rpartition("-")[2].split(".")) if name else ()
    promised = promised_macos(contents.platforms)
    if any(floor > promised.get(part, floor) for part, floor in promised_macos(tags).items()):
        yield StockFinding(
            place=None, evidence=f"its tag should be {'.'.join(tags)}", checks=("macho-minimum-macos",)
        )
    for library in answer.texts("libraries"):
        yield StockFinding(
            place=None, evidence=f"needs {library}", checks=("macho-dependency",), mentions=library
        )
    missing = answer.text_or_none("missing")
    if missing is not None:
        yield StockFinding(place=None, evidence=missing, checks=("macho-dependency",), is_enough=False)


def _interpret_delvewheel(answer: JsonObject) -> Iterator[StockFinding]:
    error = answer.text_or_none("error")
    if error is not None:
        yield StockFinding(place=None, evidence=error, checks=("pe-", "image-"))
        return
    missing = answer.child("missing")
    absent = {
        dll
        for member in missing.members
        for dll in missing.texts(member)
        if dll.lower() not in LATER_WINDOWS and not is_loaded_by_python(member, dll)
    }
    for name in sorted(absent):
        yield StockFinding(place=None, evidence=f"does not find {name}", checks=_DLLS, mentions=name)

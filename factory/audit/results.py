"""Verdicts as JSON: one small file a wheel, so that an audit of a whole history goes on where it stopped."""

import json
from collections.abc import Mapping
from pathlib import Path

from factory import __version__
from factory.audit.verdict import (
    AuditReport,
    Cause,
    ChainLink,
    InferredFacts,
    Outcome,
    ProvenanceState,
    ServedProvenance,
    TrustedText,
    UnexpectedFile,
    Verdict,
)
from factory.core.digests import MalformedDigest, Sha256
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import ChannelName, Finding, Severity
from factory.core.trust_json import assessment_from_json, assessment_to_json
from factory.core.trust_level import TrustAssessment
from factory.system.files import atomic_write

SCHEMA_VERSION = 1


def verdict_json(verdict: Verdict) -> dict[str, object]:
    """Return a verdict as JSON has it (docs/audit.schema.json)."""
    facts = verdict.inferred
    return {
        "name": verdict.name,
        "tag": verdict.tag,
        "platform": verdict.platform,
        "size_bytes": verdict.size_bytes,
        "sha256": str(verdict.sha256),
        "yanked": verdict.yanked,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason,
        "rebuilt": None if verdict.rebuilt is None else str(verdict.rebuilt),
        "replayed": list(verdict.replayed),
        "causes": [
            {
                "id": cause.id,
                "severity": cause.severity.value,
                "place": cause.place,
                "sentence": cause.sentence,
                "evidence": cause.evidence,
            }
            for cause in verdict.causes
        ],
        "chain": [
            {"member": link.member, "sha256": str(link.sha256), "asset": link.asset, "path": link.path}
            for link in verdict.chain
        ],
        "trust_base": [
            {
                "place": text.place,
                "use": text.use,
                "sha256": str(text.sha256),
                "text": text.text,
                "is_usual": text.is_usual,
            }
            for text in verdict.trust_base
        ],
        "inferred": None if facts is None else _facts_json(facts),
        "findings": [
            {
                "check": finding.check,
                "severity": finding.severity.value,
                "place": finding.place,
                "evidence": finding.evidence,
                "remedy": finding.remedy,
            }
            for finding in verdict.findings
        ],
        "standings": [assessment_to_json(assessment) for assessment in verdict.assessments],
        "is_inspected": verdict.is_inspected,
        "fetched_bytes": verdict.fetched_bytes,
        "provenance": {
            "state": verdict.provenance.state.value,
            "reason": verdict.provenance.reason,
            "publishers": list(verdict.provenance.publishers),
        },
    }


def report_json(report: AuditReport) -> dict[str, object]:
    """Return a whole report as JSON; two audits of the same things give the same text."""
    return {
        "schema_version": SCHEMA_VERSION,
        "factory_version": __version__,
        "project": report.project,
        "channel": report.channel,
        "wheels": [verdict_json(verdict) for verdict in report.verdicts],
        "unexpected": [{"name": file.name, "reason": file.reason} for file in report.unexpected],
        "absent": list(report.absent),
    }


def parse_report(data: JsonObject) -> AuditReport:
    """Read a report that ``factory audit --json`` printed.

    Raises:
        MalformedJson: It is none, or of another version.
    """
    version = data.integer("schema_version")
    if version != SCHEMA_VERSION:
        raise MalformedJson(data.where, f"version {version}; this factory reads version {SCHEMA_VERSION}")
    try:
        verdicts = tuple(parse_verdict(entry) for entry in data.objects("wheels"))
    except (ValueError, MalformedDigest) as error:
        raise MalformedJson(data.where, str(error)) from error
    return AuditReport(
        project=data.text("project"),
        channel=data.text("channel"),
        verdicts=verdicts,
        unexpected=tuple(
            UnexpectedFile(name=file.text("name"), reason=file.text("reason"))
            for file in data.objects("unexpected")
        ),
        absent=data.texts("absent"),
    )


def parse_verdict(entry: JsonObject) -> Verdict:
    """Read a verdict.

    Raises:
        MalformedJson: It is none.
    """
    rebuilt = entry.text_or_none("rebuilt")
    return Verdict(
        name=entry.text("name"),
        tag=entry.text("tag"),
        platform=entry.text("platform"),
        size_bytes=entry.integer_or_none("size_bytes"),
        sha256=Sha256(entry.text("sha256")),
        yanked=entry.text_or_none("yanked"),
        outcome=Outcome(entry.text("outcome")),
        reason=entry.text("reason"),
        rebuilt=None if rebuilt is None else Sha256(rebuilt),
        replayed=entry.texts("replayed"),
        causes=tuple(_cause(cause) for cause in entry.objects("causes")),
        chain=tuple(_link(link) for link in entry.objects("chain")),
        trust_base=tuple(_text(text) for text in entry.objects("trust_base")),
        inferred=None if entry.members.get("inferred") is None else _facts(entry.child("inferred")),
        findings=tuple(_finding(finding) for finding in entry.objects("findings")),
        assessments=tuple(_assessment(assessment) for assessment in entry.objects("standings")),
        is_inspected=entry.members.get("is_inspected") is True,
        fetched_bytes=entry.integer("fetched_bytes"),
        provenance=_provenance(entry.child("provenance")),
    )


def identity_of(*, project: str, channel: ChannelName) -> dict[str, str]:
    """Return what a verdict depends on besides the wheel: with another one it is judged again."""
    return {"project": project, "channel": channel.value, "factory_version": __version__}


class Results:
    """A directory with one file a wheel."""

    def __init__(self, directory: Path, *, identity: Mapping[str, str]) -> None:
        """Name the directory.

        Args:
            directory: Where the files are.
            identity: What a verdict depends on besides the wheel, as `identity_of` has it.
        """
        self._directory = directory
        self._identity = dict(identity)

    def keep(self, verdict: Verdict) -> None:
        """Keep a verdict, in place of an earlier one.

        Raises:
            CannotWrite: The place does not take it.
        """
        document = {"identity": self._identity, "verdict": verdict_json(verdict)}
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        atomic_write(self._path(verdict.name), text.encode("utf-8", "backslashreplace"))

    def recall(self, name: str, sha256: Sha256) -> Verdict | None:
        """Return the verdict on the very same bytes, if all of it was seen; the rest is tried again."""
        try:
            document = JsonObject.parse(self._path(name).read_bytes(), where=name)
            verdict = parse_verdict(document.child("verdict"))
            identity = document.child("identity").text_members()
        except (OSError, MalformedJson, MalformedDigest, ValueError):
            return None
        is_current = identity == self._identity and verdict.sha256 == sha256
        is_seen = verdict.provenance.state is not ProvenanceState.NOT_SEEN
        is_conclusive = verdict.outcome is not Outcome.NOT_REBUILT and is_seen
        return verdict if is_current and is_conclusive else None

    def _path(self, name: str) -> Path:
        return self._directory / "wheels" / f"{name}.json"


def _assessment(entry: JsonObject) -> TrustAssessment:
    return assessment_from_json(entry, place=entry.text("place"), sha256=Sha256(entry.text("sha256")))


def _facts_json(facts: InferredFacts) -> dict[str, object]:
    return {
        "generator": facts.generator,
        "metadata_version": facts.metadata_version,
        "create_system": facts.create_system,
        "line_ends": facts.line_ends,
        "recipe": str(facts.recipe),
        "left_out": list(facts.left_out),
    }


def _facts(entry: JsonObject) -> InferredFacts:
    return InferredFacts(
        generator=entry.text("generator"),
        metadata_version=entry.text("metadata_version"),
        create_system=entry.integer("create_system"),
        line_ends=entry.text("line_ends"),
        recipe=Sha256(entry.text("recipe")),
        left_out=entry.texts("left_out"),
    )


def _provenance(entry: JsonObject) -> ServedProvenance:
    return ServedProvenance(
        state=ProvenanceState(entry.text("state")),
        reason=entry.text("reason"),
        publishers=entry.texts("publishers"),
    )


def _cause(entry: JsonObject) -> Cause:
    return Cause(
        id=entry.text("id"),
        severity=Severity(entry.text("severity")),
        place=entry.text("place"),
        sentence=entry.text("sentence"),
        evidence=entry.text("evidence"),
    )


def _link(entry: JsonObject) -> ChainLink:
    return ChainLink(
        member=entry.text("member"),
        sha256=Sha256(entry.text("sha256")),
        asset=entry.text_or_none("asset"),
        path=entry.text_or_none("path"),
    )


def _text(entry: JsonObject) -> TrustedText:
    return TrustedText(
        place=entry.text("place"),
        use=entry.text("use"),
        sha256=Sha256(entry.text("sha256")),
        text=entry.text("text"),
        is_usual=entry.members.get("is_usual") is True,
    )


def _finding(entry: JsonObject) -> Finding:
    return Finding(
        check=entry.text("check"),
        severity=Severity(entry.text("severity")),
        place=entry.text("place"),
        evidence=entry.text("evidence"),
        remedy=entry.text("remedy"),
    )

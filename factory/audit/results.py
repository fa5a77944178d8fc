"""Verdicts as JSON: the report, and a file for each wheel so that an interrupted audit can resume."""

import json
from collections.abc import Mapping
from pathlib import Path

from factory import __version__
from factory.audit.answer import Status
from factory.audit.index import Listing
from factory.audit.verdict import AuditReport, MappingRef, ProvenanceState, Verdict
from factory.core.codec import from_json, to_json
from factory.core.digests import Sha256
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import ChannelName
from factory.system.files import atomic_write
from factory.verify.baseline.rules import ROOMS, rules_digest

SCHEMA_VERSION = 2
_DECIDING_ROOMS = ("audit", "build", *ROOMS, "release")
_CONCLUSIVE = {Status.FAITHFUL, Status.FAITHFUL_WITH_ERRORS, Status.DIFFERENT}
"""Wheels with another status are audited again: a package may be there now, or a text was reviewed."""


def report_json(report: AuditReport) -> dict[str, object]:
    """Return a report as a document of ``docs/audit.schema.json``; equal audits give equal documents."""
    return {"schema_version": SCHEMA_VERSION, "factory_version": __version__, **to_json(report)}


def parse_report(data: JsonObject) -> AuditReport:
    """Read a report that ``factory audit --format json`` printed.

    Raises:
        MalformedJson: It is not a report, or is of another version.
    """
    version = data.integer("schema_version")
    if version != SCHEMA_VERSION:
        raise MalformedJson(
            data.where,
            f"it has schema version {version}, and this factory reads version {SCHEMA_VERSION}:"
            " run the audit again",
        )
    return from_json(AuditReport, data)


def identity_of(
    *, listing: Listing, channel: ChannelName, mapping: MappingRef | None = None
) -> dict[str, str]:
    """Return what a verdict depends on besides the wheel; a change makes the kept verdict invalid.

    The rules are the code and the data that decide, not a version: a check that becomes stricter keeps its
    name, and must not keep the verdicts.

    Args:
        listing: What the index lists of the project.
        channel: Where the release packages come from.
        mapping: The mapping that the audit rests on; None if it rests on inferred recipes and the baseline.
    """
    return {
        "rules": rules_digest(_DECIDING_ROOMS).hex,
        "project": listing.project,
        "index": "" if listing.asked is None else listing.asked.address,
        "channel": channel.value,
        "factory_version": __version__,
        **({} if mapping is None else {"mapping": mapping.sentence}),
    }


class Results:
    """The verdicts of earlier audits: a directory with one JSON file for each wheel.

    Args:
        directory: Where the files are.
        identity: What `identity_of` returned; verdicts with another identity are not returned.
    """

    def __init__(self, directory: Path, *, identity: Mapping[str, str]) -> None:
        self._directory = directory
        self._identity = dict(identity)

    def keep(self, verdict: Verdict) -> None:
        """Write a verdict, replacing an earlier one.

        Raises:
            CannotWrite: The directory is not writable, or the disk is full.
        """
        document = {"identity": self._identity, "verdict": to_json(verdict)}
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        atomic_write(self._path(verdict.name), text.encode("utf-8", "backslashreplace"))

    def recall(self, name: str, sha256: Sha256) -> Verdict | None:
        """Return a wheel's verdict if it is about these bytes and conclusive; otherwise audit it again.

        A verdict that rests on a text that was accepted for one run is not conclusive for another.
        """
        try:
            document = JsonObject.parse(self._path(name).read_bytes(), where=name)
            verdict = from_json(Verdict, document.child("verdict"))
            identity = document.child("identity").text_members()
        except (OSError, MalformedJson):
            return None
        is_current = identity == self._identity and verdict.sha256 == sha256
        open_states = {ProvenanceState.NOT_SEEN, ProvenanceState.NOT_JUDGED}
        has_provenance = verdict.provenance.state not in open_states
        is_conclusive = verdict.status in _CONCLUSIVE and has_provenance and not verdict.accepted
        return verdict if is_current and is_conclusive else None

    def _path(self, name: str) -> Path:
        return self._directory / "wheels" / f"{name}.json"

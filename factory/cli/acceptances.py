"""The options of ``factory audit`` with which a person accepts something that the audit finds."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from factory.audit.known import Known
from factory.audit.known_file import read_known
from factory.audit.selection import Selection
from factory.audit.verdict import AcceptedThing, AuditReport
from factory.cli.console import say
from factory.core.errors import EXIT_AUDIT_DIFFERS, UsageError
from factory.verify.baseline.baseline import AcceptedText


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptances:
    """What the command line accepts."""

    texts: tuple[AcceptedText, ...] = ()
    known: Known = field(default_factory=Known)

    @classmethod
    def parse(cls, arguments: argparse.Namespace) -> "Acceptances":
        """Return what the options accept.

        Raises:
            UsageError: A text or the file is malformed.
        """
        return cls(
            texts=tuple(AcceptedText.parse(text) for text in arguments.accept_text or ()),
            known=Known() if arguments.known is None else read_known(arguments.known),
        )

    def require_used(self, report: AuditReport, selection: Selection) -> None:
        """Reject what matches nothing; but a wheel that is different is more important.

        Raises:
            UsageError: There is an acceptance that could hide the next defect.
        """
        unused = "; ".join(self._unused(report, selection))
        if not unused:
            return
        if report.exit_status == EXIT_AUDIT_DIFFERS:
            say(f"nothing in these wheels matches: {unused}")
            return
        raise UsageError(
            f"nothing in these wheels matches: {unused}",
            hint="Remove or correct it: it could hide the next defect.",
        )

    def _unused(self, report: AuditReport, selection: Selection) -> Iterator[str]:
        used = [
            accepted.reason
            for verdict in report.verdicts
            for accepted in verdict.accepted
            if accepted.thing is AcceptedThing.TEXT
        ]
        for text in self.texts:
            if not any(str(text.sha256) in reason for reason in used):
                yield f"--accept-text {text.path}:{text.sha256}"
        for entry in self.known.unused_in(report, selection):
            yield f"--known: {entry}"


def add_acceptance_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group("what is accepted")
    group.add_argument(
        "--known",
        type=Path,
        metavar="FILE",
        help="TOML file of accepted gaps and findings: they do not change the exit status",
    )
    group.add_argument(
        "--accept-text",
        action="append",
        metavar="PATH:SHA256=REASON",
        help="accept a text that is not in the baseline, for this run (repeatable)",
    )

"""Make statements from the manifest of a build or the report of an audit."""

from dataclasses import dataclass
from pathlib import Path

from factory.audit.answer import Answer
from factory.audit.results import parse_report
from factory.core.errors import IntegrityError, UsageError
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.targets import PLATFORMS
from factory.manifest.manifest import MANIFEST_NAME
from factory.statements.audit_statement import audit_statement, summary_statement
from factory.statements.build_statement import build_statement
from factory.statements.statement import Author, Statement
from factory.verify.proof import NotProven, Terms, prove


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedStatement:
    """A statement, and the name of its file without the suffix of the signer."""

    name: str
    statement: Statement


def make_statements(path: Path, *, by: str) -> tuple[NamedStatement, ...]:
    """Make a statement for each wheel of a manifest or a report.

    Args:
        path: The file, or a directory with a manifest.
        by: The URI of the author.

    Raises:
        UsageError: The file is neither a manifest nor a report, or has no wheel.
        MalformedJson: The file is damaged.
        IntegrityError: A wheel of the manifest is missing or has other bytes.
    """
    place = path / MANIFEST_NAME if path.is_dir() else path
    try:
        content = place.read_bytes()
    except OSError as error:
        raise _unusable(place, error.strerror or str(error)) from error
    data = JsonObject.parse(content, where=place.name)
    if "toolchain" in data.members:
        made = _of_manifest(place, by)
    elif "unexpected" in data.members:
        made = _of_report(data, by)
    else:
        raise _unusable(place, "it is neither a manifest nor an audit report")
    if not made:
        raise _unusable(place, "it has no wheel")
    return made


def _of_manifest(path: Path, by: str) -> tuple[NamedStatement, ...]:
    """Prove the manifest as a pin would, but for what only a pin needs, and state each build."""
    try:
        proven = prove(path, Terms(accepts_waivers=True, without=PLATFORMS))
    except NotProven as error:
        reasons = "".join(f"\n  {refusal}" for refusal in error.refusals)
        raise IntegrityError(
            f"{path} cannot be attested:{reasons}",
            hint="Run 'factory wheels' again: only wheels that match the manifest are attested.",
        ) from error
    return tuple(
        _named(wheel.name, "build", build_statement(proven.manifest, wheel, by=by)) for wheel in proven.wheels
    )


def _of_report(data: JsonObject, by: str) -> tuple[NamedStatement, ...]:
    report = parse_report(data)
    auditor = Author(uri=by, factory_version=data.text("factory_version"))
    made: list[NamedStatement] = []
    for verdict in report.verdicts:
        if verdict.answer is Answer.NONE:
            continue  # the audit could not look
        made.append(_named(verdict.name, "audit", audit_statement(report, verdict, auditor=auditor)))
        summary = summary_statement(verdict, project=report.project, auditor=auditor, mapping=report.mapping)
        if summary is not None:
            made.append(_named(verdict.name, "vsa", summary))
    return tuple(made)


def _named(wheel: str, kind: str, statement: Statement) -> NamedStatement:
    if Path(wheel).name != wheel or "\\" in wheel or not wheel.isprintable():
        raise MalformedJson(wheel, "it is not a file name")
    return NamedStatement(name=f"{wheel}.{kind}", statement=statement)


def _unusable(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"cannot make statements from {path}: {reason}",
        hint="Name the manifest.json of 'factory wheels', or the output of 'factory audit --format json'.",
    )

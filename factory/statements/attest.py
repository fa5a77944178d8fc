"""What statements are made from: the manifest of a build, or the report of an audit."""

from dataclasses import dataclass
from pathlib import Path

from factory.audit.results import parse_report
from factory.core.digests import Sha256
from factory.core.errors import IntegrityError, UsageError
from factory.core.json_reader import JsonObject, MalformedJson
from factory.manifest.manifest import MANIFEST_NAME, Manifest, WheelRecord
from factory.statements.audit_statement import audit_statement, summary_statement
from factory.statements.build_statement import build_statement
from factory.statements.statement import Author, Statement


class NothingToState(UsageError):
    """A file is neither of those that statements are made from."""

    hint = "Name the manifest.json of 'factory wheels', or what 'factory audit --json' printed."

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"there is nothing to state of {path}: {reason}")


class WheelNotThere(IntegrityError):
    """A manifest's wheel is not beside it as it says."""

    hint = "Run 'factory wheels' again: only what is there can be vouched for."

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedStatement:
    """A statement, and how its file is called before the end that tells how it is sealed."""

    name: str
    statement: Statement


def statements_of(path: Path, *, by: str) -> tuple[NamedStatement, ...]:
    """Make the statements that a manifest or a report justifies.

    Args:
        path: The file, or the directory that has a manifest.
        by: The URI of whoever says so.

    Raises:
        NothingToState: It is neither, or about no wheel.
        MalformedJson: It is damaged.
        WheelNotThere: A manifest's wheel is missing or another one.
    """
    place = path / MANIFEST_NAME if path.is_dir() else path
    try:
        content = place.read_bytes()
    except OSError as error:
        raise NothingToState(place, error.strerror or str(error)) from error
    data = JsonObject.parse(content, where=place.name)
    if "toolchain" in data.members:
        made = _of_manifest(Manifest.parse(content), place.parent, by)
    elif "unexpected" in data.members:
        made = _of_report(data, by)
    else:
        raise NothingToState(place, "it is neither a manifest nor a report")
    if not made:
        raise NothingToState(place, "it is about no wheel")
    return made


def _of_manifest(manifest: Manifest, directory: Path, by: str) -> tuple[NamedStatement, ...]:
    for wheel in manifest.wheels:
        _require_there(wheel, directory)
    return tuple(
        _named(wheel.name, "build", build_statement(manifest, wheel, by=by)) for wheel in manifest.wheels
    )


def _of_report(data: JsonObject, by: str) -> tuple[NamedStatement, ...]:
    report = parse_report(data)
    auditor = Author(uri=by, factory_version=data.text("factory_version"))
    made: list[NamedStatement] = []
    for verdict in report.verdicts:
        made.append(_named(verdict.name, "audit", audit_statement(report, verdict, auditor=auditor)))
        summary = summary_statement(verdict, project=report.project, auditor=auditor)
        if summary is not None:
            made.append(_named(verdict.name, "vsa", summary))
    return tuple(made)


def _named(wheel: str, kind: str, statement: Statement) -> NamedStatement:
    if Path(wheel).name != wheel or "\\" in wheel or not wheel.isprintable():
        raise MalformedJson(wheel, "this is no file name")
    return NamedStatement(name=f"{wheel}.{kind}", statement=statement)


def _require_there(wheel: WheelRecord, directory: Path) -> None:
    path = directory / wheel.name
    if not path.is_file():
        raise WheelNotThere(wheel.name, "is not beside its manifest")
    if Sha256.of_file(path) != wheel.sha256:
        raise WheelNotThere(wheel.name, "is not the file that the manifest describes")

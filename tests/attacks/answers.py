"""Run each attack through the commands, in this process, and write down what they answer.

The commands' own entry points are called where they are pure; printing is tested elsewhere.
"""

import json
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from factory.audit.index import Listing, fetch_listing
from factory.audit.results import report_json
from factory.audit.verdict import AuditReport
from factory.ci.merge import merge
from factory.core.digests import Sha256
from factory.core.errors import EXIT_FAITHFUL_WITH_ERRORS, EXIT_OK, FactoryError
from factory.core.model import Severity
from factory.core.progress import SilentProgress
from factory.core.targets import PLATFORMS
from factory.statements.attest import make_statements
from factory.statements.check_statement import check_statement
from factory.statements.claims import StatementAnswer
from factory.statements.signing import KeySigner
from factory.verify.authorship import TrustContext, assess_files
from factory.verify.checks.registry import find_all
from factory.verify.output.report import RunStatus
from factory.verify.proof import Terms, prove
from factory.verify.reading.read import read_wheel
from tests.attacks.attack import ManifestAttack, StatementAttack, WheelAttack
from tests.attacks.on_wheels import with_unknown_generator
from tests.audits import INDEX, PROJECT, FakeIndex, audit_context, audit_files, opened, run_audit
from tests.authority import TRUST
from tests.origins import ASKED_AT
from tests.packages import release_directory
from tests.runs import run_factory
from tests.statements import BY, KEY
from tests.wheels import Wheel

LINUX = "manylinux_2_17_x86_64"
WINDOWS = "win_amd64"
NOW = datetime(2026, 11, 29, tzinfo=UTC)
_MOST_IDS = 3
_STATEMENT_STATUSES = {
    StatementAnswer.YES: 0,
    StatementAnswer.NO: 10,
    StatementAnswer.UNDECIDED: 11,
    StatementAnswer.WITH_ERRORS: 24,
}


class Command(StrEnum):
    """A command, or a way to use one; the columns of the page."""

    VERIFY = "verify"
    TRUST = "trust"
    LISTED = "audit, listed"
    LISTED_UNKNOWN = "audit, listed, unknown generator"
    LOCAL = "audit --wheel"
    NO_INDEX = "audit --wheel --no-index"
    SUMMARY = "attest AUDIT"
    PIN = "pin"
    MERGE = "merge"
    ATTEST = "attest MANIFEST"
    CHECK_STATEMENT = "check-statement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a command answered.

    Attributes:
        text: For the page.
        exit_status: Of the command.
        is_yes: Whether it vouches for what it was given, without a qualification.
    """

    text: str
    exit_status: int
    is_yes: bool


Row = Mapping[Command, Answered]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The good things that attacks start from; made once.

    Attributes:
        packages: The release packages.
        wheel: A wheel of ours for Linux.
        dists: The output of ``factory wheels`` for one platform each.
        statement: The signed audit statement about the good wheel.
    """

    packages: Path
    wheel: Wheel
    dists: Mapping[str, Path]
    statement: bytes

    @classmethod
    def make(cls, root: Path) -> "Bench":
        """Build the good wheels, audit one, and sign the statement."""
        packages = release_directory(root / "packages")
        dists = {}
        for platform in (LINUX, WINDOWS):
            run_factory(packages, root / platform, cache=root / "cache", platforms=(platform,))
            dists[platform] = root / platform / "0.163.0"
        (path,) = dists[LINUX].glob("*.whl")
        wheel = opened(path)
        work = root / "audit"
        work.mkdir()
        report = run_audit(FakeIndex(files={wheel.name: wheel.content()}), packages, work)
        made = make_statements(_written(report, work), by=BY)
        return cls(
            packages=packages,
            wheel=wheel,
            dists=dists,
            statement=KeySigner(key=KEY).sign(made[0].statement.render()),
        )


def answers_to_wheel(bench: Bench, wheel: Wheel, directory: Path) -> Row:
    """Return what each command answers to a wheel."""
    path = wheel.write(directory)
    good = FakeIndex(files={bench.wheel.name: bench.wheel.content()})
    listed = _audited(bench, wheel, directory / "listed")
    unknown = _audited(bench, with_unknown_generator(wheel), directory / "unknown")
    return {
        Command.VERIFY: _verified(path, directory),
        Command.TRUST: _trusted(path, directory),
        Command.LISTED: _of_report(listed),
        Command.LISTED_UNKNOWN: _of_report(unknown),
        Command.LOCAL: _of_report(_local(bench, path, good, directory / "local")),
        Command.NO_INDEX: _of_report(_local(bench, path, None, directory / "no-index")),
        Command.SUMMARY: _summary([listed, unknown], directory),
        **_of_dist(_dist_with(bench, wheel, path, directory)),
        Command.CHECK_STATEMENT: _checked(bench.statement, path, directory),
    }


def answers_to_manifest(bench: Bench, attack: ManifestAttack, directory: Path) -> Row:
    """Return what the commands that read a manifest answer to a changed one."""
    dist = Path(shutil.copytree(bench.dists[WINDOWS], directory / "dist"))
    path = dist / "manifest.json"
    document = json.loads(path.read_text())
    attack.change(document)
    path.write_text(json.dumps(document))
    return _of_dist(dist)


def answers_to_statement(bench: Bench, attack: StatementAttack, directory: Path) -> Row:
    """Return what ``factory statement check`` answers to a changed statement about the good wheel."""
    path = bench.wheel.write(directory)
    return {Command.CHECK_STATEMENT: _checked(attack.make(bench.statement), path, directory)}


def answers_to(bench: Bench, attack: WheelAttack, directory: Path) -> Row:
    """Return what each command answers to an attacked wheel."""
    return answers_to_wheel(bench, attack.make(bench.wheel), directory)


def _refused(run: Callable[[], Answered]) -> Answered:
    """Return the command's answer; an error of the factory is one, too."""
    try:
        return run()
    except FactoryError as error:
        return Answered(text=f"{error.exit_code}: refused", exit_status=error.exit_code, is_yes=False)


def _ids(ids: list[str]) -> str:
    unique = list(dict.fromkeys(ids))
    more = f", {len(unique) - _MOST_IDS} more" if len(unique) > _MOST_IDS else ""
    return ", ".join(unique[:_MOST_IDS]) + more


def _verified(path: Path, directory: Path) -> Answered:
    scratch = directory / "verify"
    scratch.mkdir()
    findings = find_all(read_wheel(path, scratch=scratch, trust=TRUST))
    errors = [finding.check for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        return Answered(text=f"24: {_ids(errors)}", exit_status=EXIT_FAITHFUL_WITH_ERRORS, is_yes=False)
    # These warnings are a qualification: a text was not reviewed, or installers give it an unusual mode.
    qualified = [one.check for one in findings if one.check.startswith(("closed-world-", "member-"))]
    others = _ids([finding.check for finding in findings])
    text = f"0: passed{f' ({others})' if others else ''}"
    return Answered(text=text, exit_status=EXIT_OK, is_yes=not qualified)


def _trusted(path: Path, directory: Path) -> Answered:
    scratch = directory / "trust"
    scratch.mkdir()
    context = TrustContext(
        policy=TRUST, progress=SilentProgress(), scratch=scratch, jobs=1, stop=threading.Event()
    )

    def run() -> Answered:
        report = assess_files([path], context)
        levels = ", ".join(f"{count} {level}" for level, count in report.counts.items() if count)
        status = {RunStatus.PASSED: 0, RunStatus.REJECTED: 24, RunStatus.INCONCLUSIVE: 11}[report.status]
        text = f"{status}: {levels or 'no executables'}"
        # Only a verified author is a yes; the fabricated executables for Linux have no signature.
        is_yes = status == EXIT_OK and "authorship-verified" in levels
        return Answered(text=text, exit_status=status, is_yes=is_yes)

    return _refused(run)


def _audited(bench: Bench, wheel: Wheel, directory: Path) -> AuditReport:
    directory.mkdir()
    return run_audit(FakeIndex(files={wheel.name: wheel.content()}), bench.packages, directory)


def _local(bench: Bench, path: Path, index: FakeIndex | None, directory: Path) -> AuditReport:
    directory.mkdir()
    listing = (
        Listing(project=PROJECT, asked=None, wheels=(), unexpected=())
        if index is None
        else fetch_listing(index, index=INDEX, project=PROJECT, asked_at=ASKED_AT)
    )
    context = audit_context(index or FakeIndex(files={}), bench.packages, directory)
    return audit_files([path], listing, context)


def _of_report(report: AuditReport) -> Answered:
    status = report.exit_status
    if not report.verdicts:
        return Answered(text=f"{status}: not audited", exit_status=status, is_yes=status == EXIT_OK)
    (verdict,) = report.verdicts
    why = _ids([cause.id for cause in verdict.causes]) or verdict.reason.partition(":")[0]
    text = f"{status}: {verdict.outcome}{f' ({why})' if why else ''}"
    return Answered(text=text, exit_status=status, is_yes=verdict.answer.is_yes)


def _written(report: AuditReport, directory: Path) -> Path:
    path = directory / "report.json"
    path.write_text(json.dumps(report_json(report) | {"factory_version": "0"}))
    return path


def _summary(reports: list[AuditReport], directory: Path) -> Answered:
    """Return the summaries that attest makes of the audits of a listed wheel; the mildest counts."""
    results: list[str] = []
    for report in reports:
        try:
            made = make_statements(_written(report, directory), by=BY)
        except FactoryError:
            continue
        summaries = [named.statement for named in made if named.name.endswith(".vsa")]
        results += [str(summary.predicate["verificationResult"]) for summary in summaries]
    text = ", ".join(dict.fromkeys(results)) or "no summary"
    return Answered(text=f"0: {text}", exit_status=EXIT_OK, is_yes="PASSED" in results)


def _dist_with(bench: Bench, attacked: Wheel, path: Path, directory: Path) -> Path:
    """Put a wheel into the output directory, and make its manifest and checksums fit."""
    dist = Path(shutil.copytree(bench.dists[LINUX], directory / "dist"))
    shutil.copy(path, dist / path.name)
    manifest = dist / "manifest.json"
    document = json.loads(manifest.read_text())
    (wheel,) = document["wheels"]
    digest, old = Sha256.of_file(path), wheel["sha256"]
    wheel.update(sha256=str(digest), size_bytes=path.stat().st_size)
    contents = {member.name.decode("latin-1"): member.content for member in attacked.archive.members}
    for entry in wheel["payload"]:
        if (content := contents.get(entry["path"])) is not None:
            entry.update(sha256=str(Sha256.of([content])), size_bytes=len(content))
    manifest.write_text(json.dumps(document))
    checksums = dist / "SHA256SUMS"
    checksums.write_text(checksums.read_text().replace(old, str(digest)))
    return dist


def _of_dist(dist: Path) -> dict[Command, Answered]:
    yes = Answered(text="0: yes", exit_status=EXIT_OK, is_yes=True)
    without = tuple(platform for platform in PLATFORMS if not list(dist.glob(f"*-{platform.tag}.whl")))

    def pin() -> Answered:
        prove(dist, Terms(accepts_waivers=True, without=without))
        return yes

    def merged() -> Answered:
        merge([dist], SilentProgress())
        return yes

    def attest() -> Answered:
        make_statements(dist, by=BY)
        return yes

    return {
        Command.PIN: _refused(pin),
        Command.MERGE: _refused(merged),
        Command.ATTEST: _refused(attest),
    }


def _checked(content: bytes, wheel: Path, directory: Path) -> Answered:
    path = directory / "statement.json"
    path.write_bytes(content)

    def run() -> Answered:
        answer = check_statement(path, wheel, trust=KEY.public, now=NOW).answer
        status = _STATEMENT_STATUSES[answer]
        return Answered(text=f"{status}: {answer}", exit_status=status, is_yes=answer is StatementAnswer.YES)

    return _refused(run)

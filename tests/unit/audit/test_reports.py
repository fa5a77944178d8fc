import json
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest

from factory.audit.origin import LocalOrigin, Origin, origin_word
from factory.audit.report.html import matrix, render_html
from factory.audit.report.table import cause_lines, summary, verdict_row
from factory.audit.report.texts import seen_texts
from factory.audit.results import report_json
from factory.audit.signer_history import SignerChange, signer_changes
from factory.audit.verdict import (
    AuditReport,
    Cause,
    ChainLink,
    InferredFacts,
    Outcome,
    TrustedText,
    UnexpectedFile,
    Verdict,
)
from factory.core.codec import from_json, to_json
from factory.core.digests import Sha256
from factory.core.json_reader import JsonObject
from factory.core.model import Finding, Severity
from factory.core.trust_level import Level, Scheme, Signature, Signer, TrustAssessment
from tests.decisions import decided
from tests.origins import ASKED, ASKED_AT, listed

ROOT = Path(__file__).resolve().parents[3]
ONE, TWO = Sha256("1" * 64), Sha256("2" * 64)


def text(place: str, content: str) -> TrustedText:
    return TrustedText(
        place=place, use="the template", sha256=Sha256.of([content.encode()]), text=content, is_known=True
    )


def signed_by(organization: str) -> TrustAssessment:
    return TrustAssessment(
        place="codex_cli_bin/bin/codex",
        sha256=ONE,
        level=Level.AUTHORSHIP_VERIFIED,
        reason="it <holds>",
        signature=Signature(
            scheme=Scheme.AUTHENTICODE,
            signer=Signer(name=organization, organization=organization, root="a root"),
            signed_at=datetime(2026, 10, 15, 20, 18, 40, tzinfo=UTC),
            details=("sha256 digest",),
        ),
    )


def verdict(tag: str, platform: str, outcome: Outcome, *texts: TrustedText) -> Verdict:
    return Verdict(
        name=f"openai_codex_cli_bin-{tag}-py3-none-{platform}.whl",
        tag=tag,
        platform=platform,
        size_bytes=1000,
        sha256=ONE,
        origin=listed(ONE, yanked="it <broke>"),
        **decided(outcome),
        rebuilt=TWO,
        causes=(
            Cause(
                id="text",
                severity=Severity.ERROR,
                place="<script>alert(1)</script>",
                sentence="Its text differs.",
                evidence="first differing byte at 3\n-old\n+new",
            ),
        ),
        chain=(ChainLink(member="codex_cli_bin/bin/codex", sha256=ONE, asset=None, path=None),),
        trust_base=texts,
        inferred=InferredFacts(
            generator="hatchling 1.32.4",
            metadata_version="2.5",
            create_system=3,
            line_ends="LF",
            recipe=TWO,
            left_out=("codex-resources/voice/x",),
        ),
        findings=(
            Finding(
                check="elf-x", severity=Severity.WARNING, place="bin/codex", evidence="seen", remedy="do"
            ),
        ),
        assessments=(signed_by("OpenAI OpCo, LLC"),),
        is_inspected=True,
        fetched_bytes=2345,
    )


BREAK = (
    "FIRST BREAK: openai_codex_cli_bin-0.2.0-py3-none-win_amd64.whl is DIFFERENT;"
    " an earlier one for win_amd64 was IDENTICAL"
)
REPORT = AuditReport(
    project="openai-codex-cli-bin",
    channel="npm",
    index=ASKED.address,
    asked_at=ASKED_AT,
    verdicts=(
        verdict("0.1.0", "win_amd64", Outcome.IDENTICAL, text("codex_cli_bin/__init__.py", "import os\n")),
        verdict("0.2.0", "win_amd64", Outcome.DIFFERENT, text("codex_cli_bin/__init__.py", "import os\r\n")),
        verdict("0.2.0", "win_arm64", Outcome.NOT_REBUILT),
    ),
    unexpected=(UnexpectedFile(name="x.tar.gz", reason="it is not a wheel"),),
    absent=("the index has no wheel of rust-v0.3.0",),
)


class Page(HTMLParser):
    """Collects what a page links to, loads and names; fails on tags that are not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in {"meta", "br", "wbr"}:
            self.open.append(tag)
        for name, value in attrs:
            assert name not in {"src", "onclick", "style"}
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_self_contained_and_well_formed() -> None:
    page = Page(render_html(REPORT))

    assert {"script", "link", "img", "iframe"}.isdisjoint(page.tags)
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert len(page.ids) == len(set(page.ids))


def test_the_page_escapes_texts_from_wheels() -> None:
    page = render_html(REPORT)

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "it &lt;broke&gt;" in page


def test_the_page_shows_the_index_and_the_origin_of_each_wheel() -> None:
    local = replace(REPORT.verdicts[0], origin=LocalOrigin(name=REPORT.verdicts[0].name))
    page = render_html(replace(REPORT, verdicts=(local, REPORT.verdicts[1])))

    assert "index: https://index.example.invalid/simple/, asked at 2026-11-28T09:30:00Z." in page
    assert "It is a local file; no index vouches for its SHA-256." in page
    assert (
        "https://index.example.invalid/simple/ listed this SHA-256 at 2026-11-28T09:30:00Z"
        " as yanked: it &lt;broke&gt;" in page
    )
    assert page.count('<span class="soft">yanked</span>') == 1


@pytest.mark.parametrize("outcome", Outcome)
def test_no_outcome_claims_what_an_index_lists(outcome: Outcome) -> None:
    assert "index" not in outcome.meaning


def test_the_summary_of_an_audit_without_an_index() -> None:
    assert summary(replace(REPORT, index=None, asked_at=None)).splitlines()[1] == "index: none was asked"


@pytest.mark.parametrize(
    ("origin", "word"),
    [
        (listed(ONE), "index"),
        (listed(ONE, yanked=""), "index, yanked"),
        (LocalOrigin(name="a.whl"), "local file"),
    ],
)
def test_the_origin_as_a_word(origin: Origin, word: str) -> None:
    assert origin_word(origin) == word


def test_the_page_shows_the_first_break_at_the_top() -> None:
    page = render_html(REPORT)

    assert page.index("A release differs after an identical release") < page.index("Summary")


def test_the_matrix_has_the_newest_release_first_and_gaps_for_missing_wheels() -> None:
    rows = matrix(REPORT, ("win_amd64", "win_arm64"))

    assert [(row.release, [cell.outcome if cell else None for cell in row.cells]) for row in rows] == [
        ("0.2.0", [Outcome.DIFFERENT, Outcome.NOT_REBUILT]),
        ("0.1.0", [Outcome.IDENTICAL, None]),
    ]


def test_texts_that_differ_only_in_line_endings_are_shown_once() -> None:
    (seen,) = seen_texts(REPORT.verdicts)

    assert (seen.base, len(seen.digests), len(seen.wheels), seen.releases) == ("__init__.py", 2, 2, 2)


def test_metadata_that_differs_only_in_version_is_shown_once() -> None:
    one = verdict("0.1.0", "a", Outcome.IDENTICAL, text("x.dist-info/METADATA", "Name: a\nVersion: 1\n"))
    two = verdict("0.2.0", "a", Outcome.IDENTICAL, text("x.dist-info/METADATA", "Name: a\nVersion: 2\n"))
    odd = verdict("0.3.0", "a", Outcome.IDENTICAL, text("x.dist-info/METADATA", "Name: b\nVersion: 3\n"))

    assert [seen.releases for seen in seen_texts((one, two, odd))] == [2, 1]


def test_the_report_conforms_to_its_schema() -> None:
    schema = json.loads((ROOT / "docs/audit.schema.json").read_text(encoding="utf-8"))
    local = replace(REPORT.verdicts[0], origin=LocalOrigin(name="a.whl"))

    jsonschema.validate(report_json(REPORT), schema)
    jsonschema.validate(report_json(replace(REPORT, index=None, asked_at=None, verdicts=(local,))), schema)


@pytest.mark.parametrize("origin", [listed(ONE, yanked="it <broke>"), LocalOrigin(name="a.whl")])
def test_a_verdict_is_read_as_it_was_written(origin: Origin) -> None:
    one = replace(REPORT.verdicts[0], origin=origin)
    assert from_json(Verdict, JsonObject.of(to_json(one), "a test")) == one


def test_the_page_names_the_signers() -> None:
    page = render_html(REPORT)
    assert "<td>OpenAI OpCo, LLC</td>" in page
    assert "<td>2026-10-15T20:18:40Z</td>" in page
    assert "it &lt;holds&gt;" in page
    assert "A signer changed" not in page


def test_a_changed_signer_is_reported() -> None:
    before = verdict("0.1.0", "win_amd64", Outcome.IDENTICAL)
    after = replace(verdict("0.2.0", "win_amd64", Outcome.IDENTICAL), assessments=(signed_by("Somebody"),))
    other = replace(verdict("0.2.0", "win_arm64", Outcome.IDENTICAL), assessments=(signed_by("Somebody"),))
    report = replace(REPORT, verdicts=(before, before, other, after), absent=(), unexpected=())
    assert signer_changes(report.verdicts) == (
        SignerChange(
            wheel="openai_codex_cli_bin-0.2.0-py3-none-win_amd64.whl",
            member="codex_cli_bin/bin/codex",
            before="OpenAI OpCo, LLC",
            now="Somebody",
        ),
    )
    assert summary(report).splitlines()[-1] == (
        "SIGNER CHANGED: openai_codex_cli_bin-0.2.0-py3-none-win_amd64.whl: codex_cli_bin/bin/codex:"
        " from OpenAI OpCo, LLC to Somebody"
    )
    assert "A signer changed between releases" in render_html(report)


def test_a_lost_signature_is_reported() -> None:
    before = verdict("0.1.0", "win_amd64", Outcome.IDENTICAL)
    bare = TrustAssessment(
        place="bin/codex",
        sha256=TWO,
        level=Level.INTEGRITY_ONLY,
        reason="it has no signature",
        signature=None,
    )
    after = replace(verdict("0.2.0", "win_amd64", Outcome.IDENTICAL), assessments=(bare,))
    (change,) = signer_changes((before, after))
    assert (change.before, change.now) == ("OpenAI OpCo, LLC", "no verified signer")


def test_causes_with_one_sentence_are_one_paragraph() -> None:
    verdict = REPORT.verdicts[1]
    more = replace(verdict.causes[0], place="elsewhere", evidence="1\n2")
    report = replace(REPORT, verdicts=(replace(verdict, causes=(*verdict.causes, more)),))
    (head, first, second) = list(cause_lines(report))
    assert head.endswith(f": {more.id}: 2 places\n  {more.sentence}")
    assert first.startswith(f"    {verdict.causes[0].place}: ")
    assert second == "    elsewhere: 1\n    2"


def test_the_table_and_the_summary() -> None:
    assert verdict_row(REPORT.verdicts[1]) == (
        "openai_codex_cli_bin-0.2.0-py3-none-win_amd64.whl",
        "index, yanked: it <broke>",
        "DIFFERENT",
        "0 of 1 from the release",
        "1 of 1 verified",
        "1 warning",
        "not seen",
        "2 kB",
        "text",
    )
    assert list(cause_lines(REPORT))[1] == "    first differing byte at 3\n    -old\n    +new"
    assert summary(REPORT).splitlines() == [
        "3 wheels of openai-codex-cli-bin: 1 IDENTICAL, 1 DIFFERENT, 1 NOT-REBUILT",
        "index: https://index.example.invalid/simple/, asked at 2026-11-28T09:30:00Z",
        "the index has no wheel of rust-v0.3.0",
        "unexpected: x.tar.gz: it is not a wheel",
        BREAK,
    ]

"""The page of ``factory verify``: everything in the report, escaped, and nothing from elsewhere."""

from dataclasses import replace

import pytest

from factory.core.errors import HostError
from factory.core.model import Severity
from factory.verify.output.html import render_findings
from factory.verify.output.report import CheckResults, Report, WheelReport
from factory.verify.waivers import Waiver
from tests.extras import take_away
from tests.unit.verify.output.test_sarif import REPORT, finding

HOSTILE = "<script>alert(1)</script>"


def test_the_page_has_findings_waivers_and_what_was_not_checked() -> None:
    page = render_findings(REPORT)
    for text in (
        "Checks of 1 wheel",
        '<span class="rejected">rejected</span>',
        "2 errors",
        "error: elf-glibc-floor",
        "No ELF file needs a newer glibc than the manylinux tag promises",
        "What to do:</strong> Do it.",
        "1 waived finding",
        "Accepted: known since 1.0",
        "auditwheel failed: Boom",
        "Start: not-run: no emulator",
        "all wheels of /abs/dist",
        "error: release-platforms",
    ):
        assert text in page, text


def test_the_page_is_self_contained_and_escapes_texts_of_wheels() -> None:
    wheel = replace(
        REPORT.wheels[0],
        name=HOSTILE,
        results=CheckResults(findings=(finding("nosuch-check", Severity.WARNING, HOSTILE),)),
    )
    page = render_findings(Report(wheels=(wheel,), releases=(), unused=()))
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;") == 2
    assert not any(word in page for word in ("<script", "src=", "@import", "http://", "https://"))
    assert "warning: nosuch-check" in page, "a check that this version lacks"


def test_a_wheel_that_could_not_be_checked_has_no_praise() -> None:
    wheel = WheelReport(path="x.whl", name="x.whl", results=CheckResults(), not_looked_at="it is a directory")
    page = render_findings(Report(wheels=(wheel,), releases=(), unused=()))
    assert '<span class="inconclusive">inconclusive</span>' in page
    assert "Not checked: it is a directory" in page
    assert "No findings." not in page


def test_a_good_wheel_and_an_unused_waiver() -> None:
    wheel = WheelReport(path="x.whl", name="x.whl", results=CheckResults())
    waiver = Waiver(check="package-typed", pattern="*", reason="known")
    page = render_findings(Report(wheels=(wheel,), releases=(), unused=(waiver,)))
    assert '<span class="passed">passed</span>' in page
    assert "No findings." in page
    assert "<code>package-typed:*</code>" in page


def test_without_the_renderer_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    take_away(monkeypatch, "jinja2")
    with pytest.raises(HostError, match=r"needs the Python package jinja2"):
        render_findings(REPORT)

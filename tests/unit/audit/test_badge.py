"""The badge, and the chart of the history."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from factory.audit.answer import Status
from factory.audit.report.badge import badge_text, render_badge
from factory.audit.report.history import history
from factory.audit.verdict import AuditReport
from tests.statements import IDENTICAL, report

GREEN, YELLOW, RED = "#116329", "#7a5200", "#a4161a"


def audited(*statuses: Status) -> AuditReport:
    verdicts = [replace(IDENTICAL, name=f"{n}.whl", status=one) for n, one in enumerate(statuses)]
    return replace(report(IDENTICAL), verdicts=tuple(verdicts))


@pytest.mark.parametrize(
    ("statuses", "words", "colour"),
    [
        ((Status.FAITHFUL, Status.FAITHFUL), "2 of 2 wheels as released", GREEN),
        ((Status.FAITHFUL, Status.FAITHFUL_WITH_ERRORS), "2 of 2 wheels as released", YELLOW),
        ((Status.FAITHFUL, Status.NOT_DECIDED), "1 of 2 wheels as released", YELLOW),
        ((Status.FAITHFUL, Status.NOTHING_TO_COMPARE), "1 of 2 wheels as released", YELLOW),
        ((Status.FAITHFUL, Status.DIFFERENT), "1 of 2 wheels as released", RED),
        ((Status.DIFFERENT, Status.NOT_DECIDED), "0 of 2 wheels as released", RED),
        ((), "no wheel", YELLOW),
    ],
)
def test_a_badge_is_green_only_for_an_audit_that_ends_with_0(
    statuses: tuple[Status, ...], words: str, colour: str
) -> None:
    done = audited(*statuses)
    assert badge_text(replace(done, asked_at=None)) == words
    picture = ET.fromstring(render_badge(done))  # noqa: S314 - the text is ours
    assert {one.get("fill") for one in picture.iter()} & {GREEN, YELLOW, RED} == {colour}
    assert picture.get("aria-label") == f"wheel audit: {badge_text(done)}"


def test_a_wheel_that_is_accepted_but_was_not_compared_does_not_make_it_green() -> None:
    done = audited(Status.FAITHFUL)
    absent = replace(done, absent=("0.164.0 is not on the index",))
    assert (GREEN in render_badge(done), GREEN in render_badge(absent)) == (True, False)


def test_the_badge_has_the_day_of_the_audit() -> None:
    done = audited(Status.FAITHFUL)
    assert done.asked_at is not None
    assert badge_text(done).endswith(f"as released, {done.asked_at:%Y-%m-%d}")


def test_the_chart_has_a_bar_for_each_release_and_a_part_for_each_status() -> None:
    done = audited(Status.FAITHFUL, Status.DIFFERENT, Status.FAITHFUL)
    later = replace(IDENTICAL, tag="rust-v0.999.0", name="later.whl", status=Status.NOT_DECIDED)
    chart = history(replace(done, verdicts=(*done.verdicts, later)))
    assert (chart.width, chart.height) == (20, 18)
    assert [(bar.release, bar.left) for bar in chart.bars] == [(IDENTICAL.tag, 0), ("rust-v0.999.0", 10)]
    first, second = chart.bars
    assert [(part.status, part.count, part.top, part.height) for part in first.parts] == [
        (Status.FAITHFUL, 2, 6, 12),
        (Status.DIFFERENT, 1, 0, 6),
    ]
    assert [(part.top, part.height) for part in second.parts] == [(12, 6)]
    assert first.words == (f"{IDENTICAL.tag}: 2 faithful, 1 different")


def test_an_audit_without_wheels_has_no_bars() -> None:
    assert history(audited()).bars == ()

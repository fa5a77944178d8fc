"""The report of ``factory verify`` as an HTML page, for a person."""

from factory import __version__
from factory.verify.catalogue import by_id
from factory.verify.output.page_template import page_template
from factory.verify.output.report import Report


def render_findings(report: Report) -> str:
    """Render a report as a page.

    Raises:
        HostError: jinja2 is not installed.
    """
    parts = [(wheel.name, wheel.results, wheel) for wheel in report.wheels]
    releases = [(f"all wheels of {release.path}", release.results, None) for release in report.releases]
    return page_template("factory.verify.output", "findings.html").render(
        report=report,
        version=__version__,
        parts=[*parts, *releases],
        counts=[(severity.value, count) for severity, count in report.counts.items() if count],
        checks=by_id(),
    )

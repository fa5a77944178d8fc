"""An SVG badge with the answer of an audit, for a README."""

from html import escape

from factory.audit.answer import Status
from factory.audit.verdict import AuditReport
from factory.core.counted import counted
from factory.core.errors import EXIT_AUDIT_DIFFERS, EXIT_OK

_LABEL = "wheel audit"
_CHARACTER_PX = 6.6
"""A generous mean width in the font below; `textLength` fits the text into the place that it gives."""
_PADDING_PX = 12
_GOOD, _FAIR, _BAD = "#116329", "#7a5200", "#a4161a"
"""White text on each has a contrast of at least 5.9 to 1 (WCAG 2.2, 1.4.3 asks for 4.5)."""
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{title}">
<title>{title}</title>
<rect width="{width}" height="20" rx="3" fill="#3b4252"/>
<path d="M{left} 0h{right_less_3}a3 3 0 0 1 3 3v14a3 3 0 0 1 -3 3h-{right_less_3}z" fill="{colour}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{label_x}" y="14" textLength="{label_length}">{label}</text>
<text x="{value_x}" y="14" textLength="{value_length}">{value}</text>
</g>
</svg>
"""


def render_badge(report: AuditReport) -> str:
    """Return the badge: how many wheels are as released, and the day on which the index was asked.

    It is green only if all wheels are as released and the exit status of the audit is 0.
    """
    value = badge_text(report)
    left, right = _width(_LABEL), _width(value)
    return _SVG.format(
        title=escape(f"{_LABEL}: {value}"),
        width=left + right,
        left=left,
        right_less_3=right - 3,
        colour=_colour(report),
        label_x=left / 2,
        label_length=left - _PADDING_PX,
        label=_LABEL,
        value_x=left + right / 2,
        value_length=right - _PADDING_PX,
        value=escape(value),
    )


def badge_text(report: AuditReport) -> str:
    """Return the words on the right of the badge."""
    good = _released(report)
    day = f", {report.asked_at:%Y-%m-%d}" if report.asked_at is not None else ""
    if not report.verdicts:
        return f"no wheel{day}"
    return f"{good} of {counted(len(report.verdicts), 'wheel')} as released{day}"


def _colour(report: AuditReport) -> str:
    match report.exit_status:
        case status if status == EXIT_OK and _released(report) == len(report.verdicts):
            return _GOOD
        case status if status == EXIT_AUDIT_DIFFERS:
            return _BAD
        case _:
            return _FAIR


def _released(report: AuditReport) -> int:
    """Return how many wheels are what was released; some of them may have errors."""
    return sum(
        verdict.status in {Status.FAITHFUL, Status.FAITHFUL_WITH_ERRORS} for verdict in report.verdicts
    )


def _width(text: str) -> int:
    return round(len(text) * _CHARACTER_PX) + _PADDING_PX

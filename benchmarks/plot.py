"""Draw bar charts as SVG for light and dark pages; forty lines need no library."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 720
_LABEL_WIDTH = 110
_VALUE_WIDTH = 70
_ROW = 26
_TITLE = 40
_STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.bar { fill: #2f6feb }
.rest { fill: #8c959f; opacity: 0.18 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .bar { fill: #6ea8fe }
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar."""

    label: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars on one scale."""

    title: str
    bars: tuple[Bar, ...]


def render(charts: Sequence[Chart]) -> str:
    """Draw charts one below the other."""
    height = sum(_TITLE + _ROW * len(chart.bars) for chart in charts) + 10
    label = escape("; ".join(chart.title for chart in charts), quote=True)
    size = f'viewBox="0 0 {WIDTH} {height}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">'
    lines = [opening, f"<style>{_STYLE}</style>"]
    top = 0
    for chart in charts:
        lines.extend(_draw(chart, top))
        top += _TITLE + _ROW * len(chart.bars)
    return "\n".join([*lines, "</svg>", ""])


def _draw(chart: Chart, top: int) -> Iterator[str]:
    yield f'<text class="title" x="0" y="{top + 26}">{escape(chart.title)}</text>'
    room = WIDTH - _LABEL_WIDTH - _VALUE_WIDTH
    longest = max((bar.value for bar in chart.bars), default=0.0) or 1.0
    for index, bar in enumerate(chart.bars):
        y = top + _TITLE + _ROW * index
        width = max(1.0, room * bar.value / longest)
        yield f'<text x="{_LABEL_WIDTH - 10}" y="{y + 14}" text-anchor="end">{escape(bar.label)}</text>'
        yield f'<rect class="rest" x="{_LABEL_WIDTH}" y="{y}" width="{room}" height="18" rx="3"/>'
        yield f'<rect class="bar" x="{_LABEL_WIDTH}" y="{y}" width="{width:.1f}" height="18" rx="3"/>'
        yield f'<text x="{_LABEL_WIDTH + room + 10}" y="{y + 14}">{bar.value:.1f}</text>'

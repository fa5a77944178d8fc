"""The history of releases as a small chart: for each release, how many wheels have which status."""

from collections import Counter
from dataclasses import dataclass

from factory.audit.answer import Status
from factory.audit.verdict import AuditReport

BAR_PX = 10
"""The width of a bar with the gap after it."""
WHEEL_PX = 6
"""The height of one wheel in a bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The wheels of one status in a bar, in pixels from the top."""

    status: Status
    count: int
    top: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One release.

    Attributes:
        left: Its place, in pixels.
        parts: From the bottom to the top, the best status first.
    """

    release: str
    left: int
    parts: tuple[Part, ...]

    @property
    def words(self) -> str:
        """The bar as text."""
        return f"{self.release}: " + ", ".join(f"{part.count} {part.status.value}" for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The bars, the oldest release first, and the size of the picture in pixels."""

    bars: tuple[Bar, ...]
    width: int
    height: int


def history(report: AuditReport) -> Chart:
    """Arrange the verdicts by release; the order of releases is that of the report."""
    counts: dict[str, Counter[Status]] = {}
    for verdict in report.verdicts:
        counts.setdefault(verdict.tag or "no release", Counter())[verdict.status] += 1
    height = WHEEL_PX * max((sum(count.values()) for count in counts.values()), default=0)
    bars = tuple(
        Bar(release=release, left=index * BAR_PX, parts=_parts(count, height))
        for index, (release, count) in enumerate(counts.items())
    )
    return Chart(bars=bars, width=len(bars) * BAR_PX, height=height)


def _parts(counts: Counter[Status], bottom: int) -> tuple[Part, ...]:
    parts = []
    for status in Status:
        if counts[status]:
            height = counts[status] * WHEEL_PX
            bottom -= height
            parts.append(Part(status=status, count=counts[status], top=bottom, height=height))
    return tuple(parts)

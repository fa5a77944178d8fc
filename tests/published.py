"""The findings listed in docs/published-findings.md, wheel by wheel."""

import re
from collections import Counter
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs/published-findings.md"
_ROW = re.compile(r"^\| ([\d.]+) (\w+) \| `([0-9a-f]{64})` \| (.+) \|$", re.MULTILINE)
_FINDING = re.compile(r"([a-z0-9-]+)(?: \((\d+)\))?")


def findings_by_wheel() -> dict[tuple[str, str], tuple[str, Counter[str]]]:
    """Return, by version and platform, each wheel's SHA-256 and its number of findings by check."""
    rows = _ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {(version, platform): (digest, _counted(findings)) for version, platform, digest, findings in rows}


def _counted(findings: str) -> Counter[str]:
    return Counter({name: int(count or 1) for name, count in _FINDING.findall(findings)})

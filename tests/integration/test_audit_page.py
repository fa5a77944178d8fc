"""The audit's page in a real browser: it is drawn without scripts, in light, dark and on paper."""

import shutil
from pathlib import Path

import pytest

from factory.audit.report.html import render_html
from factory.system.process import Command, SubprocessRunner
from tests.unit.audit.test_reports import REPORT

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
SWITCHES = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-javascript")
ENV = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine"),
]


def shoot(directory: Path, *switches: str) -> None:
    page = directory / "audit.html"
    page.write_text(render_html(REPORT), encoding="utf-8")
    profile = f"--user-data-dir={directory / 'profile'}"
    argv = (BROWSER or "", *SWITCHES, profile, *switches, page.as_uri())
    completed = SubprocessRunner().run(
        Command(argv=argv, env={**ENV, "HOME": str(directory)}, cwd=directory, timeout_s=90.0)
    )
    assert completed.returncode == 0, completed.output


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_drawn(tmp_path: Path, scheme: str) -> None:
    picture = tmp_path / f"{scheme}.png"

    setting = {"light": "1", "dark": "0"}[scheme]
    shoot(
        tmp_path,
        f"--screenshot={picture}",
        "--window-size=1200,1600",
        f"--blink-settings=preferredColorScheme={setting}",
    )

    drawn = picture.read_bytes()
    assert drawn.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(drawn) > 20_000  # an empty page of this size has 6 kB


def test_the_page_prints(tmp_path: Path) -> None:
    paper = tmp_path / "audit.pdf"

    shoot(tmp_path, f"--print-to-pdf={paper}")

    assert paper.read_bytes().startswith(b"%PDF-")

"""The audit's page in a real browser: it is drawn without scripts, in light, dark and on paper."""

import os
import shutil
import tarfile
from pathlib import Path

import pytest

from factory.audit.report.html import render_html
from factory.system.process import Command, SubprocessRunner
from factory.verify.output.html import render_findings
from tests.browser import BROWSER, asked, browse
from tests.unit.audit.test_reports import REPORT
from tests.unit.verify.output.test_sarif import REPORT as FINDINGS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine"),
]


OPEN_ALL = "page.document.querySelectorAll('details').forEach((one) => { one.open = true; });"
WIDTH = f"{OPEN_ALL} return page.document.documentElement.scrollWidth;"
AXE = f"""{OPEN_ALL}
const found = await page.axe.run(page.document, {{resultTypes: ["violations"]}});
return {{checked: found.passes.length, violations: found.violations.map((one) => one.id)}};
"""
AXE_VERSION = "4.14.1"


def shoot(directory: Path, *switches: str) -> None:
    page = directory / "audit.html"
    page.write_text(render_html(REPORT), encoding="utf-8")
    browse(directory, page.as_uri(), "--disable-javascript", *switches)


PAGES = {"audit": lambda: render_html(REPORT), "verify": lambda: render_findings(FINDINGS)}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", [1280, 768, 375, 320])
def test_the_page_never_scrolls_sideways(tmp_path: Path, width: int, page: str) -> None:
    assert asked(tmp_path, PAGES[page](), WIDTH, width=width) == width


@pytest.mark.network
@pytest.mark.parametrize(("width", "is_dark"), [(1280, False), (1280, True), (375, False), (375, True)])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing(
    tmp_path: Path,
    axe: str,
    width: int,
    is_dark: bool,  # noqa: FBT001 - a parameter of a test
    page: str,
) -> None:
    with_axe = PAGES[page]().replace("</body>", f"<script>{axe}</script></body>")
    answer = asked(tmp_path, with_axe, AXE, width=width, is_dark=is_dark)
    assert isinstance(answer, dict)
    assert answer["violations"] == []
    assert answer["checked"] > 15


@pytest.mark.network
def test_axe_would_find_something(tmp_path: Path, axe: str) -> None:
    page = f'<html><body><img src="x"><script>{axe}</script></body></html>'
    answer = asked(tmp_path, page, AXE, width=1280)
    assert isinstance(answer, dict)
    assert {"image-alt", "html-has-lang"} <= set(answer["violations"])


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Download axe-core with npm, as the user's configuration says."""
    directory = tmp_path_factory.mktemp("axe")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on this machine")
    argv = (npm, "pack", "--silent", f"axe-core@{AXE_VERSION}")
    done = SubprocessRunner().run(Command(argv=argv, env=dict(os.environ), cwd=directory, timeout_s=120.0))
    assert done.returncode == 0, done.output
    with tarfile.open(directory / f"axe-core-{AXE_VERSION}.tgz") as package:
        script = package.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode().replace("</script>", "<\\/script>")


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


@pytest.mark.parametrize("page", PAGES)
def test_the_printed_page_is_whole_and_light(tmp_path: Path, page: str) -> None:
    """The rules for paper, on a screen that is as wide as a letter without its margins."""
    printed = (
        PAGES[page]().replace("@media print", "@media all").replace("@media screen and", "@media not all and")
    )
    cells = "".join('<th scope="col">musllinux_<wbr>1_<wbr>1_<wbr>aarch64</th>' for _ in range(8))
    printed = printed.replace('<th scope="col">Release</th>', f'<th scope="col">Release</th>{cells}')
    script = """
      const style = (one, name) => page.getComputedStyle(one).getPropertyValue(name);
      const wide = [...page.document.querySelectorAll(".wide")].map((one) => style(one, "overflow-x"));
      const summaries = [...page.document.querySelectorAll("summary")];
      const marks = summaries.map((one) => style(one, "list-style-type"));
      return {width: page.document.documentElement.scrollWidth, wide: [...new Set(wide)],
        marks: [...new Set(marks)], back: style(page.document.body, "background-color")};
    """
    assert asked(tmp_path, printed, script, width=740, is_dark=True) == {
        "width": 740,
        "wide": ["visible"] if page == "audit" else [],
        "marks": ["none"],
        "back": "rgb(255, 255, 255)",
    }


def test_the_page_prints(tmp_path: Path) -> None:
    paper = tmp_path / "audit.pdf"

    shoot(tmp_path, f"--print-to-pdf={paper}")

    assert paper.read_bytes().startswith(b"%PDF-")

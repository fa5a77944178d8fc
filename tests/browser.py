"""Look at a page in a real browser, without a connection to anything."""

import html
import json
import re
import shutil
from pathlib import Path

from factory.system.process import Command, SubprocessRunner

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
SWITCHES = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
_FRAME = """<!doctype html><title>frame</title><body style="margin:0">
<iframe id="page" style="border:0;width:{width}px;height:900px" srcdoc="{page}"></iframe>
<pre id="answer"></pre>
<script>
const frame = document.getElementById("page");
frame.addEventListener("load", async () => {{
  const page = frame.contentWindow;
  const answer = await (async (page) => {{ {script} }})(page);
  document.getElementById("answer").textContent = JSON.stringify(answer);
}});
</script>
"""


def browse(directory: Path, url: str, *switches: str) -> str:
    """Start the browser once and return what it printed."""
    argv = (BROWSER or "", *SWITCHES, f"--user-data-dir={directory / 'profile'}", *switches, url)
    env = {"HOME": str(directory), "PATH": "/usr/bin:/bin"}
    completed = SubprocessRunner().run(Command(argv=argv, env=env, cwd=directory, timeout_s=90.0))
    assert completed.returncode == 0, completed.output
    return completed.output


def asked(directory: Path, page: str, script: str, *, width: int, is_dark: bool = False) -> object:
    """Return what a script answers about a page that is drawn in a frame of a given width.

    A frame, because the browser's own window is not narrower than 500 px.
    """
    outer = directory / "frame.html"
    outer.write_text(_FRAME.format(width=width, page=html.escape(page), script=script), encoding="utf-8")
    scheme = f"--blink-settings=preferredColorScheme={0 if is_dark else 1}"
    window = ("--window-size=1400,1000", "--virtual-time-budget=20000")
    dom = browse(directory, outer.as_uri(), "--dump-dom", scheme, *window)
    match = re.search(r'<pre id="answer">(.+?)</pre>', dom, re.DOTALL)
    assert match is not None, dom[-2000:]
    return json.loads(html.unescape(match[1]))

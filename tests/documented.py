"""The commands in the documents' code blocks, and what each needs to run.

`tests/unit/cli/test_documented_commands.py` runs every command that needs nothing but this program and the
packages of a release, in a directory that has what the pages speak of, with the channel of a
``factory.toml``. `tests/integration/test_documented_session.py` runs those of `tests/documented_session.py`
with the registries. A command that needs more has a row here, which names the need. A new command in a page
has no row, so it is run.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

from tests.documented_session import SESSION
from tests.workflow_files import ROOT, fenced

_CONTINUED = re.compile(r"\\\n\s*")
_EVIDENCE = "docs/published-findings.md"
"""Commands that were run on published wheels once, with their output as evidence: a record, not a manual."""


class Need(StrEnum):
    """What a command needs; only the first two are run by a test as they are in the page."""

    NOTHING = "nothing; the fast tests run it"
    REGISTRIES = "the registries; tests/integration/test_documented_session.py runs it"
    TIME = "the registries, and minutes"
    PLACEHOLDER = "a file, project or program that the page invents"
    DOCKER = "a container engine"
    INSTALLER = "a distribution that is not on the index, or that another command makes"
    MAKE = "the development environment; .ci/run runs it, or it takes hours"
    HOST = "a program of the host, or it does not end by itself"


NEEDS: tuple[tuple[str, Need], ...] = (
    ("make *", Need.MAKE),
    (".ci/run", Need.MAKE),
    ("*docker*", Need.DOCKER),
    ("uv *", Need.INSTALLER),
    ("uvx *", Need.INSTALLER),
    ("python* -m *", Need.INSTALLER),
    ("man factory", Need.HOST),
    ("jq *", Need.HOST),
    ("CODEX_HOME=*", Need.HOST),
    ("factory sdk model-server *", Need.HOST),
    ("factory audit --mapping gadget.toml *", Need.PLACEHOLDER),
    ("factory audit --wheel some.whl*", Need.PLACEHOLDER),
    ("factory projects draft *", Need.PLACEHOLDER),
    ("factory sdk types --schema-dir *", Need.PLACEHOLDER),
    ("factory sdk accept dist/0.164.0 *", Need.PLACEHOLDER),
    ("factory sdk stage * --sdk-source openai_codex-*", Need.PLACEHOLDER),
    ("factory statement check *", Need.PLACEHOLDER),
    ("factory show signers codex --bundle *", Need.PLACEHOLDER),
    ("factory ci reproduce 0.163.0 * --python *", Need.PLACEHOLDER),
    ("factory audit *", Need.TIME),  # all releases, another project, another platform
    ("factory bundle 0.163.0 --out codex-0.163.0", Need.TIME),  # six packages
    ("factory wheels 0.163.0 --offline *", Need.TIME),  # test_bundle_offline.py runs such a build
    ("factory wheels 0.163.0 --like-published *", Need.TIME),  # for waivers of all platforms
    ("factory wheels * --require-authorship *", Need.TIME),  # for macOS and Windows
    ("factory ci reproduce *", Need.TIME),
    ("factory sdk accept *", Need.TIME),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """A command as a page shows it, on one line and without the prompt and the comment."""

    page: str
    line: str

    @property
    def need(self) -> Need:
        """What it needs."""
        if self.line in {step.line for step in SESSION}:
            return Need.REGISTRIES
        return next((need for pattern, need in NEEDS if fnmatchcase(self.line, pattern)), Need.NOTHING)


def documented(root: Path = ROOT) -> tuple[Documented, ...]:
    """Return each command of the documents once for each page."""
    pages = [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]
    found = (
        Documented(page=page.relative_to(root).as_posix(), line=_command(line))
        for page in pages
        for block in fenced(page)
        for line in _CONTINUED.sub("", block).splitlines()
        if line.startswith("$ ")
    )
    return tuple(dict.fromkeys(one for one in found if one.page != _EVIDENCE))


def _command(line: str) -> str:
    command = re.split(r"\s+# ", line.removeprefix("$ "))[0].strip()
    return command.removeprefix(".venv/bin/")

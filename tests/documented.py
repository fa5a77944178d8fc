"""The commands in the documents' code blocks, and what each needs to run.

`tests/unit/cli/test_documented_commands.py` is the runner. It runs every command that needs nothing but
this program and the packages of a release, in a directory that has what the pages speak of, with the
channel of a ``factory.toml``. A command that needs more has a row here, which names the need. A new
command in a page has no row, so it is run.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

from tests.workflow_files import ROOT, fenced

_CONTINUED = re.compile(r"\\\n\s*")
_EVIDENCE = "docs/published-findings.md"
"""Commands that were run on published wheels once, with their output as evidence: a record, not a manual."""


class Need(StrEnum):
    """What a command needs; `NOTHING` is run by the fast tests."""

    NOTHING = "nothing"
    NETWORK = "the registries, or published wheels"
    DOCKER = "a container engine"
    INSTALLER = "pip or uv, and something to install"
    MAKE = "the development environment; .ci/run runs it"
    HOST = "a program of the host, or its home directory"


NEEDS: tuple[tuple[str, Need], ...] = (
    ("make *", Need.MAKE),
    (".ci/run", Need.MAKE),
    ("*docker*", Need.DOCKER),
    ("*cibuildwheel*", Need.DOCKER),
    ("uv *", Need.INSTALLER),
    ("uvx *", Need.INSTALLER),
    ("python* -m *", Need.INSTALLER),
    ("man factory", Need.HOST),
    ("jq *", Need.HOST),
    ("(cd *", Need.HOST),
    ("CODEX_HOME=*", Need.HOST),
    ("factory sdk model-server *", Need.HOST),  # it serves until it is ended
    ("factory doctor", Need.NETWORK),
    ("factory audit *", Need.NETWORK),
    ("factory projects draft *", Need.NETWORK),
    ("factory bundle *", Need.NETWORK),  # pip downloads the toolchain
    ("factory wheels 0.163.0 --offline *", Need.NETWORK),
    ("factory wheels 0.163.0 --like-published *", Need.NETWORK),
    ("factory wheels * --require-authorship *", Need.NETWORK),  # only Apple and Microsoft sign so
    ("factory ci reproduce *", Need.NETWORK),  # real toolchains
    ("factory sdk accept *", Need.NETWORK),  # real executables
    ("factory sdk types *", Need.NETWORK),  # as above
    ("factory sdk stage *", Need.NETWORK),  # as above, and the official SDK
    ("factory statement create audit.json *", Need.NETWORK),  # after an audit
    ("factory statement check *", Need.NETWORK),  # as above
    ("factory show signers codex --bundle *", Need.NETWORK),  # a released bundle
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """A command as a page shows it, on one line and without the prompt and the comment."""

    page: str
    line: str

    @property
    def need(self) -> Need:
        """What it needs."""
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

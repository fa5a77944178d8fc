"""The commands in the documents' code blocks, and what each needs to run.

`tests/unit/cli/test_documented_commands.py` runs every command that needs nothing but this program and the
packages of a release, in a directory that has what the pages speak of, with the channel of a
``factory.toml``. `tests/integration/test_documented_session.py` runs those of `tests/documented_session.py`
with the registries. A command that needs more has a row here, which names the need. A new command in a page
has no row, so it is run.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

from tests.documented_session import SESSION_LINES
from tests.workflow_files import ROOT, fenced

_CONTINUED = re.compile(r"\\\n\s*")
_EVIDENCE = "docs/published-findings.md"
"""Commands that were run on published wheels once, with their output as evidence: a record, not a manual."""


class Need(StrEnum):
    """What a command needs; those with the first five are run as they are in the page."""

    NOTHING = "nothing; the unit tests run it, some as slow ones"
    REGISTRIES = "the registries; tests/integration/test_documented_session.py runs it"
    HOST = "a program of the host; the fast tests run it where there is one"
    DOCKER = "a container engine; tests/integration/test_containers_real.py runs it"
    GATE = "the development environment; .ci/run runs it"
    TIME = "the registries, and more time than the gate has"
    WORK = "the development environment, and more time than the gate has"
    CONTAINER_NETWORK = "the registries from inside a container"
    REGISTRY_OF_IMAGES = "a base image from a registry of images; .ci/run names one of its own"
    GITHUB = "a release on GitHub"


NEEDS: tuple[tuple[str, Need], ...] = (
    ("make test", Need.GATE),
    ("make test-*", Need.GATE),
    ("make setup", Need.GATE),
    ("make check", Need.GATE),
    (".ci/run", Need.GATE),
    ("make fuzz", Need.WORK),
    ("make soak", Need.WORK),
    ("make mutants", Need.WORK),
    ("make docs", Need.WORK),  # it changes the tree
    ("make image*", Need.REGISTRY_OF_IMAGES),
    ("docker run *", Need.CONTAINER_NETWORK),
    ("factory wheels 0.163.0 --builder docker", Need.DOCKER),
    ("man factory", Need.HOST),
    ("jq *", Need.HOST),
    ("factory show signers codex --bundle *", Need.GITHUB),
    ("factory audit --all --since *", Need.TIME),  # the wheels of all releases
    ("factory sdk accept *", Need.TIME),  # a minute each; "make sdk" runs it twice, with its own SDK
    ("factory ci reproduce * --like-published *", Need.TIME),  # eight wheels, in containers
    ("factory wheels 0.163.0 --like-published *", Need.TIME),  # for waivers of all platforms
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """A command as a page shows it, with continued lines joined, without the prompt and the comment."""

    page: str
    line: str

    @property
    def need(self) -> Need:
        """What it needs."""
        if self.line in SESSION_LINES:
            return Need.REGISTRIES
        return next((need for pattern, need in NEEDS if fnmatchcase(self.line, pattern)), Need.NOTHING)


def documented(root: Path = ROOT) -> tuple[Documented, ...]:
    """Return each command of the documents once for each page."""
    pages = [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]
    found = (
        Documented(page=page.relative_to(root).as_posix(), line=line)
        for page in pages
        for block in fenced(page)
        for line in _commands(block)
    )
    return tuple(dict.fromkeys(one for one in found if one.page != _EVIDENCE))


def _commands(block: str) -> Iterator[str]:
    lines = iter(_CONTINUED.sub("", block).splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = _command(line)
            while command.count("'") % 2:  # a quoted text has more lines
                command += "\n" + next(lines)
            yield command


def _command(line: str) -> str:
    command = re.split(r"\s+# ", line.removeprefix("$ "))[0].strip()
    return command.removeprefix(".venv/bin/")

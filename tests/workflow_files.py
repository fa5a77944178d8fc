"""Read the workflows: the actions that they use, their scripts, and the factory commands in those."""

import re
import shlex
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from factory.cli.parser import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = tuple(sorted((ROOT / ".github/workflows").glob("*.yml")))
ACTION = ROOT / "action.yml"
FILES = (*WORKFLOWS, ACTION)
PAGE = ROOT / "docs/ci.md"

_USES = re.compile(r"^ *(?:- )?uses: (?P<action>\S+)@(?P<ref>\S+)(?: +# (?P<version>\S+))?$", re.MULTILINE)
_FENCED = re.compile(r"^```[a-z]+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FACTORY = re.compile(r"(?:\bpython\" -I -m factory|\.venv/bin/factory|(?<![\w/.-])factory) (?P<words>.*)")
_ENDS = {">", ">>", "|", "||", ")", ";", "&&"}


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedAction:
    """An action that a step uses, its commit, and the version in the comment."""

    action: str
    ref: str
    version: str | None


def used_actions(path: Path) -> tuple[UsedAction, ...]:
    """Return every action that a file uses."""
    text = path.read_text(encoding="utf-8")
    found = tuple(
        UsedAction(action=match["action"], ref=match["ref"], version=match["version"])
        for match in _USES.finditer(text)
    )
    assert len(found) == text.count("uses:"), "the pattern missed a use"
    return found


def scripts(path: Path) -> tuple[str, ...]:
    """Return every script that a file's steps run, in order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(_script(lines, index) for index, line in enumerate(lines) if re.match(r" *(- )?run: ", line))


def _script(lines: list[str], index: int) -> str:
    lead, _, rest = lines[index].partition("run: ")
    if rest not in {"|", ">"}:
        return rest
    block = []
    for line in lines[index + 1 :]:
        if line.strip() and len(line) - len(line.lstrip()) <= len(lead):
            break
        block.append(line)
    return textwrap.dedent("\n".join(block)).strip() + "\n"


def script_of(path: Path, text: str) -> str:
    """Return the only script of a file that contains a text."""
    (script,) = (script for script in scripts(path) if text in script)
    return script


def fenced(path: Path) -> tuple[str, ...]:
    """Return the code blocks of a page."""
    return tuple(_FENCED.findall(path.read_text(encoding="utf-8")))


def factory_commands(script: str, values: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Yield the words of each ``factory`` command in a script, with a value for each variable."""
    for line in re.sub(r"\\\n\s*", "", script).splitlines():
        for match in _FACTORY.finditer(line):
            yield tuple(_words(match["words"], values))


def command_names(commands: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the name of each command, with that of its group: ``sdk pin``."""
    groups = {command.name for command in COMMANDS if command.parts}
    return [" ".join(words[: 2 if words[0] in groups else 1]) for words in commands]


def _words(text: str, values: Mapping[str, str]) -> Iterator[str]:
    parser = shlex.shlex(text, posix=True, punctuation_chars=True)
    parser.whitespace_split = True
    for word in parser:
        if word in _ENDS:
            return
        yield re.sub(r"\$\{?([A-Za-z_]+)(?:\[@\])?\}?", lambda match: values[match[1]], word)

"""Write docs/attacks.md from the answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tests.attacks.answers import (
    Bench,
    Command,
    Row,
    answers_to,
    answers_to_manifest,
    answers_to_statement,
    answers_to_wheel,
)
from tests.attacks.attack import Touches
from tests.attacks.on_manifests import MANIFEST_ATTACKS
from tests.attacks.on_statements import STATEMENT_ATTACKS
from tests.attacks.on_wheels import WHEEL_ATTACKS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "attacks.md"
_TEMPLATE = Path(__file__).with_name("page.md")
_OF_MANIFEST = (Command.PIN, Command.MERGE, Command.ATTEST)
_OF_STATEMENT = (Command.CHECK_STATEMENT,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers to every attack, by its name, and to the good wheel."""

    good: Row
    wheels: Mapping[str, Row]
    manifests: Mapping[str, Row]
    statements: Mapping[str, Row]

    @classmethod
    def measure(cls, bench: Bench, root: Path) -> "Answers":
        """Run every attack through the commands."""
        return cls(
            good=answers_to_wheel(bench, bench.wheel, _fresh(root, "good")),
            wheels={
                attack.name: answers_to(bench, attack, _fresh(root, f"wheel-{index}"))
                for index, attack in enumerate(WHEEL_ATTACKS)
            },
            manifests={
                attack.name: answers_to_manifest(bench, attack, _fresh(root, f"manifest-{index}"))
                for index, attack in enumerate(MANIFEST_ATTACKS)
            },
            statements={
                attack.name: answers_to_statement(bench, attack, _fresh(root, f"statement-{index}"))
                for index, attack in enumerate(STATEMENT_ATTACKS)
            },
        )

    def page(self) -> str:
        """Return the whole page."""
        return Template(_TEMPLATE.read_text("utf-8")).substitute(
            count=len(self.wheels) + len(self.manifests) + len(self.statements),
            good=_table({"none": self.good}, tuple(Command)),
            installation=_table(self._touching(Touches.INSTALLATION), tuple(Command)),
            container=_table(self._touching(Touches.CONTAINER), tuple(Command)),
            manifest=_table(self.manifests, _OF_MANIFEST),
            statement=_table(self.statements, _OF_STATEMENT),
        )

    def _touching(self, touches: Touches) -> dict[str, Row]:
        return {one.name: self.wheels[one.name] for one in WHEEL_ATTACKS if one.touches is touches}


def _fresh(root: Path, name: str) -> Path:
    directory = root / name
    directory.mkdir()
    return directory


def _table(rows: Mapping[str, Row], commands: Sequence[Command]) -> str:
    lines = [f"| attack | {' | '.join(commands)} |", "|---" * (len(commands) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(row[one].text for one in commands)} |" for name, row in rows.items()]
    return "\n".join(lines)

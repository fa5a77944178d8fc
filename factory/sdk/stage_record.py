"""What a staged SDK says about its origin: a table in its project file, and a list of the changes."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from factory.core.codec import from_json, to_json
from factory.core.json_reader import JsonObject, MalformedJson
from factory.manifest.acceptance import RequestedSdk
from factory.sdk.sdk_files import PROJECT_FILE

TOOL: Final = "codex-wheel-factory"
"""The stage's own table in the project file: it distinguishes a stage from a user's checkout."""
CHANGES_FILE: Final = "REGENERATED.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """The origin of a staged SDK.

    Attributes:
        runtime: The release that it pins, as Python packages write it.
        source: The SDK that it was made from.
        repinned: Whether the source pinned another release.
        regenerated: Whether its types and methods are those of another release.
    """

    runtime: str
    source: RequestedSdk
    repinned: bool
    regenerated: bool

    def after(self, earlier: "StageRecord | None") -> "StageRecord":
        """Return the record of a stage that was made from another stage: it names the first source."""
        if earlier is None:
            return self
        return replace(
            self,
            source=earlier.source,
            repinned=self.repinned or earlier.repinned,
            regenerated=self.regenerated or earlier.regenerated,
        )

    @property
    def table(self) -> Mapping[str, object]:
        """The table in the project file."""
        return to_json(self)

    @property
    def notice(self) -> str:
        """The sentence for the README of a regenerated SDK."""
        return (
            f"This is {self.source.name} {self.source.version}, regenerated for Codex {self.runtime}"
            " by codex-wheel-factory. It is not published by the authors of the source."
        )

    def changes_page(self, changes: Sequence[str]) -> str:
        """Return the page that lists what was changed."""
        items = "".join(f"- {change}\n" for change in changes)
        source = f"Source: {self.source.name} {self.source.version}, SHA-256 {self.source.sha256}"
        return f"# What was changed\n\n{self.notice}\n\n{source}\n\n{items}"


def recorded_in(project_file: bytes) -> StageRecord | None:
    """Return the record in a project file, or None if it is not a stage's, or an older stage's."""
    try:
        tool = tomllib.loads(project_file.decode("utf-8"))["tool"][TOOL]
        return from_json(StageRecord, JsonObject.of(tool, TOOL))
    except (ValueError, KeyError, TypeError, MalformedJson):
        return None


def changed_stage(path: Path) -> StageRecord | None:
    """Return the record of a stage that was repinned or regenerated, or None for any other SDK."""
    try:
        record = recorded_in((path / PROJECT_FILE).read_bytes())
    except OSError:
        return None
    return record if record is not None and (record.repinned or record.regenerated) else None

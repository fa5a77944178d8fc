"""The mutants that were drawn from each module, those that survived, and why they may."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from factory.core.codec import from_json, to_json
from factory.core.digests import Sha256
from factory.core.json_reader import JsonObject
from factory.system.files import atomic_write

RESULTS = Path(__file__).with_name("results.json")
EXPLAINED = Path(__file__).with_name("explained.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survivor:
    """A mutant that no test noticed; the change is the removed and the added lines."""

    mutant: str
    change: str

    @property
    def function(self) -> str:
        """The changed function: ``factory.manifest.dist.Dist.load``."""
        module, _, name = self.mutant.partition("__mutmut_")[0].rpartition(".")
        return f"{module}.{name.removeprefix('x_').removeprefix('xǁ').replace('ǁ', '.')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleResult:
    """What became of the mutants drawn from one module.

    Attributes:
        sha256: The digest of the module's source.
        measured_at: When the mutants were run, in UTC.
        mutants: How many mutmut makes; 0 for a module that has only code that mutmut does not change.
    """

    module: str
    sha256: Sha256
    measured_at: datetime
    mutants: int
    drawn: int
    survivors: tuple[Survivor, ...]

    @property
    def killed(self) -> int:
        """The number of mutants that made a test fail."""
        return self.drawn - len(self.survivors)

    @property
    def killed_percent(self) -> float:
        """The share of the drawn mutants that made a test fail; 100 if there are no mutants."""
        return 100 * self.killed / self.drawn if self.drawn else 100.0


Results = Mapping[str, ModuleResult]
Reasons = Mapping[tuple[str, str], str]
"""The reason why a change in a function, given as function and change, needs no test."""


def load_results(path: Path = RESULTS) -> dict[str, ModuleResult]:
    """Read the results file."""
    document = JsonObject.parse(path.read_bytes(), where=path.name)
    results = (from_json(ModuleResult, entry) for entry in document.objects("modules"))
    return {result.module: result for result in results}


def save_results(results: Results, path: Path = RESULTS) -> None:
    """Write the results file, sorted by module."""
    modules = [to_json(result) for _, result in sorted(results.items())]
    content = json.dumps({"modules": modules}, ensure_ascii=False, indent=1) + "\n"
    atomic_write(path, content.encode())


def load_reasons(path: Path = EXPLAINED) -> dict[tuple[str, str], str]:
    """Read the reviewed list of mutants that need no test."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", [])
    return {(entry["function"], entry["change"].strip()): entry["reason"] for entry in entries}

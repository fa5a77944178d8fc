"""Draw mutants of a room's modules and run the room's tests on each, in a directory of its own."""

import contextlib
import json
import os
import random
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import tomlkit
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.utils.format_utils import get_mutant_name

from factory.core.digests import Sha256
from factory.system.process import Command, Runner
from tests.mutants.properties import as_methods
from tests.mutants.results import ModuleResult, Results, Survivor
from tests.mutants.rooms import ROOT, Room

WORK = ROOT / ".mutants"
_SEED = 13
_DRAWN_MUTANTS = 60
_SURVIVED = frozenset({0, 5, 33})  # all tests passed, or no test runs the function
_HOURS_12_S = 12 * 3600.0


def measure(
    room: Room, modules: Sequence[str], known: Results, *, runner: Runner, children: int
) -> list[ModuleResult]:
    """Run the mutants of the modules.

    Where the known result is for the same source, only its survivors are run again.
    """
    directory = _prepare(room, modules)
    samples = [_draw(module, known.get(module)) for module in modules]
    if names := [name for sample in samples for name in sample.names]:
        _run_mutmut(directory, names, runner, children)
    return [
        ModuleResult(
            module=sample.module,
            sha256=sample.sha256,
            measured_at=datetime.now(UTC).replace(second=0, microsecond=0),
            mutants=sample.mutants,
            drawn=sample.drawn,
            survivors=_survivors(directory, sample),
        )
        for sample in samples
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """The mutants of one module that are run."""

    module: str
    sha256: Sha256
    mutants: int
    drawn: int
    names: Sequence[str]


def _draw(module: str, known: ModuleResult | None) -> _Sample:
    source = (ROOT / module).read_bytes()
    sha256 = Sha256.of([source])
    if known is not None and known.sha256 == sha256:
        names = [survivor.mutant for survivor in known.survivors]
        return _Sample(module=module, sha256=sha256, mutants=known.mutants, drawn=known.drawn, names=names)
    mutants = mutate_file_contents(module, as_methods(source.decode())).mutant_names
    names = sorted(get_mutant_name(Path(module), name) for name in mutants)
    size = min(_DRAWN_MUTANTS, len(names))
    drawn = random.Random(_SEED).sample(names, size)  # noqa: S311 - no secret
    return _Sample(module=module, sha256=sha256, mutants=len(names), drawn=size, names=sorted(drawn))


def _prepare(room: Room, modules: Iterable[str]) -> Path:
    """Make the directory that mutmut works in: the factory, links to the tree, and settings for this room."""
    directory = WORK / room.name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    project = tomlkit.parse((ROOT / "pyproject.toml").read_text(encoding="utf-8")).unwrap()
    settings = project["tool"]["mutmut"]
    for name in settings["source_paths"]:
        shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (*settings["also_copy"], "tests"):
        (directory / name).symlink_to(ROOT / name)
    settings["only_mutate"] = list(modules)
    for module in settings["only_mutate"]:
        (directory / module).write_text(as_methods((ROOT / module).read_text("utf-8")), encoding="utf-8")
    settings["pytest_add_cli_args_test_selection"] = list(room.tests)
    (directory / "pyproject.toml").write_text(tomlkit.dumps(project), encoding="utf-8")
    return directory


def _run_mutmut(directory: Path, names: Sequence[str], runner: Runner, children: int) -> None:
    mutmut = Path(sys.executable).with_name("mutmut")
    ended = runner.run(
        Command(
            argv=(str(mutmut), "run", "--max-children", str(children), *names),
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            cwd=directory,
            log=directory / "mutmut.log",
            timeout_s=_HOURS_12_S,
        )
    )
    if ended.returncode != 0:
        log = directory / "mutmut.log"
        # Such a line says that the tests of the room call no function of its modules.
        stopped = [line for line in log.read_text("utf-8").splitlines() if line.startswith("Stopping early")]
        sys.exit("\n".join((f"mutmut: {ended.reason}; see {log}", *stopped)))


def _survivors(directory: Path, sample: _Sample) -> tuple[Survivor, ...]:
    meta = directory / "mutants" / f"{sample.module}.meta"
    exit_codes = json.loads(meta.read_bytes())["exit_code_by_key"] if sample.names else {}
    with contextlib.chdir(directory):
        return tuple(
            Survivor(mutant=name, change=_changed_lines(get_diff_for_mutant(name, path=sample.module)))
            for name in sample.names
            if exit_codes[name] in _SURVIVED
        )


def _changed_lines(diff: str) -> str:
    """Return the removed and added lines of a unified diff, without their indentation."""
    lines = (line for line in diff.splitlines() if not line.startswith(("---", "+++")))
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines if line.startswith(("-", "+")))

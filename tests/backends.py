"""Runners that start fewer processes than a build needs, where a test is not about these processes."""

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from factory.build import deflate_probe
from factory.build.assembler import skeleton_hooks
from factory.system.process import Command, Completed, Runner

_FRONT_END = ("-m", "build", "--wheel", "--no-isolation", "--outdir")
_HOOK = """\
import importlib, os, sys, tomllib
out, stage = sys.argv[1:]
os.chdir(stage)
with open("pyproject.toml", "rb") as file:
    backend = tomllib.load(file)["build-system"]["build-backend"]
importlib.import_module(backend).build_wheel(out)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRunner:
    """Calls the hook of the backend where ``python -m build`` would call it in a third process.

    Everything else is as the command says: interpreter, environment, and the programs that start it.
    """

    runner: Runner

    def run(self, command: Command) -> Completed:
        argv = command.argv
        for at in range(len(argv)):
            if argv[at : at + len(_FRONT_END)] == _FRONT_END:
                hook = (*argv[:at], "-P", "-c", _HOOK, *argv[at + len(_FRONT_END) :])
                return self.runner.run(replace(command, argv=hook))
        return self.runner.run(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What processes have answered.

    Attributes:
        skeletons: File names and contents by the digest of a stage.
        failures: How the backend ended, and its log, by the digests of the stages that it refused.
        probes: Descriptions of interpreters by their path, which is ``{python}`` in them.
    """

    skeletons: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    failures: dict[tuple[str, ...], tuple[Completed, bytes]] = field(default_factory=dict)
    probes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberingRunner:
    """Lets the backend build the skeleton of a stage once; for an equal stage it writes the same file again,
    or fails again with the log of the first failure.

    The file depends on the stage and the interpreter alone: the environment of the process is fixed.
    An interpreter's deflate encoder is identified once, too.
    """

    runner: Runner
    memory: Memory

    def run(self, command: Command) -> Completed:
        if command.argv[-1] == deflate_probe.__file__:
            return self._probe(command)
        if skeleton_hooks.__file__ not in command.argv:
            return self.runner.run(command)
        at = command.argv.index(skeleton_hooks.__file__)
        out, *stages = map(Path, command.argv[at + 1 :])
        keys = tuple(_digest(Path(command.argv[0]), stage) for stage in stages)
        if keys in self.memory.failures and command.log is not None:
            completed, log = self.memory.failures[keys]
            command.log.write_bytes(log)
            return completed
        if self.memory.skeletons.keys() >= set(keys):
            self._write(keys, out)
            return Completed(returncode=0)
        completed = self.runner.run(command)
        if completed.returncode == 1 and command.log is not None:
            self.memory.failures[keys] = completed, command.log.read_bytes()
        if completed.returncode == 0:
            names = json.loads((out / "names.json").read_text(encoding="utf-8"))
            for key, name in zip(keys, names, strict=True):
                self.memory.skeletons[key] = (Path(name).name, (out / name).read_bytes())
        return completed

    def _probe(self, command: Command) -> Completed:
        python = command.argv[0]
        key = str(Path(python).parent.resolve() / Path(python).name)
        if key not in self.memory.probes:
            completed = self.runner.run(command)
            if completed.returncode != 0:
                return completed
            self.memory.probes[key] = completed.output.replace(python, "{python}")
        return Completed(returncode=0, output=self.memory.probes[key].replace("{python}", python))

    def _write(self, keys: tuple[str, ...], out: Path) -> None:
        names = []
        for index, key in enumerate(keys):
            name, content = self.memory.skeletons[key]
            (out / str(index)).mkdir()
            (out / str(index) / name).write_bytes(content)
            names.append(f"{index}/{name}")
        (out / "names.json").write_text(json.dumps(names), encoding="utf-8")


def _digest(python: Path, stage: Path) -> str:
    hasher = sha256(bytes(python.parent.resolve()))
    for path in sorted(stage.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        described = (path.relative_to(stage).as_posix(), path.stat().st_mode, content)
        hasher.update(repr(described).encode())
    return hasher.hexdigest()

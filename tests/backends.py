"""Runners that start fewer processes than a build needs, where a test is not about these processes."""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

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


_Skeletons = dict[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberingRunner:
    """Starts the backend for skeletons once per set of stages; then it writes the same files again.

    The files depend on the stages and the interpreter alone: the environment of the process is fixed.
    """

    runner: Runner
    remembered: dict[str, _Skeletons] = field(default_factory=dict)

    def run(self, command: Command) -> Completed:
        if skeleton_hooks.__file__ not in command.argv:
            return self.runner.run(command)
        at = command.argv.index(skeleton_hooks.__file__)
        out, *stages = map(Path, command.argv[at + 1 :])
        key = _digest(command.argv[:at], stages)
        if key in self.remembered:
            for name, content in self.remembered[key].items():
                (out / name).parent.mkdir(exist_ok=True)
                (out / name).write_bytes(content)
            return Completed(returncode=0)
        completed = self.runner.run(command)
        if completed.returncode == 0:
            self.remembered[key] = _files(out)
        return completed


def _files(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def _digest(argv: tuple[str, ...], stages: list[Path]) -> str:
    described = [
        [(name, (stage / name).stat().st_mode, content) for name, content in _files(stage).items()]
        for stage in stages
    ]
    return sha256(repr((argv, described)).encode()).hexdigest()

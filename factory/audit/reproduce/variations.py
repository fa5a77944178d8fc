"""Variations of a build's surroundings, as data; `factory.audit.reproduce.varied_builds` builds with them."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from factory.build.builder import BuilderName, Engine
from factory.core.errors import UsageError
from factory.system.process import Command, Completed, Runner

_UMASK = "import os,sys;os.umask(0o077);os.execv(sys.argv[1],sys.argv[1:])"
_HOSTNAME = "import os,socket,sys;socket.sethostname('elsewhere');os.execv(sys.argv[1],sys.argv[1:])"
_SHUFFLED = Path(__file__).with_name("shuffled")
"""A directory with a ``sitecustomize`` that reverses the order of directory entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """A change of the backend's process; these changes can be combined.

    Attributes:
        env: Variables set for the process.
        program: A program that must be installed, if any; it starts the command.
        prefix: Arguments before the command; ``{python}`` is the toolchain's interpreter.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    program: str | None = None
    prefix: tuple[str, ...] = ()

    def apply(self, command: Command, *, python: str) -> Command:
        """Return a command with the change."""
        prefix = [part.replace("{python}", python) for part in self.prefix]
        if self.program is not None:
            prefix.insert(0, shutil.which(self.program) or self.program)
        return replace(command, argv=(*prefix, *command.argv), env={**command.env, **self.env})

    def why_not(self, runner: Runner) -> str | None:
        """Return why this host cannot make the change, or None; an installed program may lack permission."""
        if self.program is not None and shutil.which(self.program) is None:
            return f"{self.program} is not installed"
        if not self.prefix:
            return None
        nothing = Command(argv=(sys.executable, "-I", "-c", ""), timeout_s=60.0)
        completed = runner.run(self.apply(nothing, python=sys.executable))
        if completed.returncode == 0:
            return None
        return completed.output.strip().rpartition("\n")[2] or completed.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherEngine:
    """Another engine than the backend builds the wheel."""

    engine: Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherInterpreter:
    """The backend runs on another Python: a path, or a name on ``PATH``."""

    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherZlib:
    """The interpreter's zlib is zlib-ng, which the factory must refuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherBuilder:
    """The backend runs in a container instead of on this host."""

    builder: BuilderName


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """One named change of a build."""

    name: str
    change: Surroundings | OtherEngine | OtherInterpreter | OtherZlib | OtherBuilder


BUILD_PATH = Variation(name="build-path", change=Surroundings())
"""Each build has its own scratch directory, so building again is the whole change."""

SURROUNDINGS = (
    BUILD_PATH,
    Variation(name="umask", change=Surroundings(prefix=("{python}", "-I", "-c", _UMASK))),
    Variation(
        name="user",
        change=Surroundings(program="unshare", prefix=("--user", "--map-user=4242", "--map-group=4242")),
    ),
    Variation(name="home", change=Surroundings(env={"HOME": "/nonexistent"})),
    Variation(name="timezone", change=Surroundings(env={"TZ": "Pacific/Kiritimati"})),
    Variation(name="locale", change=Surroundings(env={"LC_ALL": "POSIX", "PYTHONUTF8": "0"})),
    Variation(name="hash-seed", change=Surroundings(env={"PYTHONHASHSEED": "4242"})),
    Variation(name="file-order", change=Surroundings(env={"PYTHONPATH": str(_SHUFFLED)})),
    Variation(name="optimised", change=Surroundings(env={"PYTHONOPTIMIZE": "2"})),
    Variation(name="bytecode", change=Surroundings(env={"PYTHONDONTWRITEBYTECODE": ""})),
    Variation(name="allocator", change=Surroundings(env={"PYTHONMALLOC": "malloc"})),
    Variation(name="time", change=Surroundings(program="faketime", prefix=("-f", "+400d"))),
    Variation(name="cpu-count", change=Surroundings(program="taskset", prefix=("-c", "0"))),
    Variation(
        name="hostname",
        change=Surroundings(program="unshare", prefix=("--uts", "{python}", "-I", "-c", _HOSTNAME)),
    ),
)
"""Combinable changes; later ones wrap earlier ones, because another user cannot set the host name."""

VARIATIONS = (
    *SURROUNDINGS,
    Variation(name="engine", change=OtherEngine(engine=Engine.ASSEMBLER)),
    *(
        Variation(name=f"python3.{minor}", change=OtherInterpreter(program=f"python3.{minor}"))
        for minor in (11, 12, 13, 14)
    ),
    Variation(name="zlib-ng", change=OtherZlib()),
    Variation(name="docker", change=OtherBuilder(builder=BuilderName.DOCKER)),
    Variation(name="cibuildwheel", change=OtherBuilder(builder=BuilderName.CIBUILDWHEEL)),
)


def variations_named(
    names: Sequence[str], *, known: Sequence[Variation] = VARIATIONS
) -> tuple[Variation, ...]:
    """Return the variations with some names, or all if no name is given.

    Raises:
        UsageError: A name is unknown.
    """
    by_name = {variation.name: variation for variation in known}
    for name in names:
        if name not in by_name:
            raise UsageError(f"unknown variation {name!r}", hint=f"Variations are {', '.join(by_name)}.")
    return tuple(by_name[name] for name in names) or tuple(known)


@dataclass(frozen=True, slots=True, kw_only=True)
class VaryingRunner:
    """Applies surroundings to the backend's commands, and to no others."""

    runner: Runner
    surroundings: Sequence[Surroundings]

    def run(self, command: Command) -> Completed:
        """Run a command to its end."""
        if "--no-isolation" in command.argv:
            python = command.argv[0]
            for one in self.surroundings:
                command = one.apply(command, python=python)
        return self.runner.run(command)

"""Variations of a build's surroundings, as data: each changes the command that starts the backend."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from factory.builders.package import Engine
from factory.errors import UsageError
from factory.process import Command, Completed, Runner

_UMASK = "import os,sys;os.umask(0o077);os.execv(sys.argv[1],sys.argv[1:])"
_HOSTNAME = "import os,socket,sys;socket.sethostname('elsewhere');os.execv(sys.argv[1],sys.argv[1:])"
_SHUFFLED = Path(__file__).with_name("shuffled")
"""Holds a ``sitecustomize`` that gives directories in another order to every Python below it."""


class UnknownVariation(UsageError):
    """No variation has that name."""

    def __init__(self, name: str) -> None:
        known = ", ".join(variation.name for variation in VARIATIONS)
        super().__init__(f"there is no variation {name!r}", hint=f"Variations are {known}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """One change of a build's surroundings.

    Attributes:
        name: How it is asked for and shown.
        env: Variables of the backend's process that it sets.
        program: What must be installed for it, if anything.
        prefix: What stands before the command; ``{python}`` is the toolchain's interpreter.
        engine: What lays the wheel out.
    """

    name: str
    env: Mapping[str, str] = field(default_factory=dict)
    program: str | None = None
    prefix: tuple[str, ...] = ()
    engine: Engine = Engine.BACKEND

    def why_not(self) -> str | None:
        """Return why it cannot be tried on this host, or None."""
        if self.program is not None and shutil.which(self.program) is None:
            return f"{self.program} is not installed"
        return None

    def apply(self, command: Command) -> Command:
        """Return the command under this variation."""
        prefix = [part.replace("{python}", command.argv[0]) for part in self.prefix]
        if self.program is not None:
            prefix.insert(0, shutil.which(self.program) or self.program)
        return replace(command, argv=(*prefix, *command.argv), env={**command.env, **self.env})


VARIATIONS = (
    Variation(name="build-path"),
    Variation(name="umask", prefix=("{python}", "-I", "-c", _UMASK)),
    Variation(name="home", env={"HOME": "/nonexistent"}),
    Variation(name="timezone", env={"TZ": "Pacific/Kiritimati"}),
    Variation(name="locale", env={"LC_ALL": "POSIX", "PYTHONUTF8": "0"}),
    Variation(name="hash-seed", env={"PYTHONHASHSEED": "4242"}),
    Variation(name="file-order", env={"PYTHONPATH": str(_SHUFFLED)}),
    Variation(name="optimised", env={"PYTHONOPTIMIZE": "2"}),
    Variation(name="bytecode", env={"PYTHONDONTWRITEBYTECODE": ""}),
    Variation(name="allocator", env={"PYTHONMALLOC": "malloc"}),
    Variation(name="engine", engine=Engine.ASSEMBLER),
    Variation(name="time", program="faketime", prefix=("-f", "+400d")),
    Variation(name="cpu-count", program="taskset", prefix=("-c", "0")),
    Variation(name="hostname", program="unshare", prefix=("--uts", "{python}", "-I", "-c", _HOSTNAME)),
)
"""Each build has a scratch directory of its own, so ``build-path`` needs no more than another build."""


def variations_named(names: tuple[str, ...]) -> tuple[Variation, ...]:
    """Return the variations of some names, all when there is none.

    Raises:
        UnknownVariation: A name is not known.
    """
    by_name = {variation.name: variation for variation in VARIATIONS}
    for name in names:
        if name not in by_name:
            raise UnknownVariation(name)
    return tuple(by_name[name] for name in names) or VARIATIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class VaryingRunner:
    """Runs the backend under a variation, and everything else as it is."""

    runner: Runner
    variation: Variation

    def run(self, command: Command) -> Completed:
        """Run a command to its end."""
        is_build = "--no-isolation" in command.argv
        return self.runner.run(self.variation.apply(command) if is_build else command)

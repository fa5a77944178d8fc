"""A strict fake of `factory.system.process.SubprocessRunner`: an unscripted process fails the test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from factory.system.process import Command, Completed


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The next process: the arguments it must have, in this order, its result, and its side effect."""

    argv: Sequence[str]
    completed: Completed = field(default_factory=lambda: Completed(returncode=0))
    effect: Callable[[Command], None] = lambda command: None  # noqa: ARG005


class FakeRunner:
    """Starts no process; each call must be the next one in the script."""

    def __init__(self, *script: Expected) -> None:
        self._script = list(script)
        self.commands: list[Command] = []

    def run(self, command: Command) -> Completed:
        assert self._script, f"unscripted process: {command.argv}"
        expected = self._script.pop(0)
        arguments = iter(command.argv)
        missing = [part for part in expected.argv if part not in arguments]
        assert not missing, f"{command.argv} lacks {missing}, or has them in another order"
        self.commands.append(command)
        expected.effect(command)
        return expected.completed

    def assert_done(self) -> None:
        assert not self._script, f"never started: {[expected.argv for expected in self._script]}"

"""The time that planned work still takes, from the speeds measured in this run."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

COSTS = {"compress": 1.0, "build": 2.0, "assemble": 0.03, "verify": 0.2, "check": 0.6}
"""The time for a byte, compared with compression (docs/performance.md); for a check, a byte of the wheel.

A kind without a measured speed is estimated from the others' speeds; one that is not here is unknown.
"""


@dataclass(slots=True)
class _Running:
    size_bytes: float
    begun_s: float
    done: float = 0.0
    """The part that is done, if the task reports it."""


@dataclass(slots=True)
class _Kind:
    """Tasks of one kind: their bytes and seconds, and how many ran at once."""

    done_bytes: float = 0.0
    busy_s: float = 0.0
    width: int = 0
    waiting: dict[str, float] = field(default_factory=dict)
    running: dict[str, _Running] = field(default_factory=dict)

    def measured(self, now_s: float) -> float | None:
        """Return the bytes that one task does in a second; None before any is done."""
        reported = [task for task in self.running.values() if task.done]
        done = self.done_bytes + sum(task.size_bytes * task.done for task in reported)
        busy_s = self.busy_s + sum(now_s - task.begun_s for task in reported)
        return done / busy_s if done and busy_s else None

    def left(self, now_s: float, speed: float) -> float:
        """Return the bytes left; a task that reports nothing is assumed to have that speed."""
        left = sum(self.waiting.values())
        for task in self.running.values():
            silent = 0.0 if task.done else speed * (now_s - task.begun_s)
            left += max(0.0, task.size_bytes * (1 - task.done) - silent)
        return left


class TimeLeft:
    """Estimates the time for planned tasks, kind after kind. Its methods may be called from any thread."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._kinds: dict[str, _Kind] = {}
        self._lock = threading.Lock()

    def plan(self, sizes: Mapping[str, int]) -> None:
        """Add tasks; one that is planned again has not begun."""
        with self._lock:
            for label, size_bytes in sizes.items():
                kind = self._kinds.setdefault(_kind(label), _Kind())
                kind.running.pop(label, None)
                kind.waiting[label] = size_bytes

    def begin(self, label: str) -> bool:
        """Begin a task; return whether it is planned."""
        with self._lock:
            kind = self._kinds.get(_kind(label))
            if kind is None or label not in kind.waiting:
                return False
            kind.running[label] = _Running(kind.waiting.pop(label), self._clock_s())
            kind.width = max(kind.width, len(kind.running))
            return True

    def advance(self, label: str, done: float) -> None:
        """Report the part of a task that is done, from 0 to 1."""
        with self._lock:
            if task := self._kinds[_kind(label)].running.get(label):
                task.done = min(done, 1.0)

    def end(self, label: str) -> None:
        """End a task."""
        with self._lock:
            kind = self._kinds[_kind(label)]
            if task := kind.running.pop(label, None):
                kind.done_bytes += task.size_bytes
                kind.busy_s += self._clock_s() - task.begun_s

    def seconds(self) -> float | None:
        """Return the time left for the planned tasks; None while a kind of them has no speed."""
        with self._lock:
            now_s = self._clock_s()
            base = self._base(now_s)
            widest = max((kind.width for kind in self._kinds.values()), default=0)
            total_s = 0.0
            for name, kind in self._kinds.items():
                tasks = len(kind.waiting) + len(kind.running)
                if not tasks:
                    continue
                speed = kind.measured(now_s)
                if speed is None and base is not None and name in COSTS:
                    speed = base / COSTS[name]
                if speed is None:
                    return None
                total_s += kind.left(now_s, speed) / (speed * min(kind.width or widest, tasks))
            return total_s

    def _base(self, now_s: float) -> float | None:
        """Return the speed of compression that the kind with the most measured work implies."""
        measured = [
            (kind.busy_s, speed * COSTS[name])
            for name, kind in self._kinds.items()
            if name in COSTS and (speed := kind.measured(now_s)) is not None
        ]
        return max(measured)[1] if measured else None


def _kind(label: str) -> str:
    return label.partition(" ")[0]

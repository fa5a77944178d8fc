"""A `Progress` that records the planned tasks and those that begin."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from factory.core.progress import ProgressTask, SilentProgress


class PlannedProgress(SilentProgress):
    """Fails for a task that is planned twice, or that is planned after it began."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.begun: list[str] = []

    def plan(self, sizes: Mapping[str, int]) -> None:
        assert not set(sizes) & {*self.sizes, *self.begun}
        self.sizes |= sizes

    @contextmanager
    def task(self, label: str, *, total_bytes: int | None = None) -> Iterator[ProgressTask]:
        self.begun.append(label)
        with super().task(label, total_bytes=total_bytes) as task:
            yield task

    @property
    def unplanned(self) -> set[str]:
        """The first words of the tasks that were not planned."""
        return {label.partition(" ")[0] for label in self.begun if label not in self.sizes}

"""Executables that releases are known to contain, by their SHA-256."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from factory.core.digests import Sha256
from factory.core.tags import CodexTag
from factory.core.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownExecutable:
    """One executable of a release package.

    Attributes:
        path: Its path in the release package.
    """

    release: CodexTag
    target: Target
    path: PurePosixPath


class ExecutableIndex(Protocol):
    """Finds the release packages that contain an executable."""

    def lookup(self, sha256: Sha256) -> tuple[KnownExecutable, ...]:
        """Return where an executable was released; nothing means "not known", never "not released"."""
        ...


class NoExecutables:
    """An index without entries, for callers that have none."""

    def lookup(self, sha256: Sha256) -> tuple[KnownExecutable, ...]:  # noqa: ARG002 - the protocol has it
        """Return no executable."""
        return ()

"""Deflated contents that outlive a run, by content digest, encoder and level."""

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from factory.build.deflate import LEVEL, DamagedDeflated, Deflated, deflate
from factory.core.digests import Sha256
from factory.system.files import TEMPORARY_PREFIX, writing


@dataclass(frozen=True, slots=True, kw_only=True)
class DeflateCache:
    """A directory of deflated contents, safe for several threads and processes at once.

    An entry is written under a temporary name and renamed, so it is whole or absent;
    two writers of one content write equal bytes, so the last one wins harmlessly.

    Attributes:
        root: The directory.
        encoder: The encoder's known answer: what another one compressed is another entry.
    """

    root: Path
    encoder: Sha256

    @property
    def _directory(self) -> Path:
        return self.root / f"{self.encoder.hex[:16]}-level{LEVEL}"

    def path(self, content: Sha256) -> Path:
        """Return where a content's entry is, if there is one."""
        return self._directory / content.hex[:2] / content.hex

    def find(self, content: Sha256) -> Deflated | None:
        """Return a kept content and mark it as used, or None.

        Its stream is verified when it is read; a header that is damaged already counts as
        absence, and the entry is made again.
        """
        path = self.path(content)
        try:
            found = Deflated.open(path)
            os.utime(path)
        except (FileNotFoundError, DamagedDeflated):
            return None
        return found if found.sha256 == content else None

    def add(self, chunks: Iterable[bytes]) -> Deflated:
        """Deflate a content and keep it; its digest is known only afterwards.

        Raises:
            CannotWrite: The store's place does not take it.
        """
        with writing(self._directory):
            self._directory.mkdir(parents=True, exist_ok=True)
        temporary = self.root / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
        try:
            made = deflate(chunks, temporary)
            path = self.path(made.sha256)
            with writing(path):
                path.parent.mkdir(exist_ok=True)
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return Deflated.open(path)

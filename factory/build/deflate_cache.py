"""The cache of compressed files, by content digest, encoder and level."""

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
    """A directory of compressed files that several threads and processes can use at once.

    An entry is written under a temporary name and renamed, so that it is complete or absent. Two
    writers of one entry write equal bytes, so that it does not matter which one wins.

    Attributes:
        encoder: The known answer of the encoder; the entries of another one are separate.
    """

    root: Path
    encoder: Sha256

    @property
    def _directory(self) -> Path:
        return self.root / f"{self.encoder.hex[:16]}-level{LEVEL}"

    def path(self, content: Sha256) -> Path:
        """Return the path of the entry for a content; it need not exist."""
        return self._directory / content.hex[:2] / content.hex

    def find(self, content: Sha256) -> Deflated | None:
        """Return the entry for a content and mark it as used; None if it does not exist.

        An entry with a damaged header does not count. The stream is verified when it is read.
        """
        path = self.path(content)
        try:
            found = Deflated.open(path)
            os.utime(path)
        except (FileNotFoundError, DamagedDeflated):
            return None
        return found if found.sha256 == content else None

    def add(self, chunks: Iterable[bytes]) -> Deflated:
        """Compress a content and add it; its digest is known only afterwards.

        Raises:
            CannotWrite: The directory is not writable.
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

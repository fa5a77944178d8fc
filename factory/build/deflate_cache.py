"""The cache of compressed files, by content digest, encoder and level."""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from factory.build.deflate import DamagedDeflated, Deflated, deflate
from factory.build.encoder import LEVEL, ZLIB, Encoder
from factory.core.digests import Sha256
from factory.system.entries import put_entry
from factory.system.files import TEMPORARY_PREFIX, CannotWrite, writing
from factory.system.lease import Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class DeflateCache:
    """A directory of compressed files that several threads and processes can use at once.

    An entry is written under a temporary name and renamed, so that it is complete or absent. Two
    writers of one entry write equal bytes, so that it does not matter which one wins.

    Attributes:
        root: The directory, in the cache or in the scratch directory of a run.
        answer: The known answer of the bytes that are wanted; the entries for another one are separate.
        encoder: What makes new entries. Its entries are separate, too; those of zlib serve every encoder.
        lease: Keeps the used entries until the run ends; None for a directory of this run alone.
        spare: Used for new entries if the cache is read-only for this user.
    """

    root: Path
    answer: Sha256
    encoder: Encoder = ZLIB
    lease: Lease | None = None
    spare: Path | None = None

    def path(self, content: Sha256) -> Path:
        """Return the path of a new entry for a content; it need not exist."""
        return self._entry_path(self.root, self.encoder, content)

    def has_made(self, deflated: Deflated) -> bool:
        """Return whether the encoder made an entry, rather than zlib."""
        return not self.encoder.is_zlib and self._label(self.encoder) in deflated.path.parts

    def find(self, content: Sha256) -> Deflated | None:
        """Return the entry for a content and mark it as used; None if it does not exist.

        An entry with a damaged header does not count. The stream is verified when it is read.
        """
        own = self._find(self.path(content), content)
        if own is None and not self.encoder.is_zlib:
            return self._find(self._entry_path(self.root, ZLIB, content), content)
        return own

    def _find(self, path: Path, content: Sha256) -> Deflated | None:
        self._hold(path)
        try:
            found = Deflated.open(path)
        except DamagedDeflated:
            return None
        with suppress(OSError):  # a read-only cache still works, only its times of use do not change
            os.utime(path)
        return found if found.sha256 == content else None

    def add(self, chunks: Iterable[bytes], *, threads: int = 1) -> Deflated:
        """Compress a content on some threads and add it; its digest is known only afterwards.

        Raises:
            EncoderDiffers: The encoder's stream does not inflate to the content.
            CannotWrite: There is no room, or no writable directory.
        """
        root, temporary = self._new_path()
        try:
            made = deflate(chunks, temporary, self.encoder, threads=threads)
            path = self._entry_path(root, self.encoder, made.sha256)
            self._hold(path)
            put_entry(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        return Deflated.open(path)

    def _new_path(self) -> tuple[Path, Path]:
        """Return the directory for a new entry, and a path for its temporary file on the same disk."""
        if self.lease is None:
            return self.root, _temporary_in(self.root)
        try:
            return self.root, self.lease.new_path()
        except CannotWrite as error:
            if self.spare is None or not error.is_refused:
                raise
            return self.spare, _temporary_in(self.spare)

    def _entry_path(self, root: Path, encoder: Encoder, content: Sha256) -> Path:
        return root / self._label(encoder) / content.hex[:2] / content.hex

    def _label(self, encoder: Encoder) -> str:
        """Return the directory of an encoder: the answer, and for another than zlib its name and source."""
        label = f"{self.answer.hex[:16]}-level{LEVEL}-2"
        return label if encoder.is_zlib else f"{label}-{encoder.label.replace(' ', '-')}"

    def _hold(self, path: Path) -> None:
        if self.lease is not None and path.is_relative_to(self.root):
            self.lease.hold([path])


def _temporary_in(root: Path) -> Path:
    with writing(root):
        root.mkdir(parents=True, exist_ok=True)
    return root / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"

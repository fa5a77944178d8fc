"""A blob that is being received into the cache."""

from pathlib import Path

from factory.core.digests import Digest, read_chunks
from factory.system.entries import open_own_file, put_entry
from factory.system.files import WrongDigest, reading, writing


class PartialBlob:
    """A blob that is being received; it starts with the bytes of an earlier, interrupted attempt.

    Only `Cache.receive` creates one. The file is in the directory of this run, so that no other
    process writes to it, even if both receive the same blob.
    """

    def __init__(self, *, partial: Path, final: Path, digest: Digest, name: str) -> None:
        self._partial = partial
        self._final = final
        self._digest = digest
        self._name = name
        self._file = open_own_file(partial, mode=0o644)
        self._hash = digest.algorithm.new()
        self._size_bytes = 0
        with reading(partial):
            self._file.seek(0)
            for chunk in read_chunks(self._file):
                self._hash.update(chunk)
                self._size_bytes += len(chunk)

    @property
    def size_bytes(self) -> int:
        """The number of bytes received."""
        return self._size_bytes

    @property
    def actual(self) -> Digest:
        """The digest of the bytes received."""
        return Digest(self._digest.algorithm, self._hash.hexdigest())

    @property
    def is_complete(self) -> bool:
        """Whether the bytes received have the expected digest."""
        return self.actual == self._digest

    def write(self, chunk: bytes) -> None:
        """Append a chunk.

        Raises:
            CannotWrite: The disk is full or read-only; the bytes received so far are kept.
        """
        with writing(self._partial):
            self._file.write(chunk)
        self._hash.update(chunk)
        self._size_bytes += len(chunk)

    def restart(self) -> None:
        """Discard all bytes received."""
        with writing(self._partial):
            self._file.truncate(0)
        self._hash = self._digest.algorithm.new()
        self._size_bytes = 0

    def commit(self) -> Path:
        """Add the blob to the cache and return its path.

        Raises:
            WrongDigest: The bytes do not have the expected digest; they are discarded.
        """
        if not self.is_complete:
            actual = self.actual
            self.restart()
            raise WrongDigest(self._name, expected=self._digest, actual=actual)
        self.close()
        put_entry(self._partial, self._final)
        return self._final

    def close(self) -> None:
        """Close the file, keeping the bytes received for another attempt."""
        if not self._file.closed:
            with writing(self._partial):
                self._file.close()

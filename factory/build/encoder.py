"""The deflate encoder of a run: exact_deflate where it can be used, else zlib. Both give the same bytes.

The bytes of a wheel must not depend on the faster encoder being right. So each of its streams is
inflated again, a random sample of each run is compared with zlib, and after the first
difference the run goes on with zlib.
"""

import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from factory.build.exact_deflate import NotAvailable, ParallelCompressor, open_library
from factory.core.errors import HostError
from factory.system.files import CannotWrite, atomic_write
from factory.system.process import Runner

LEVEL = 6


class Compressor(Protocol):
    """What `zlib.compressobj` returns."""

    def compress(self, data: "bytes | bytearray | memoryview", /) -> bytes:
        """Compress a part of the content."""

    def flush(self) -> bytes:
        """Finish the stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """An encoder that gives zlib's bytes.

    Attributes:
        name: ``zlib`` or ``exact_deflate``.
        source_sha256: The digest of the encoder's source, in hexadecimal; empty for zlib, which has versions.
        start: Returns the compressor of a new stream.
        start_parallel: Returns one that uses a number of threads; None if the encoder cannot.
    """

    name: str
    source_sha256: str = ""
    start: Callable[[], Compressor]
    start_parallel: Callable[[int], Compressor] | None = None

    @property
    def is_zlib(self) -> bool:
        """Whether it is this interpreter's zlib."""
        return not self.source_sha256

    def start_on(self, threads: int) -> Compressor:
        """Return the compressor of a new stream that uses a number of threads, if it can."""
        if threads < 2 or self.start_parallel is None:  # noqa: PLR2004
            return self.start()
        return self.start_parallel(threads)

    @property
    def label(self) -> str:
        """The name, with the beginning of the digest of the source."""
        return f"{self.name} {self.source_sha256[:16]}".strip()


ZLIB = Encoder(name="zlib", start=partial(zlib.compressobj, LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS))


class EncoderDiffers(HostError):
    """The encoder gave other bytes than zlib, or bytes that do not inflate to the content."""

    hint = "Report this with the tag and the platform: the encoder should give zlib's bytes for every input."


def open_exact_deflate(*, directory: Path, search_path: str, runner: Runner) -> Encoder:
    """Compile and load exact_deflate.

    Args:
        directory: The private directory of the compiled library.
        search_path: Where to look for a C compiler.
        runner: Starts the compiler.

    Raises:
        NotAvailable: It cannot be used on this machine, or an earlier run found a difference.
    """
    library = open_library(directory=directory, search_path=search_path, runner=runner)
    encoder = Encoder(
        name="exact_deflate",
        source_sha256=library.source_sha256,
        start=library.compressobj,
        start_parallel=lambda threads: ParallelCompressor(library, threads=threads),
    )
    refusal = _refusal(directory, encoder)
    if refusal.exists():
        reason = refusal.read_text(encoding="utf-8", errors="replace").strip()
        raise NotAvailable(f"an earlier run found that {reason}", hint=f"Remove {refusal} to try it again.")
    return encoder


def _refusal(directory: Path, encoder: Encoder) -> Path:
    return directory / f"refused-{encoder.source_sha256[:16]}.txt"


class EncoderChoice:
    """The encoder of a run: opened at the first use, and given up after a difference from zlib.

    Args:
        open_encoder: Opens the faster encoder; None to use zlib.
        directory: Where a difference is recorded for later runs; None not to record it.
        report: Prints a sentence.
    """

    def __init__(
        self,
        open_encoder: Callable[[], Encoder] | None = None,
        *,
        directory: Path | None = None,
        report: Callable[[str], None] = lambda _message: None,
    ) -> None:
        self._open = open_encoder
        self._directory = directory
        self._report = report
        self._lock = threading.Lock()
        self._current: Encoder | None = None
        self._reason = ""

    def current(self) -> Encoder:
        """Return the encoder; zlib, and a sentence that says so, if the faster one cannot be used."""
        with self._lock:
            if self._current is None:
                self._current = ZLIB if self._open is None else self._opened(self._open)
            return self._current

    def _opened(self, open_encoder: Callable[[], Encoder]) -> Encoder:
        try:
            return open_encoder()
        except NotAvailable as error:
            self._report(f"deflate: zlib, which is slower ({error})")
            return ZLIB

    def refuse(self, reason: str) -> None:
        """Go on with zlib, print the reason, and record it so that later runs use zlib, too."""
        with self._lock:
            refused, self._current, self._reason = self._current, ZLIB, reason
        self._report(f"warning: {reason}; this run goes on with zlib")
        if self._directory is not None and refused is not None and not refused.is_zlib:
            try:
                atomic_write(_refusal(self._directory, refused), f"{reason}\n".encode())
            except CannotWrite as error:
                self._report(f"warning: {error}; the next run will try {refused.name} again")

    @property
    def label(self) -> str:
        """The encoder for a manifest, with the reason if another one was given up; empty if none was used."""
        if self._current is None:
            return ""
        return f"{self._current.label} ({self._reason})" if self._reason else self._current.label

"""Measured: the wheels' distinct payload bytes compressed by a bare encoder on all cores.

One process per core, the largest file first. Nothing is stored; each stream is hashed, to compare it with
the other encoder's, which takes less than 1 % of the time. The word after ``--`` is the
case: ``zlib``, or ``floor`` for the encoder of a run.
"""

import hashlib
import multiprocessing
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.job import Job, Used
from benchmarks.options import Case
from factory.build.encoder import ZLIB, Encoder
from factory.cli.encoder import open_encoder
from factory.cli.settings import Settings
from factory.core.digests import CHUNK_BYTES, read_chunks
from factory.system.process import SubprocessRunner


def main() -> None:
    """Compress every file of a directory and write the report."""
    split = sys.argv.index("--")
    job, case = Job.parse(sys.argv[1:split]), Case(sys.argv[split + 1])
    encoder = ZLIB if case is Case.ZLIB else open_encoder(Settings.from_environ(), SubprocessRunner())
    files = sorted(
        (path for path in job.out.iterdir() if path.is_file()), key=lambda path: -path.stat().st_size
    )
    global _ENCODER  # noqa: PLW0603 - a forked process has it; a compiled library cannot be sent to one
    _ENCODER = encoder
    with multiprocessing.get_context("fork").Pool(job.jobs) as pool:
        done = list(pool.imap_unordered(_deflate, files, chunksize=1))
        pool.close()
        pool.join()
    job.write_report(
        {
            "used": Used.now().to_json(),
            "phases": {},
            "wheels": {},
            "output_bytes": sum(file.compressed_bytes for file in done),
            "files": {file.name: {"cpu_s": file.cpu_s, "stream_sha256": file.stream_sha256} for file in done},
        }
    )


_ENCODER: Encoder = ZLIB


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deflated:
    name: str
    compressed_bytes: int
    cpu_s: float
    stream_sha256: str


def _deflate(path: Path) -> _Deflated:
    stream, size_bytes, began_s = hashlib.sha256(), 0, time.process_time()
    for chunk in _stream(path):
        stream.update(chunk)
        size_bytes += len(chunk)
    return _Deflated(
        name=path.name,
        compressed_bytes=size_bytes,
        cpu_s=time.process_time() - began_s,
        stream_sha256=stream.hexdigest(),
    )


def _stream(path: Path) -> Iterator[bytes]:
    encoder = _ENCODER.start()
    with path.open("rb") as file:
        yield from map(encoder.compress, read_chunks(file, CHUNK_BYTES))
    yield encoder.flush()


if __name__ == "__main__":
    main()

"""Measured: the wheels' distinct payload bytes compressed by a bare encoder on all cores.

One process per core, the largest file first; nothing is hashed or stored. The word after ``--`` is the
case: ``zlib``, or ``floor`` for the encoder of a run.
"""

import multiprocessing
import sys
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
        compressed_bytes = sum(pool.imap_unordered(_deflate, files, chunksize=1))
        pool.close()
        pool.join()
    job.write_report(
        {"used": Used.now().to_json(), "phases": {}, "wheels": {}, "output_bytes": compressed_bytes}
    )


_ENCODER: Encoder = ZLIB


def _deflate(path: Path) -> int:
    encoder = _ENCODER.start()
    with path.open("rb") as file:
        size_bytes = sum(len(encoder.compress(chunk)) for chunk in read_chunks(file, CHUNK_BYTES))
    return size_bytes + len(encoder.flush())


if __name__ == "__main__":
    main()

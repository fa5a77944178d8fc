"""Measured: the floor, which is the wheels' distinct payload bytes compressed by bare zlib on all cores.

One process per core, the largest file first; nothing is hashed or stored.
"""

import multiprocessing
import sys
import zlib
from pathlib import Path

from benchmarks.job import Job, Used
from factory.build.encoder import LEVEL
from factory.core.digests import CHUNK_BYTES, read_chunks


def main() -> None:
    """Compress every file of a directory and write the report."""
    job = Job.parse(sys.argv[1:])
    files = sorted(
        (path for path in job.out.iterdir() if path.is_file()), key=lambda path: -path.stat().st_size
    )
    with multiprocessing.get_context("fork").Pool(job.jobs) as pool:
        compressed_bytes = sum(pool.imap_unordered(_deflate, files, chunksize=1))
        pool.close()
        pool.join()
    job.write_report(
        {"used": Used.now().to_json(), "phases": {}, "wheels": {}, "output_bytes": compressed_bytes}
    )


def _deflate(path: Path) -> int:
    encoder = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    with path.open("rb") as file:
        size_bytes = sum(len(encoder.compress(chunk)) for chunk in read_chunks(file, CHUNK_BYTES))
    return size_bytes + len(encoder.flush())


if __name__ == "__main__":
    main()

"""Fuzz exact_deflate with zlib as the oracle.

``python -m tests.fuzz.exact_deflate [DIR] [-max_total_time=3600]`` needs clang with libFuzzer and the
headers of zlib.
"""

import os
import sys
import tempfile
from pathlib import Path

from factory.system.process import Command, SubprocessRunner

HARNESS = Path(__file__).with_suffix(".c")
FLAGS = ("-std=gnu11", "-O2", "-g", "-DFUZZ", "-fsanitize=fuzzer,address,undefined")


def main(options: list[str]) -> None:
    """Compile the harness, and become the fuzzer."""
    program = Path(tempfile.mkdtemp(prefix="exact-deflate-")) / "fuzz"
    argv = ("clang", *FLAGS, "-fno-sanitize-recover=undefined", str(HARNESS), "-lz", "-o", str(program))
    compiled = SubprocessRunner().run(Command(argv=argv, env={"PATH": os.defpath}))
    if compiled.returncode != 0:
        sys.exit(compiled.output)
    os.execv(program, (str(program), "-max_len=4000", *options))  # noqa: S606 - it was just compiled


if __name__ == "__main__":
    main(sys.argv[1:])

"""Raw deflate with exactly the bytes of zlib at level 6, at about twice its speed.

The encoder is a C library, which is compiled at first use: `open_library` compiles or finds it, and
`Library.compressobj` is used like `zlib.compressobj`. README.md explains the encoder.
"""

import os
import sys
import tempfile
import zlib
from functools import cache
from pathlib import Path

from factory.build.exact_deflate.compiled import NotAvailable, compile_library
from factory.build.exact_deflate.known_answers import probe
from factory.build.exact_deflate.library import Compressor, Library
from factory.build.exact_deflate.parallel import ParallelCompressor
from factory.system.process import Runner, SubprocessRunner

__all__ = ["Compressor", "Library", "NotAvailable", "ParallelCompressor", "compressobj", "open_library"]


def default_directory() -> Path:
    """Return the directory of the compiled library, which is never part of a shared or restored cache."""
    owner = "user" if sys.platform == "win32" else str(os.geteuid())
    return Path(tempfile.gettempdir()) / f"exact-deflate-{owner}"


def open_library(*, directory: Path, search_path: str, runner: Runner) -> Library:
    """Compile the library if there is none, load it, and check its known answers.

    Args:
        directory: Where the compiled library is kept; created with mode 0700.
        search_path: Where to look for a C compiler, in the format of ``PATH``.
        runner: Starts the compiler.

    Raises:
        NotAvailable: No compiler was found, it failed, or the library does not work.
    """
    library = Library.load(compile_library(directory=directory, search_path=search_path, runner=runner))
    wrong = probe(library.compressobj)
    if wrong is not None:
        raise NotAvailable(f"the compiled library gives other bytes than zlib for {wrong}")
    return library


@cache
def _default_library() -> Library:
    return open_library(directory=default_directory(), search_path=os.defpath, runner=SubprocessRunner())


def compressobj(
    level: int = 6,
    method: int = zlib.DEFLATED,
    wbits: int = -zlib.MAX_WBITS,
    memLevel: int = zlib.DEF_MEM_LEVEL,  # noqa: N803 -- the name in zlib
    strategy: int = zlib.Z_DEFAULT_STRATEGY,
) -> Compressor:
    """Return a compressor, as `zlib.compressobj` does for the same values.

    Raises:
        ValueError: The values are not those of level 6, raw deflate.
        NotAvailable: The library cannot be compiled here.
    """
    supported = (6, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_DEFAULT_STRATEGY)
    if (level, method, wbits, memLevel, strategy) != supported:
        raise ValueError(f"only {supported} is supported: level 6, raw deflate, memLevel 8")
    return _default_library().compressobj()

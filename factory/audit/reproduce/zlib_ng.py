"""Create an environment in which the ``zlib`` module is zlib-ng, as in CPython 3.14 for Windows."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from factory.build.deflate_check import probe_interpreter
from factory.build.toolchain import Lock, Toolchain, lock_named
from factory.core.errors import HostError
from factory.system.files import atomic_write
from factory.system.process import Command, Runner

ZLIB_NG = "zlib-ng-1.1.0"
_IN_PLACE_OF_ZLIB = b'import sys, zlib_ng.zlib_ng; sys.modules["zlib"] = zlib_ng.zlib_ng\n'
_SITE = "import sysconfig; print(sysconfig.get_path('purelib'))"


def zlib_ng_toolchain(
    lock: Lock, make: Callable[[Lock], Toolchain], *, env: Mapping[str, str], runner: Runner
) -> Toolchain:
    """Create a lock's toolchain with another deflate encoder, and probe the encoder.

    Raises:
        ToolchainFailed: pip failed; zlib-ng may have no wheel for this host.
        ProbeFailed: The interpreter does not work.
        HostError: The environment does not show where its packages are.
    """
    both = Lock(
        name=f"{lock.name}-with-{ZLIB_NG}", content=lock.content + b"\n" + lock_named(ZLIB_NG).content
    )
    toolchain = make(both)
    asked = runner.run(Command(argv=(str(toolchain.python), "-I", "-c", _SITE), env=env))
    if asked.returncode != 0:
        raise HostError(f"{toolchain.python} does not print the directory of its packages")
    # The site module runs this file at every start, also in isolated mode, before zlib is imported.
    atomic_write(Path(asked.output.strip()) / "zlib-is-zlib-ng.pth", _IN_PLACE_OF_ZLIB)
    interpreter = probe_interpreter(toolchain.python, env=env, runner=runner)
    return replace(toolchain, interpreter=interpreter, lock=lock)

"""The toolchain that tests build with: the interpreter they run in, which has the locked backend."""

import sys
from pathlib import Path

from factory.toolchain import Toolchain, lock_for
from factory.zlib_identity import Interpreter, deflate_identity


def running_toolchain() -> Toolchain:
    """Return it; no environment is made and nothing is installed."""
    interpreter = Interpreter(
        executable=Path(sys.executable), implementation="CPython", version="", deflate=deflate_identity()
    )
    return Toolchain(python=Path(sys.executable), interpreter=interpreter, lock=lock_for("1.33.0"))

"""Run pip again and again without starting Python each time, in an environment with pip.

Each line of standard input is a JSON list of pip's arguments. A child process, in which pip is
loaded already, runs them as ``python -m pip`` does. Its exit status is written as a line; a negative
one is the signal that ended it.
"""

import json
import os
import signal
import sys
from importlib import import_module

_SECONDS = 60
_LOADED_BY_AN_INSTALLATION = (
    "pip._internal.commands.install",
    "pip._internal.operations.install.wheel",
    "pip._internal.resolution.resolvelib.resolver",
    "pip._internal.resolution.resolvelib.factory",
)


def _install(arguments: list[str]) -> int:
    """Run pip in a child process, and return its exit status."""
    child = os.fork()
    if not child:
        status = 1
        try:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(nowhere, stream)
            signal.alarm(_SECONDS)
            status = import_module("pip._internal.cli.main").main(arguments)
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for module in _LOADED_BY_AN_INSTALLATION:
        import_module(module)
    for line in sys.stdin:
        sys.stdout.write(f"{_install(json.loads(line))}\n")
        sys.stdout.flush()

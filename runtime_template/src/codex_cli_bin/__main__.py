"""Run the ``codex`` executable of this installation: ``python -m codex_cli_bin``.

Arguments, standard streams and exit status are those of the executable.
"""

import os
import signal
import subprocess
import sys
from typing import NoReturn

from codex_cli_bin import bundled_codex_path, bundled_path_dir


def main() -> int:
    """Start the executable with the arguments of this process, and return its exit status.

    Except on Windows, the executable replaces this process, so that signals reach it.
    """
    try:
        command = (str(bundled_codex_path()), *sys.argv[1:])
        tools = bundled_path_dir()
    except FileNotFoundError as error:
        sys.exit(f"codex_cli_bin: {error}")
    if tools is not None:
        os.environ["PATH"] = os.pathsep.join((str(tools), os.environ.get("PATH", os.defpath)))
    try:
        return run_and_wait(command) if os.name == "nt" else replace_process(command)
    except OSError as error:
        sys.exit(f"codex_cli_bin: cannot start {command[0]}: {error.strerror}")


def replace_process(command: tuple[str, ...]) -> NoReturn:
    """Run a command in place of this process.

    Python ignores two signals; a program that inherits this would not end when its reader does.
    """
    for name in ("SIGPIPE", "SIGXFSZ"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.execv(command[0], command)


def run_and_wait(command: tuple[str, ...]) -> int:
    """Run a command and return its exit status.

    On Windows ``os.execv`` returns to the shell at once, while the program runs on. Ctrl+C reaches both
    processes there; the program decides what it means.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

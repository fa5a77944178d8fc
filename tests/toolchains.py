"""Toolchains for tests: the interpreter they run in, which has the locked backend."""

import sys
import sysconfig
from functools import cache
from pathlib import Path

from factory.process import Command, Completed, SubprocessRunner
from factory.toolchain import Toolchain, lock_for, make_toolchain
from factory.zlib_identity import Interpreter, deflate_identity


@cache
def running_toolchain() -> Toolchain:
    """Return it; no environment is made and nothing is installed."""
    interpreter = Interpreter(
        executable=Path(sys.executable), implementation="CPython", version="", deflate=deflate_identity()
    )
    return Toolchain(python=Path(sys.executable), interpreter=interpreter, lock=lock_for("1.33.0"))


class LinkingRunner:
    """Makes an environment of what is installed here: where pip would install, it writes a path file."""

    def __init__(self) -> None:
        self._runner = SubprocessRunner()

    def run(self, command: Command) -> Completed:
        if "venv" in command.argv:
            return self._runner.run(Command(argv=(*command.argv, "--without-pip"), log=command.log))
        if "pip" not in command.argv:
            return self._runner.run(command)
        packages = "import sysconfig; print(sysconfig.get_path('purelib'))"
        asked = self._runner.run(Command(argv=(command.argv[0], "-I", "-c", packages)))
        link = Path(asked.output.strip()) / "running.pth"
        link.write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
        return Completed(returncode=0)


def place_toolchain(cache_dir: Path) -> Toolchain:
    """Leave in a cache directory what an earlier run leaves, so that the next one needs no index."""
    return make_toolchain(
        lock=lock_for("1.33.0"),
        base_python=Path(sys.executable),
        cache_dir=cache_dir,
        env={},
        runner=LinkingRunner(),
    )

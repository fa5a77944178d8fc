"""Toolchains for tests: this interpreter, which has the locked backend."""

import sys
import sysconfig
from functools import cache
from pathlib import Path

from factory.build.deflate_check import Interpreter, deflate_identity
from factory.build.toolchain import Toolchain, lock_for, lock_named, make_toolchain
from factory.sdk.types.types_package import GENERATOR_LOCK
from factory.system.process import Command, Completed, SubprocessRunner


@cache
def running_toolchain() -> Toolchain:
    """Return the toolchain of this interpreter, without making an environment."""
    interpreter = Interpreter(
        executable=Path(sys.executable), implementation="CPython", version="", deflate=deflate_identity()
    )
    return Toolchain(python=Path(sys.executable), interpreter=interpreter, lock=lock_for("1.33.0"))


class LinkingRunner:
    """Makes an environment with the packages of this one: it writes a path file instead of running pip."""

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


class GeneratingRunner:
    """Makes an environment with a generator that writes empty classes and a formatter that does nothing."""

    _GENERATOR = """\
import json, pathlib, sys
given = dict(zip(sys.argv, sys.argv[1:]))
names = json.loads(pathlib.Path(given["--input"]).read_text())["definitions"]
text = given["--custom-file-header"] + "".join(f"\\n\\n\\nclass {name}:\\n    pass\\n" for name in names)
pathlib.Path(given["--output"]).write_text(text)
"""

    def __init__(self, generator: str | None = None) -> None:
        self._linking = LinkingRunner()
        self._generator = generator or self._GENERATOR

    def run(self, command: Command) -> Completed:
        completed = self._linking.run(command)
        if "pip" in command.argv:
            (link,) = Path(command.argv[0]).parents[1].rglob("running.pth")
            link.unlink()
            link.with_name("datamodel_code_generator.py").write_text(self._generator, encoding="utf-8")
            link.with_name("ruff.py").write_text("", encoding="utf-8")
        return completed


def place_generator(cache_dir: Path, generator: str | None = None) -> Toolchain:
    """Put a generator with the locked name into a cache directory, so that no index is needed.

    ``generator`` is its source; by default it writes empty classes.
    """
    return make_toolchain(
        lock=lock_named(GENERATOR_LOCK),
        base_python=Path(sys.executable),
        cache_dir=cache_dir,
        env={},
        runner=GeneratingRunner(generator),
    )


def place_toolchain(cache_dir: Path) -> Toolchain:
    """Put the toolchain of an earlier run into a cache directory, so that no index is needed."""
    return make_toolchain(
        lock=lock_for("1.33.0"),
        base_python=Path(sys.executable),
        cache_dir=cache_dir,
        env={},
        runner=LinkingRunner(),
    )

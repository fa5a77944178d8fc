"""Find an interpreter with pip: environments that uv makes, ``uvx`` among them, have none."""

import sys
from importlib.util import find_spec
from pathlib import Path

from factory.build.toolchain import Lock, make_toolchain
from factory.cli.settings import Settings
from factory.system.process import Runner

_NOTHING = Lock(name="pip", content=b"# only pip, which venv installs\n")


def python_with_pip(settings: Settings, runner: Runner) -> Path:
    """Return this interpreter if it has pip, else one of the same version in an environment of the cache.

    Raises:
        ToolchainFailed: venv failed; see the log.
        ProbeFailed: The interpreter does not work.
    """
    python = Path(sys.executable)
    if find_spec("pip") is not None:
        return python
    return make_toolchain(
        lock=_NOTHING,
        base_python=python,
        cache_dir=settings.cache_dir,
        env=settings.environ,
        runner=runner,
    ).python

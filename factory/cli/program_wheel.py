"""Get the wheel of this program, for a bundle."""

from collections.abc import Callable, Mapping
from pathlib import Path

from factory import __version__
from factory.build.recipe import BACKEND_VERSION
from factory.build.toolchain import Lock, Toolchain, lock_for
from factory.core.errors import BuildError
from factory.system.process import Command, Runner

_DISTRIBUTION = "codex-wheel-factory"


def program_wheel(
    *,
    toolchain: Callable[[Lock], Toolchain],
    python: Path,
    env: Mapping[str, str],
    runner: Runner,
    scratch: Path,
) -> Path:
    """Build the wheel from the checkout that this program runs from, else download it from the index.

    Args:
        toolchain: Returns the environment of a lock; that of the wheels' backend builds this project, too.
        python: An interpreter with pip.
        env: The variables that pip needs.
        runner: Starts the processes.
        scratch: A directory for the wheel.

    Raises:
        BuildError: The build or the download failed.
    """
    root = Path(__file__).resolve().parents[2]
    argv: tuple[str, ...]
    if (root / "pyproject.toml").is_file():
        build = (str(toolchain(lock_for(BACKEND_VERSION)).python), "-I", "-m", "build", "--wheel")
        argv = (*build, "--no-isolation", "--outdir", str(scratch), str(root))
    else:
        options = ("--no-deps", "--only-binary", ":all:", "--no-input", "--quiet", "--dest", str(scratch))
        argv = (str(python), "-I", "-m", "pip", "download", *options, f"{_DISTRIBUTION}=={__version__}")
    completed = runner.run(Command(argv=argv, env=env))
    wheels = list(scratch.glob("*.whl"))
    if completed.returncode != 0 or len(wheels) != 1:
        tail = "".join(f"\n  {line}" for line in completed.output.splitlines()[-5:])
        raise BuildError(
            f"cannot get the wheel of {_DISTRIBUTION} {__version__} ({completed.reason}):{tail}",
            hint="Give it with --program-wheel FILE, or leave the program out with --no-program.",
        )
    return wheels[0]

"""Where the Codex CLI's executables of this installation are.

The package holds one release's executables for one platform and no other code.
"""

import os
from pathlib import Path

PACKAGE_NAME = "openai-codex-cli-bin"
"""The distribution's name, for messages and for `importlib.metadata`."""

__all__ = ["PACKAGE_NAME", "bundled_codex_path", "bundled_package_dir", "bundled_path_dir"]


def bundled_codex_path() -> Path:
    """Return the path of the ``codex`` executable.

    Raises:
        FileNotFoundError: The installation has none for this operating system.
    """
    return bundled_package_dir() / _codex()


def bundled_package_dir() -> Path:
    """Return the directory that holds the release: ``bin``, ``codex-path``, ``codex-resources``.

    It is known by its executable: releases before 0.133.0 have no ``codex-package.json``.

    Raises:
        FileNotFoundError: The installation has no executable for this operating system.
    """
    directory = Path(__file__).resolve().parent
    if not (directory / _codex()).is_file():
        message = (
            f"{PACKAGE_NAME} is installed without its executable {directory / _codex()}. "
            f"Install its wheel for this platform again: pip install --force-reinstall {PACKAGE_NAME}"
        )
        raise FileNotFoundError(message)
    return directory


def bundled_path_dir() -> Path | None:
    """Return the directory of tools that Codex wants on ``PATH``, or None where the release has none.

    Raises:
        FileNotFoundError: The installation has no executable for this operating system.
    """
    directory = bundled_package_dir() / "codex-path"
    return directory if directory.is_dir() else None


def _codex() -> Path:
    return Path("bin", "codex.exe" if os.name == "nt" else "codex")

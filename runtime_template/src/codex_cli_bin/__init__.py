"""Paths of the Codex CLI's executables in this installation.

The package contains the executables of one release for one platform, and no other code.
``python -m codex_cli_bin`` runs the ``codex`` executable.
"""

import os
from pathlib import Path

PACKAGE_NAME = "openai-codex-cli-bin"
"""The name of the distribution, for messages and for `importlib.metadata`."""

__all__ = ["PACKAGE_NAME", "bundled_codex_path", "bundled_package_dir", "bundled_path_dir"]


def bundled_codex_path() -> Path:
    """Return the path of the ``codex`` executable.

    Raises:
        FileNotFoundError: The installation has no executable for this operating system.
    """
    return bundled_package_dir() / _codex()


def bundled_package_dir() -> Path:
    """Return the directory of the release: ``bin``, ``codex-path``, ``codex-resources``.

    Its executable identifies it, since releases before 0.133.0 have no ``codex-package.json``.

    Raises:
        FileNotFoundError: The installation has no executable for this operating system.
    """
    directory = Path(__file__).resolve().parent
    if not (directory / _codex()).is_file():
        raise FileNotFoundError(_why_missing(directory))
    return directory


def bundled_path_dir() -> Path | None:
    """Return the directory of tools that Codex needs on ``PATH``; None if the release has none.

    Raises:
        FileNotFoundError: The installation has no executable for this operating system.
    """
    directory = bundled_package_dir() / "codex-path"
    return directory if directory.is_dir() else None


def _codex() -> Path:
    return Path("bin", "codex.exe" if os.name == "nt" else "codex")


def _why_missing(directory: Path) -> str:
    if directory.is_dir():
        return (
            f"{PACKAGE_NAME} is installed without its executable {directory / _codex()}. "
            f"Install its wheel for this platform again: pip install --force-reinstall {PACKAGE_NAME}"
        )
    return (
        f"{PACKAGE_NAME} is imported from an archive, and {directory} is not a directory. Executables start "
        f"only from a directory: unpack the archive, or, with PyInstaller, add --collect-data {__name__}"
    )

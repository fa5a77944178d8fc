"""Find out whether a place in the settings of pip or uv can have files of a project.

Only directories on this machine are looked at. Any other place can have them.
"""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from factory.audit.index_settings.setting import SettingsFiles

_DRIVE = re.compile(r"/[A-Za-z]:")
_FILE = "file:"


def may_list(value: str, project: str, files: SettingsFiles) -> bool:
    """Whether an index can have a page of a project.

    Args:
        value: The address or directory of the index.
        project: The normalised name.
        files: Where relative paths begin.
    """
    root = _local_path(value, files)
    return root is None or _is_there(root / project)


def may_link(value: str, project: str, files: SettingsFiles) -> bool:
    """Whether a directory of files, or a page, can have files of a project.

    Args:
        value: The address, directory or page.
        project: The normalised name.
        files: Where relative paths begin.
    """
    path = _local_path(value, files)
    if path is None:
        return True
    try:
        names = [canonicalize_name(entry.name) for entry in path.iterdir()]
    except FileNotFoundError:
        return False
    except OSError:  # it is a page, or cannot be read
        return True
    return any(name.startswith(f"{project}-") or name.endswith(("-html", "-htm")) for name in names)


def _local_path(value: str, files: SettingsFiles) -> Path | None:
    """Return the path of a place on this machine; None if it is, or may be, elsewhere."""
    if value.lower().startswith(_FILE):
        try:
            parts = urlsplit(value)
        except ValueError:
            return None
        text = unquote(parts.path)
        is_here = parts.netloc in {"", "localhost"} and text.startswith("/")
        return Path(text[1:] if _DRIVE.match(text) else text) if is_here else None
    if "://" in value:
        return None
    path = files.home / value[2:] if value.startswith("~/") else Path(value)
    # A relative path can begin at the working directory or at the directory of the file that has it.
    return path if path.is_absolute() else None


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True

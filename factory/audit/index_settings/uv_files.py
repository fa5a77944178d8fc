"""Find the configuration files that uv uses."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path, PurePath

from factory.audit.index_settings.setting import SettingsFiles, unusable
from factory.audit.index_settings.toml_table import TomlTable, read_toml

_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})


def uv_tables(environ: Mapping[str, str], files: SettingsFiles) -> Iterator[TomlTable]:
    """Yield the settings of the project, of the user and of the system, in the order of precedence.

    Raises:
        UsageError: A file cannot be read or parsed, or ``UV_CONFIG_FILE`` names none.
    """
    named = environ.get("UV_CONFIG_FILE")
    if named:
        path = files.directory / named
        table = read_toml(path)
        if table is None:
            raise unusable(path, "UV_CONFIG_FILE names it, and it does not exist")
        yield table
        return
    if _is_true(environ, "UV_NO_CONFIG"):
        return
    start = environ.get("UV_PROJECT") or environ.get("UV_WORKING_DIR") or ""
    yield from _of_project(files.directory / start)
    yield from _first_of(files.uv_user)
    if not _is_true(environ, "UV_NO_SYSTEM_CONFIG"):
        yield from _first_of(*files.uv_system)


def _is_true(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() in _TRUE


def _first_of(*paths: Path) -> Iterator[TomlTable]:
    for path in paths:
        table = read_toml(path)
        if table is not None:
            yield table
            return


def _of_project(directory: Path) -> Iterator[TomlTable]:
    """Yield the settings in the workspace of a directory, or else in the nearest directory with any."""
    start = _workspace(directory) or directory
    for place in (start, *start.parents):
        table = read_toml(place / "uv.toml") or _tool_table(place)
        if table is not None:
            yield table
            return


def _tool_table(directory: Path) -> TomlTable | None:
    """Return the table tool.uv of a directory's pyproject.toml, if it has one."""
    project = read_toml(directory / "pyproject.toml")
    tool = None if project is None else project.table("tool")
    return tool.table("uv") if tool is not None and "uv" in tool.members else None


def _workspace(directory: Path) -> Path | None:
    """Return the root of the workspace that the project of a directory is a member of.

    uv uses the settings of the root only, and ignores those of the members.
    """
    places = (directory, *directory.parents)
    project = next((place for place in places if (place / "pyproject.toml").is_file()), None)
    if project is None:
        return None
    for root in (project, *project.parents):
        table = _tool_table(root)
        if table is not None and "workspace" in table.members:
            return root if _is_member(project.relative_to(root), table.table("workspace")) else None
    return None


def _is_member(path: PurePath, workspace: TomlTable) -> bool:
    if path == PurePath():
        return True
    is_named = any(_matches(path, pattern.value) for pattern in workspace.texts("members"))
    return is_named and not any(_matches(path, pattern.value) for pattern in workspace.texts("exclude"))


def _matches(path: PurePath, pattern: str) -> bool:
    """Whether a path matches a glob, whose ``*`` stands for one name and ``**`` for any number of them."""
    if "**" in pattern:
        return fnmatch(path.as_posix(), pattern)
    parts = PurePath(pattern).parts
    return len(parts) == len(path.parts) and all(map(fnmatch, path.parts, parts))

"""Which members of a wheel Python imports or runs without being asked for by name."""

import keyword
from pathlib import PurePosixPath

_SOURCE_SUFFIXES = (".py", ".pyw", ".pyi", ".pyc", ".pyo", ".pyd", ".pth", ".egg-link")
_LIBRARY_SUFFIXES = (".so", ".dylib", ".sl")
_START_UP_MODULES = ("sitecustomize", "usercustomize")


def is_importable(name: str) -> bool:
    """Whether Python could import a member, or run it when it starts.

    File systems of macOS and Windows ignore case, so upper case counts, too. A shared library counts
    only where a module can be: in a directory that an import statement can name.
    """
    path = PurePosixPath(name.replace("\\", "/").casefold())
    if path.name.endswith(_SOURCE_SUFFIXES) or path.name.partition(".")[0] in _START_UP_MODULES:
        return True
    is_module_place = all(_is_module_name(part) for part in path.parts[:-1])
    return is_module_place and path.name.endswith(_LIBRARY_SUFFIXES)


def _is_module_name(part: str) -> bool:
    return part.isidentifier() and not keyword.iskeyword(part)

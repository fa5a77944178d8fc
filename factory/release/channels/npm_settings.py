"""npm's configuration: environment variables and npmrc files, as npm 11 reads them.

The rules are those of the page "npmrc" of npm's documentation. npm itself does not print tokens (``npm config
get`` calls them protected), so the files are read here; the npm program is not needed.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from factory.core.errors import UsageError

_PREFIX = "npm_config_"
_VARIABLE = re.compile(r"(?<!\\)(\\*)\$\{([^${}?]+)(\?)?\}")
_LINE = re.compile(r"([^=]+?)\s*(?:=\s*(.*))?", re.DOTALL)
_BEFORE_COMMENT = re.compile(r"(?:\\.?|[^\\;#])*", re.DOTALL)
_ESCAPED = re.compile(r"\\([\\;#])")


@dataclass(frozen=True, slots=True, kw_only=True)
class NpmSetting:
    """A value of npm's configuration.

    Attributes:
        value: It can be a secret, so the representation leaves it out.
        place: An environment variable, or a key and its file.
        missing: Environment variables that the value refers to and that are not set.
    """

    value: str = field(repr=False)
    place: str
    missing: tuple[str, ...] = ()

    @property
    def required(self) -> str:
        """The value, for a setting that is used.

        Raises:
            UsageError: It refers to a variable that is not set.
        """
        if self.missing:
            raise UsageError(
                f"the npm setting {self.place} refers to {', '.join(self.missing)}, which is not set",
                hint="Set the environment variable, or remove the line.",
            )
        return self.value


def read_npm_settings(environ: Mapping[str, str], files: Iterable[Path]) -> Mapping[str, NpmSetting]:
    """Return npm's settings by their keys.

    Args:
        environ: The environment variables.
        files: The npmrc files, with the one that overrides the others first; they need not exist.

    Raises:
        UsageError: A file exists and cannot be read; npm fails, too.
    """
    settings = dict(_of_environment(environ))
    for path in files:
        for key, setting in _of_file(path, environ):
            settings.setdefault(key, setting)
    return settings


def _of_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, NpmSetting]]:
    for name, value in environ.items():
        if name.lower().startswith(_PREFIX) and value:
            key = name[len(_PREFIX) :]
            # A key with an address is taken as it is; else npm writes hyphens for underscores.
            if not key.startswith("//"):
                key = (key[:1] + key[1:].replace("_", "-")).lower()
            yield key, NpmSetting(value=value, place=f"the variable {_PREFIX}{_shown(key)}")


def _of_file(path: Path, environ: Mapping[str, str]) -> Iterator[tuple[str, NpmSetting]]:
    """Yield the settings of a file, the last line of each key first, since that one counts."""
    try:
        lines = re.split(r"[\r\n]+", path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is not UTF-8"
        raise UsageError(
            f"cannot read the configuration file {path}: {reason}",
            hint="Correct the file or its permissions.",
        ) from error
    for line in reversed(lines):
        text = line.strip()
        if not text or text[0] in ";#[":
            continue
        match = _LINE.fullmatch(text)
        if match is not None and match[2] is not None:
            key, _ = _expanded(_unquoted(match[1]), environ)
            value, missing = _expanded(_unquoted(match[2]), environ)
            yield key, NpmSetting(value=value, place=f"{_shown(key)} in {path}", missing=missing)


def _unquoted(text: str) -> str:
    """Return a key or a value of npm's ini format without quotes, comments and escapes."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        inner = text[1:-1] if text[0] == "'" else text
        try:
            return str(json.loads(inner))
        except ValueError:
            return inner
    match = _BEFORE_COMMENT.match(text)
    return _ESCAPED.sub(r"\1", match[0] if match else "").strip()


def _expanded(text: str, environ: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Replace ``${NAME}``, and ``${NAME?}`` by nothing if it is not set; return the missing names, too."""
    missing = []

    def value(match: re.Match[str]) -> str:
        escapes, name, is_optional = match[1], match[2], match[3]
        if len(escapes) % 2:
            return match[0][(len(escapes) + 1) // 2 :]
        if name not in environ and not is_optional:
            missing.append(name)
        return escapes[len(escapes) // 2 :] + environ.get(name, "")

    return _VARIABLE.sub(value, text), tuple(missing)


def _shown(key: str) -> str:
    """Return a key without a user name and password in its address."""
    return re.sub(r"^//[^/]*@", "//", key)

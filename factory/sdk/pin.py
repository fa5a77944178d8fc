"""The pin of a manifest: the exact requirement with its hashes, in the formats that installers read."""

import os
import shlex
from enum import StrEnum
from html import escape
from pathlib import Path
from urllib.parse import quote

import tomlkit
from packaging.pylock import Package, PackageWheel, Pylock
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.build.template import DISTRIBUTION
from factory.core.errors import UsageError
from factory.manifest.manifest import WheelRecord
from factory.verify.proof import ProvenManifest

PYLOCK_VERSION = Version("1.0")
"""https://packaging.python.org/specifications/pylock-toml/"""
REQUIREMENTS_NAME = "requirements-codex.txt"
_UV_INDEX = "codex"
"""The name of the index that ``uv add`` writes to a project."""
_INDEX_PAGE = """\
<!DOCTYPE html>
<html>
<head><meta charset="utf-8"><title>{project}</title></head>
<body>
{links}
</body>
</html>
"""


class PinFormat(StrEnum):
    """The formats of a pin."""

    REQUIREMENT = "requirement"
    REQUIREMENTS = "requirements"
    PYLOCK = "pylock"
    INDEX = "index"
    COMMANDS = "commands"


def render_pin(proven: ProvenManifest, form: PinFormat, *, output: Path | None = None) -> str:
    """Return a pin in one format, with a newline at its end.

    Args:
        proven: The manifest.
        form: The format.
        output: The file that the pin is for. The formats with paths name the wheels relative to it;
            None is the usual place: the wheels' directory, or `index_page_path`.

    Raises:
        UsageError: No relative path leads from the file to the wheels (Windows, two drives).
    """
    match form:
        case PinFormat.REQUIREMENT:
            return f"{requirement(proven)}\n"
        case PinFormat.REQUIREMENTS:
            return requirements(proven)
        case PinFormat.PYLOCK:
            return pylock(proven, place=proven.directory if output is None else output.parent)
        case PinFormat.INDEX:
            return index_page(proven, place=(output or index_page_path(proven)).parent)
        case PinFormat.COMMANDS:
            return commands(proven)


def requirement(proven: ProvenManifest) -> str:
    """Return the requirement, ``openai-codex-cli-bin==0.163.0``."""
    return f"{DISTRIBUTION}=={proven.manifest.tag.pep440}"


def requirements(proven: ProvenManifest) -> str:
    """Return a requirements file with hashes: pip installs only these wheels."""
    hashes = (f"    --hash=sha256:{wheel.sha256}" for wheel in proven.wheels)
    return " \\\n".join((requirement(proven), *hashes)) + "\n"


def pylock(proven: ProvenManifest, *, place: Path) -> str:
    """Return a ``pylock.toml`` (PEP 751) for a directory: it names the wheels by relative paths."""
    lock = Pylock(
        lock_version=PYLOCK_VERSION,
        created_by="codex-wheel-factory",
        packages=[
            Package(
                name=canonicalize_name(DISTRIBUTION),
                version=Version(proven.manifest.tag.pep440),
                wheels=[
                    PackageWheel(
                        name=wheel.name,
                        path=_relative(proven, wheel, place),
                        size=wheel.size_bytes,
                        hashes={"sha256": str(wheel.sha256)},
                    )
                    for wheel in proven.wheels
                ],
            )
        ],
    )
    lock.validate()
    return tomlkit.dumps(lock.to_dict())


def index_page(proven: ProvenManifest, *, place: Path) -> str:
    """Return a project page of the simple repository API, with hashes and relative links.

    https://packaging.python.org/specifications/simple-repository-api/. pip prefers a link with an
    allowed hash to every other candidate (``has_allowed_hash`` in its ``CandidateEvaluator``), and
    uv writes the hashes to its lock. A plain directory of wheels has neither effect.
    """
    links = (
        f'<a href="{escape(quote(_relative(proven, wheel, place)))}#sha256={wheel.sha256}">'
        f"{escape(wheel.name)}</a><br>"
        for wheel in proven.wheels
    )
    return _INDEX_PAGE.format(project=DISTRIBUTION, links="\n".join(links))


def index_page_path(proven: ProvenManifest) -> Path:
    """Return where the project page must be, so that the wheels' directory is an index."""
    return proven.directory.absolute() / canonicalize_name(DISTRIBUTION) / "index.html"


def commands(proven: ProvenManifest) -> str:
    """Return commands for a shell; they contain absolute paths, so they run in any directory.

    pip takes the hashes from the index page: with ``--find-links DIRECTORY`` it prefers a file of
    the same name on an index or in another directory of its settings, and then fails. uv reads a
    directory, but no page, as ``--find-links``.
    """
    directory = proven.directory.absolute()
    page = index_page_path(proven)
    pin = ("factory", "sdk", "pin", str(directory), *proven.terms.options, "--format")
    install = ("--require-hashes", "-r", REQUIREMENTS_NAME)
    index = f"{_UV_INDEX}={directory.as_uri()}"  # uv splits a path at its spaces
    steps = (
        ("write the hashes", (*pin, PinFormat.REQUIREMENTS, "--output", REQUIREMENTS_NAME)),
        ("make the directory an index", (*pin, PinFormat.INDEX, "--output", str(page))),
        (
            "install with pip",
            ("python", "-m", "pip", "install", "--no-index", "--find-links", str(page), *install),
        ),
        ("or with uv", ("uv", "pip", "install", "--no-index", "--find-links", str(directory), *install)),
        ("or add to a uv project", ("uv", "add", requirement(proven), "--index", index)),
    )
    return "".join(f"# {what}\n{_for_shell(words)}\n" for what, words in steps)


def _relative(proven: ProvenManifest, wheel: WheelRecord, place: Path) -> str:
    """Return the path from a directory to a wheel, with forward slashes."""
    try:
        # Path.relative_to has no walk_up before Python 3.12.
        return Path(os.path.relpath(proven.directory / wheel.name, place)).as_posix()
    except ValueError as error:
        raise UsageError(
            f"no relative path leads from {place} to {proven.directory}",
            hint="Choose an --output on the drive of the wheels.",
        ) from error


def _for_shell(words: tuple[str, ...]) -> str:
    if os.name != "nt":
        return shlex.join(words)
    return " ".join(f'"{word}"' if " " in word else word for word in words)

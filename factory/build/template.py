"""The runtime template: the wheel project around a payload."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from factory.core.errors import HostError
from factory.core.tags import CodexTag
from factory.core.targets import Platform

DISTRIBUTION = "openai-codex-cli-bin"
PACKAGE = "codex_cli_bin"
SOURCE_DIRECTORY = PurePosixPath("src", PACKAGE)
"""Where the import package, and the payload beside it, lies in a staged runtime."""

TEMPLATE_PATHS = (
    "LICENSE",
    "README.md",
    "THIRD_PARTY_NOTICES.md",
    "hatch_build.py",
    "pyproject.toml",
    "src/codex_cli_bin/__init__.py",
    "src/codex_cli_bin/py.typed",
)
"""The files of the template; named, so that a stray file beside them has no say."""


def wheel_name(tag: CodexTag, platform: Platform) -> str:
    """Return the file name of a platform's wheel, ``openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl``.

    The escaping is that of the binary distribution format,
    https://packaging.python.org/specifications/binary-distribution-format/.
    """
    return f"{DISTRIBUTION.replace('-', '_')}-{tag.pep440}-{platform.wheel_tag}.whl"


class TemplateMissing(HostError):
    """The runtime template is not where the factory's installation has it."""

    hint = "Install the factory again, or run it from a whole checkout."

    def __init__(self, path: Path) -> None:
        super().__init__(f"the runtime template lacks {path}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFile:
    """One file of the wheel project around the payload."""

    path: PurePosixPath
    content: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The wheel project around the payload, sorted by path."""

    files: tuple[TemplateFile, ...]

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the template's files; line ends become LF, whatever a checkout made of them.

        Raises:
            TemplateMissing: The directory lacks one of them.
        """
        return cls(files=tuple(_template_file(directory, path) for path in sorted(TEMPLATE_PATHS)))

    def content(self, path: str) -> bytes:
        """Return a file's bytes; the path is one that the template has."""
        return next(file.content for file in self.files if file.path == PurePosixPath(path))


def bundled_template() -> Template:
    """Load the template that belongs to this factory: from its wheel, or from the checkout around it."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_runtime_template"
    return Template.load(installed if installed.is_dir() else package.parent / "runtime_template")


def _template_file(directory: Path, path: str) -> TemplateFile:
    try:
        content = (directory / path).read_bytes()
    except OSError as error:
        raise TemplateMissing(directory / path) from error
    return TemplateFile(path=PurePosixPath(path), content=content.replace(b"\r\n", b"\n"))

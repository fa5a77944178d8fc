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
"""The directory of the import package and of the payload in a staged runtime."""

TEMPLATE_PATHS = (
    "LICENSE",
    "README.md",
    "THIRD_PARTY_NOTICES.md",
    "hatch_build.py",
    "pyproject.toml",
    "src/codex_cli_bin/__init__.py",
    "src/codex_cli_bin/__main__.py",
    "src/codex_cli_bin/py.typed",
)
"""The files of the template; an explicit list, so that a stray file does not get into a wheel."""


def wheel_name(tag: CodexTag, platform: Platform) -> str:
    """Return the file name of a platform's wheel, ``openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl``.

    The escaping is that of the binary distribution format,
    https://packaging.python.org/specifications/binary-distribution-format/.
    """
    return f"{DISTRIBUTION.replace('-', '_')}-{tag.pep440}-{platform.wheel_tag}.whl"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFile:
    """One file of the wheel project."""

    path: PurePosixPath
    content: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The wheel project around the payload, sorted by path."""

    files: tuple[TemplateFile, ...]

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the files of the template, with LF line ends even if the checkout has others.

        Raises:
            HostError: A file is missing.
        """
        return cls(files=tuple(_template_file(directory, path) for path in sorted(TEMPLATE_PATHS)))

    def content(self, path: str) -> bytes:
        """Return the bytes of a file of the template."""
        return next(file.content for file in self.files if file.path == PurePosixPath(path))


def bundled_template() -> Template:
    """Load the template of this factory, from its wheel or from its checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_runtime_template"
    return Template.load(installed if installed.is_dir() else package.parent / "runtime_template")


def _template_file(directory: Path, path: str) -> TemplateFile:
    try:
        content = (directory / path).read_bytes()
    except OSError as error:
        raise HostError(
            f"the runtime template lacks {directory / path}",
            hint="Install the factory again, or run it from a complete checkout.",
        ) from error
    return TemplateFile(path=PurePosixPath(path), content=content.replace(b"\r\n", b"\n"))

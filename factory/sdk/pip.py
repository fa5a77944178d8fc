"""Run pip: download an SDK, build one into a wheel, install into an environment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from factory.core.errors import UpstreamError
from factory.system.files import writing
from factory.system.process import Command, Completed, Runner

_TAIL_LINES = 6
_TIMEOUT_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Local directories for pip, in addition to the index that its configuration names.

    Attributes:
        find_links: Directories of wheels and sdists.
        is_local: Use these directories only, and no index.
    """

    find_links: tuple[Path, ...] = ()
    is_local: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """The options of pip's command line."""
        links = (part for path in self.find_links for part in ("--find-links", str(path.absolute())))
        return (*(("--no-index",) if self.is_local else ()), *links)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pip:
    """The pip of an interpreter.

    Attributes:
        env: The user's environment, with proxies, certificates and ``PIP_*`` variables.
    """

    python: Path
    env: Mapping[str, str]
    runner: Runner
    sources: Sources = Sources()

    def download(self, requirement: str, directory: Path) -> Path:
        """Download a requirement, without its dependencies, to a new directory.

        Raises:
            UpstreamError: pip did not download exactly one file.
        """
        options = ("--no-deps", "--dest", str(directory), *self.sources.options)
        return self._one_file(f"download {requirement}", ("download", *options, requirement), directory)

    def collect(self, requirements: Sequence[str], directory: Path) -> None:
        """Download requirements with their dependencies, as wheels for this interpreter, to a new directory.

        Raises:
            UpstreamError: pip failed.
        """
        with writing(directory):
            directory.mkdir(parents=True)
        if requirements:
            options = ("--only-binary", ":all:", "--dest", str(directory), *self.sources.options)
            self._run(f"download {', '.join(requirements)}", ("download", *options, *requirements))

    def build(self, source: Path, directory: Path) -> Path:
        """Build a project or an sdist into a wheel, by its own backend, in a new directory.

        Raises:
            UpstreamError: pip did not build exactly one wheel.
        """
        options = ("--no-deps", "--wheel-dir", str(directory), *self.sources.options)
        return self._one_file(f"build {source.name}", ("wheel", *options, str(source.absolute())), directory)

    def install(self, what: str, *arguments: str) -> None:
        """Install into the interpreter's environment.

        Raises:
            UpstreamError: pip failed.
        """
        self._run(f"install {what}", ("install", "--no-warn-script-location", *arguments))

    def _one_file(self, what: str, words: tuple[str, ...], directory: Path) -> Path:
        with writing(directory):
            directory.mkdir(parents=True)
        completed = self._run(what, words)
        files = list(directory.iterdir())
        if len(files) != 1:
            raise _failed(what, completed)
        return files[0]

    def _run(self, what: str, words: tuple[str, ...]) -> Completed:
        command, *arguments = words
        quiet = ("--disable-pip-version-check", "--no-input", "--quiet")
        argv = (str(self.python), "-I", "-m", "pip", command, *quiet, *arguments)
        completed = self.runner.run(Command(argv=argv, env=self.env, timeout_s=_TIMEOUT_S))
        if completed.returncode != 0:
            raise _failed(what, completed)
        return completed


def fetch_sdk(text: str, *, pip: Pip, scratch: Path) -> Path:
    """Return the path of an SDK; an exact requirement is downloaded first, unless a file has its name.

    Anything else is taken as a path: a mistyped path must not download somebody's package.

    Raises:
        UpstreamError: pip could not download it.
    """
    path = Path(text)
    if path.exists() or not is_exact_requirement(text):
        return path
    return pip.download(text, scratch / "download")


def is_exact_requirement(text: str) -> bool:
    """Whether a text is a requirement of one exact version, ``openai-codex==0.163.0``."""
    try:
        specifiers = list(Requirement(text).specifier)
    except InvalidRequirement:
        return False
    return [specifier.operator for specifier in specifiers] == ["=="] and "*" not in specifiers[0].version


def _failed(what: str, completed: Completed) -> UpstreamError:
    lines = [line.strip() for line in completed.output.splitlines() if line.strip()]
    tail = "".join(f"\n  {line}" for line in lines[-_TAIL_LINES:])
    return UpstreamError(
        f"pip could not {what} ({completed.reason}):{tail}",
        hint="Read pip's output; with --find-links DIR --no-index, pip uses only the files of a directory.",
    )

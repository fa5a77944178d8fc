"""pip, as far as an SDK needs it: bring one, build one, install one into a clean environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from factory.core.errors import UpstreamError
from factory.system.files import writing
from factory.system.process import Command, Completed, Runner

_TAIL_LINES = 6
_TIMEOUT_S = 900.0


class PipFailed(UpstreamError):
    """pip could not bring, build or install something."""

    hint = "Read what pip says; with --find-links DIR --no-index it takes what lies in a directory only."

    def __init__(self, what: str, completed: Completed) -> None:
        said = [line.strip() for line in completed.output.splitlines() if line.strip()]
        told = "".join(f"\n  {line}" for line in said[-_TAIL_LINES:])
        super().__init__(f"pip could not {what} ({completed.reason}):{told}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where pip looks besides, or instead of, the index of its own configuration.

    Attributes:
        find_links: Directories of wheels and sdists.
        is_local: Look in those directories and nowhere else.
    """

    find_links: tuple[Path, ...] = ()
    is_local: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """How pip is told."""
        links = (part for path in self.find_links for part in ("--find-links", str(path.absolute())))
        return (*(("--no-index",) if self.is_local else ()), *links)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pip:
    """An interpreter's pip.

    Attributes:
        python: The interpreter.
        env: The caller's environment: proxies, certificates, ``PIP_*``.
        runner: What starts processes.
        sources: Where to look.
    """

    python: Path
    env: Mapping[str, str]
    runner: Runner
    sources: Sources = Sources()

    def download(self, requirement: str, directory: Path) -> Path:
        """Bring what a requirement names into an empty directory, without its dependencies.

        Raises:
            PipFailed: There is none, or the index does not answer.
        """
        options = ("--no-deps", "--dest", str(directory), *self.sources.options)
        return self._one_file(f"bring {requirement}", ("download", *options, requirement), directory)

    def build(self, source: Path, directory: Path) -> Path:
        """Build a project or an sdist by its own backend into a wheel, in an empty directory.

        Raises:
            PipFailed: It does not build.
        """
        options = ("--no-deps", "--wheel-dir", str(directory), *self.sources.options)
        return self._one_file(f"build {source.name}", ("wheel", *options, str(source.absolute())), directory)

    def install(self, what: str, *arguments: str) -> None:
        """Install into the interpreter's environment.

        Raises:
            PipFailed: It does not install.
        """
        self._run(f"install {what}", ("install", "--no-warn-script-location", *arguments))

    def _one_file(self, what: str, words: tuple[str, ...], directory: Path) -> Path:
        with writing(directory):
            directory.mkdir(parents=True)
        completed = self._run(what, words)
        files = list(directory.iterdir())
        if len(files) != 1:
            raise PipFailed(what, completed)
        return files[0]

    def _run(self, what: str, words: tuple[str, ...]) -> Completed:
        command, *arguments = words
        quiet = ("--disable-pip-version-check", "--no-input", "--quiet")
        argv = (str(self.python), "-I", "-m", "pip", command, *quiet, *arguments)
        completed = self.runner.run(Command(argv=argv, env=self.env, timeout_s=_TIMEOUT_S))
        if completed.returncode != 0:
            raise PipFailed(what, completed)
        return completed


def fetch_sdk(text: str, *, pip: Pip, scratch: Path) -> Path:
    """Return where an SDK is; what is no path and names one exact version is downloaded first.

    Only an exact requirement is one: a mistyped path must not become somebody's package.

    Raises:
        PipFailed: It could not be brought.
    """
    path = Path(text)
    return (
        pip.download(text, scratch / "download") if is_exact_requirement(text) and not path.exists() else path
    )


def is_exact_requirement(text: str) -> bool:
    """Whether a text is a requirement of one version, ``openai-codex==0.163.0``."""
    try:
        specifiers = list(Requirement(text).specifier)
    except InvalidRequirement:
        return False
    return [specifier.operator for specifier in specifiers] == ["=="] and "*" not in specifiers[0].version

"""What a case works with, and how it says what it saw."""

import importlib
import sys
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from factory.sdk.accept.driver.sdk_protocols import Codex, Configuration
from factory.sdk.model_server import Answer, ModelServer, model_server

ErrorT = TypeVar("ErrorT", bound=BaseException)
_FAKE_APP_SERVER = "factory.sdk.accept.driver.fake_app_server"


class CaseFailed(Exception):
    """The case saw something else than what the SDK documents."""


class CannotRun(Exception):
    """The case could not look: neither a pass nor a failure."""


def expect(is_so: bool, seen: str) -> None:  # noqa: FBT001 - reads as an assertion
    """Fail the case with what was seen, unless it is as documented."""
    if not is_so:
        raise CaseFailed(seen)


def expect_error(kind: type[ErrorT], action: Callable[[], object]) -> ErrorT:
    """Do what must fail, and return how it failed."""
    try:
        result = action()
    except kind as error:
        return error
    except Exception as error:
        raise CaseFailed(f"{kind.__name__} was due, and there was {type(error).__name__}: {error}") from error
    raise CaseFailed(f"{kind.__name__} was due, and there was none: {result!r}")


def expect_count(seen: Sized, due: int, what: str) -> None:
    """Fail the case unless something was done so many times."""
    expect(len(seen) == due, f"{what}: {len(seen)}, where {due} were due")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseContext:
    """A case's surroundings.

    Attributes:
        home: An existing directory of this case's own.
        codex: What to start in place of the installed executable; None for that itself.
        version: What the runtime must say it is.
    """

    home: Path
    codex: str | None
    version: str

    @property
    def sdk(self) -> ModuleType:
        """The SDK, whose version is known only here."""
        return importlib.import_module("openai_codex")

    def configuration(self) -> Configuration:
        """Configure the SDK for the runtime under test."""
        work = self.home / "work"
        work.mkdir(exist_ok=True)
        configured: Configuration = self.sdk.CodexConfig(
            codex_bin=self.codex, cwd=str(work), env={"CODEX_HOME": str(self.codex_home)}
        )
        return configured

    def fake(self, *behaviour: str) -> Configuration:
        """Configure the SDK for an app-server of our own, which behaves as it is told."""
        argv = (sys.executable, "-m", _FAKE_APP_SERVER, *behaviour)
        configured: Configuration = self.sdk.CodexConfig(launch_args_override=argv)
        return configured

    @property
    def codex_home(self) -> Path:
        """Where the runtime keeps its threads."""
        return self.home / "codex-home"

    @contextmanager
    def model(self, *script: Answer) -> Iterator[ModelServer]:
        """Let a model answer as the script says, to this case alone."""
        with model_server(script) as server:
            server.configure(self.codex_home)
            yield server

    @contextmanager
    def talk(self, *script: Answer) -> Iterator[tuple[Codex, ModelServer]]:
        """Open a client whose model answers as the script says."""
        with self.model(*script) as server, self.open() as codex:
            yield codex, server

    def open(self, configuration: Configuration | None = None) -> Codex:
        """Construct a client of the runtime under test, or of what the configuration says."""
        client: Codex = self.sdk.Codex(configuration or self.configuration())
        return client

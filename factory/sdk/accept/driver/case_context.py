"""What every case function gets, and the assertions that it uses."""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from factory.core.case_result import UnparsedMessage
from factory.sdk.accept.driver.sdk_protocols import Codex, Configuration
from factory.sdk.accept.driver.sdk_style import SdkStyle, style_of
from factory.sdk.model_server import Answer, ModelServer, model_server

ErrorT = TypeVar("ErrorT", bound=BaseException)
_FAKE_APP_SERVER = "factory.sdk.accept.driver.fake_app_server"


class CaseFailed(Exception):
    """The SDK or the runtime does not do what the SDK documents.

    Attributes:
        unparsed: The messages that the SDK cannot parse, if the case is about them.
    """

    def __init__(self, seen: str, unparsed: tuple[UnparsedMessage, ...] | None = None) -> None:
        super().__init__(seen)
        self.unparsed = unparsed


class CannotRun(Exception):
    """The case cannot be run here, so it neither passes nor fails."""


class NotApplicable(Exception):
    """The runtime of this release does not have what the case tests."""


def expect(is_so: bool, seen: str) -> None:  # noqa: FBT001 - reads as an assertion
    """Fail the case with what was seen, unless the condition holds."""
    if not is_so:
        raise CaseFailed(seen)


def expect_error(kind: type[ErrorT] | tuple[type[ErrorT], ...], action: Callable[[], object]) -> ErrorT:
    """Return the error that the action raises; fail the case if it raises another one or none."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    expected = " or ".join(each.__name__ for each in kinds)
    try:
        result = action()
    except kinds as error:
        return error
    except Exception as error:
        raise CaseFailed(f"expected {expected}, got {type(error).__name__}: {error}") from error
    raise CaseFailed(f"expected {expected}, got no error: {result!r}")


def expect_count(seen: Sized, expected: int, what: str) -> None:
    """Fail the case unless there are so many of something."""
    expect(len(seen) == expected, f"{what}: expected {expected}, got {len(seen)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseContext:
    """What a case works with.

    Attributes:
        home: An existing directory for this case alone.
        package: The name under which the SDK is imported.
        codex: The program to start instead of the installed executable, if any.
        version: The version that the runtime must report.
        environ: The variables that the SDK starts the runtime with.
    """

    home: Path
    package: str
    codex: str | None
    version: str
    environ: Mapping[str, str]

    @property
    def sdk(self) -> ModuleType:
        """The SDK's package; imported here, since only the clean environment has it."""
        return importlib.import_module(self.package)

    @property
    def style(self) -> SdkStyle:
        """How this kind of SDK does what several cases need."""
        return style_of(self.package)

    @property
    def codex_home(self) -> Path:
        """Where the runtime keeps its configuration and threads."""
        return self.home / "codex-home"

    def configuration(self) -> Configuration:
        """Configure the SDK to start the runtime under test."""
        work = self.home / "work"
        work.mkdir(exist_ok=True)
        configured: Configuration = self.sdk.CodexConfig(
            codex_bin=self.codex, cwd=str(work), env={"CODEX_HOME": str(self.codex_home)}
        )
        return configured

    def fake(self, *behaviour: str) -> Configuration:
        """Configure the SDK to start the fake app-server with these arguments."""
        argv = (sys.executable, "-m", _FAKE_APP_SERVER, *behaviour)
        configured: Configuration = self.sdk.CodexConfig(launch_args_override=argv)
        return configured

    @contextmanager
    def model(self, *script: Answer, features: Sequence[str] = ()) -> Iterator[ModelServer]:
        """Run a model server for this case that gives the scripted answers, with features of Codex on."""
        with model_server(script) as server:
            server.configure(self.codex_home, features)
            yield server

    @contextmanager
    def talk(self, *script: Answer) -> Iterator[tuple[Codex, ModelServer]]:
        """Open a client whose model gives the scripted answers."""
        with self.model(*script) as server, self.open() as codex:
            yield codex, server

    def open(self, configuration: Configuration | None = None) -> Codex:
        """Construct a client, of the runtime under test unless a configuration is given."""
        client: Codex = self.sdk.Codex(configuration or self.configuration())
        return client

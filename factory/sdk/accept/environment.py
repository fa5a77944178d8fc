"""A clean environment with the runtime under test and an SDK in it, and the driver beside it."""

import os
import shlex
import zipfile
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from packaging.metadata import Metadata
from packaging.utils import canonicalize_name

from factory.build.template import DISTRIBUTION, PACKAGE
from factory.core.errors import BuildError, UsageError
from factory.sdk.accept.wheel_under_test import LaunchMethod, RuntimeWheel
from factory.sdk.pip import Pip
from factory.sdk.sdk_files import NoSdk
from factory.system.files import writing
from factory.system.process import Command, Runner
from factory.verify.smoke import Host

COPIED_MODULES = (
    "__init__.py",
    "core/__init__.py",
    "core/case_result.py",
    "sdk/__init__.py",
    "sdk/model_server.py",
    "sdk/accept/__init__.py",
)
"""What the driver imports of the factory, besides its own package: standard library only."""
_DRIVER = "sdk/accept/driver"
_DEAD_PROXY = "http://127.0.0.1:9"
_ASK_PATHS = (
    "import sysconfig; print(sysconfig.get_path('purelib'))",
    f"import {PACKAGE}; print({PACKAGE}.bundled_codex_path())",
)


class OtherRuntimeRequired(UsageError):
    """The SDK requires another runtime than the one under test."""

    hint = "Give the SDK of that release, or --repin: it sets the requirement as 'factory stage-sdk' does."

    def __init__(self, sdk: Path, requirement: str, runtime: RuntimeWheel) -> None:
        super().__init__(f"{sdk.name} requires {requirement}, and the runtime is {runtime.tag.pep440}")


class EnvironmentFailed(BuildError):
    """A step of making the environment failed."""

    hint = "On Debian, 'apt install python3-venv' gives venv its pip; 'factory doctor' tells what is there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A ready environment.

    Attributes:
        python: Its interpreter.
        modules: Where the driver is.
        codex: What the SDK shall start instead of the installed executable, if not that itself.
    """

    python: Path
    modules: Path
    codex: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceContext:
    """Where an environment is made, and with what.

    Attributes:
        directory: An existing directory of its own.
        host: What this machine is.
        pip: Any interpreter's pip; its sources and surroundings are used for the new one's.
    """

    directory: Path
    host: Host
    pip: Pip

    @property
    def runner(self) -> Runner:
        """What starts processes."""
        return self.pip.runner


def make_environment(
    runtime: RuntimeWheel, method: LaunchMethod, sdk: Path, context: AcceptanceContext
) -> Environment:
    """Install the very wheel under test, by its digest, and the SDK with whatever it requires besides.

    Raises:
        NoSdk: The SDK is no wheel.
        OtherRuntimeRequired: It wants another runtime.
        PipFailed: Something does not install.
        EnvironmentFailed: There is no environment to install into.
    """
    _require_served(sdk, runtime)
    python = _make_venv(context)
    pip = replace(context.pip, python=python)
    _install_runtime(runtime, method, context, pip)
    exactly = context.directory / "constraints.txt"
    _write(exactly, f"{DISTRIBUTION}=={runtime.tag.pep440}\n")
    pip.install(sdk.name, "--constraint", str(exactly), *pip.sources.options, str(sdk.absolute()))
    modules = context.directory / "modules"
    copy_driver(modules)
    codex = None if method.emulator is None else _launcher(method.emulator, context, python)
    return Environment(python=python, modules=modules, codex=codex)


def case_environ(environment: Environment, host: Host, home: Path) -> dict[str, str]:
    """Return all that a case's processes see: no account, no configuration, and no way out but loopback."""
    proxies = dict.fromkeys(
        ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), _DEAD_PROXY
    )
    own = {
        "HOME": str(home),
        "TMPDIR": str(home),
        "PATH": os.defpath,
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": str(environment.modules),
    }
    return {**host.env, **proxies, **own}


def copy_driver(destination: Path) -> None:
    """Write the driver and the modules that it imports, so that no other of the factory can be imported."""
    root = files("factory")
    driver = (entry for entry in root.joinpath(_DRIVER).iterdir() if entry.name.endswith(".py"))
    for name in COPIED_MODULES:
        _copy(root.joinpath(name), destination / "factory" / name)
    for entry in driver:
        _copy(entry, destination / "factory" / _DRIVER / entry.name)


def _copy(source: Traversable, destination: Path) -> None:
    with writing(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
        destination.write_bytes(source.read_bytes())


def _write(path: Path, text: str) -> None:
    with writing(path):
        path.write_text(text, encoding="utf-8")


def _make_venv(context: AcceptanceContext) -> Path:
    venv = context.directory / "venv"
    _ask(context, "make an environment", (str(context.host.python), "-I", "-m", "venv", str(venv)))
    windows = venv / "Scripts" / "python.exe"
    return windows if windows.exists() else venv / "bin" / "python"


def _install_runtime(
    runtime: RuntimeWheel, method: LaunchMethod, context: AcceptanceContext, pip: Pip
) -> None:
    """Install one file by its digest; for another processor pip is told to take the platform's word."""
    exactly = context.directory / "runtime.txt"
    uri = runtime.wheel.absolute().as_uri()
    _write(exactly, f"{DISTRIBUTION} @ {uri} --hash=sha256:{runtime.sha256}\n")
    options = ("--no-deps", "--no-index", "--no-cache-dir", "--require-hashes", "--requirement", str(exactly))
    foreign: tuple[str, ...] = ()
    if method.emulator is not None:
        place = _ask(context, "find its packages", (str(pip.python), "-I", "-c", _ASK_PATHS[0]))
        foreign = ("--only-binary", ":all:", "--platform", runtime.platform.tag, "--target", place)
    pip.install(runtime.wheel.name, *options, *foreign)


def _launcher(emulator: Path, context: AcceptanceContext, python: Path) -> Path:
    """Write the program that the SDK's executable override names: the emulator with the executable."""
    executable = _ask(context, "find the executable", (str(python), "-I", "-c", _ASK_PATHS[1]))
    launcher = context.directory / "codex"
    _write(launcher, f'#!/bin/sh\nexec {shlex.join((str(emulator), executable))} "$@"\n')
    launcher.chmod(0o755)
    return launcher


def _ask(context: AcceptanceContext, what: str, argv: tuple[str, ...]) -> str:
    completed = context.runner.run(Command(argv=argv, env=context.host.env, timeout_s=300.0))
    if completed.returncode != 0:
        raise EnvironmentFailed(f"could not {what}: {completed.reason}: {completed.output.strip()[-300:]}")
    return completed.output.strip()


def _require_served(sdk: Path, runtime: RuntimeWheel) -> None:
    try:
        with zipfile.ZipFile(sdk) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            requirements = Metadata.from_email(archive.read(name), validate=False).requires_dist or ()
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise NoSdk(sdk, f"it is no whole wheel: {error}") from error
    for requirement in requirements:
        is_runtime = canonicalize_name(requirement.name) == DISTRIBUTION
        if is_runtime and not requirement.specifier.contains(runtime.tag.pep440, prereleases=True):
            raise OtherRuntimeRequired(sdk, str(requirement), runtime)

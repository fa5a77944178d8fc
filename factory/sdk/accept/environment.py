"""Create a clean environment that holds the runtime under test, an SDK and the driver."""

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
from factory.core.counted import counted
from factory.core.errors import BuildError, UsageError
from factory.sdk.accept.wheel_under_test import LaunchMethod, RuntimeWheel
from factory.sdk.pip import Pip
from factory.sdk.sdk_files import UnusableSdk
from factory.system.files import writing
from factory.system.host import Host
from factory.system.process import Command, Runner

COPIED_MODULES = (
    "__init__.py",
    "core/__init__.py",
    "core/case_result.py",
    "core/counted.py",
    "core/errors.py",
    "core/form.py",
    "core/json_reader.py",
    "sdk/__init__.py",
    "sdk/model_server.py",
    "sdk/accept/__init__.py",
    "sdk/parsing/__init__.py",
    "sdk/parsing/instances.py",
    "sdk/parsing/messages.py",
    "sdk/parsing/parse_script.py",
    "sdk/types/__init__.py",
    "sdk/types/describe.py",
    "sdk/types/directions.py",
    "sdk/types/methods.py",
    "sdk/types/schema.py",
    "system/__init__.py",
    "system/parallel.py",
    "system/process.py",
)
"""What the driver imports from the factory besides its own package; standard library only."""
_DRIVER = "sdk/accept/driver"
_DEAD_PROXY = "http://127.0.0.1:9"
_PRINT_PURELIB = "import sysconfig; print(sysconfig.get_path('purelib'))"
_CODE_MODE_HOST = "codex-code-mode-host"
_PRINT_CODEX = f"import {PACKAGE}; print({PACKAGE}.bundled_codex_path())"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment in which cases can run.

    Attributes:
        modules: The directory that the driver was copied to.
        package: The name under which the SDK is imported.
        codex: The program that the SDK starts instead of the installed executable, if any.
    """

    python: Path
    modules: Path
    package: str
    codex: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceContext:
    """What every step of an acceptance run needs.

    Attributes:
        directory: An existing scratch directory for this run alone.
        pip: Any interpreter's pip; the new environment's pip takes over its sources and variables.
    """

    directory: Path
    host: Host
    pip: Pip

    @property
    def runner(self) -> Runner:
        """The runner that starts every process."""
        return self.pip.runner


def make_environment(
    runtime: RuntimeWheel, method: LaunchMethod, sdk: Path, context: AcceptanceContext
) -> Environment:
    """Install the wheel under test, by its digest, and the SDK with its other requirements.

    Raises:
        UnusableSdk: The SDK is not a readable wheel.
        UsageError: The SDK requires another runtime.
        UpstreamError: pip could not install something.
        BuildError: The virtual environment could not be created.
    """
    package = _require_this_runtime(sdk, runtime)
    python = _make_venv(context)
    pip = replace(context.pip, python=python)
    _install_runtime(runtime, method, context, pip)
    constraints = context.directory / "constraints.txt"
    _write(constraints, f"{DISTRIBUTION}=={runtime.tag.pep440}\n")
    pip.install(sdk.name, "--constraint", str(constraints), *pip.sources.options, str(sdk.absolute()))
    modules = context.directory / "modules"
    copy_driver(modules)
    codex = None if method.emulator is None else _launcher(method.emulator, context, python)
    return Environment(python=python, modules=modules, package=package, codex=codex)


def case_environ(environment: Environment, host: Host, home: Path) -> dict[str, str]:
    """Return a case's environment variables: no account, no configuration, and no network but loopback."""
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
    """Copy the driver and only the modules that it imports: the rest of the factory stays out of reach."""
    root = files("factory")
    driver = (entry.name for entry in root.joinpath(_DRIVER).iterdir() if entry.name.endswith(".py"))
    for name in (*COPIED_MODULES, *(f"{_DRIVER}/{module}" for module in driver)):
        _copy(root.joinpath(name), destination / "factory" / name)


def _copy(source: Traversable, destination: Path) -> None:
    with writing(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
        destination.write_bytes(source.read_bytes())


def _write(path: Path, text: str) -> None:
    with writing(path):
        path.write_text(text, encoding="utf-8")


def _make_venv(context: AcceptanceContext) -> Path:
    venv = context.directory / "venv"
    _run(context, "create a virtual environment", (str(context.host.python), "-I", "-m", "venv", str(venv)))
    windows = venv / "Scripts" / "python.exe"
    return windows if windows.exists() else venv / "bin" / "python"


def _install_runtime(
    runtime: RuntimeWheel, method: LaunchMethod, context: AcceptanceContext, pip: Pip
) -> None:
    """Install one file by its digest; for another processor, override the platform that pip would accept."""
    requirements = context.directory / "runtime.txt"
    uri = runtime.wheel.absolute().as_uri()
    _write(requirements, f"{DISTRIBUTION} @ {uri} --hash=sha256:{runtime.sha256}\n")
    foreign: tuple[str, ...] = ()
    if method.emulator is not None:
        purelib = _run(context, "find site-packages", (str(pip.python), "-I", "-c", _PRINT_PURELIB))
        foreign = ("--only-binary", ":all:", "--platform", runtime.platform.tag, "--target", purelib)
    options = ("--no-deps", "--no-index", "--no-cache-dir", "--require-hashes")
    pip.install(runtime.wheel.name, *options, "--requirement", str(requirements), *foreign)


def _launcher(emulator: Path, context: AcceptanceContext, python: Path) -> Path:
    """Write the script that the SDK's executable override names: it starts the executable in the emulator.

    The host of code mode, which the executable starts by its name, gets such a script in its place.
    """
    executable = Path(_run(context, "find the executable", (str(python), "-I", "-c", _PRINT_CODEX)))
    host = executable.with_name(_CODE_MODE_HOST)
    if host.exists():
        moved = host.rename(host.with_name(f"{host.name}.emulated"))
        _write_launcher(host, emulator, moved)
    return _write_launcher(context.directory / "codex", emulator, executable)


def _write_launcher(launcher: Path, emulator: Path, executable: Path) -> Path:
    _write(launcher, f'#!/bin/sh\nexec {shlex.join((str(emulator), str(executable)))} "$@"\n')
    launcher.chmod(0o755)
    return launcher


def _run(context: AcceptanceContext, what: str, argv: tuple[str, ...]) -> str:
    completed = context.runner.run(Command(argv=argv, env=context.host.env, timeout_s=300.0))
    if completed.returncode != 0:
        raise BuildError(
            f"could not {what}: {completed.reason}: {completed.output.strip()[-300:]}",
            hint="On Debian, 'apt install python3-venv' gives venv its pip; run 'factory doctor'.",
        )
    return completed.output.strip()


def _require_this_runtime(sdk: Path, runtime: RuntimeWheel) -> str:
    """Check the SDK's requirement of the runtime, and return the SDK's package."""
    try:
        with zipfile.ZipFile(sdk) as archive:
            names = archive.namelist()
            (name,) = (name for name in names if name.endswith(".dist-info/METADATA"))
            requirements = Metadata.from_email(archive.read(name), validate=False).requires_dist or ()
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise UnusableSdk(sdk, f"it is not a complete wheel: {error}") from error
    for requirement in requirements:
        is_runtime = canonicalize_name(requirement.name) == DISTRIBUTION
        if is_runtime and not requirement.specifier.contains(runtime.tag.pep440, prereleases=True):
            raise UsageError(
                f"{sdk.name} requires {requirement}, and the runtime is {runtime.tag.pep440}",
                hint="Give the SDK of that release, or --repin to pin the SDK to this runtime first.",
            )
    modules = {
        name.removesuffix("/__init__.py").removesuffix(".py") for name in names if name.endswith(".py")
    }
    packages = sorted(module for module in modules if "/" not in module)
    if len(packages) != 1:
        raise UnusableSdk(sdk, f"it has {counted(len(packages), 'package')}, and one is needed")
    return packages[0]

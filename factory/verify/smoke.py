"""Start the codex executable of a wheel once, if this host can.

`plan_smoke` decides from values alone which processes to run, and `run_smoke` runs them. If the
executable was not started, the result is NOT RUN with the reason, which is not a pass.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from factory.core.errors import FactoryError
from factory.core.model import Severity
from factory.core.tags import CodexTag, MalformedTag
from factory.core.targets import OperatingSystem
from factory.system.host import Host, Libc, MuslRoot
from factory.system.process import Command, Runner
from factory.verify.checks.check import Checks, Fault
from factory.verify.reading.contents import WheelContents

_TIMEOUT_S = 300.0
_TAIL_CHARACTERS = 300
_START = """\
import subprocess, sys
from codex_cli_bin import bundled_codex_path
root, *launcher = sys.argv[1:]
path = str(bundled_codex_path()).removeprefix(root)
sys.exit(subprocess.run([*launcher, path, "--version"]).returncode)
"""


class SmokeOutcome(StrEnum):
    """The outcome of starting the executable."""

    RAN = "ran"
    FAILED = "failed"
    NOT_RUN = "not-run"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeResult:
    """The outcome for one wheel; the detail is the output, or the reason for a failure or for not running."""

    wheel: str
    outcome: SmokeOutcome
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokePlan:
    """The processes to run for one wheel.

    Attributes:
        how: How the executable is started, for messages.
        preparations: Make an environment, and install the wheel into it with pip.
        start: Starts the executable.
        expected_version: The version that its output must contain.
        leftovers: A directory outside of scratch to remove afterwards.
    """

    wheel: str
    how: str
    preparations: tuple[Command, ...]
    start: Command
    expected_version: str
    leftovers: Path | None = None


class _CannotStart(Exception):
    """The executable cannot be started on this host, with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Launch:
    """How to start the executable.

    Attributes:
        how: For messages.
        launcher: The command before the path of the executable.
        target: The directory that pip unpacks the wheel to; None to install into the environment.
        root: The prefix to remove from the path of the executable, for a launcher that changes the root.
    """

    how: str
    launcher: tuple[str, ...] = ()
    target: Path | None = None
    root: str = ""


def plan_smoke(contents: WheelContents, *, host: Host, scratch: Path) -> SmokePlan | SmokeResult:
    """Plan how to start the executable of a wheel on this host, or return why that is not possible.

    On the wheel's own platform, pip installs it as a user would. For another processor or C library,
    pip unpacks it with ``--platform``, and the executable is started by its path.
    """
    try:
        version = _codex_version(contents)
        launch = _launch(contents, host, scratch)
    except _CannotStart as reason:
        return SmokeResult(wheel=contents.name, outcome=SmokeOutcome.NOT_RUN, detail=str(reason))
    python = _environment_python(host, scratch)
    return SmokePlan(
        wheel=contents.name,
        how=launch.how,
        preparations=(
            _command((str(host.python), "-I", "-m", "venv", str(scratch / "venv")), host, scratch),
            _command(_install(contents, python, launch.target), host, scratch),
        ),
        start=_command(
            (str(python), "-P", "-c", _START, launch.root, *launch.launcher),
            host,
            scratch,
            path=launch.target,
        ),
        expected_version=version,
        leftovers=launch.target if launch.root else None,
    )


def run_smoke(plan: SmokePlan | SmokeResult, *, runner: Runner) -> SmokeResult:
    """Run the processes of a plan, in the scratch directory that it was made for."""
    if isinstance(plan, SmokeResult):
        return plan
    try:
        return _run(plan, runner)
    except FactoryError as error:
        return SmokeResult(wheel=plan.wheel, outcome=SmokeOutcome.NOT_RUN, detail=str(error))
    finally:
        if plan.leftovers is not None:
            shutil.rmtree(plan.leftovers, ignore_errors=True)


def _codex_version(contents: WheelContents) -> str:
    """Return the version that the executable should print, by the file name of the wheel."""
    if contents.problems:
        raise _CannotStart("the archive could not be read completely")
    if contents.parsed is None or contents.operating_system is None or contents.architecture is None:
        raise _CannotStart("the file name is not for one release and one platform")
    try:
        return CodexTag.parse(contents.parsed.version_text).semver
    except MalformedTag as error:
        raise _CannotStart(str(error)) from error


def _launch(contents: WheelContents, host: Host, scratch: Path) -> _Launch:
    platform, architecture = contents.platforms[0], contents.architecture
    if contents.operating_system is not host.operating_system:
        raise _CannotStart(f"{platform} is not for this operating system")
    if platform.startswith("musllinux_") and host.libc is not Libc.MUSL:
        if host.musl_root is None or architecture is not host.architecture:
            raise _CannotStart(f"{platform} needs a musl system, which is not available here")
        return _launch_in_musl_root(host.musl_root, scratch)
    if architecture is host.architecture:
        return _Launch(how="natively")
    emulator = host.emulators.get(architecture) if architecture is not None else None
    if contents.operating_system is not OperatingSystem.LINUX or emulator is None:
        raise _CannotStart(f"{platform} needs an {architecture} processor or emulator")
    return _Launch(how=f"under {emulator.name}", launcher=(str(emulator),), target=scratch / "target")


def _launch_in_musl_root(musl: MuslRoot, scratch: Path) -> _Launch:
    return _Launch(
        how="in a musl root",
        launcher=(str(musl.chroot), str(musl.path)),
        target=musl.path / "tmp" / f"factory-{scratch.name}",
        root=str(musl.path),
    )


def _environment_python(host: Host, scratch: Path) -> Path:
    if host.operating_system is OperatingSystem.WINDOWS:
        return scratch / "venv" / "Scripts" / "python.exe"
    return scratch / "venv" / "bin" / "python"


def _install(contents: WheelContents, python: Path, target: Path | None) -> tuple[str, ...]:
    pip = (str(python), "-I", "-m", "pip", "--isolated", "--disable-pip-version-check", "install")
    options = ["--no-index", "--no-deps", "--no-compile", "--no-cache-dir"]
    if target is not None:
        options += ["--only-binary", ":all:", "--platform", contents.platforms[0], "--target", str(target)]
    return (*pip, *options, str(contents.path.absolute()))


def _command(argv: tuple[str, ...], host: Host, scratch: Path, *, path: Path | None = None) -> Command:
    # codex and pip may write below HOME.
    own = {"HOME": str(scratch), "TMPDIR": str(scratch)}
    modules = {} if path is None else {"PYTHONPATH": str(path)}
    return Command(argv=argv, env={**host.env, **own, **modules}, cwd=scratch, timeout_s=_TIMEOUT_S)


def _run(plan: SmokePlan, runner: Runner) -> SmokeResult:
    for command in plan.preparations:
        completed = runner.run(command)
        if completed.returncode != 0:
            step = " ".join(Path(part).name for part in command.argv[:5])
            return _failed(plan, f"{step} ended with {completed.reason}", completed.output)
    completed = runner.run(plan.start)
    started = f"codex --version, started {plan.how},"
    if completed.returncode != 0:
        return _failed(plan, f"{started} ended with {completed.reason}", completed.output)
    version = re.compile(rf"(?<![\w.]){re.escape(plan.expected_version)}(?![\w.-])")
    line = next((line for line in completed.output.splitlines() if version.search(line)), None)
    if line is None:
        return _failed(plan, f"{started} does not print {plan.expected_version}", completed.output)
    return SmokeResult(wheel=plan.wheel, outcome=SmokeOutcome.RAN, detail=f"{plan.how}: {line.strip()}")


def _failed(plan: SmokePlan, what: str, output: str) -> SmokeResult:
    tail = " ".join(output[-_TAIL_CHARACTERS:].split())
    detail = f"{what}: {tail}" if tail else what
    return SmokeResult(wheel=plan.wheel, outcome=SmokeOutcome.FAILED, detail=detail)


check = Checks[SmokeResult]()


@check(
    "smoke-start",
    Severity.ERROR,
    title="The wheel installs with pip, and codex --version starts and prints the release",
    protects="Users: an installation that does not start.",
    standard="factory.verify.smoke; run with 'factory verify --smoke' only",
    remedy="Start the executable by hand on that platform and read its output.",
)
def _find_failure(smoke: SmokeResult) -> Iterator[Fault]:
    if smoke.outcome is SmokeOutcome.FAILED:
        yield Fault(smoke.wheel, smoke.detail)


CHECKS = check.registered()

"""Start the codex executable of a wheel once, where this host can.

Planning and running are apart: `plan_smoke` decides from values alone which
processes would run, or why none can; `run_smoke` runs them. Where nothing was run
the result says NOT RUN with the reason, and nobody may read that as a pass.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from factory.core.errors import FactoryError
from factory.core.model import Severity
from factory.core.tags import CodexTag, MalformedTag
from factory.core.targets import Architecture, OperatingSystem, Platform, Target
from factory.system.process import Command, Runner
from factory.verify.checks.check import Check, Fault
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


class Libc(StrEnum):
    """The C library of a Linux system."""

    GLIBC = "glibc"
    MUSL = "musl"


class SmokeOutcome(StrEnum):
    """What came of starting the executable."""

    RAN = "ran"
    FAILED = "failed"
    NOT_RUN = "not-run"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeResult:
    """The outcome and its detail: the output, the reason of a failure, or why nothing was run."""

    outcome: SmokeOutcome
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoked:
    """A wheel and what came of starting its executable."""

    wheel: str
    result: SmokeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRun:
    """Why a wheel cannot be started on this host."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MuslRoot:
    """A directory with a musl system in it, and the program that enters it: ``chroot``."""

    path: Path
    chroot: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What this machine can start; the command line, which alone looks around, makes it.

    Attributes:
        operating_system: Its operating system; None for one that no wheel is for.
        architecture: Its processor; None for one that no wheel is for.
        libc: Its C library, on Linux.
        python: An interpreter that has `venv` with pip.
        emulators: A user-mode emulator by architecture, ``qemu-aarch64-static``.
        musl_root: A musl system of its own architecture, for a host that is none.
        env: Variables that every started program needs: on Windows SYSTEMROOT.
    """

    operating_system: OperatingSystem | None
    architecture: Architecture | None
    python: Path
    libc: Libc | None = None
    emulators: Mapping[Architecture, Path]
    musl_root: MuslRoot | None = None
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokePlan:
    """What would be run for one wheel.

    Attributes:
        how: How the executable is started, for a person.
        preparations: Make an environment and install the wheel into it with pip.
        start: Starts the executable.
        expected_version: What its output must contain.
        leftovers: A directory outside of scratch that is removed afterwards.
    """

    how: str
    preparations: tuple[Command, ...]
    start: Command
    expected_version: str
    leftovers: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeSubject:
    """The wheel to start: its file, and the release and platform that its name tells."""

    wheel: Path
    tag: CodexTag
    platform: Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How the executable is started.

    Attributes:
        how: For a person.
        launcher: What stands before the executable's path.
        target: Where pip unpacks the wheel; None to install it into the environment.
        root: What is cut off the front of the executable's path, for a launcher that changes the root.
    """

    how: str
    launcher: tuple[str, ...] = ()
    target: Path | None = None
    root: str = ""


def smoke_subject(contents: WheelContents) -> SmokeSubject | NotRun:
    """Tell a wheel's release and platform from its name; of several platform tags the first is taken."""
    system, architecture = contents.operating_system, contents.architecture
    if contents.problems:
        return NotRun(reason="the archive could not be read whole")
    if contents.parsed is None or system is None or architecture is None:
        return NotRun(reason="its name does not tell one release and one platform")
    target = next(
        target
        for target in Target
        if (target.operating_system, target.architecture) == (system, architecture)
    )
    try:
        tag = CodexTag.parse(contents.parsed.version_text)
    except MalformedTag as error:
        return NotRun(reason=str(error))
    platform = Platform(tag=contents.platforms[0], target=target, reason="the wheel's own name")
    return SmokeSubject(wheel=contents.path, tag=tag, platform=platform)


def plan_smoke(subject: SmokeSubject, *, host: Host, scratch: Path) -> SmokePlan | NotRun:
    """Decide how a wheel's executable can be started here, or say why it cannot.

    On its own platform the wheel is installed as a user would. For another
    processor or C library pip unpacks it, told to take the platform's word, and the
    executable is started by its path.
    """
    way = _way(subject.platform, host=host, scratch=scratch)
    if isinstance(way, NotRun):
        return way
    python = _environment_python(host, scratch)
    return SmokePlan(
        how=way.how,
        preparations=(
            _command((str(host.python), "-I", "-m", "venv", str(scratch / "venv")), host, scratch),
            _command(_install(subject, python, way.target), host, scratch),
        ),
        start=_command(
            (str(python), "-P", "-c", _START, way.root, *way.launcher), host, scratch, path=way.target
        ),
        expected_version=subject.tag.semver,
        leftovers=way.target if way.root else None,
    )


def run_smoke(plan: SmokePlan | NotRun, *, runner: Runner) -> SmokeResult:
    """Run a plan's processes, in the scratch directory that it was made for."""
    if isinstance(plan, NotRun):
        return SmokeResult(outcome=SmokeOutcome.NOT_RUN, detail=plan.reason)
    try:
        return _run(plan, runner)
    except FactoryError as error:
        return SmokeResult(outcome=SmokeOutcome.NOT_RUN, detail=str(error))
    finally:
        if plan.leftovers is not None:
            shutil.rmtree(plan.leftovers, ignore_errors=True)


def _way(platform: Platform, *, host: Host, scratch: Path) -> _Way | NotRun:
    system, architecture = platform.target.operating_system, platform.target.architecture
    is_own_processor = architecture is host.architecture
    if system is not host.operating_system:
        return NotRun(reason=f"{platform} is for {system.value}, and this host is not")
    if platform.tag.startswith("musllinux_") and host.libc is not Libc.MUSL:
        if host.musl_root is None or not is_own_processor:
            return NotRun(reason=f"{platform} needs a musl system to start in, and there is none here")
        return _in_musl_root(host.musl_root, scratch)
    if is_own_processor:
        return _Way(how="natively")
    emulator = host.emulators.get(architecture) if system is OperatingSystem.LINUX else None
    if emulator is None:
        return NotRun(reason=f"{platform} needs a processor of {architecture}, and there is no emulator here")
    return _Way(how=f"under {emulator.name}", launcher=(str(emulator),), target=scratch / "target")


def _in_musl_root(musl: MuslRoot, scratch: Path) -> _Way:
    return _Way(
        how="in a musl root",
        launcher=(str(musl.chroot), str(musl.path)),
        target=musl.path / "tmp" / f"factory-{scratch.name}",
        root=str(musl.path),
    )


def _environment_python(host: Host, scratch: Path) -> Path:
    if host.operating_system is OperatingSystem.WINDOWS:
        return scratch / "venv" / "Scripts" / "python.exe"
    return scratch / "venv" / "bin" / "python"


def _install(subject: SmokeSubject, python: Path, target: Path | None) -> tuple[str, ...]:
    pip = (str(python), "-I", "-m", "pip", "--isolated", "--disable-pip-version-check", "install")
    options = ("--no-index", "--no-deps", "--no-compile", "--no-cache-dir")
    if target is None:
        return (*pip, *options, str(subject.wheel.absolute()))
    foreign = ("--only-binary", ":all:", "--platform", subject.platform.tag, "--target", str(target))
    return (*pip, *options, *foreign, str(subject.wheel.absolute()))


def _command(argv: tuple[str, ...], host: Host, scratch: Path, *, path: Path | None = None) -> Command:
    """Plan one process; codex and pip may write below HOME, so that is a place of our own."""
    own = {"HOME": str(scratch), "TMPDIR": str(scratch)}
    modules = {} if path is None else {"PYTHONPATH": str(path)}
    return Command(argv=argv, env={**host.env, **own, **modules}, cwd=scratch, timeout_s=_TIMEOUT_S)


def _run(plan: SmokePlan, runner: Runner) -> SmokeResult:
    for command in plan.preparations:
        completed = runner.run(command)
        if completed.returncode != 0:
            step = " ".join(Path(part).name for part in command.argv[:5])
            return _failed(f"{step} ended with {completed.reason}", completed.output)
    completed = runner.run(plan.start)
    if completed.returncode != 0:
        return _failed(f"codex --version, {plan.how}, ended with {completed.reason}", completed.output)
    version = re.compile(rf"(?<![\w.]){re.escape(plan.expected_version)}(?![\w.-])")
    said = next((line for line in completed.output.splitlines() if version.search(line)), None)
    if said is None:
        return _failed(f"codex --version, {plan.how}, does not say {plan.expected_version}", completed.output)
    return SmokeResult(outcome=SmokeOutcome.RAN, detail=f"{plan.how}: {said.strip()}")


def _failed(what: str, output: str) -> SmokeResult:
    tail = " ".join(output[-_TAIL_CHARACTERS:].split())
    return SmokeResult(outcome=SmokeOutcome.FAILED, detail=f"{what}: {tail}" if tail else what)


def _find_failure(smoked: Smoked) -> Iterator[Fault]:
    if smoked.result.outcome is SmokeOutcome.FAILED:
        yield Fault(place=smoked.wheel, evidence=smoked.result.detail)


CHECKS: tuple[Check[Smoked], ...] = (
    Check(
        id="smoke-start",
        title="The wheel installs with pip, and codex --version starts and says the release",
        severity=Severity.ERROR,
        protects="Users: an installation that does not start.",
        standard="factory.verify.smoke; run with 'factory verify --smoke' only",
        remedy="Start the executable by hand on that platform and read what it says.",
        find=_find_failure,
    ),
)

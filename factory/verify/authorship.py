"""The run behind ``factory trust``: find the executables that some paths name, and put each on the ladder."""

import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from factory.core.digests import Sha256
from factory.core.errors import FactoryError, UsageError
from factory.core.progress import Progress
from factory.core.trust_level import Level, TrustAssessment
from factory.executables.file_kind import kind_of
from factory.executables.signatures.assess import Executable, assess
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.signers import is_unexpected, without_authorship
from factory.executables.signatures.sigstore_bundles import MAX_BUNDLE_BYTES
from factory.manifest.manifest import MANIFEST_NAME
from factory.system.parallel import Stopped, in_parallel
from factory.verify.checks.registry import escaped
from factory.verify.examine import WheelInput
from factory.verify.inputs import find_wheels
from factory.verify.output.report import RunStatus
from factory.verify.reading.read import cannot_read, fresh_directory, read_wheel

_HEAD_BYTES = 4096


class NothingExecutable(UsageError):
    """A path has nothing that could be on the ladder."""

    hint = "Name wheels, executables for Linux, macOS or Windows, or directories of either."

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is no wheel and no executable, and has none in it")


class BundleOfOne(UsageError):
    """A bundle is given, and it is not clear of what."""

    hint = "Name the one executable that it was released beside: factory trust codex --bundle FILE"

    def __init__(self) -> None:
        super().__init__("a sigstore bundle is of exactly one executable")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTrust:
    """What was found out about one wheel or one lone executable.

    Attributes:
        path: As the person named it.
        name: Its file name, fit to be printed.
        assessments: Of every executable in it, in its order.
        lacking: Those of them whose author should be proved and is not.
        not_looked_at: Why something of it could not be looked at; None when all was.
    """

    path: str
    name: str
    assessments: tuple[TrustAssessment, ...] = ()
    lacking: tuple[TrustAssessment, ...] = ()
    not_looked_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustReport:
    """A whole run, in the order in which files were named."""

    files: tuple[FileTrust, ...]

    @property
    def counts(self) -> dict[Level, int]:
        """How many executables there are on each level."""
        counted = Counter(assessment.level for file in self.files for assessment in file.assessments)
        return {level: counted[level] for level in Level}

    @property
    def status(self) -> RunStatus:
        """The answer: a signature that fails outweighs what could not be looked at, and neither passes."""
        if any(file.lacking or any(map(_is_wrong, file.assessments)) for file in self.files):
            return RunStatus.REJECTED
        if any(file.not_looked_at is not None for file in self.files):
            return RunStatus.INCONCLUSIVE
        return RunStatus.PASSED


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustContext:
    """What a run works with.

    Attributes:
        policy: What assessments rest on, and what they must reach.
        progress: Is told how the work goes.
        scratch: A directory for what is unpacked; the caller removes it.
        jobs: How many files at once.
        stop: Is set when the run must end.
    """

    policy: TrustPolicy
    progress: Progress
    scratch: Path
    jobs: int
    stop: threading.Event


def assess_files(paths: Sequence[Path], context: TrustContext) -> TrustReport:
    """Put every executable on the ladder; what cannot be looked at is told and hides nothing else.

    Raises:
        UsageError: A path is not there, or has nothing to look at.
    """
    files = [file for path in dict.fromkeys(paths) for file in _input_files(path)]
    return TrustReport(
        files=in_parallel(
            lambda file: _assess_file(file, context),
            files,
            jobs=context.jobs,
            weight=_size,
            stop=context.stop,
        )
    )


def bundle_beside(paths: Sequence[Path], bundle: Path) -> dict[Sha256, bytes]:
    """Return a bundle by the content of the one executable that it is named beside.

    Whether it is of that executable at all is for the ladder to say.

    Raises:
        BundleOfOne: Not exactly one executable is named.
        UsageError: The bundle, or the executable, is not there.
    """
    files = [file for path in dict.fromkeys(paths) for file in _input_files(path)]
    match files:
        case [Path() as executable]:
            return {_digest(executable): _bounded(bundle)}
        case _:
            raise BundleOfOne


def _bounded(path: Path) -> bytes:
    """Read a bundle, and no more of it than shows that it is too large."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BUNDLE_BYTES + 1)
    except OSError as error:
        raise cannot_read(path, error) from error


def _digest(path: Path) -> Sha256:
    try:
        return Sha256.of_file(path)
    except OSError as error:
        raise cannot_read(path, error) from error


InputFile = WheelInput | Path
"""A wheel, or the path of a lone executable."""


def _input_files(path: Path) -> Iterator[InputFile]:
    is_release = path.is_dir() and ((path / MANIFEST_NAME).is_file() or any(path.glob("*.whl")))
    if is_release or path.suffix in {".whl", ".json"}:
        yield from (wheel for group in find_wheels([path]) for wheel in group.wheels)
        return
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    found = [file for file in files if kind_of(_head(file)).is_executable_image]
    if not found:
        raise NothingExecutable(path)
    yield from found


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError as error:
        raise cannot_read(path, error) from error


def _assess_file(file: InputFile, context: TrustContext) -> FileTrust:
    path = file.path if isinstance(file, WheelInput) else file
    name = escaped(path.name)
    try:
        with context.progress.task(f"assess {name}"):
            return _wheel(file, context) if isinstance(file, WheelInput) else _executable(file, context)
    except Stopped:
        raise
    except FactoryError as error:
        return FileTrust(path=escaped(str(path)), name=name, not_looked_at=escaped(str(error)))


def _wheel(wheel: WheelInput, context: TrustContext) -> FileTrust:
    scratch = fresh_directory(context.scratch, prefix="trust-")
    try:
        contents = read_wheel(wheel.path, scratch=scratch, expected=wheel.expected, trust=context.policy)
        assessments = tuple(_printable(assessment) for assessment in contents.assessments)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    is_required = context.policy.required.covers(contents.platforms)
    unread = [f"{problem.place}: {problem.evidence}" for problem in contents.problems]
    return FileTrust(
        path=escaped(str(wheel.path)),
        name=escaped(contents.name),
        assessments=assessments,
        lacking=without_authorship(assessments) if is_required else (),
        not_looked_at=escaped("; ".join(unread)) or None,
    )


def _executable(path: Path, context: TrustContext) -> FileTrust:
    executable = Executable(
        path=path, place=escaped(path.name), sha256=_digest(path), kind=kind_of(_head(path))
    )
    assessments = (_printable(assess(executable, context.policy)),)
    is_required = context.policy.required.covers_kind(executable.kind)
    return FileTrust(
        path=escaped(str(path)),
        name=escaped(path.name),
        assessments=assessments,
        lacking=without_authorship(assessments) if is_required else (),
    )


def _printable(assessment: TrustAssessment) -> TrustAssessment:
    """Escape what names in a wheel or in a certificate could fake output with."""
    signature = assessment.signature
    if signature is not None and signature.signer is not None:
        signer = replace(signature.signer, name=escaped(signature.signer.name))
        signature = replace(signature, signer=signer)
    return replace(
        assessment, place=escaped(assessment.place), reason=escaped(assessment.reason), signature=signature
    )


def _is_wrong(assessment: TrustAssessment) -> bool:
    return assessment.level is Level.SIGNATURE_NOT_VALID or is_unexpected(assessment)


def _size(file: InputFile) -> int:
    try:
        return (file.path if isinstance(file, WheelInput) else file).stat().st_size
    except OSError:
        return 0

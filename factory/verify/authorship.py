"""The run of ``factory show signers``: find executables in wheels and directories, and assess each one."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from factory.core.digests import Sha256
from factory.core.errors import FactoryError, UsageError
from factory.core.printable import escaped
from factory.core.progress import Progress
from factory.core.trust_level import Level, TrustAssessment
from factory.executables.file_kind import kind_of
from factory.executables.signatures.assess import Executable, assess
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.signers import is_unexpected, signed_apart, without_authorship
from factory.executables.signatures.sigstore_bundles import MAX_BUNDLE_BYTES
from factory.manifest.manifest import MANIFEST_NAME
from factory.system.parallel import Stopped, in_parallel
from factory.verify.baseline.member_kinds import MemberReview
from factory.verify.checks.closed_world import BUNDLED, Reference, misplaced_executables
from factory.verify.checks.project import is_of_this_project
from factory.verify.inputs import WheelInput, file_size, find_wheels
from factory.verify.output.report import RunStatus
from factory.verify.reading.read import cannot_read, own_scratch, read_wheel

_HEAD_BYTES = 4096

InputFile = WheelInput | Path
"""A wheel, or the path of a single executable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTrust:
    """The assessments of the executables in one wheel, or of a single executable.

    Attributes:
        path: As the user named it, with unprintable characters escaped; so is `name`.
        lacking: The assessments that do not meet the required authorship.
        misplaced: The executables that belong to another release, target or place, or to no known release.
        is_ours: Whether the expected signers apply: not to a wheel of another project.
        not_looked_at: The reason, if the file or a part of it could not be read.
    """

    path: str
    name: str
    assessments: tuple[TrustAssessment, ...] = ()
    lacking: tuple[TrustAssessment, ...] = ()
    misplaced: tuple[MemberReview, ...] = ()
    is_ours: bool = True
    not_looked_at: str | None = None

    @property
    def apart(self) -> tuple[tuple[str, str], ...]:
        """The executables of a wheel that their signer signed over a day before another: place and times."""
        return tuple(signed_apart(self.assessments))

    @property
    def is_wrong(self) -> bool:
        """Whether an executable has a wrong signature, lacks the required one, or does not belong there."""
        return bool(self.lacking or self.misplaced) or any(map(self._is_wrong, self.assessments))

    def has_unexpected_signer(self, assessment: TrustAssessment) -> bool:
        """Whether an executable has another signer than the releases of this project."""
        return self.is_ours and is_unexpected(assessment)

    def _is_wrong(self, assessment: TrustAssessment) -> bool:
        is_bad = assessment.level in {Level.SIGNATURE_NOT_VALID, Level.SIGNER_REVOKED}
        is_unknown = self.is_ours and assessment.level is Level.ROOT_UNKNOWN
        return is_bad or is_unknown or self.has_unexpected_signer(assessment)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustReport:
    """The report about a whole run, in the order of the command line."""

    files: tuple[FileTrust, ...]

    @property
    def counts(self) -> dict[Level, int]:
        """The number of executables with each level."""
        counted = Counter(assessment.level for file in self.files for assessment in file.assessments)
        return {level: counted[level] for level in Level}

    @property
    def status(self) -> RunStatus:
        """The result; an invalid signature outweighs a file that could not be read."""
        if any(file.is_wrong for file in self.files):
            return RunStatus.REJECTED
        if any(file.not_looked_at is not None for file in self.files):
            return RunStatus.INCONCLUSIVE
        return RunStatus.PASSED


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustContext:
    """The options of a run and the means to carry it out.

    Attributes:
        scratch: A directory for unpacked files; the caller removes it.
        jobs: The number of files to assess in parallel.
        stop: Set to end the run.
        known: What the executables of this project's wheels are compared with.
    """

    policy: TrustPolicy
    progress: Progress
    scratch: Path
    jobs: int
    stop: threading.Event
    known: Reference = BUNDLED


def assess_files(paths: Sequence[Path], context: TrustContext) -> TrustReport:
    """Assess every executable at some paths. A file that cannot be read does not stop the run.

    Raises:
        UsageError: A path does not exist, or has no executables.
    """
    return TrustReport(
        files=in_parallel(
            lambda file: _assess_file(file, context),
            _input_files(paths),
            jobs=context.jobs,
            weight=lambda file: file_size(_path(file)),
            stop=context.stop,
        )
    )


def bundle_beside(paths: Sequence[Path], bundle: Path) -> dict[Sha256, bytes]:
    """Read the sigstore bundle for the single executable at some paths.

    Whether the bundle is for this executable at all is checked with the signature.

    Returns:
        The bundle, by the digest of the executable.

    Raises:
        UsageError: There is not exactly one executable, or a file is not readable.
    """
    match _input_files(paths):
        case [Path() as executable]:
            # One byte more than the limit, to recognize a bundle that is too large.
            return {_digest(executable): _read(bundle, MAX_BUNDLE_BYTES + 1)}
        case _:
            raise UsageError(
                "--bundle needs exactly one executable",
                hint="Name the executable that the bundle is for: factory show signers codex --bundle FILE",
            )


def _path(file: InputFile) -> Path:
    return file.path if isinstance(file, WheelInput) else file


def _read(path: Path, size_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size_bytes)
    except OSError as error:
        raise cannot_read(path, error) from error


def _digest(path: Path) -> Sha256:
    try:
        return Sha256.of_file(path)
    except OSError as error:
        raise cannot_read(path, error) from error


def _input_files(paths: Sequence[Path]) -> list[InputFile]:
    return [file for path in dict.fromkeys(paths) for file in _files_at(path)]


def _files_at(path: Path) -> Iterator[InputFile]:
    is_release = path.is_dir() and ((path / MANIFEST_NAME).is_file() or any(path.glob("*.whl")))
    if is_release or path.suffix in {".whl", ".json"}:
        yield from (wheel for group in find_wheels([path]) for wheel in group.wheels)
        return
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    found = [file for file in files if kind_of(_read(file, _HEAD_BYTES)).is_executable_image]
    if not found:
        raise UsageError(
            f"{path} is not a wheel or an executable, and contains neither",
            hint="Name wheels, executables for Linux, macOS or Windows, or directories of either.",
        )
    yield from found


def _assess_file(file: InputFile, context: TrustContext) -> FileTrust:
    path = _path(file)
    name = escaped(path.name)
    try:
        with context.progress.task(f"assess {name}"):
            if isinstance(file, WheelInput):
                return _assess_wheel(file, context)
            return _assess_single(file, context)
    except Stopped:
        raise
    except FactoryError as error:
        return FileTrust(path=escaped(str(path)), name=name, not_looked_at=escaped(error.with_hint))


def _assess_wheel(wheel: WheelInput, context: TrustContext) -> FileTrust:
    with own_scratch(context.scratch, prefix="trust-") as scratch:
        contents = read_wheel(
            wheel.path, scratch=scratch, expected=wheel.expected, trust=context.policy, stop=context.stop
        )
        assessments = tuple(_printable(assessment) for assessment in contents.assessments)
        is_ours = is_of_this_project(contents)
        misplaced = misplaced_executables(contents, context.known) if is_ours else ()
    is_required = context.policy.required.covers(contents.platforms)
    unread = [f"{problem.place}: {problem.evidence}" for problem in contents.problems]
    return FileTrust(
        path=escaped(str(wheel.path)),
        name=escaped(contents.name),
        assessments=assessments,
        lacking=without_authorship(assessments) if is_required else (),
        misplaced=tuple(replace(review, name=escaped(review.name)) for review in misplaced),
        is_ours=is_ours,
        not_looked_at=escaped("; ".join(unread)) or None,
    )


def _assess_single(path: Path, context: TrustContext) -> FileTrust:
    name, kind = escaped(path.name), kind_of(_read(path, _HEAD_BYTES))
    executable = Executable(path=path, place=name, sha256=_digest(path), kind=kind)
    assessments = (_printable(assess(executable, context.policy)),)
    is_required = context.policy.required.covers_kind(kind)
    return FileTrust(
        path=escaped(str(path)),
        name=name,
        assessments=assessments,
        lacking=without_authorship(assessments) if is_required else (),
    )


def _printable(assessment: TrustAssessment) -> TrustAssessment:
    """Escape names from the wheel and the certificate, which could contain control characters."""
    signature = assessment.signature
    if signature is not None and signature.signer is not None:
        signer = replace(signature.signer, name=escaped(signature.signer.name))
        signature = replace(signature, signer=signer)
    return replace(
        assessment, place=escaped(assessment.place), reason=escaped(assessment.reason), signature=signature
    )

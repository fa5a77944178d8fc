"""The values that flow through the factory; no I/O here.

Each one is frozen, and a checked thing has another type than an unchecked one:
only `factory.verify` makes a `VerifiedWheel`, and only verified wheels enter a
manifest.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath

from factory.core.codec import Form
from factory.core.digests import Digest, Sha256
from factory.core.tags import CodexTag
from factory.core.targets import Platform, Target
from factory.core.trust_level import TrustAssessment


class ChannelName(StrEnum):
    """Where release packages come from."""

    NPM = "npm"
    GITHUB = "github"
    DIRECTORY = "directory"


class ArchiveFormat(StrEnum):
    """The container of a release asset, by the end of its name."""

    TAR_GZ = "tar.gz"
    TAR_ZST = "tar.zst"
    ZIP = "zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """An asset that is fetched by URL."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """An asset that is a file on this machine."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAsset:
    """One downloadable file of a channel, with the digest that the channel promises.

    Attributes:
        target: Whose executables it holds.
        name: Its file name.
        purl: Its package URL (https://github.com/package-url/purl-spec), which names it without a host.
        digest: The promise; an asset without one is never made.
        size_bytes: Its size where the channel promises one.
        format: Its container.
        location: Where its bytes are; no part of its identity, since mirrors differ.
    """

    target: Target
    name: str
    purl: str
    digest: Digest
    size_bytes: int | None
    format: ArchiveFormat
    location: Remote | Local


@dataclass(frozen=True, slots=True, kw_only=True)
class SigstoreBundle:
    """A signature that a channel has beside an executable, of a few kilobytes.

    Attributes:
        target: Whose executable it is of.
        program: The executable's file name in the release package.
        content: The bundle; nothing promises it, since it has to hold by itself.
    """

    target: Target
    program: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAssets:
    """What a channel has for one tag: at most one asset a target, in table order.

    Attributes:
        tag: The release.
        channel: Where it is.
        assets: Its packages.
        bundles: The signatures beside its executables, where the channel has them.
    """

    tag: CodexTag
    channel: ChannelName
    assets: tuple[ReleaseAsset, ...]
    bundles: tuple[SigstoreBundle, ...] = ()

    def for_target(self, target: Target) -> ReleaseAsset | None:
        """Return the asset that feeds a target, if the channel has one."""
        return next((asset for asset in self.assets if asset.target is target), None)


class FileKind(StrEnum):
    """What a file is by its first bytes, never by its name."""

    ELF = "elf"
    MACHO = "mach-o"
    PE = "pe"
    SCRIPT = "script"
    DATA = "data"

    @property
    def is_executable_image(self) -> bool:
        """Whether an operating system's loader takes it: a program or a shared library."""
        return self in {FileKind.ELF, FileKind.MACHO, FileKind.PE}


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadFile:
    """One file of a release package.

    Attributes:
        path: Below the target's root in the package, as the channel spells it.
        mode: The permission bits that the archive gives; our recipe decides its own.
        size_bytes: Its size.
        sha256: Its content.
        kind: What its first bytes say it is.
    """

    path: PurePosixPath
    mode: int
    size_bytes: int
    sha256: Sha256
    kind: FileKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The files of one release package that belong to one target, sorted by path."""

    target: Target
    files: tuple[PayloadFile, ...]

    @property
    def size_bytes(self) -> int:
        """The size of all files together."""
        return sum(file.size_bytes for file in self.files)

    def file(self, path: str) -> PayloadFile | None:
        """Return the file at a path, if there is one."""
        return next((file for file in self.files if file.path == PurePosixPath(path)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRuntime:
    """A directory that any PEP 517 front end can build into exactly one wheel."""

    path: Path
    tag: CodexTag
    platform: Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltWheel:
    """A wheel's bytes, not yet judged."""

    path: Path
    platform: Platform
    size_bytes: int
    sha256: Sha256

    @property
    def name(self) -> str:
        """Its file name."""
        return self.path.name


class Severity(StrEnum):
    """How much a finding weighs; only an error keeps a wheel from being verified."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One thing wrong with a wheel.

    Attributes:
        check: The id of the check that found it.
        severity: How much it weighs.
        place: The member it is about, or the wheel's file name.
        evidence: What was seen, and what should have been.
        remedy: What to do.
    """

    check: str
    severity: Severity
    place: str
    evidence: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaivedFinding:
    """A finding that somebody accepts.

    Attributes:
        finding: What was found.
        pattern: The waiver's pattern, which its place matches.
        reason: Why it is acceptable.
    """

    finding: Finding = field(metadata={Form.FLATTENED: True})
    pattern: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedWheel:
    """A built wheel without an error finding; `factory.verify.verify` alone makes one.

    Attributes:
        wheel: What was judged.
        checks: The ids of all checks that looked at it.
        findings: Warnings and notes that remain.
        waived: Findings that a waiver accepts, errors among them.
        assessments: How much is known of who made each of its executables.
    """

    wheel: BuiltWheel
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]
    waived: tuple[WaivedFinding, ...] = ()
    assessments: tuple[TrustAssessment, ...] = ()

"""The values that the packages of the factory pass to each other; no I/O.

All are frozen. Checked and unchecked things have different types: only `factory.verify.inspection` makes a
`VerifiedWheel`, and only verified wheels are recorded in a manifest.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath

from factory.core.digests import Digest, Sha256
from factory.core.form import Form
from factory.core.tags import CodexTag
from factory.core.targets import Target


class ChannelName(StrEnum):
    """Where release packages come from."""

    NPM = "npm"
    GITHUB = "github"
    DIRECTORY = "directory"


class ArchiveFormat(StrEnum):
    """The archive format of a release asset; the value is the suffix of its name."""

    TAR_GZ = "tar.gz"
    TAR_ZST = "tar.zst"
    ZIP = "zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """The location of an asset that is downloaded."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """The location of an asset that is a local file."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAsset:
    """A downloadable file of a channel.

    Attributes:
        target: The target of the executables in it.
        purl: Its package URL (https://github.com/package-url/purl-spec), which identifies it without a host.
        digest: The digest that the channel lists; files without one are not accepted.
        size_bytes: The size that the channel lists; None if it does not.
        location: Where to read it; not part of its identity, since mirrors differ.
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
    """A sigstore signature of an executable that a channel publishes as a separate file.

    Attributes:
        target: The target of the executable.
        program: The executable's file name in the release package.
        content: The bundle, a few kilobytes. It needs no listed digest: its signature is verified.
    """

    target: Target
    program: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAssets:
    """The files that a channel has for one release: at most one asset per target, in table order."""

    tag: CodexTag
    channel: ChannelName
    assets: tuple[ReleaseAsset, ...]
    bundles: tuple[SigstoreBundle, ...] = ()

    def for_target(self, target: Target) -> ReleaseAsset | None:
        """Return the asset of a target, or None."""
        return next((asset for asset in self.assets if asset.target is target), None)


class FileKind(StrEnum):
    """The type of a file, determined from its first bytes and never from its name."""

    ELF = "elf"
    MACHO = "mach-o"
    PE = "pe"
    SCRIPT = "script"
    DATA = "data"

    @property
    def is_executable_image(self) -> bool:
        """Whether an operating system can load it as a program or a shared library."""
        return self in {FileKind.ELF, FileKind.MACHO, FileKind.PE}


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadFile:
    """One file of a release package.

    Attributes:
        path: The path below the target's root in the package.
        mode: The permission bits in the archive; the mode in the wheel comes from the recipe.
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
        """The total size of the files."""
        return sum(file.size_bytes for file in self.files)

    def file(self, path: str) -> PayloadFile | None:
        """Return the file at a path, or None."""
        return next((file for file in self.files if file.path == PurePosixPath(path)), None)


class Severity(StrEnum):
    """The severity of a finding; only an error prevents a wheel from being verified."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def position(self) -> int:
        """Its place in the order of severities, the worst first."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """A problem in a wheel.

    Attributes:
        check: The id of the check that found it.
        place: The member it is about, or the wheel's file name.
        evidence: The actual and the expected state.
        remedy: What to do.
    """

    check: str
    severity: Severity
    place: str
    evidence: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaivedFinding:
    """A finding that a waiver accepts.

    Attributes:
        pattern: The waiver's pattern, which matches the finding's place.
        reason: Why the finding is acceptable.
    """

    finding: Finding = field(metadata={Form.FLATTENED: True})
    pattern: str
    reason: str

"""Executables that releases are known to contain, by their SHA-256."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from packaging.version import Version

from factory.core.digests import Sha256
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.core.trust_level import Level, TrustAssessment


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownExecutable:
    """One executable of a release package.

    Attributes:
        path: Its path in the release package.
    """

    release: CodexTag
    target: Target
    path: PurePosixPath

    def __str__(self) -> str:
        return f"{self.path.name} of {self.release.pep440} for {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageExecutables:
    """All executables of one release package.

    Attributes:
        digests: The SHA-256 of each, by its path in the release package.
    """

    release: CodexTag
    target: Target
    digests: Mapping[PurePosixPath, Sha256]


class ExecutableIndex(Protocol):
    """Finds the release packages that contain an executable."""

    def package(self, release: CodexTag, target: Target) -> PackageExecutables | None:
        """Return the executables of one release package, or None if the package is not known."""
        ...

    def expected(self, release: CodexTag, target: Target) -> PackageExecutables | None:
        """Return the executables of a release package, or of the newest known one before it."""
        ...

    def lookup(self, sha256: Sha256) -> tuple[KnownExecutable, ...]:
        """Return where an executable was released; nothing means "not known", never "not released"."""
        ...

    def is_of_one_release(self, executable: KnownExecutable) -> bool:
        """Whether each known release has a build of its own of the executable.

        False for executables that releases share, such as ripgrep, and with fewer than two known releases.
        """
        ...


class NoExecutables:
    """An index without entries, for callers that have none."""

    def package(self, release: CodexTag, target: Target) -> PackageExecutables | None:  # noqa: ARG002 - as below
        """Return no package."""
        return None

    def expected(self, release: CodexTag, target: Target) -> PackageExecutables | None:  # noqa: ARG002 - as below
        """Return no package."""
        return None

    def lookup(self, sha256: Sha256) -> tuple[KnownExecutable, ...]:  # noqa: ARG002 - the protocol has it
        """Return no executable."""
        return ()

    def is_of_one_release(self, executable: KnownExecutable) -> bool:  # noqa: ARG002 - as above
        """Return that this is not known."""
        return False


class KnownExecutables:
    """The executables of some release packages; a release that it lacks is not known to it."""

    def __init__(self, packages: Iterable[PackageExecutables] = ()) -> None:
        """Take the packages; a later one replaces an earlier one of the same release and target."""
        self._packages = {(package.release, package.target): package for package in packages}
        ordered = sorted(
            self._packages, key=lambda key: (Version(key[0].pep440), tuple(Target).index(key[1]))
        )
        self._ordered = tuple(self._packages[key] for key in ordered)
        self._by_digest: defaultdict[Sha256, list[KnownExecutable]] = defaultdict(list)
        self._builds: defaultdict[tuple[Target, str], list[Sha256]] = defaultdict(list)
        for package in self.packages:
            for path, sha256 in package.digests.items():
                known = KnownExecutable(release=package.release, target=package.target, path=path)
                self._by_digest[sha256].append(known)
                self._builds[package.target, path.name].append(sha256)

    @property
    def packages(self) -> tuple[PackageExecutables, ...]:
        """The packages, by release and target."""
        return self._ordered

    def package(self, release: CodexTag, target: Target) -> PackageExecutables | None:
        """Return the executables of one release package, or None if the package is not known."""
        return self._packages.get((release, target))

    def expected(self, release: CodexTag, target: Target) -> PackageExecutables | None:
        """Return the executables of a release package, or of the newest known one before it.

        A release that the index lacks has at least the executables of the release before it, until a person
        has looked at it and it is in the index.
        """
        limit = Version(release.pep440)
        earlier = [
            package
            for package in self.packages
            if package.target is target and Version(package.release.pep440) <= limit
        ]
        return earlier[-1] if earlier else None

    def lookup(self, sha256: Sha256) -> tuple[KnownExecutable, ...]:
        """Return where an executable was released, the oldest release first."""
        return tuple(self._by_digest.get(sha256, ()))

    def is_of_one_release(self, executable: KnownExecutable) -> bool:
        """Whether each known release has a build of its own of the executable.

        Files are compared by name, because the layout of packages changed.
        """
        builds = self._builds[executable.target, executable.path.name]
        return len(builds) > 1 and len(set(builds)) == len(builds)

    def adding(self, packages: Iterable[PackageExecutables]) -> "KnownExecutables":
        """Return an index that has some packages as well."""
        return KnownExecutables((*self.packages, *packages))


def is_own_build(digests: Iterable[Sha256], executables: ExecutableIndex) -> bool:
    """Whether the index knows none of some files, so that it says nothing about what belongs to them."""
    return not any(executables.lookup(sha256) for sha256 in digests)


def released_as(known: KnownExecutable, assessment: TrustAssessment | None = None) -> str:
    """Return what an executable is: ``codex.exe of 0.162.1 for x86_64-pc-windows-msvc``.

    Args:
        known: Where it was released.
        assessment: Adds the signer and the date, if there is a verified signature.
    """
    if assessment is None or assessment.level is Level.SIGNATURE_NOT_VALID:
        return str(known)
    signature = assessment.signature
    if signature is None or signature.signer is None:
        return str(known)
    signer = signature.signer.organization or signature.signer.name
    signed = "" if signature.signed_at is None else f" on {signature.signed_at:%Y-%m-%d}"
    return f"{known}, signed by {signer}{signed}"

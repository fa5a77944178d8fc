"""Compare a published wheel with its rebuild.

Equal digests need no download: the rebuilt bytes are then the published ones. Otherwise the
published wheel is downloaded, and `factory.verify.reading.read` reads both wheels whole, so the
comparison trusts neither RECORD nor the zip directory: contents are compared by their own SHA-256.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from factory.audit.audited import AuditedWheel, Inferred, NotRebuilt
from factory.audit.container_differences import (
    container_differences,
    contradicting_headers,
    stray_bytes,
)
from factory.audit.member_differences import (
    MemberPair,
    doubled_members,
    member_differences,
    unreadable_parts,
)
from factory.audit.read_package import ReadPackage
from factory.audit.replay import replayed_digest
from factory.audit.verdict import Cause, ChainLink
from factory.core.digests import Sha256
from factory.core.model import Severity
from factory.executables.signatures.policy import TrustPolicy
from factory.verify.baseline.member_kinds import MemberReview
from factory.verify.checks.closed_world import CLOSED_WORLD_IDS
from factory.verify.inspection import Inspection, inspect_contents
from factory.verify.reading.contents import WheelContents


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All differences between two wheels.

    Attributes:
        members: Differences in the members' names, contents and modes, which installers write to disk.
        container: Differences around the members: order, times, zip host, compression, stray bytes.
        is_replayed: Whether the rebuild has the published digest once it is written with the published
            wheel's headers.
    """

    members: tuple[Cause, ...]
    container: tuple[Cause, ...]
    is_replayed: bool = False

    @property
    def causes(self) -> tuple[Cause, ...]:
        """All of them, the members' first."""
        return (*self.members, *self.container)

    @property
    def is_harmless(self) -> bool:
        """Whether the members are equal, and nothing is hidden between them."""
        return not self.members and self.has_sound_container

    @property
    def has_sound_container(self) -> bool:
        """Whether the container hides nothing and is not ambiguous."""
        return all(cause.severity is not Severity.ERROR for cause in self.container)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedWheel:
    """A rebuilt wheel after its comparison.

    Attributes:
        audited: The wheel.
        inferred: Its recipe.
        rebuilt: The digest of its rebuild.
        inspection: What `factory.verify` finds in the published bytes.
        reviews: What each of its members is.
        chain: The origin of each executable.
        comparison: The differences; None if the digests are equal.
    """

    audited: AuditedWheel
    inferred: Inferred
    rebuilt: Sha256
    inspection: Inspection
    reviews: tuple[MemberReview, ...]
    chain: tuple[ChainLink, ...]
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedWheel:
    """A wheel that was read whole, but not compared with a rebuild.

    Attributes:
        wheel: The wheel, and why it was not rebuilt.
        inspection: What `factory.verify` finds in it.
        reviews: What each of its members is.
        chain: The origin of each executable.
        ambiguous: A cause for each part that installers can read differently.
    """

    wheel: NotRebuilt
    inspection: Inspection
    reviews: tuple[MemberReview, ...]
    chain: tuple[ChainLink, ...]
    ambiguous: tuple[Cause, ...]


def compare_contents(published: WheelContents, rebuilt: WheelContents, *, promised: Sha256) -> Comparison:
    """Compare two wheels that were read whole.

    Args:
        published: The published wheel.
        rebuilt: The wheel that the inferred recipe gave.
        promised: The digest that a replay must give.
    """
    pairs = tuple(
        MemberPair(name=name, published=published.by_name[name], rebuilt=member)
        for name, member in rebuilt.by_name.items()
        if name in published.by_name
    )
    found = Comparison(
        members=tuple(member_differences(published, rebuilt, pairs)),
        container=tuple(container_differences(published, rebuilt, pairs)),
    )
    if found.is_harmless and replayed_digest(published, rebuilt) == promised:
        return Comparison(members=(), container=found.container, is_replayed=True)
    return found


def ambiguous_parts(published: WheelContents) -> Iterator[Cause]:
    """Yield a cause for each part of a wheel that installers can read differently, without a rebuild."""
    yield from unreadable_parts(published)
    yield from doubled_members(published)
    yield from stray_bytes(published)
    yield from contradicting_headers(published)


def inspect_published(contents: WheelContents, package: ReadPackage, scratch: Path) -> Inspection:
    """Run the checks of ``factory verify``, except those that review members: the audit has its own reviews.

    Executables are assessed with the package's files as promised: the channel states the package's digest.
    """
    trust = TrustPolicy(promises={file.sha256: package.asset.purl for file in package.payload.files})
    inspection = inspect_contents(replace(contents, trust=trust), scratch=scratch)
    findings = tuple(one for one in inspection.findings if one.check not in CLOSED_WORLD_IDS)
    return replace(inspection, findings=findings)


def chain_in(contents: WheelContents, package: ReadPackage) -> tuple[ChainLink, ...]:
    """Return for each executable the file of the release package with the same SHA-256, or None."""
    paths = {file.sha256: str(file.path) for file in reversed(package.payload.files)}
    return tuple(
        ChainLink(
            member=member.name,
            sha256=member.sha256,
            asset=package.asset.purl if member.sha256 in paths else None,
            path=paths.get(member.sha256),
        )
        for member in contents.members
        if member.kind.is_executable_image and member.sha256 is not None
    )

"""Compare a published wheel with its rebuild.

Equal digests need no download: the rebuilt bytes are then the published ones. Otherwise the
published wheel is downloaded, and `factory.verify.reading.read` reads both wheels whole, so the
comparison trusts neither RECORD nor the zip directory: contents are compared by their own SHA-256.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from factory.audit.audited import AuditedWheel, Failure, FailureKind, NotRebuilt, attempt
from factory.audit.container_differences import container_differences
from factory.audit.infer import Inferred
from factory.audit.member_differences import MemberPair, member_differences
from factory.audit.no_recipe import contents_outcome, unexplained_members
from factory.audit.packages import ReadPackage
from factory.audit.rebuild import RebuiltWheel
from factory.audit.replay import replayed_digest
from factory.audit.verdict import Cause, ChainLink, Outcome
from factory.audit.wheel_file import WheelFiles
from factory.core.digests import Sha256
from factory.core.errors import IntegrityError, UpstreamError
from factory.core.model import Payload, Severity
from factory.executables.signatures.policy import TrustPolicy
from factory.verify.inspection import Inspection, inspect
from factory.verify.reading.contents import WheelContents
from factory.verify.reading.read import read_wheel


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
        """Whether the members are equal and the container hides nothing: stray bytes belong to no member."""
        return not self.members and all(cause.severity is not Severity.ERROR for cause in self.container)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedWheel:
    """A rebuilt wheel after its comparison.

    Attributes:
        audited: The wheel.
        inferred: Its recipe.
        rebuilt: The digest of its rebuild.
        inspection: What `factory.verify` finds in the published bytes.
        chain: The origin of each executable.
        comparison: The differences; None if the digests are equal.
    """

    audited: AuditedWheel
    inferred: Inferred
    rebuilt: Sha256
    inspection: Inspection
    chain: tuple[ChainLink, ...]
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedWheel:
    """A wheel without a known recipe after all of its members were read.

    Attributes:
        wheel: The wheel, and why its recipe is not known.
        inspection: What `factory.verify` finds in it.
        chain: The origin of each executable.
        unexplained: A cause for each executable that no release package has.
        outcome: What its contents prove.
    """

    wheel: NotRebuilt
    inspection: Inspection
    chain: tuple[ChainLink, ...]
    unexplained: tuple[Cause, ...]
    outcome: Outcome


def compare_wheel(
    wheel: RebuiltWheel | NotRebuilt, packages: Sequence[ReadPackage], files: WheelFiles, scratch: Path
) -> ComparedWheel | ExaminedWheel | NotRebuilt:
    """Compare a published wheel with its rebuild, or examine its contents if it has no known recipe.

    The rebuilt wheel is removed: all wheels of a release are 1 GB.

    Args:
        wheel: What the rebuild gave.
        packages: The release packages, to recognise executables.
        files: Opens the published wheel.
        scratch: An existing directory.
    """
    with TemporaryDirectory(prefix="compare-", dir=scratch) as directory:
        if isinstance(wheel, NotRebuilt):
            return _examine(wheel, packages, files, Path(directory))
        compared = attempt(lambda: _compare_rebuilt(wheel, packages, files, Path(directory)))
        wheel.path.unlink(missing_ok=True)
    if isinstance(compared, Failure):
        return NotRebuilt(
            audited=wheel.audited, failure=compared, inferred=wheel.inferred, rebuilt=wheel.sha256
        )
    return compared


def _compare_rebuilt(
    wheel: RebuiltWheel, packages: Sequence[ReadPackage], files: WheelFiles, scratch: Path
) -> ComparedWheel:
    audited = wheel.audited
    if wheel.sha256 == audited.wheel.sha256:
        return ComparedWheel(
            audited=audited,
            inferred=wheel.inferred,
            rebuilt=wheel.sha256,
            inspection=inspect(wheel.path, scratch=scratch, trust=_trust_in(packages)),
            chain=wheel.inferred.chain,
        )
    with files.whole(audited.wheel, audited.fetched) as path:
        inspection = inspect(path, scratch=scratch, trust=_trust_in(packages))
        rebuilt = read_wheel(wheel.path, scratch=scratch)
        comparison = compare_contents(
            inspection.contents,
            rebuilt,
            [package.payload for package in packages],
            promised=audited.wheel.sha256,
        )
    return ComparedWheel(
        audited=audited,
        inferred=wheel.inferred,
        rebuilt=wheel.sha256,
        inspection=inspection,
        chain=_chain_of(inspection.contents, packages),
        comparison=comparison,
    )


def compare_contents(
    published: WheelContents, rebuilt: WheelContents, payloads: Sequence[Payload], *, promised: Sha256
) -> Comparison:
    """Compare two wheels that were read whole.

    Args:
        published: The published wheel.
        rebuilt: The wheel that the inferred recipe gave.
        payloads: The release's files for every target, to recognise executables of another target.
        promised: The digest that a replay must give.
    """
    pairs = tuple(
        MemberPair(name=name, published=published.by_name[name], rebuilt=member)
        for name, member in rebuilt.by_name.items()
        if name in published.by_name
    )
    found = Comparison(
        members=tuple(member_differences(published, rebuilt, pairs, payloads)),
        container=tuple(container_differences(published, rebuilt, pairs)),
    )
    if found.is_harmless and replayed_digest(published, rebuilt) == promised:
        return Comparison(members=(), container=found.container, is_replayed=True)
    return found


def _examine(
    wheel: NotRebuilt, packages: Sequence[ReadPackage], files: WheelFiles, scratch: Path
) -> ExaminedWheel | NotRebuilt:
    """Read a wheel whole if the wheel itself is the reason why it was not rebuilt."""
    if wheel.failure.kind in {FailureKind.OUTSIDE, FailureKind.NO_PAYLOAD}:
        return wheel
    published = wheel.audited.wheel
    try:
        with files.whole(published, wheel.audited.fetched) as path:
            inspection = inspect(path, scratch=scratch, trust=_trust_in(packages))
            contents = inspection.contents
            chain = _chain_of(contents, packages)
            unexplained = tuple(unexplained_members(contents, chain))
            # A replay needs an archive that readers agree on; and without executables it proves nothing.
            is_provable = wheel.failure.kind is FailureKind.NO_RECIPE and chain and not unexplained
            outcome = (
                contents_outcome(path, contents, promised=published.sha256)
                if is_provable
                else Outcome.NOT_REBUILT
            )
    except (UpstreamError, IntegrityError):  # the first reason says more than this one
        return wheel
    return ExaminedWheel(
        wheel=wheel, inspection=inspection, chain=chain, unexplained=unexplained, outcome=outcome
    )


def _trust_in(packages: Sequence[ReadPackage]) -> TrustPolicy:
    """Assess executables with the packages' files as promised: the channel states the packages' digests."""
    return TrustPolicy(
        promises={file.sha256: package.asset.purl for package in packages for file in package.payload.files}
    )


def _chain_of(contents: WheelContents, packages: Sequence[ReadPackage]) -> tuple[ChainLink, ...]:
    """Return for each executable the release file with the same SHA-256, or None."""
    origins = {
        file.sha256: (package.asset.purl, str(file.path))
        for package in reversed(packages)
        for file in reversed(package.payload.files)
    }
    links = []
    for member in contents.members:
        if member.kind.is_executable_image and member.sha256 is not None:
            asset, path = origins.get(member.sha256, (None, None))
            links.append(ChainLink(member=member.name, sha256=member.sha256, asset=asset, path=path))
    return tuple(links)

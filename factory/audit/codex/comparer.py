"""Compare the wheels of one release with their rebuilds."""

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from factory.audit.audited import Failure, FailureKind, NotRebuilt, attempt
from factory.audit.codex.packages import ReleasePackages
from factory.audit.codex.rebuild import RebuiltWheel
from factory.audit.codex.review import Reviewer
from factory.audit.compare import (
    ComparedWheel,
    ExaminedWheel,
    ambiguous_parts,
    chain_in,
    compare_contents,
    inspect_published,
)
from factory.audit.read_package import ReadPackage
from factory.audit.wheel_file import WheelFiles
from factory.core.errors import IntegrityError, UpstreamError
from factory.release.archives.inflate import Codec, fast_deflate_codec
from factory.verify.reading.read import read_own_wheel, read_wheel


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparer:
    """Compares the wheels of one release.

    Attributes:
        packages: The packages of the release. For each wheel only that of its own target counts, so
            that its verdict does not depend on what else is audited.
        reviewer: Judges members.
        files: Opens the published wheels.
        scratch: An existing directory.
        rebuilt_codec: Inflates the rebuilt wheels. They need not be read as installers do, because each of
            their streams was inflated when our encoder wrote it.
    """

    packages: ReleasePackages
    reviewer: Reviewer
    files: WheelFiles
    scratch: Path
    rebuilt_codec: Codec = field(default_factory=fast_deflate_codec)

    def compare(self, wheel: RebuiltWheel | NotRebuilt) -> ComparedWheel | ExaminedWheel | NotRebuilt:
        """Compare a published wheel with its rebuild, or examine its contents if there is none.

        The rebuilt wheel is removed: all wheels of a release are 1 GB.
        """
        package = self.packages.package_for(wheel.audited.wheel)
        if isinstance(package, Failure):
            return wheel if isinstance(wheel, NotRebuilt) else _not_rebuilt(wheel, package)
        with TemporaryDirectory(prefix="compare-", dir=self.scratch) as directory:
            if isinstance(wheel, NotRebuilt):
                return self._examine(wheel, package, Path(directory))
            compared = attempt(lambda: self._compare(wheel, package, Path(directory)))
            wheel.path.unlink(missing_ok=True)
        return _not_rebuilt(wheel, compared) if isinstance(compared, Failure) else compared

    def _compare(self, wheel: RebuiltWheel, package: ReadPackage, scratch: Path) -> ComparedWheel:
        published = wheel.audited.wheel
        if wheel.sha256 == published.sha256:
            rebuilt = read_own_wheel(wheel.path, scratch=scratch, codec=self.rebuilt_codec)
            inspection = inspect_published(rebuilt, package, scratch)
            chain, comparison = wheel.inferred.chain, None
        else:
            with self.files.whole(published, wheel.audited.fetched) as path:
                inspection = inspect_published(read_wheel(path, scratch=scratch), package, scratch)
                rebuilt = read_own_wheel(wheel.path, scratch=scratch, codec=self.rebuilt_codec)
                comparison = compare_contents(inspection.contents, rebuilt, promised=published.sha256)
                chain = chain_in(inspection.contents, package)
        return ComparedWheel(
            audited=wheel.audited,
            inferred=wheel.inferred,
            rebuilt=wheel.sha256,
            inspection=inspection,
            reviews=self.reviewer.review(inspection.contents, published, package.payload),
            chain=chain,
            comparison=comparison,
        )

    def _examine(self, wheel: NotRebuilt, package: ReadPackage, scratch: Path) -> ExaminedWheel | NotRebuilt:
        """Read a wheel whole, unless it could not be downloaded."""
        if wheel.failure.kind in {FailureKind.OUTSIDE, FailureKind.NO_PAYLOAD}:
            return wheel
        published = wheel.audited.wheel
        try:
            with self.files.whole(published, wheel.audited.fetched) as path:
                inspection = inspect_published(read_wheel(path, scratch=scratch), package, scratch)
        except (UpstreamError, IntegrityError):  # the first reason says more than this one
            return wheel
        contents = inspection.contents
        return ExaminedWheel(
            wheel=wheel,
            inspection=inspection,
            reviews=self.reviewer.review(contents, published, package.payload),
            chain=chain_in(contents, package),
            ambiguous=tuple(ambiguous_parts(contents)),
        )


def _not_rebuilt(wheel: RebuiltWheel, failure: Failure) -> NotRebuilt:
    return NotRebuilt(audited=wheel.audited, failure=failure, inferred=wheel.inferred, rebuilt=wheel.sha256)

"""Audit the wheels of a project by its mapping: npm's executables, reviewed texts, and the same decision."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeGuard

from factory.audit.audited import AuditedWheel, Failure, NotRebuilt, attempt
from factory.audit.compare import ambiguous_parts, chain_in, inspect_published
from factory.audit.context import AuditContext
from factory.audit.decide import base_verdict, verdict_on, with_contents
from factory.audit.decision_table import decide
from factory.audit.evidence import (
    Evidence,
    OtherMembers,
    PayloadEvidence,
    Reading,
    Rebuild,
    VerifyErrors,
)
from factory.audit.evidence_of import others_evidence, payload_evidence, voucher_of
from factory.audit.locked_backend import locked_version
from factory.audit.projects.container import (
    backend_note,
    encoder_note,
    odd_modes,
    taken_values,
    write_again,
)
from factory.audit.projects.hatchling import BuiltAgain, build_again
from factory.audit.projects.mapping import Built, MappedPlatform, PackedWith, ProjectMapping, ReviewedRelease
from factory.audit.projects.members import MappedMembers
from factory.audit.projects.npm_release import MakerPackages, released_files
from factory.audit.projects.read_texts import read_reviewed
from factory.audit.projects.stated_version import stated_version
from factory.audit.provenance import look_up, provenance_causes
from factory.audit.read_package import ReadPackage
from factory.audit.review_causes import combined_causes
from factory.audit.verdict import Cause, InferredFacts, ProvenanceState, ServedProvenance, Verdict
from factory.audit.wheel_file import WheelFiles
from factory.core.digests import Sha256
from factory.core.errors import UpstreamError
from factory.core.model import PayloadFile, Severity
from factory.release.channels import NotOnChannel
from factory.system.cache import made_again
from factory.system.files import writing
from factory.system.parallel import in_parallel
from factory.verify.baseline.member_kinds import MemberClass, MemberReview
from factory.verify.inspection import Inspection
from factory.verify.reading.read import read_wheel

NOT_JUDGED = "executables are the maker's, other members not judged"
_USE = "reviewed text, from which the project that the backend built was inferred"
BUILT_SEPARATELY = "not the released bytes: built separately"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expected:
    """What a wheel should contain: the package of its platform, and what was reviewed of its version."""

    platform: MappedPlatform
    release: ReviewedRelease | None
    package: ReadPackage


@dataclass(frozen=True, slots=True, kw_only=True)
class _Container:
    """How the wheel's container compares.

    Attributes:
        causes: The notes and errors.
        rebuilt: The digest of the wheel that was built or written again.
        taken: The container values that were taken from the wheel.
        recipe: The recipe of an equal wheel that its backend built.
    """

    rebuild: Rebuild
    causes: tuple[Cause, ...]
    rebuilt: Sha256 | None = None
    taken: tuple[str, ...] = ()
    recipe: InferredFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedAuditor:
    """Audits the wheels of one version.

    Attributes:
        mapping: The mapping of the project.
        packages: Reads npm packages.
        context: The objects that every audit uses.
    """

    mapping: ProjectMapping
    packages: MakerPackages
    context: AuditContext

    def audit(
        self, wheels: Sequence[AuditedWheel], *, done: Callable[[Verdict], None]
    ) -> tuple[Verdict, ...]:
        """Return one verdict for each wheel, in order."""
        with TemporaryDirectory(prefix="audit-", dir=self.context.scratch) as directory:
            files = WheelFiles(tools=self.context.tools, scratch=Path(directory) / "published")

            def conclude(audited: AuditedWheel) -> Verdict:
                served = look_up(audited.wheel, self.context.tools.downloader.client)
                with TemporaryDirectory(prefix="wheel-", dir=directory) as scratch:
                    verdict = self._audit(audited, files, served, Path(scratch))
                done(verdict)
                return verdict

            return in_parallel(
                conclude,
                wheels,
                jobs=self.context.tools.jobs,
                weight=lambda audited: audited.weight,
                stop=self.context.tools.stop,
            )

    def _audit(
        self, audited: AuditedWheel, files: WheelFiles, served: ServedProvenance, scratch: Path
    ) -> Verdict:
        def judge(is_checked: bool) -> Verdict:  # noqa: FBT001 - see `made_again`
            expected = self._expected(audited, files, is_checked=is_checked)
            place = scratch / ("again" if is_checked else "first")
            with writing(place):
                place.mkdir()
            return self._judge(audited, expected, files, served, place)

        judged = attempt(lambda: made_again(judge))
        if isinstance(judged, Failure):
            return verdict_on(NotRebuilt(audited=audited, failure=judged), served)
        return judged

    def _expected(self, audited: AuditedWheel, files: WheelFiles, *, is_checked: bool) -> _Expected:
        wheel = audited.wheel
        platform = self.mapping.platform_for(wheel.platforms)
        if platform is None:
            raise NotOnChannel(f"the mapping names no npm package for the platform {wheel.platform}")
        release = self.mapping.release_for(wheel.version, wheel.platforms)
        version = self._npm_version(audited, release, files)
        try:
            package = self.packages.read(platform, version, is_checked)
        except NotOnChannel as error:
            if self.mapping.constant is None or release is not None:
                raise
            # Only the wheel names the version: a missing one must not make the answer milder.
            raise UpstreamError(f"the wheel states the npm version {version}: {error}") from error
        return _Expected(platform=platform, release=release, package=package)

    def _npm_version(self, audited: AuditedWheel, release: ReviewedRelease | None, files: WheelFiles) -> str:
        if release is not None and release.npm_version is not None:
            return release.npm_version
        if self.mapping.constant is not None:
            return stated_version(self.mapping.constant, audited, files)
        version = self.mapping.rule.npm_version(audited.wheel.version)
        if version is None:
            raise NotOnChannel(
                f"the version rule {self.mapping.rule} gives no npm version for {audited.wheel.version};"
                " correct 'version' in the mapping"
            )
        return version

    def _built(
        self,
        audited: AuditedWheel,
        expected: _Expected,
        places: Mapping[str, PayloadFile],
        files: WheelFiles,
        scratch: Path,
    ) -> BuiltAgain | None:
        """Build a wheel again if its texts are reviewed, and its backend has a locked toolchain."""
        release = expected.release
        backend = None if release is None else locked_version(release.generator)
        if release is None or backend is None or release.packed_with is not PackedWith.ZLIB:
            return None
        published = read_reviewed(
            audited, files, release=release, places=places, baseline=self.context.baseline
        )
        if published is None:
            return None
        return build_again(
            published, expected.package, backend=backend, tools=self.context.tools, scratch=scratch
        )

    def _judge(
        self,
        audited: AuditedWheel,
        expected: _Expected,
        files: WheelFiles,
        served: ServedProvenance,
        scratch: Path,
    ) -> Verdict:
        places = released_files(expected.platform, expected.package, expected.release)
        built = attempt(partial(self._built, audited, expected, places, files, scratch))
        with _bytes_of(audited, built, files) as path:
            inspection = inspect_published(read_wheel(path, scratch=scratch), expected.package, scratch)
            members = MappedMembers(
                contents=inspection.contents,
                mapping=self.mapping,
                release=expected.release,
                package=expected.package,
                files=places,
                baseline=self.context.baseline,
            )
            if self.mapping.built is Built.SEPARATELY and not members.has_equal_executable:
                return self._separate(audited, inspection, members, served)
            reviews = members.review()
            container = self._container(audited, members, reviews, built, scratch)
        evidence = Evidence(
            reading=Reading.DONE,
            payload=payload_evidence(reviews),
            others=others_evidence(reviews),
            rebuild=container.rebuild,
            errors=_errors(inspection, served),
            voucher=voucher_of(audited),
        )
        decision = decide(evidence)
        verdict = with_contents(base_verdict(decision, audited, None, container.rebuilt), inspection, reviews)
        causes = combined_causes(reviews, container.causes, inspection.contents)
        if container.recipe is not None:
            texts = tuple(replace(text, use=_USE) for text in verdict.trust_base)
            verdict = replace(verdict, inferred=container.recipe, trust_base=texts)
        is_not_judged = not members.reviewed and evidence.payload is PayloadEvidence.AS_RELEASED
        return replace(
            verdict,
            causes=(*causes, *provenance_causes(verdict.name, served)),
            replayed=container.taken,
            chain=chain_in(inspection.contents, expected.package),
            provenance=served,
            reason=NOT_JUDGED if is_not_judged else "",
        )

    def _separate(
        self,
        audited: AuditedWheel,
        inspection: Inspection,
        members: MappedMembers,
        served: ServedProvenance,
    ) -> Verdict:
        """Return the verdict on a wheel of a project that builds the executables itself."""
        evidence = Evidence(
            reading=Reading.DONE,
            payload=PayloadEvidence.SEPARATE,
            others=OtherMembers.NOT_SEEN,
            rebuild=Rebuild.NOT_DONE,
            errors=_errors(inspection, served),
            voucher=voucher_of(audited),
        )
        verdict = with_contents(base_verdict(decide(evidence), audited, None, None), inspection, ())
        released = ", ".join(f"{file.path} {file.sha256}" for file in members.files.values())
        cause = Cause(
            id="built-separately",
            severity=Severity.NOTE,
            place=verdict.name,
            sentence="The project builds its executables itself, as its mapping says: they are not the files"
            " on npm, and this audit says nothing about them.",
            evidence=f"{members.package.asset.purl} has {released}",
        )
        return replace(
            verdict,
            reason=BUILT_SEPARATELY,
            trust_base=(),  # no text was compared with anything
            causes=(cause, *provenance_causes(verdict.name, served)),
            chain=chain_in(inspection.contents, members.package),
            provenance=served,
        )

    def _container(
        self,
        audited: AuditedWheel,
        members: MappedMembers,
        reviews: Sequence[MemberReview],
        built: BuiltAgain | Failure | None,
        scratch: Path,
    ) -> _Container:
        """Rebuild the wheel if every member is known; otherwise the other evidence decides."""
        contents = members.contents
        hidden = tuple(ambiguous_parts(contents))
        is_local_variant = audited.reference.sha256 != audited.wheel.sha256
        if hidden or (is_local_variant and _has_unseen(reviews)):
            return _Container(rebuild=Rebuild.DIFFERENT, causes=(*hidden, *_variant(audited)))
        release = members.release
        if release is None or not members.reviewed or not _are_known(reviews):
            return _Container(rebuild=Rebuild.NOT_DONE, causes=_variant(audited))
        odd = odd_modes(contents, release.modes)
        if odd:
            return _Container(rebuild=Rebuild.DIFFERENT, causes=(*odd, *_variant(audited)))
        if release.packed_with is PackedWith.UNKNOWN:
            note = encoder_note(contents, f"the deflate encoder of {release.generator} is unknown")
            return _Container(rebuild=Rebuild.EQUIVALENT, causes=(note, *_variant(audited)))
        if _is_equal(built, audited):
            return _Container(
                rebuild=Rebuild.IDENTICAL, causes=_variant(audited), rebuilt=built.sha256, recipe=built.facts
            )
        missed = () if built is None else (backend_note(contents, release.generator, built),)
        return self._written(audited, members, missed, scratch)

    def _written(
        self, audited: AuditedWheel, members: MappedMembers, notes: tuple[Cause, ...], scratch: Path
    ) -> _Container:
        """Write the wheel again with values taken from it."""
        contents, causes = members.contents, (*notes, *_variant(audited))
        written = write_again(
            contents,
            members.placed,
            members.package,
            encoders=self.context.tools.encoders,
            promised=audited.wheel.sha256,
            scratch=scratch,
        )
        if written.sha256 == audited.wheel.sha256:
            taken = taken_values(contents)
            return _Container(
                rebuild=Rebuild.REPLAYED,
                causes=(*taken, *causes),
                rebuilt=written.sha256,
                taken=tuple(cause.id for cause in taken),
            )
        note = encoder_note(contents, written.problem or "zlib's level 6 gives other bytes")
        return _Container(rebuild=Rebuild.EQUIVALENT, causes=(note, *causes), rebuilt=written.sha256)


@contextmanager
def _bytes_of(audited: AuditedWheel, built: BuiltAgain | Failure | None, files: WheelFiles) -> Iterator[Path]:
    """Yield a file with the bytes of a wheel: the one that was built with its digest, or else a download."""
    if _is_equal(built, audited):
        yield built.path
    else:
        with files.whole(audited.wheel, audited.fetched) as path:
            yield path


def _is_equal(built: BuiltAgain | Failure | None, audited: AuditedWheel) -> TypeGuard[BuiltAgain]:
    return isinstance(built, BuiltAgain) and built.sha256 == audited.wheel.sha256


def _errors(inspection: Inspection, served: ServedProvenance) -> VerifyErrors:
    is_false = served.state is ProvenanceState.NOT_VALID
    return VerifyErrors.SOME if is_false or inspection.errors else VerifyErrors.NONE


def _has_unseen(reviews: Sequence[MemberReview]) -> bool:
    return any(review.kind.member_class is MemberClass.NOT_SEEN for review in reviews)


def _are_known(reviews: Sequence[MemberReview]) -> bool:
    known = {MemberClass.KNOWN, MemberClass.ACCEPTED}
    return bool(reviews) and all(review.kind.member_class in known for review in reviews)


def _variant(audited: AuditedWheel) -> tuple[Cause, ...]:
    """Return a cause if a local file is not the wheel that the index lists under its name."""
    if audited.reference.sha256 == audited.wheel.sha256:
        return ()
    return (
        Cause(
            id="not-the-listed-file",
            severity=Severity.WARNING,
            place=audited.wheel.name,
            sentence="The index lists another file under this name.",
            evidence=f"SHA-256 {audited.wheel.sha256}; listed is {audited.reference.sha256}",
        ),
    )

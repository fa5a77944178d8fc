"""Come to a verdict: compare the rebuilt wheel with what was promised, and look closer where they differ."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from factory.audit.compare import Comparison, compare
from factory.audit.index import PublishedWheel
from factory.audit.infer import Inferred
from factory.audit.no_recipe import (
    REPLAYED,
    judge_contents,
    recipe_unknown,
    texts_of,
    unexplained_members,
)
from factory.audit.remote_zip import Fetched
from factory.audit.replay import replayed_digest
from factory.audit.verdict import Cause, ChainLink, Outcome, Verdict
from factory.audit.wheel_file import WheelFiles
from factory.build.builder import LaidOutWheel
from factory.core.model import Payload, ReleaseAsset, Severity
from factory.executables.signatures.policy import TrustPolicy
from factory.verify import Inspection, inspect
from factory.verify.reading.contents import WheelContents
from factory.verify.reading.read import read_wheel

Origins = Sequence[tuple[ReleaseAsset, Payload]]
"""The release packages that were read, each with its payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A wheel, and what is known of it when it comes to the verdict.

    Attributes:
        wheel: What is judged.
        tag: The release.
        inferred: Its recipe, if one could be inferred, and `rebuilt` what that gave.
        origins: Every release package that was read.
        fetched: How much was read of the wheel.
        is_legible: Whether it could be read as a wheel at all; if not, no replay makes up for that.
    """

    wheel: PublishedWheel
    tag: str
    inferred: Inferred | None
    rebuilt: LaidOutWheel | None
    origins: Origins
    fetched: Fetched
    is_legible: bool = True

    @property
    def trust(self) -> TrustPolicy:
        """Return the trust policy: the digests of the packages are the channel's promises."""
        return TrustPolicy(
            promises={file.sha256: asset.purl for asset, payload in self.origins for file in payload.files}
        )

    def not_rebuilt(self, reason: str) -> Verdict:
        """Give the verdict of a wheel that could not be rebuilt, with all that is known all the same."""
        return replace(self._verdict(Outcome.NOT_REBUILT), reason=reason)

    def same(self) -> Verdict:
        """Give the verdict of a wheel whose rebuild has the promised digest."""
        return self._verdict(Outcome.IDENTICAL)

    def other(self, outcome: Outcome) -> Verdict:
        """Give the beginning of a verdict with another outcome."""
        return self._verdict(outcome)

    def _verdict(self, outcome: Outcome) -> Verdict:
        inferred = self.inferred
        return Verdict(
            name=self.wheel.name,
            tag=self.tag,
            platform=self.wheel.platform,
            size_bytes=self.wheel.size_bytes,
            sha256=self.wheel.sha256,
            yanked=self.wheel.yanked,
            outcome=outcome,
            rebuilt=None if self.rebuilt is None else self.rebuilt.wheel.sha256,
            causes=_unusual(inferred),
            chain=() if inferred is None else inferred.chain,
            trust_base=() if inferred is None else inferred.trust_base,
            inferred=None if inferred is None else inferred.facts,
            fetched_bytes=self.fetched.size_bytes,
        )


def judge(judged: Judged, files: WheelFiles, scratch: Path) -> Verdict:
    """Give a rebuilt wheel its verdict.

    Equal digests end it: then the rebuilt bytes are the published ones, and `factory.verify`
    looks at them without any download. Otherwise the published wheel is fetched and compared.

    Raises:
        FactoryError: The published wheel cannot be had or read, or there is no room.
    """
    if judged.rebuilt is None:
        return judged.not_rebuilt("no recipe was inferred")
    path = judged.rebuilt.wheel.path
    with TemporaryDirectory(prefix="judge-", dir=scratch) as directory:
        place = Path(directory)
        if judged.rebuilt.wheel.sha256 == judged.wheel.sha256:
            inspection = inspect(path, scratch=place, trust=judged.trust)
            verdict = _inspected(judged.same(), inspection)
        else:
            verdict = _explain(judged, files, place)
    return verdict


def look_at(judged: Judged, reason: str, files: WheelFiles, scratch: Path) -> Verdict:
    """Judge a wheel that no recipe could be inferred for, by reading it whole.

    Raises:
        FactoryError: The wheel cannot be had.
    """
    with (
        TemporaryDirectory(prefix="judge-", dir=scratch) as directory,
        files.whole(judged.wheel, judged.fetched) as path,
    ):
        inspection = inspect(path, scratch=Path(directory), trust=judged.trust)
        contents = inspection.contents
        links = _chain(contents, judged.origins)
        foreign = tuple(unexplained_members(contents, links))
        outcome = Outcome.NOT_REBUILT
        if judged.is_legible and links and not foreign and not _is_odd(contents):
            outcome = judge_contents(path, contents, promised=judged.wheel.sha256)
    is_judged = outcome is not Outcome.NOT_REBUILT
    return replace(
        _inspected(judged.other(outcome), inspection),
        reason="" if is_judged else reason,
        causes=(recipe_unknown(judged.wheel.name, reason),) if is_judged else foreign,
        replayed=REPLAYED if outcome is Outcome.REPLAYED else (),
        chain=links,
        trust_base=texts_of(contents),
    )


def _is_odd(contents: WheelContents) -> bool:
    """Whether there is more, or less, in the file than its members."""
    archive = contents.archive
    stray = archive.prefix_bytes + archive.suffix_bytes + len(archive.gaps) + len(archive.overlapping)
    is_doubled = len(contents.by_name) != len(contents.members)
    return bool(contents.problems or stray or archive.rival_ends or is_doubled)


def _explain(judged: Judged, files: WheelFiles, scratch: Path) -> Verdict:
    """Read both wheels whole and name what differs."""
    if judged.rebuilt is None:
        return judged.not_rebuilt("no recipe was inferred")
    with files.whole(judged.wheel, judged.fetched) as path:
        inspection = inspect(path, scratch=scratch, trust=judged.trust)
        published = inspection.contents
        rebuilt = read_wheel(judged.rebuilt.wheel.path, scratch=scratch)
        comparison = compare(published, rebuilt, [payload for _, payload in judged.origins])
        outcome = _outcome(comparison)
        if outcome is Outcome.EQUIVALENT and replayed_digest(published, rebuilt) == judged.wheel.sha256:
            outcome = Outcome.REPLAYED
    causes = (*comparison.members, *comparison.container)
    return replace(
        _inspected(judged.other(outcome), inspection),
        causes=(*_unusual(judged.inferred), *causes),
        replayed=tuple(cause.id for cause in causes) if outcome is Outcome.REPLAYED else (),
        chain=_chain(published, judged.origins),
        fetched_bytes=judged.fetched.size_bytes,
    )


def _outcome(comparison: Comparison) -> Outcome:
    """Members decide; stray bytes are no part of any member and still no mere matter of the container."""
    if comparison.members or any(cause.severity is Severity.ERROR for cause in comparison.container):
        return Outcome.DIFFERENT
    return Outcome.EQUIVALENT


def _chain(published: WheelContents, origins: Origins) -> tuple[ChainLink, ...]:
    """Tell of each executable, as it was read, in which package of the release it is."""
    links = []
    for member in published.members:
        if member.kind.is_executable_image and member.sha256 is not None:
            found = next(
                (
                    (asset.purl, str(file.path))
                    for asset, payload in origins
                    for file in payload.files
                    if file.sha256 == member.sha256
                ),
                (None, None),
            )
            links.append(ChainLink(member=member.name, sha256=member.sha256, asset=found[0], path=found[1]))
    return tuple(links)


def _unusual(inferred: Inferred | None) -> tuple[Cause, ...]:
    """Point at text that was taken over from the wheel and that runtime wheels do not have."""
    return tuple(
        Cause(
            id="unusual-text",
            severity=Severity.WARNING,
            place=text.place,
            sentence="The rebuild took this text from the wheel itself, and runtime wheels usually"
            " have no such member: read it.",
            evidence=f"SHA-256 {text.sha256}",
        )
        for text in (inferred.trust_base if inferred is not None else ())
        if not text.is_usual
    )


def _inspected(verdict: Verdict, inspection: Inspection) -> Verdict:
    """Add what `factory verify` says; a finding about the whole file names the published wheel."""
    return replace(
        verdict,
        findings=tuple(
            replace(finding, place=verdict.name) if finding.place.endswith(".whl") else finding
            for finding in inspection.findings
        ),
        assessments=inspection.contents.assessments,
        is_inspected=True,
    )

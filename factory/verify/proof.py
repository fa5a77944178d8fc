"""Prove a manifest before it is pinned, merged or attested: every field, against the wheels' own bytes."""

import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from factory.core.counted import counted
from factory.core.errors import UsageError, VerificationError
from factory.core.model import Severity
from factory.core.platform_tags import platform_of_tag
from factory.core.targets import PLATFORMS, Platform
from factory.manifest.manifest import CHECKSUMS_NAME, MANIFEST_NAME, Manifest, WheelRecord
from factory.system.parallel import in_parallel
from factory.verify.baseline.rules import ACCEPTANCE_ROOMS, rules_digest
from factory.verify.wheel_proof import file_problems, record_problems


class NotProven(VerificationError):
    """A manifest cannot be pinned."""

    hint = "Run 'factory wheels' for the release again, and pin its manifest."

    def __init__(self, path: Path, refusals: Sequence[str], *, absent: Sequence[Platform] = ()) -> None:
        lines = "".join(f"\n  {refusal}" for refusal in refusals)
        super().__init__(f"{path} cannot be pinned:{lines}")
        self.refusals = tuple(refusals)
        if absent and len(absent) == len(refusals):  # nothing else is wrong
            options = " ".join(f"--without {platform.tag}" for platform in absent)
            self.hint = f"Build them with 'factory wheels'. To pin the release without them, add: {options}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenManifest:
    """A manifest that matches the wheels in its directory; only `prove` makes one."""

    manifest: Manifest
    directory: Path
    terms: "Terms"

    @property
    def wheels(self) -> tuple[WheelRecord, ...]:
        """The wheels by name, so that all output has one order."""
        return tuple(sorted(self.manifest.wheels, key=lambda wheel: wheel.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The requirements for a manifest.

    Attributes:
        accepts_waivers: Whether waived errors are accepted.
        without: Platforms that may be missing, because their target was not released.
        needs_acceptance: Whether a wheel must have passed all cases of an acceptance run with an SDK.
    """

    accepts_waivers: bool = False
    without: tuple[Platform, ...] = ()
    needs_acceptance: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """The options of the command line that give these terms."""
        flags = (
            ("--accept-waivers", self.accepts_waivers),
            ("--require-acceptance", self.needs_acceptance),
        )
        without = (word for platform in self.without for word in ("--without", platform.tag))
        return (*(flag for flag, is_set in flags if is_set), *without)


def prove(path: Path, terms: Terms) -> ProvenManifest:
    """Check a manifest against its requirements and its wheels, and report all problems at once.

    Args:
        path: A ``manifest.json`` beside its wheels, or the directory.
        terms: The requirements.

    Raises:
        UsageError: There is no manifest.
        MalformedJson: It is damaged.
        UnknownManifestVersion: It has another version.
        NotProven: It cannot be pinned.
    """
    return prove_manifest(*read_manifest(path), terms)


def prove_manifest(manifest: Manifest, place: Path, terms: Terms) -> ProvenManifest:
    """Check a manifest that was read from a place, as `prove` does."""
    refusals = [
        *_missing_platforms(manifest, terms),
        *(refusal for wheel in manifest.wheels for refusal in _waived_errors(wheel, terms)),
        *_unaccepted(manifest, terms),
        *_wheel_problems(manifest, place.parent),
        *_directory_problems(manifest, place.parent),
    ]
    if refusals:
        raise NotProven(place, refusals, absent=_absent(manifest, terms))
    return ProvenManifest(manifest=manifest, directory=place.parent, terms=terms)


def read_manifest(path: Path) -> tuple[Manifest, Path]:
    """Read a manifest at a path or in a directory; return it and its path.

    Raises:
        UsageError: There is no manifest.
        MalformedJson: It is damaged.
        UnknownManifestVersion: It has another version.
    """
    place = path / MANIFEST_NAME if path.is_dir() else path
    try:
        content = place.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {place}: {error.strerror or error}",
            hint=f"Name the {MANIFEST_NAME} that 'factory wheels' wrote, or its directory.",
        ) from error
    return Manifest.parse(content), place


def _missing_platforms(manifest: Manifest, terms: Terms) -> Iterator[str]:
    """Compare with the platform table; macosx_10_9 and macosx_10_12 are for the same users."""
    present = _present(manifest)
    absent = _absent(manifest, terms)
    for platform in PLATFORMS:
        count = present[slot_of(platform)]
        if count > 1:
            yield f"{counted(count, 'wheel is', 'wheels are')} for {platform}"
        if platform in absent:
            yield f"there is no wheel for {platform}"


def _absent(manifest: Manifest, terms: Terms) -> tuple[Platform, ...]:
    """Return the platforms without a wheel, apart from those that may be missing."""
    present = _present(manifest)
    excused = {slot_of(platform) for platform in terms.without}
    return tuple(each for each in PLATFORMS if not present[slot_of(each)] and slot_of(each) not in excused)


def _present(manifest: Manifest) -> Counter[tuple[str, str]]:
    return Counter(slot_of(platform_of_tag(wheel.platform)) for wheel in manifest.wheels)


def slot_of(platform: Platform) -> tuple[str, str]:
    """Return the users that a platform is for; a release has one wheel for each group of users."""
    return platform.tag.partition("_")[0], platform.target.value


def _waived_errors(wheel: WheelRecord, terms: Terms) -> Iterator[str]:
    for waived in wheel.waived:
        if waived.finding.severity is Severity.ERROR and not terms.accepts_waivers:
            yield f"{wheel.name} has a waived error: {waived.finding.check} at {waived.finding.place}"


def _unaccepted(manifest: Manifest, terms: Terms) -> Iterator[str]:
    """Report failed acceptance cases; a wheel that was not tried with an SDK is not at fault."""
    evidence = [(wheel.name, wheel.acceptance) for wheel in manifest.wheels if wheel.acceptance is not None]
    for name, acceptance in evidence:
        for case in acceptance.failed:
            yield f"{name} failed {case.case} with {acceptance.sdk}: {case.detail}"
    rules = rules_digest(ACCEPTANCE_ROOMS)
    if terms.needs_acceptance and not any(
        acceptance.has_passed and acceptance.rules == rules for _, acceptance in evidence
    ):
        yield "no wheel passed all cases of this factory with an SDK ('factory sdk accept')"


def _wheel_problems(manifest: Manifest, directory: Path) -> Iterator[str]:
    """Check every record, and every wheel that it describes; wheels are read in parallel."""
    for name, count in Counter(wheel.name for wheel in manifest.wheels).items():
        if count > 1:
            yield f"the manifest has {name} {counted(count, 'time')}"
    for wheel in manifest.wheels:
        yield from record_problems(manifest, wheel)
    with TemporaryDirectory(prefix="factory-proof-", ignore_cleanup_errors=True) as scratch:

        def read(wheel: WheelRecord) -> tuple[str, ...]:
            return tuple(file_problems(manifest, wheel, directory / wheel.name, Path(scratch)))

        found = in_parallel(
            read,
            manifest.wheels,
            jobs=os.cpu_count() or 1,
            weight=lambda wheel: wheel.size_bytes,
            stop=threading.Event(),
        )
    for problems in found:
        yield from problems


def _directory_problems(manifest: Manifest, directory: Path) -> Iterator[str]:
    """Compare the manifest with the other files beside it."""
    listed = {wheel.name for wheel in manifest.wheels}
    for path in sorted(directory.glob("*.whl")):
        if path.name not in listed:
            yield f"{path.name} is not in the manifest"
    checksums = directory / CHECKSUMS_NAME
    if not checksums.is_file() or checksums.read_text("utf-8", "replace") != manifest.render_checksums():
        yield f"{CHECKSUMS_NAME} does not match the manifest"

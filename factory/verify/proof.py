"""What a pin may rest on: a manifest whose every wheel is verified, there, and what it says."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from factory.build.template import DISTRIBUTION
from factory.core.digests import Sha256
from factory.core.errors import UsageError, VerificationError
from factory.core.model import Severity
from factory.core.targets import PLATFORMS, Platform
from factory.manifest.manifest import CHECKSUMS_NAME, MANIFEST_NAME, Manifest, WheelRecord
from factory.verify.checks.registry import CHECKS


class NoManifest(UsageError):
    """There is no manifest to pin."""

    hint = "Name the manifest.json that 'factory wheels' wrote, or the directory that has it."

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot read {path}: {reason}")


class NotProven(VerificationError):
    """A manifest does not justify a pin."""

    hint = "Run 'factory wheels' for the release again, and pin what it writes."

    def __init__(self, path: Path, refusals: Sequence[str]) -> None:
        told = "".join(f"\n  {refusal}" for refusal in refusals)
        super().__init__(f"{path} justifies no pin:{told}")
        self.refusals = tuple(refusals)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenManifest:
    """A manifest that was held to its wheels; only `prove` makes one.

    Attributes:
        manifest: What it says.
        directory: Where its wheels are.
    """

    manifest: Manifest
    directory: Path

    @property
    def wheels(self) -> tuple[WheelRecord, ...]:
        """Its wheels by name, so that whatever is printed of them has one order."""
        return tuple(sorted(self.manifest.wheels, key=lambda wheel: wheel.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What somebody accepts of a manifest that is short of the whole.

    Attributes:
        accepts_waivers: Error findings that a waiver accepts are no obstacle.
        without: Platforms that need not be there: their target was not released.
        needs_acceptance: Some wheel must have been accepted whole with an SDK.
    """

    accepts_waivers: bool = False
    without: tuple[Platform, ...] = ()
    needs_acceptance: bool = False


def prove(path: Path, terms: Terms) -> ProvenManifest:
    """Hold a manifest to its wheels, and tell all that stands against a pin at once.

    Args:
        path: A ``manifest.json``, or the directory that has one; the wheels lie beside it.
        terms: What may be missing.

    Raises:
        NoManifest: There is none.
        MalformedJson: It is damaged.
        UnknownManifestVersion: It is of another version.
        NotProven: It justifies no pin.
    """
    manifest, place = read_manifest(path)
    refusals = [
        *_missing_platforms(manifest, terms),
        *(refusal for wheel in manifest.wheels for refusal in _unverified(manifest, wheel, terms)),
        *_unaccepted(manifest, terms),
        *_differing(manifest, place.parent),
    ]
    if refusals:
        raise NotProven(place, refusals)
    return ProvenManifest(manifest=manifest, directory=place.parent)


def read_manifest(path: Path) -> tuple[Manifest, Path]:
    """Return a manifest and where it is: a path, or in the directory that the path is.

    Raises:
        NoManifest: There is none.
        MalformedJson: It is damaged.
        UnknownManifestVersion: It is of another version.
    """
    place = path / MANIFEST_NAME if path.is_dir() else path
    try:
        content = place.read_bytes()
    except OSError as error:
        raise NoManifest(place, error.strerror or str(error)) from error
    return Manifest.parse(content), place


def _missing_platforms(manifest: Manifest, terms: Terms) -> Iterator[str]:
    """Compare with the platform table; macosx_10_9 and macosx_10_12 serve the same users."""
    excused = {slot_of(platform) for platform in terms.without}
    there = Counter(slot_of(Platform.of_tag(wheel.platform)) for wheel in manifest.wheels)
    for platform in PLATFORMS:
        count = there[slot_of(platform)]
        if count > 1:
            yield f"{count} wheels are for {platform}"
        if count == 0 and slot_of(platform) not in excused:
            yield f"there is no wheel for {platform}"


def slot_of(platform: Platform) -> tuple[str, str]:
    """Return whom a platform's wheel serves; a release has one wheel for the same users."""
    return platform.tag.partition("_")[0], platform.target.value


def _unverified(manifest: Manifest, wheel: WheelRecord, terms: Terms) -> Iterator[str]:
    if not _is_of(manifest, wheel):
        yield f"{wheel.name} is no wheel of {DISTRIBUTION} {manifest.tag.pep440} for {wheel.platform}"
    unasked = {check.id for check in CHECKS} - set(wheel.checks)
    if unasked:
        yield f"{wheel.name} was not looked at by {', '.join(sorted(unasked))}"
    for finding in wheel.findings:
        if finding.severity is Severity.ERROR:
            yield f"{wheel.name} is not verified: {finding.check} at {finding.place}"
    for waived in wheel.waived:
        if waived.finding.severity is Severity.ERROR and not terms.accepts_waivers:
            yield f"{wheel.name} has a waived error: {waived.finding.check} at {waived.finding.place}"


def _unaccepted(manifest: Manifest, terms: Terms) -> Iterator[str]:
    """Tell of wheels that an SDK did not get on with; one that was not tried is no fault of the wheel."""
    evidence = [(wheel.name, wheel.acceptance) for wheel in manifest.wheels if wheel.acceptance is not None]
    for name, acceptance in evidence:
        for case in acceptance.failed:
            sdk = f"{acceptance.sdk.name} {acceptance.sdk.version}"
            yield f"{name} failed {case.case} with {sdk}: {case.detail}"
    if terms.needs_acceptance and not any(acceptance.has_passed for _, acceptance in evidence):
        yield "no wheel was accepted whole with an SDK ('factory accept')"


def _is_of(manifest: Manifest, wheel: WheelRecord) -> bool:
    try:
        name, version, build, tags = parse_wheel_filename(wheel.name)
    except InvalidWheelFilename:
        return False
    platforms = [tag.platform for tag in tags]
    said = (name, version, build, platforms)
    return said == (DISTRIBUTION, Version(manifest.tag.pep440), (), [wheel.platform])


def _differing(manifest: Manifest, directory: Path) -> Iterator[str]:
    """Compare the manifest with the files beside it."""
    for wheel in manifest.wheels:
        path = directory / wheel.name
        if not path.is_file():
            yield f"{wheel.name} is not there"
        elif path.stat().st_size != wheel.size_bytes or Sha256.of_file(path) != wheel.sha256:
            yield f"{wheel.name} on disk is not the one that was verified"
    listed = {wheel.name for wheel in manifest.wheels}
    for path in sorted(directory.glob("*.whl")):
        if path.name not in listed:
            yield f"{path.name} is there and not in the manifest"
    checksums = directory / CHECKSUMS_NAME
    if not checksums.is_file() or checksums.read_text("utf-8", "replace") != manifest.render_checksums():
        yield f"{CHECKSUMS_NAME} does not say what the manifest says"

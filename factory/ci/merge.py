"""Merge the wheels of several runs into the release that one run for all platforms would write.

A manifest contains nothing about the machine that wrote it, so equal builds on different
machines have equal manifests. If two parts differ in anything, the merge refuses them; it never
chooses between them.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from factory.core.codec import to_json
from factory.core.errors import IntegrityError, UsageError, VerificationError
from factory.core.platform_tags import platform_of_tag
from factory.core.progress import Progress
from factory.core.targets import PLATFORMS, Target
from factory.manifest.dist import Dist
from factory.manifest.manifest import AssetRecord, Manifest, WheelRecord
from factory.system.files import read_verified, writing
from factory.verify.proof import NotProven, Terms, prove_manifest, read_manifest, slot_of
from factory.wheels.record import ordered_assets, ordered_wheels


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedRelease:
    """A release that several runs made together; only `merge` makes one.

    Attributes:
        manifest: The manifest that one run would have written.
        directories: The directory that has each wheel now, by the wheel's name.
    """

    manifest: Manifest
    directories: Mapping[str, Path]

    def write(self, dist: Dist) -> None:
        """Copy the wheels to an output directory, checking their digests again, and write the manifest.

        Raises:
            UsageError: The directory has wheels that are not of this release.
            WrongDigest: A wheel changed after it was checked; the directory is unchanged.
            CannotWrite: The directory is not writable, or the disk is full.
        """
        self._require_own_directory(dist)
        with dist.scratch() as scratch:
            dist.publish(self.manifest, [self._copy(record, scratch) for record in self.manifest.wheels])

    def _copy(self, record: WheelRecord, scratch: Path) -> Path:
        copy = scratch / record.name
        source = self.directories[record.name] / record.name
        with read_verified(source, record.sha256.digest) as content, writing(copy), copy.open("wb") as file:
            shutil.copyfileobj(content, file)
        return copy

    def _require_own_directory(self, dist: Dist) -> None:
        """Refuse a directory with other wheels, because `Dist.publish` would remove them."""
        earlier = dist.read_manifest()
        if earlier is not None and earlier.tag != self.manifest.tag:
            raise _wrong_directory(dist, f"it has {earlier.tag}, and the parts are {self.manifest.tag}")
        known = {wheel.name for wheel in (earlier or self.manifest).wheels}
        others = sorted(path.name for path in dist.directory.glob("*.whl") if path.name not in known)
        if others:
            raise _wrong_directory(dist, f"it has {', '.join(others)}, which no manifest there lists")


def _wrong_directory(dist: Dist, reason: str) -> UsageError:
    message = f"cannot write the release to {dist.directory}: {reason}"
    return UsageError(message, hint="Give --out an empty directory, or a new one.")


def merge(paths: Sequence[Path], progress: Progress) -> MergedRelease:
    """Check the manifests of some runs against their wheels and each other, and merge them.

    Args:
        paths: Manifests with their wheels beside them, or directories with a manifest.
        progress: Receives a task for each part.

    Raises:
        MalformedJson: A manifest is damaged.
        VerificationError: A part has wheels that are not verified or not those that it lists, or
            two parts have different wheels for the same platform.
        UsageError: A path has no manifest, or the parts are of different releases or builds.
        IntegrityError: Two parts used different release packages of a target.
    """
    parts = [_Part(*read_manifest(path)) for path in paths]
    first = parts[0]
    for part in parts[1:]:
        _require_same_build(first, part)
    assets = _assets_by_target(parts)
    wheels = _wheels_by_slot(parts)
    for part in parts:
        _prove(part, progress)
    return MergedRelease(
        manifest=replace(
            first.manifest,
            assets=ordered_assets(assets.values()),
            wheels=ordered_wheels(wheel for wheel, _ in wheels),
        ),
        directories={wheel.name: directory for wheel, directory in wheels},
    )


@dataclass(frozen=True, slots=True)
class _Part:
    manifest: Manifest
    place: Path

    @property
    def directory(self) -> Path:
        return self.place.parent


def _prove(part: _Part, progress: Progress) -> None:
    """Check a part against its wheels; the run that made it decided about waivers."""
    with progress.task(f"check {part.directory}"):
        try:
            prove_manifest(part.manifest, part.place, Terms(accepts_waivers=True, without=PLATFORMS))
        except NotProven as error:
            reasons = "".join(f"\n  {refusal}" for refusal in error.refusals)
            raise VerificationError(
                f"{part.directory} cannot be merged:{reasons}",
                hint="Fetch that part again, or build it again with 'factory wheels'; keep the others.",
            ) from error


def _require_same_build(one: _Part, other: _Part) -> None:
    ours, theirs = _shared_facts(one.manifest), _shared_facts(other.manifest)
    differences = [
        f"\n  {name}: {ours.get(name, 'none')} and {theirs.get(name, 'none')}"
        for name in dict.fromkeys((*ours, *theirs))
        if ours.get(name) != theirs.get(name)
    ]
    if differences:
        raise UsageError(
            f"{one.directory} and {other.directory} are not parts of one release:{''.join(differences)}",
            hint="Merge parts of one release and one channel, and use the same factory and the same Python"
            " on every machine that builds a part.",
        )


def _shared_facts(manifest: Manifest) -> dict[str, object]:
    """Return what is equal in all parts of one release: not the builder's reason, nor the encoder."""
    toolchain = to_json(manifest.toolchain)
    del toolchain["packages"], toolchain["reason"], toolchain["encoder"]  # the encoders give equal bytes
    return {
        "tag": manifest.tag,
        "channel": manifest.channel,
        "factory": manifest.factory_version,
        **toolchain,
        **manifest.toolchain.packages,
    }


def _assets_by_target(parts: Sequence[_Part]) -> Mapping[Target, AssetRecord]:
    assets: dict[Target, AssetRecord] = {}
    for part in parts:
        for asset in part.manifest.assets:
            known = assets.setdefault(asset.target, asset)
            if known != asset:
                digests = f"{known.digest} and {asset.digest}"
                raise IntegrityError(
                    f"two parts used different packages for {asset.target}: {digests}",
                    hint="The channel served two packages for one release; find out which one is official.",
                )
    return assets


def _wheels_by_slot(parts: Sequence[_Part]) -> tuple[tuple[WheelRecord, Path], ...]:
    wheels: dict[tuple[str, str], tuple[WheelRecord, Path]] = {}
    for part in parts:
        for wheel in part.manifest.wheels:
            slot = slot_of(platform_of_tag(wheel.platform))
            known, _ = wheels.setdefault(slot, (wheel, part.directory))
            if known != wheel:
                raise _different_wheels(known, wheel)
    return tuple(wheels.values())


def _different_wheels(one: WheelRecord, other: WheelRecord) -> VerificationError:
    difference = (
        f"SHA-256 {one.sha256} and {other.sha256}"
        if one.sha256 != other.sha256
        else "the same bytes, but different manifest entries"
    )
    names = " and ".join(dict.fromkeys((one.name, other.name)))
    return VerificationError(
        f"two parts have different wheels for {other.platform}, {names}: {difference}",
        hint="Find out which part is wrong and leave it out; 'factory ci reproduce' shows whether a machine"
        " builds differently.",
    )

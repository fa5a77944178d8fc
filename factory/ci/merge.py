"""Make of several runs' wheels what one run of all platforms would have written, to the byte.

A manifest holds nothing of the machine that wrote it, so machines that built alike wrote
alike, and there is nothing to decide when their parts come together: whatever two parts
do not agree on is a reason to refuse both.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from factory.core.codec import to_json
from factory.core.errors import IntegrityError, UsageError, VerificationError
from factory.core.progress import Progress
from factory.core.targets import PLATFORMS, Platform, Target
from factory.manifest.dist import Dist
from factory.manifest.manifest import AssetRecord, Manifest, WheelRecord
from factory.system.files import read_verified, writing
from factory.verify.proof import NotProven, ProvenManifest, Terms, prove, slot_of
from factory.wheels.record import ordered_assets, ordered_wheels


class PartNotProven(VerificationError):
    """A part's manifest and its wheels do not agree, or its wheels are not verified."""

    hint = "Fetch that part again, or build it again with 'factory wheels'; the others can stay."

    def __init__(self, path: Path, refusals: Sequence[str]) -> None:
        told = "".join(f"\n  {refusal}" for refusal in refusals)
        super().__init__(f"{path} does not vouch for its wheels:{told}")
        self.refusals = tuple(refusals)


class PartsDisagree(UsageError):
    """Parts are of other releases, or were made in other ways."""

    hint = (
        "Merge parts of one release and one channel, and give every machine that builds one"
        " the same factory and the same Python."
    )

    def __init__(self, one: Path, other: Path, differences: Sequence[str]) -> None:
        told = "".join(f"\n  {difference}" for difference in differences)
        super().__init__(f"{one} and {other} are no parts of one run:{told}")
        self.differences = tuple(differences)


class PackagesDisagree(IntegrityError):
    """Two parts were fed different packages for one target."""

    hint = "The channel gave two answers for one release: find out which is official before using either."

    def __init__(self, target: Target, one: AssetRecord, other: AssetRecord) -> None:
        super().__init__(f"two parts have different packages for {target}: {one.digest} and {other.digest}")


class WheelsDisagree(VerificationError):
    """Two parts have a wheel for the same users, and not the same one."""

    hint = (
        "Leave one of the parts out, once you know why: 'factory reproduce' tells whether a machine differs."
    )

    def __init__(self, one: WheelRecord, other: WheelRecord) -> None:
        difference = (
            f"SHA-256 {one.sha256} and {other.sha256}"
            if one.sha256 != other.sha256
            else "the same bytes, which they record differently"
        )
        names = " and ".join(dict.fromkeys((one.name, other.name)))
        super().__init__(f"two parts have a wheel for {other.platform}, {names}: {difference}")


class PlaceOfOthers(UsageError):
    """A directory has something else in it, which a merge would remove."""

    hint = "Give --out an empty directory, or a new one."

    def __init__(self, directory: Path, reason: str) -> None:
        super().__init__(f"cannot make a release in {directory}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedRelease:
    """A release that several runs made together; only `merge` makes one.

    Attributes:
        manifest: The manifest that one run would have written.
        directories: Where the wheel of each name lies now.
    """

    manifest: Manifest
    directories: Mapping[str, Path]

    def write(self, dist: Dist) -> None:
        """Copy the wheels to a release's directory, reading each one's digest again, and write its manifest.

        Raises:
            PlaceOfOthers: The directory has wheels that are none of this release.
            WrongDigest: A wheel changed since it was looked at; the directory is as it was.
            CannotWrite: The place does not take files.
        """
        self._require_own_place(dist)
        with dist.scratch() as scratch:
            dist.publish(self.manifest, [self._copy(record, scratch) for record in self.manifest.wheels])

    def _copy(self, record: WheelRecord, scratch: Path) -> Path:
        copy = scratch / record.name
        source = self.directories[record.name] / record.name
        with read_verified(source, record.sha256.digest) as content, writing(copy), copy.open("wb") as file:
            shutil.copyfileobj(content, file)
        return copy

    def _require_own_place(self, dist: Dist) -> None:
        """Refuse a directory of which publishing would remove what nothing here vouches for."""
        earlier = dist.read_manifest()
        if earlier is not None and earlier.tag != self.manifest.tag:
            raise PlaceOfOthers(
                dist.directory, f"it has {earlier.tag}, and the parts are {self.manifest.tag}"
            )
        known = {wheel.name for wheel in (earlier or self.manifest).wheels}
        others = sorted(path.name for path in dist.directory.glob("*.whl") if path.name not in known)
        if others:
            raise PlaceOfOthers(dist.directory, f"it has {', '.join(others)}, which no manifest there lists")


def merge(paths: Sequence[Path], progress: Progress) -> MergedRelease:
    """Hold some runs' manifests to their wheels and to each other, and make one of them.

    Args:
        paths: Each a ``manifest.json``, or the directory that has one; the wheels lie beside it.
        progress: Is told of each part that is looked at.

    Raises:
        NoManifest: A path has none.
        PartNotProven: A part's wheels are not verified, or not those that it lists.
        PartsDisagree: Parts are of other releases, or were made in other ways.
        PackagesDisagree: Parts were fed different packages.
        WheelsDisagree: Two parts have a wheel for the same users, and not the same one.
    """
    parts = tuple(_hold(path, progress) for path in paths)
    first = parts[0]
    for part in parts[1:]:
        differences = tuple(_differences(first.manifest, part.manifest))
        if differences:
            raise PartsDisagree(first.directory, part.directory, differences)
    wheels = _one_for_each_slot(parts)
    return MergedRelease(
        manifest=replace(
            first.manifest,
            assets=ordered_assets(_one_for_each_target(parts).values()),
            wheels=ordered_wheels(wheel for wheel, _ in wheels),
        ),
        directories={wheel.name: directory for wheel, directory in wheels},
    )


def _hold(path: Path, progress: Progress) -> ProvenManifest:
    """Hold a part to its wheels; what a waiver accepts was accepted by the run that made it."""
    with progress.task(f"check {path}"):
        try:
            return prove(path, Terms(accepts_waivers=True, without=PLATFORMS))
        except NotProven as error:
            raise PartNotProven(path, error.refusals) from error


def _differences(one: Manifest, other: Manifest) -> Iterator[str]:
    """Tell what two manifests of one run would have in common."""
    ours, theirs = _common(one), _common(other)
    for name in dict.fromkeys((*ours, *theirs)):
        if ours.get(name) != theirs.get(name):
            yield f"{name}: {ours.get(name, 'none')} and {theirs.get(name, 'none')}"


_TOLD_APART = {"packages", "reason"}
"""Packages are compared one by one; why a builder was taken may differ from machine to machine."""


def _common(manifest: Manifest) -> dict[str, object]:
    toolchain = manifest.toolchain
    return {
        "tag": manifest.tag,
        "channel": manifest.channel,
        "factory": manifest.factory_version,
        **{name: value for name, value in to_json(toolchain).items() if name not in _TOLD_APART},
        **toolchain.packages,
    }


def _one_for_each_target(parts: Sequence[ProvenManifest]) -> Mapping[Target, AssetRecord]:
    assets: dict[Target, AssetRecord] = {}
    for part in parts:
        for asset in part.manifest.assets:
            known = assets.setdefault(asset.target, asset)
            if known != asset:
                raise PackagesDisagree(asset.target, known, asset)
    return assets


def _one_for_each_slot(parts: Sequence[ProvenManifest]) -> tuple[tuple[WheelRecord, Path], ...]:
    wheels: dict[tuple[str, str], tuple[WheelRecord, Path]] = {}
    for part in parts:
        for wheel in part.manifest.wheels:
            slot = slot_of(Platform.of_tag(wheel.platform))
            known, _ = wheels.setdefault(slot, (wheel, part.directory))
            if known != wheel:
                raise WheelsDisagree(known, wheel)
    return tuple(wheels.values())

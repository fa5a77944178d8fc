"""Prepare a release for the measurements: download it, read its payload, extract the floor's files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.job import Job, opened
from factory.build.recipe import lay_out
from factory.core.digests import Sha256
from factory.core.progress import SilentProgress
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.release.payload import PackageSource
from factory.release.payload_cache import load_payload, save_payload
from factory.system.cache import Cache
from factory.wheels.fetch import fetch_packages
from factory.wheels.plan import WheelsPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentFile:
    """A distinct file of the release."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The release that is measured.

    Attributes:
        platforms: The platforms that it has packages for.
        files: The name and the size of each distinct content, by its digest in hexadecimal.
        content_bytes: Each platform's payload as sizes by digest, so that equal contents count once.
    """

    tag: CodexTag
    platforms: tuple[Platform, ...]
    files: dict[str, ContentFile]
    content_bytes: dict[str, dict[Sha256, int]]

    def distinct_bytes(self, platforms: Sequence[Platform]) -> int:
        """Return the payload bytes of some wheels, counting equal contents once."""
        sizes: dict[Sha256, int] = {}
        for platform in platforms:
            sizes |= self.content_bytes[platform.tag]
        return sum(sizes.values())


def prepare(job: Job, *, floor: Path | None) -> Release:
    """Make what a machine has after its first run, read each package once, and extract the floor's files.

    That is the downloads, the toolchain and the compiled encoder. This is not measured: it gives every
    measured process the same files to start from.

    Args:
        job: Names the release, the platforms and the cache.
        floor: The directory for the distinct contents, each named by its digest; None if not needed.
    """
    with opened(job.cache, jobs=job.jobs, progress=SilentProgress()) as (channel, context):
        plan = job.plan(channel)
        context.toolchain_for(plan.lock)
        context.encoders.current()
        fetch_packages(plan.wheels, context)
        return _read(plan, context.cache, floor)


def _read(plan: WheelsPlan, store: Cache, floor: Path | None) -> Release:
    contents: dict[str, dict[Sha256, int]] = {}
    files: dict[str, ContentFile] = {}
    for planned in plan.wheels:
        asset = planned.asset
        source = PackageSource.archive(store.path(asset.digest), asset.format, name=asset.name)
        size_bytes = store.path(asset.digest).stat().st_size
        payload = load_payload(store, asset.digest, asset.target, package_bytes=size_bytes)
        payload = payload or source.scan(asset.target)
        save_payload(store, asset.digest, payload, package_bytes=size_bytes)
        members = lay_out(planned.recipe, payload).members
        contents[planned.recipe.platform.tag] = {m.file.sha256: m.file.size_bytes for m in members}
        files |= {
            m.file.sha256.hex: ContentFile(
                name=f"{m.file.path.name} of {asset.target}", size_bytes=m.file.size_bytes
            )
            for m in members
        }
        if floor is not None:
            wanted = {m.file.path: floor / m.file.sha256.hex for m in members}
            missing = {path: (place,) for path, place in wanted.items() if not place.exists()}
            if missing:
                source.extract(asset.target, place=lambda path, places=missing: places.get(path, ()))  # type: ignore[misc]
    return Release(
        tag=plan.request.tag,
        platforms=tuple(planned.recipe.platform for planned in plan.wheels),
        files=files,
        content_bytes=contents,
    )

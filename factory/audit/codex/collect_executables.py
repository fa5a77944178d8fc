"""Collect the digests of the executables in release packages, for the index of known executables."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath

from factory.audit.context import AuditContext
from factory.core.digests import Digest
from factory.core.model import Payload, ReleaseAsset
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.payload_cache import load_payload, save_payload
from factory.system.cache import made_again
from factory.verify.baseline.executables import KnownExecutables, PackageExecutables
from factory.wheels.fetch import source_of

Collected = tuple[CodexTag, tuple[PackageExecutables, ...]]
"""A release, and the executables of each of its packages."""


def missing_from(known: KnownExecutables, tags: Sequence[CodexTag]) -> tuple[CodexTag, ...]:
    """Return the releases of which the index lacks a package, in the given order, each once."""
    return tuple(
        tag for tag in dict.fromkeys(tags) if any(known.package(tag, target) is None for target in Target)
    )


def collect(tags: Sequence[CodexTag], context: AuditContext) -> Iterator[Collected]:
    """Read the packages of one release after the other; a package that was downloaded for it is removed.

    Raises:
        FactoryError: A package cannot be downloaded, or does not have the digest of its asset.
    """
    for number, tag in enumerate(tags, start=1):
        context.tools.report(f"{tag} ({number} of {len(tags)})")
        yield tag, _packages(tag, context)


def executables_of(tag: CodexTag, payload: Payload) -> PackageExecutables:
    """Return the executables of a package by the first bytes of the files; scripts and data are left out."""
    return PackageExecutables(
        release=tag,
        target=payload.target,
        digests={
            PurePosixPath(file.path): file.sha256 for file in payload.files if file.kind.is_executable_image
        },
    )


def _packages(tag: CodexTag, context: AuditContext) -> tuple[PackageExecutables, ...]:
    downloaded: set[Digest] = set()
    try:
        return tuple(
            executables_of(tag, _payload(asset, context, downloaded))
            for asset in context.channel.assets(tag).assets
        )
    finally:
        for digest in downloaded:
            context.tools.cache.discard(digest)


def _payload(asset: ReleaseAsset, context: AuditContext, downloaded: set[Digest]) -> Payload:
    tools = context.tools
    payload = load_payload(tools.cache, asset.digest, asset.target, package_bytes=None)
    if payload is None:
        if not tools.cache.has(asset.digest):
            downloaded.add(asset.digest)
        with tools.progress.task(f"read {asset.name}"):
            payload, size_bytes = made_again(partial(_scan, asset, context))
        save_payload(tools.cache, asset.digest, payload, package_bytes=size_bytes)
    return payload


def _scan(
    asset: ReleaseAsset,
    context: AuditContext,
    is_checked: bool,  # noqa: FBT001 - see `made_again`
) -> tuple[Payload, int]:
    """Return the payload of a package, and the size of the package."""
    tools = context.tools
    path = tools.downloader.fetch(asset, stop=tools.stop, is_checked=is_checked)
    return source_of(asset, path, tools.cache).scan(asset.target), path.stat().st_size

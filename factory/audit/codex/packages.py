"""Download the release packages that an audit needs, and list the files in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from factory.audit.audited import AuditedWheel, Failure, attempt
from factory.audit.codex.releases import require_executables, row_for, target_of
from factory.audit.context import AuditContext
from factory.audit.index import PublishedWheel
from factory.audit.projects.mapping import MappedPlatform, ProjectMapping
from factory.audit.read_package import ReadPackage
from factory.core.model import ReleaseAssets
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels import NotOnChannel
from factory.release.payload_cache import load_payload, save_payload
from factory.system.cache import made_again
from factory.system.parallel import in_parallel
from factory.wheels.fetch import source_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePackages:
    """The packages of a release by target, each read or with the reason why it could not be."""

    tag: CodexTag
    mapping: ProjectMapping
    by_target: Mapping[Target, ReadPackage | Failure]

    def package_for(self, wheel: PublishedWheel) -> ReadPackage | Failure:
        """Return the package whose executables a wheel should have, or why there is no such package."""
        row = row_for(wheel, self.mapping)
        if row is None:
            return Failure(reason=f"its platform tag {wheel.platform} names no single target of Codex")
        return self.by_target[target_of(row)]


def read_packages(
    tag: CodexTag, wheels: Sequence[AuditedWheel], context: AuditContext, mapping: ProjectMapping
) -> ReleasePackages:
    """Download the packages of all targets that some wheel is for, and list their files."""
    found = (row_for(audited.wheel, mapping) for audited in wheels)
    rows = {target_of(row): row for row in found if row is not None}
    by_target: dict[Target, ReadPackage | Failure] = {}
    if rows:
        released = attempt(lambda: context.channel.assets(tag))
        if isinstance(released, Failure):
            by_target = dict.fromkeys(rows, released)
        else:
            read = in_parallel(
                lambda row: attempt(lambda: made_again(partial(_read, released, row, context))),
                tuple(rows.values()),
                jobs=context.tools.jobs,
                weight=lambda _: 1,
                stop=context.tools.stop,
            )
            by_target = dict(zip(rows, read, strict=True))
    return ReleasePackages(tag=tag, mapping=mapping, by_target=by_target)


def _read(
    released: ReleaseAssets,
    row: MappedPlatform,
    context: AuditContext,
    is_checked: bool,  # noqa: FBT001 - see `made_again`
) -> ReadPackage:
    target = target_of(row)
    asset = released.for_target(target)
    if asset is None:
        raise NotOnChannel(f"channel {released.channel} has no package of {released.tag} for {target}")
    tools = context.tools
    path = tools.downloader.fetch(asset, stop=tools.stop, is_checked=is_checked)
    source = source_of(asset, path, tools.cache)
    size_bytes = path.stat().st_size
    payload = load_payload(tools.cache, asset.digest, target, package_bytes=size_bytes)
    if payload is None:
        with tools.progress.task(f"read {target}"):
            payload = source.scan(target)
        save_payload(tools.cache, asset.digest, payload, package_bytes=size_bytes)
    require_executables(row, payload, purl=asset.purl)
    return ReadPackage(asset=asset, source=source, size_bytes=size_bytes, payload=payload)

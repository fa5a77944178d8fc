"""Download the release packages that an audit needs, and list the files in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from factory.audit.audited import AuditedWheel, Failure, attempt
from factory.audit.context import AuditContext
from factory.audit.index import PublishedWheel
from factory.audit.read_package import ReadPackage
from factory.core.model import ReleaseAssets
from factory.core.platform_tags import architecture_of, operating_system_of
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

    by_target: Mapping[Target, ReadPackage | Failure]

    def package_for(self, wheel: PublishedWheel) -> ReadPackage | Failure:
        """Return the package whose executables a wheel should have, or why there is no such package."""
        target = target_of(wheel)
        if target is None:
            return Failure(reason=f"its platform tag {wheel.platform} names no single target of Codex")
        return self.by_target[target]


def target_of(wheel: PublishedWheel) -> Target | None:
    """Return the target that all platform tags of a wheel name; None if they name no target or several."""
    named = {(operating_system_of(tag), architecture_of(tag)) for tag in wheel.platforms}
    return next(
        (target for target in Target if named == {(target.operating_system, target.architecture)}), None
    )


def read_packages(tag: CodexTag, wheels: Sequence[AuditedWheel], context: AuditContext) -> ReleasePackages:
    """Download the packages of all targets that some wheel is for, and list their files."""
    targets = sorted({target for audited in wheels if (target := target_of(audited.wheel)) is not None})
    if not targets:
        return ReleasePackages(by_target={})
    released = attempt(lambda: context.channel.assets(tag))
    if isinstance(released, Failure):
        return ReleasePackages(by_target=dict.fromkeys(targets, released))
    packages = in_parallel(
        lambda target: attempt(lambda: made_again(partial(_read, released, target, context))),
        targets,
        jobs=context.tools.jobs,
        weight=lambda _: 1,
        stop=context.tools.stop,
    )
    return ReleasePackages(by_target=dict(zip(targets, packages, strict=True)))


def _read(
    released: ReleaseAssets,
    target: Target,
    context: AuditContext,
    is_checked: bool,  # noqa: FBT001 - see `made_again`
) -> ReadPackage:
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
    return ReadPackage(asset=asset, source=source, size_bytes=size_bytes, payload=payload)

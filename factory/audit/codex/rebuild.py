"""Rebuild the wheels whose recipes were inferred, with the assembler that builds our own wheels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from factory.audit.audited import AuditedWheel, Failure, Inferred, NotRebuilt, attempt
from factory.audit.codex.recipes import InferredWheel
from factory.audit.context import AuditContext
from factory.audit.locked_backend import builder_for
from factory.build.assembler.assembler import AssemblingBuilder
from factory.build.builder import FetchedPackage, PlannedWheel
from factory.build.deflate_check import deflate_identity
from factory.build.encoder import Encoder, EncoderChoice
from factory.core.digests import Sha256
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.system.cache import made_again


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuiltWheel:
    """A wheel and the file that its inferred recipe gave."""

    audited: AuditedWheel
    inferred: Inferred
    path: Path
    sha256: Sha256


Rebuilds = Mapping[AuditedWheel, RebuiltWheel | NotRebuilt]


def rebuild_wheels(
    tag: CodexTag,
    wheels: Sequence[InferredWheel | NotRebuilt],
    context: AuditContext,
    scratch: Path,
) -> tuple[RebuiltWheel | NotRebuilt, ...]:
    """Rebuild the wheels of one release; those of one backend version share a toolchain.

    A wheel that differs from the published one is rebuilt with zlib, past the cache: no verdict depends
    on another encoder.
    """
    inferred = [wheel for wheel in wheels if isinstance(wheel, InferredWheel)]
    rebuilt = _rebuild(tag, inferred, context, scratch)
    encoder = context.tools.encoders.current()
    differing = [wheel for wheel in inferred if _differs(rebuilt[wheel.audited])]
    if differing and not encoder.is_zlib and deflate_identity().is_reference:
        tools = replace(context.tools, encoders=EncoderChoice())
        with_zlib = _rebuild(tag, differing, replace(context, tools=tools), scratch / "zlib", is_cold=True)
        _compare_encoders(encoder, rebuilt, with_zlib, context)
        rebuilt |= with_zlib
    return tuple(wheel if isinstance(wheel, NotRebuilt) else rebuilt[wheel.audited] for wheel in wheels)


def _differs(rebuilt: RebuiltWheel | NotRebuilt) -> bool:
    return isinstance(rebuilt, RebuiltWheel) and rebuilt.sha256 != rebuilt.audited.wheel.sha256


def _compare_encoders(
    encoder: Encoder, rebuilt: Rebuilds, with_zlib: Rebuilds, context: AuditContext
) -> None:
    """Give the encoder up if a rebuild with zlib has other bytes, and remove the first rebuilds."""
    for audited, right in with_zlib.items():
        former = rebuilt[audited]
        if isinstance(former, RebuiltWheel):
            former.path.unlink(missing_ok=True)
            if isinstance(right, RebuiltWheel) and right.sha256 != former.sha256:
                context.tools.encoders.refuse(
                    f"{encoder.label} gives other bytes than zlib for {audited.wheel.name}"
                )


def _rebuild(
    tag: CodexTag,
    inferred: Sequence[InferredWheel],
    context: AuditContext,
    scratch: Path,
    *,
    is_cold: bool = False,
) -> dict[AuditedWheel, RebuiltWheel | NotRebuilt]:
    rebuilt: dict[AuditedWheel, RebuiltWheel | NotRebuilt] = {}
    for version in sorted({wheel.backend_version for wheel in inferred}):
        group = [wheel for wheel in inferred if wheel.backend_version == version]
        cold = scratch / version / "deflate" if is_cold else None
        rebuilt |= _rebuild_group(tag, group, context, scratch / version, cold)
    return rebuilt


def _rebuild_group(
    tag: CodexTag, group: Sequence[InferredWheel], context: AuditContext, scratch: Path, cold: Path | None
) -> Rebuilds:
    """Rebuild all wheels at once; if that fails, target by target, since one bad package fails them all.

    Args:
        tag: The release.
        group: Its wheels of one backend version.
        context: The objects that every step uses.
        scratch: Where the wheels are written.
        cold: A directory for the compressed files in place of the cache.
    """
    builder = attempt(lambda: builder_for(group[0].backend_version, context.tools, cold))
    if isinstance(builder, Failure):
        return _failed(group, builder)
    built = _try_build(tag, group, builder, context, scratch / "all")
    if not isinstance(built, Failure):
        return built
    rebuilt: dict[AuditedWheel, RebuiltWheel | NotRebuilt] = {}
    for target, wheels in _by_target(group).items():
        alone = _try_build(tag, wheels, builder, context, scratch / target)
        rebuilt |= _failed(wheels, alone) if isinstance(alone, Failure) else alone
    return rebuilt


def _try_build(
    tag: CodexTag,
    wheels: Sequence[InferredWheel],
    builder: AssemblingBuilder,
    context: AuditContext,
    scratch: Path,
) -> Rebuilds | Failure:
    def build(is_checked: bool) -> Rebuilds:  # noqa: FBT001 - see `made_again`
        context.tools.stop.clear()
        place = scratch / "again" if is_checked else scratch
        return _build(tag, wheels, builder, place, _checked(context) if is_checked else _as_read)

    built = attempt(lambda: made_again(build))
    if isinstance(built, Failure):
        # The failed build has stopped its threads, and they have ended: let the next step start.
        context.tools.stop.clear()
    return built


def _as_read(package: FetchedPackage) -> FetchedPackage:
    return package


def _checked(context: AuditContext) -> Callable[[FetchedPackage], FetchedPackage]:
    """Return a function that makes sure of a package: its file is checked, and will be read again."""

    def check(package: FetchedPackage) -> FetchedPackage:
        context.tools.downloader.fetch(package.asset, stop=context.tools.stop, is_checked=True)
        return replace(package, payload=None)

    return check


def _build(
    tag: CodexTag,
    wheels: Sequence[InferredWheel],
    builder: AssemblingBuilder,
    scratch: Path,
    prepare: Callable[[FetchedPackage], FetchedPackage],
) -> Rebuilds:
    groups = _by_target(wheels).values()
    built = builder.build([prepare(_package(tag, group)) for group in groups], scratch=scratch)
    ordered = [wheel for group in groups for wheel in group]
    return {
        wheel.audited: RebuiltWheel(
            audited=wheel.audited,
            inferred=wheel.inferred,
            path=rebuilt.file.path,
            sha256=rebuilt.file.sha256,
        )
        for wheel, rebuilt in zip(ordered, built, strict=True)
    }


def _by_target(wheels: Sequence[InferredWheel]) -> dict[Target, list[InferredWheel]]:
    groups: dict[Target, list[InferredWheel]] = {}
    for wheel in wheels:
        groups.setdefault(wheel.package.asset.target, []).append(wheel)
    return groups


def _package(tag: CodexTag, wheels: Sequence[InferredWheel]) -> FetchedPackage:
    """Return the input of the builder for the wheels of one package."""
    package = wheels[0].package
    return FetchedPackage(
        asset=package.asset,
        source=package.source,
        size_bytes=package.size_bytes,
        payload=package.payload,
        wheels=tuple(
            PlannedWheel(tag=tag, asset=package.asset, recipe=wheel.inferred.recipe) for wheel in wheels
        ),
    )


def _failed(wheels: Sequence[InferredWheel], failure: Failure) -> Rebuilds:
    return {
        wheel.audited: NotRebuilt(audited=wheel.audited, failure=failure, inferred=wheel.inferred)
        for wheel in wheels
    }

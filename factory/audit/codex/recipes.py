"""Read a little of each published wheel, and infer its recipe from that."""

from collections.abc import Sequence
from dataclasses import dataclass

from factory.audit.audited import AuditedWheel, Failure, Inferred, NotRebuilt, attempt
from factory.audit.codex.infer import infer, read_contents
from factory.audit.codex.packages import ReleasePackages
from factory.audit.context import AuditContext
from factory.audit.published import PublishedReader
from factory.audit.read_package import ReadPackage
from factory.audit.wheel_file import WheelFiles
from factory.core.tags import CodexTag
from factory.system.parallel import in_parallel
from factory.verify.baseline.baseline import Baseline

_REQUESTS = 4
"""The least number of wheels read at once: reading waits for the network, not for a core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferredWheel:
    """A wheel, its recipe, and the release package to rebuild it from."""

    audited: AuditedWheel
    package: ReadPackage
    inferred: Inferred

    @property
    def backend_version(self) -> str:
        """The version of the backend that built the wheel."""
        return self.inferred.recipe.backend.version


def infer_recipes(
    wheels: Sequence[AuditedWheel], packages: ReleasePackages, files: WheelFiles, context: AuditContext
) -> tuple[InferredWheel | NotRebuilt, ...]:
    """Infer the recipe of each wheel, several wheels at once."""
    return in_parallel(
        lambda audited: _infer_recipe(audited, packages, files, _usual(packages.tag, context.baseline)),
        wheels,
        jobs=max(context.tools.jobs, _REQUESTS),
        weight=lambda audited: audited.weight,
        stop=context.tools.stop,
    )


def _infer_recipe(
    audited: AuditedWheel, packages: ReleasePackages, files: WheelFiles, usual: Sequence[str]
) -> InferredWheel | NotRebuilt:
    package = packages.package_for(audited.wheel)
    if isinstance(package, Failure):
        return NotRebuilt(audited=audited, failure=package)
    inferred = attempt(lambda: _read_and_infer(audited, package, files, usual))
    if isinstance(inferred, Failure):
        return NotRebuilt(audited=audited, failure=inferred)
    return InferredWheel(audited=audited, package=package, inferred=inferred)


def _read_and_infer(
    audited: AuditedWheel, package: ReadPackage, files: WheelFiles, usual: Sequence[str]
) -> Inferred:
    reference = audited.reference
    with files.open(reference, audited.fetched) as (file, size_bytes):
        reader = PublishedReader(file, size_bytes=size_bytes, name=reference.name)
        contents = read_contents(reader, name=reference.name, payload=package.payload)
    return infer(reference, contents, package.payload, package.asset, usual=usual)


def _usual(tag: CodexTag, baseline: Baseline) -> tuple[str, ...]:
    """Return the generators of reviewed wheels of a release."""
    return tuple(generator.name for shape in baseline.shapes for generator in shape.generators_for(tag))

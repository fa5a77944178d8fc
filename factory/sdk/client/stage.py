"""Stage an SDK of our own: its project from the template and the schema, then the pin of the runtime."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from factory.build.stage import require_replaceable
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.sdk.client.project import SdkNames, SdkRelease, write_project
from factory.sdk.staged_sdk import SdkOrder, StagedSdk, is_stage, require_version, stage_sdk
from factory.sdk.types.maker import TypesMaker
from factory.system.files import writing


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSdkOrder:
    """An SDK to make.

    Attributes:
        destination: The directory to create; an earlier stage is replaced.
        runtime: The release to generate from and to pin.
        version: The SDK's own version.
        missing: The platforms for which there is no wheel of the runtime.
    """

    destination: Path
    runtime: CodexTag
    version: str
    names: SdkNames
    missing: tuple[Platform, ...] = ()

    def require_usable(self) -> None:
        """Refuse an order that must fail, before the work is done.

        Raises:
            UsageError: A name or the version is not usable, or the destination cannot be replaced.
        """
        self.names.require_usable()
        require_version(self.version)
        require_replaceable(self.destination, is_stage)


def stage_own_sdk(order: OwnSdkOrder, maker: TypesMaker) -> StagedSdk:
    """Make the SDK of a release; on an error nothing is left behind.

    Raises:
        UsageError: The order is not usable.
        FactoryError: The schema or the types cannot be made, or the destination cannot be written.
    """
    order.require_usable()
    schema = maker.schema_of(order.runtime)
    release = SdkRelease(
        tag=order.runtime,
        version=order.version,
        schema=schema,
        types=maker.package_of(schema, f"Codex {order.runtime.pep440}"),
    )
    with writing(maker.scratch):
        project = Path(tempfile.mkdtemp(prefix="own-sdk-", dir=maker.scratch))
    write_project(release, order.names, project)
    return stage_sdk(
        SdkOrder(
            source=project,
            destination=order.destination,
            runtime=order.runtime,
            version=order.version,
            is_own=True,
            missing=order.missing,
        )
    )

"""State how a wheel was built, as SLSA provenance (https://slsa.dev/spec/v1.0/provenance).

The statement has no times and no paths of the machine, so two runs give equal statements.
"""

from factory.core.json_reader import MalformedJson
from factory.manifest.manifest import MANIFEST_NAME, AssetRecord, Manifest, ToolchainRecord, WheelRecord
from factory.statements.statement import OUR_TYPES, Author, Statement, Subject

PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = f"{OUR_TYPES}#build/v1"


def build_statement(manifest: Manifest, wheel: WheelRecord, *, by: str) -> Statement:
    """State how a wheel was built.

    Args:
        manifest: The manifest of the run.
        wheel: One of its wheels.
        by: The URI of the person or workflow that ran the build.

    Raises:
        MalformedJson: The manifest lacks the asset that the wheel was built from.
    """
    asset = _asset_of(manifest, wheel)
    builder = Author(uri=by, factory_version=manifest.factory_version)
    return Statement(
        subjects=(Subject(name=wheel.name, sha256=wheel.sha256),),
        predicate_type=PREDICATE_TYPE,
        predicate={
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "tag": str(manifest.tag),
                    "platform": wheel.platform,
                    "recipe": {"sha256": str(wheel.recipe)},
                },
                "internalParameters": _internal_parameters(manifest),
                "resolvedDependencies": [
                    _asset_descriptor(asset),
                    {"name": "toolchain lock", "digest": {"sha256": str(manifest.toolchain.lock)}},
                    *_image_descriptors(manifest.toolchain),
                    *_package_descriptors(manifest.toolchain),
                ],
            },
            "runDetails": {"builder": builder.to_json()},
        },
    )


def _asset_of(manifest: Manifest, wheel: WheelRecord) -> AssetRecord:
    for asset in manifest.assets:
        if asset.digest == wheel.asset:
            return asset
    raise MalformedJson(MANIFEST_NAME, f"no asset has the digest that {wheel.name} names, {wheel.asset}")


def _internal_parameters(manifest: Manifest) -> dict[str, object]:
    """Return the values that the factory chose itself."""
    toolchain = manifest.toolchain
    return {
        "channel": manifest.channel.value,
        "builder": toolchain.builder,
        "engine": toolchain.engine,
        "python": toolchain.python,
        "deflate": toolchain.deflate,
        "deflateAnswer": {"sha256": str(toolchain.deflate_answer)},
    }


def _asset_descriptor(asset: AssetRecord) -> dict[str, object]:
    return {
        "name": asset.name,
        "uri": asset.purl,
        "digest": {asset.digest.algorithm.value: asset.digest.hex},
    }


def _image_descriptors(toolchain: ToolchainRecord) -> list[dict[str, object]]:
    """Describe the image if the build ran in a container."""
    if toolchain.image is None:
        return []
    algorithm, _, digest = toolchain.image.partition(":")
    return [{"name": "builder image", "digest": {algorithm: digest}}]


def _package_descriptors(toolchain: ToolchainRecord) -> list[dict[str, object]]:
    """Describe the packages of the lock; the lock has their hashes."""
    from packageurl import PackageURL  # noqa: PLC0415 - only this function needs it

    return [
        {"name": name, "uri": PackageURL(type="pypi", name=name, version=version).to_string()}
        for name, version in sorted(toolchain.packages.items())
    ]

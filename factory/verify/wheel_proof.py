"""Check one wheel's record in a manifest: against itself, this factory's recipe and the wheel's bytes.

`factory sdk pin`, `factory ci merge`, `factory statement create` and the reuse of wheels by
`factory wheels` rest on the same proof. A manifest and its wheels can be changed together, so no
field is taken for granted: each one is computed again from the wheel, or compared with another field.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from packageurl import PackageURL
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from factory.build.recipe import Recipe, WheelLayout, lay_out, our_recipe
from factory.build.sbom import SBOM_PATH, render_sbom
from factory.build.template import DISTRIBUTION, PACKAGE, bundled_template
from factory.core.digests import Sha256
from factory.core.errors import IntegrityError
from factory.core.model import ChannelName, FileKind, Payload, PayloadFile, Severity
from factory.core.platform_tags import platform_of_tag
from factory.core.targets import PLATFORMS
from factory.manifest.manifest import AssetRecord, Manifest, MemberRecord, WheelRecord
from factory.verify.checks.registry import CHECKS
from factory.verify.inputs import expected_wheel
from factory.verify.inspection import inspect
from factory.verify.reading.contents import WheelContents
from factory.verify.reading.read import own_scratch

_REQUIRED_OF_OURS = frozenset({"closed-world-dist-info", "member-executable-data"})
"""Warnings for other wheels, but errors for ours: METADATA, WHEEL and modes are those of the recipe."""


def record_problems(manifest: Manifest, wheel: WheelRecord) -> Iterator[str]:
    """Yield what is wrong with a record, without reading the wheel."""
    if not _has_right_name(manifest, wheel):
        yield f"{wheel.name} is not a wheel of {DISTRIBUTION} {manifest.tag.pep440} for {wheel.platform}"
    not_run = {check.id for check in CHECKS} - set(wheel.checks)
    if not_run:
        yield f"{wheel.name} was not checked by {', '.join(sorted(not_run))}"
    for finding in wheel.findings:
        if finding.severity is Severity.ERROR:
            yield f"{wheel.name} is not verified: {finding.check} at {finding.place}"
    yield from _asset_problems(manifest, wheel)
    platform = next((platform for platform in PLATFORMS if platform.tag == wheel.platform), None)
    if platform is None or our_recipe(platform, template=bundled_template()).identity != wheel.recipe:
        yield f"{wheel.name} was not built with this factory's recipe"


def file_problems(manifest: Manifest, wheel: WheelRecord, path: Path, scratch: Path) -> Iterator[str]:
    """Yield how a wheel differs from its record, member by member.

    All checks run on the wheel again, because the findings in the manifest are only a claim.

    Args:
        manifest: The manifest that has the record.
        wheel: The record.
        path: The wheel.
        scratch: A directory for the wheel's executables; they are removed.

    Raises:
        UsageError: The wheel is not readable.
        HostError: Scratch is not writable.
    """
    if not path.is_file():
        yield f"{wheel.name} is missing"
        return
    if path.stat().st_size != wheel.size_bytes or Sha256.of_file(path) != wheel.sha256:
        yield f"{wheel.name} is not the verified file"
        return
    with own_scratch(scratch, prefix="proof-") as directory:
        inspection = inspect(path, scratch=directory, expected=expected_wheel(manifest, wheel))
        waived = {(entry.finding.check, entry.finding.place) for entry in wheel.waived}
        for finding in inspection.findings:
            is_error = finding.severity is Severity.ERROR or finding.check in _REQUIRED_OF_OURS
            if is_error and (finding.check, finding.place) not in waived:
                yield f"{wheel.name} has an error: {finding.check} at {finding.place}: {finding.evidence}"
        yield from _layout_problems(manifest, wheel, inspection.contents)


def _has_right_name(manifest: Manifest, wheel: WheelRecord) -> bool:
    try:
        name, version, build, tags = parse_wheel_filename(wheel.name)
    except InvalidWheelFilename:
        return False
    expected = (DISTRIBUTION, Version(manifest.tag.pep440), (), [wheel.platform])
    return (name, version, build, [tag.platform for tag in tags]) == expected


def _asset_problems(manifest: Manifest, wheel: WheelRecord) -> Iterator[str]:
    """Compare the named release asset with the wheel's platform and the manifest's release."""
    target = platform_of_tag(wheel.platform).target
    assets = [asset for asset in manifest.assets if asset.digest == wheel.asset and asset.target is target]
    if len(assets) != 1:
        yield f"{wheel.name} names a release asset for {target} that the manifest does not list once"
    for asset in assets:
        if not _is_of_release(asset, manifest):
            yield f"{wheel.name} is from {asset.purl}, not from a package of {manifest.tag} for {target}"


def _is_of_release(asset: AssetRecord, manifest: Manifest) -> bool:
    try:
        purl = PackageURL.from_string(asset.purl)
    except ValueError:
        return False
    if purl.type == "npm":
        # Before 0.100.0 one npm package has the files of all targets.
        versions = {f"{manifest.tag.semver}-{asset.target.npm_suffix}", manifest.tag.semver}
    else:
        versions = {str(manifest.tag)}
    return purl.version in versions and (purl.type == "npm" or manifest.channel is not ChannelName.NPM)


def _layout_problems(manifest: Manifest, wheel: WheelRecord, contents: WheelContents) -> Iterator[str]:
    """Compare the recorded payload with the wheel, and with what the recipe makes of those files."""
    for member in wheel.payload:
        yield from _member_problems(wheel, member, contents)
    platform = next((platform for platform in PLATFORMS if platform.tag == wheel.platform), None)
    if platform is None:
        return
    recipe = our_recipe(platform, template=bundled_template())
    try:
        layout = _layout(recipe, wheel, contents)
    except IntegrityError as error:
        yield f"{wheel.name} does not follow this factory's recipe: {error}"
        return
    sboms = [one for name, one in contents.by_name.items() if name.endswith(f".dist-info/{SBOM_PATH}")]
    if [one.data for one in sboms] != [render_sbom(recipe, layout, tag=manifest.tag)]:
        yield f"{wheel.name} does not have the bill of materials that this factory makes from its files"
    recorded = {(member.path, member.source, member.mode) for member in wheel.payload}
    made = {(PurePosixPath(PACKAGE, member.path), member.file.path, member.mode) for member in layout.members}
    for path, source, _ in sorted(recorded ^ made):
        yield f"{wheel.name} does not follow this factory's recipe: {path} from {source}"
    left_out = {(entry.source, entry.reason) for entry in wheel.left_out}
    for source, _ in sorted(left_out ^ {(entry.file.path, entry.reason) for entry in layout.left_out}):
        yield f"{wheel.name} does not follow this factory's recipe: it leaves out {source}"


def _member_problems(wheel: WheelRecord, member: MemberRecord, contents: WheelContents) -> Iterator[str]:
    found = contents.by_name.get(str(member.path))
    if found is None:
        yield f"{wheel.name} has no {member.path}"
    elif (found.sha256, found.size_bytes) != (member.sha256, member.size_bytes):
        yield f"{wheel.name} has other bytes at {member.path} than the manifest says"
    elif found.mode & 0o7777 != member.mode:
        yield f"{wheel.name} has mode {found.mode:#o} at {member.path}, not {member.mode:#o}"


def _layout(recipe: Recipe, wheel: WheelRecord, contents: WheelContents) -> WheelLayout:
    """Lay out the recorded files again; their kinds come from the wheel's own bytes."""
    kinds = {name: member.kind for name, member in contents.by_name.items()}
    taken = [
        PayloadFile(
            path=member.source,
            mode=member.mode,
            size_bytes=member.size_bytes,
            sha256=member.sha256,
            kind=kinds.get(str(member.path), FileKind.DATA),
        )
        for member in wheel.payload
    ]
    left_out = [
        PayloadFile(path=entry.source, mode=0o644, size_bytes=0, sha256=entry.sha256, kind=FileKind.DATA)
        for entry in wheel.left_out
    ]
    files = tuple(sorted([*taken, *left_out], key=lambda file: file.path))
    return lay_out(recipe, Payload(target=recipe.platform.target, files=files))

"""Write a wheel's bill of materials as CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/.

The document stands in the wheel, so its bytes are a part of ``f(recipe, payload)``: they come from the
payload's digests, the layout and the tag alone, and not from a library whose next version may
order or add a field. The library's own schema judges the result, in the tests and in `factory.verify`.

What it does not know it does not claim: the code that is linked into an executable is marked as
unknown, a version that nobody tells is absent, and the channel is no part of it, since two
channels must give the same wheel. The manifest names the release asset.
"""

import json
import uuid
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from packageurl import PackageURL

from factory.build.known_programs import component_type, program_of
from factory.build.recipe import Recipe, WheelLayout, WheelMember
from factory.build.template import DISTRIBUTION, PACKAGE, wheel_name
from factory.core.tags import CodexTag

SBOM_PATH = PurePosixPath("sboms", f"{DISTRIBUTION}.cdx.json")
"""Where a stage has it, and below ``.dist-info`` the wheel."""
SBOM_SUFFIX = ".cdx.json"
"""How CycloneDX's files are recognized, https://cyclonedx.org/specification/overview/#recognized-file-patterns."""
SPEC_VERSION = "1.6"
_SERIALS = uuid.uuid5(uuid.NAMESPACE_URL, f"https://github.com/openai/codex#{DISTRIBUTION}")
"""The name space of our serial numbers: one document has one number, whoever writes it (RFC 9562, 5.5)."""


def render_sbom(recipe: Recipe, layout: WheelLayout, *, tag: CodexTag) -> bytes:
    """Return the document's bytes; equal arguments give equal bytes, the serial number among them."""
    year, month, day, hour, minute, second = recipe.container.time
    body: dict[str, object] = {
        "version": 1,
        "metadata": {
            "timestamp": f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z",
            "component": _wheel(recipe, tag),
        },
        "components": [_component(member, tag) for member in layout.members],
        "dependencies": [{"ref": _purl(recipe, tag), "dependsOn": [_ref(m) for m in layout.members]}],
        "compositions": _compositions(recipe, layout.members, tag),
    }
    serial = uuid.uuid5(_SERIALS, json.dumps(body, sort_keys=True))
    document = {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": serial.urn,
        **body,
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def read_sbom(wheel: Path) -> bytes | None:
    """Return the document that a wheel of ours carries; None where it has none."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if PurePosixPath(name).match(f"*.dist-info/{SBOM_PATH}")]
        return archive.read(names[0]) if names else None


def _wheel(recipe: Recipe, tag: CodexTag) -> dict[str, object]:
    purl = _purl(recipe, tag)
    return {
        "type": "application",
        "bom-ref": purl,
        "name": DISTRIBUTION,
        "version": tag.pep440,
        "purl": purl,
    }


def _purl(recipe: Recipe, tag: CodexTag) -> str:
    """Name one platform's wheel; ``file_name`` is the qualifier that purl's pypi type has for that."""
    return PackageURL(
        type="pypi",
        name=DISTRIBUTION,
        version=tag.pep440,
        qualifiers={"file_name": wheel_name(tag, recipe.platform)},
    ).to_string()


def _component(member: WheelMember, tag: CodexTag) -> dict[str, object]:
    program = program_of(member)
    said: dict[str, object] = {}
    if program is not None:
        version = program.version(tag)
        said = {
            **({} if version is None else {"version": version}),
            "licenses": [{"expression": program.licence}],
            "purl": program.purl(tag),
        }
    return {
        "type": component_type(member),
        "bom-ref": _ref(member),
        "name": member.path.name,
        **said,
        "hashes": [{"alg": "SHA-256", "content": member.file.sha256.hex}],
        "evidence": {"occurrences": [{"location": _ref(member)}]},
    }


def _ref(member: WheelMember) -> str:
    """Name a component by its place in the wheel, which no two share."""
    return f"{PACKAGE}/{member.path}"


def _compositions(recipe: Recipe, members: Sequence[WheelMember], tag: CodexTag) -> list[dict[str, object]]:
    """Say how much is known: the wheel's payload files, not our own text; nothing of what is linked in."""
    linked = [_ref(member) for member in members if member.file.kind.is_executable_image]
    return [
        {"aggregate": "incomplete_third_party_only", "assemblies": [_purl(recipe, tag)]},
        {"aggregate": "unknown", "dependencies": linked},
    ]

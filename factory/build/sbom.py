"""Write a wheel's bill of materials as CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/.

The document is in the wheel, so that its bytes are part of ``f(recipe, payload)``: they depend only on
the payload's digests, the layout and the tag. A library is not used, since its next version may add or
reorder fields. The tests and `factory.verify` validate the document with the schema of CycloneDX.

The document claims only what is known: the code linked into an executable is marked as unknown, and an
unknown version is absent. The channel is absent, too, since all channels must give the same wheel; the
manifest names the release asset.
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
"""The path in a stage, and in the ``.dist-info`` directory of the wheel."""
SBOM_SUFFIX = ".cdx.json"
"""The end of the file name, https://cyclonedx.org/specification/overview/#recognized-file-patterns."""
SPEC_VERSION = "1.6"
_SERIALS = uuid.uuid5(uuid.NAMESPACE_URL, f"https://github.com/openai/codex#{DISTRIBUTION}")
"""The namespace of the serial numbers: equal documents have equal numbers (RFC 9562, 5.5)."""


def render_sbom(recipe: Recipe, layout: WheelLayout, *, tag: CodexTag) -> bytes:
    """Return the document; equal arguments give equal bytes, including the serial number."""
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
    """Return the document of a wheel; None if the wheel does not contain one."""
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
    """Return the package URL of a wheel; purl's pypi type has the qualifier ``file_name``."""
    return PackageURL(
        type="pypi",
        name=DISTRIBUTION,
        version=tag.pep440,
        qualifiers={"file_name": wheel_name(tag, recipe.platform)},
    ).to_string()


def _component(member: WheelMember, tag: CodexTag) -> dict[str, object]:
    program = program_of(member)
    known: dict[str, object] = {}
    if program is not None:
        version = program.version(tag)
        known = {
            **({} if version is None else {"version": version}),
            "licenses": [{"expression": program.licence}],
            "purl": program.purl(tag),
        }
    return {
        "type": component_type(member),
        "bom-ref": _ref(member),
        "name": member.path.name,
        **known,
        "hashes": [{"alg": "SHA-256", "content": member.file.sha256.hex}],
        "evidence": {"occurrences": [{"location": _ref(member)}]},
    }


def _ref(member: WheelMember) -> str:
    """Return the path of a component in the wheel, which is unique."""
    return f"{PACKAGE}/{member.path}"


def _compositions(recipe: Recipe, members: Sequence[WheelMember], tag: CodexTag) -> list[dict[str, object]]:
    """State what is complete: the list of payload files, but not our own text or linked code."""
    linked = [_ref(member) for member in members if member.file.kind.is_executable_image]
    return [
        {"aggregate": "incomplete_third_party_only", "assemblies": [_purl(recipe, tag)]},
        {"aggregate": "unknown", "dependencies": linked},
    ]

"""The record of a run: the inputs, the toolchain, the wheels and what the checks found in them.

Two equal runs write equal manifests: there is no time, path or host in one. Only a
`VerifiedWheel` becomes part of it, so that pins can rely on it. The format is published as
``docs/manifest.schema.json``; its version rises with every change that readers must know about.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Self

from factory.build.template import DISTRIBUTION
from factory.core.codec import from_json, to_json
from factory.core.digests import Digest, Sha256
from factory.core.errors import IntegrityError
from factory.core.form import Form
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.member_path import is_plain
from factory.core.model import ChannelName, Finding, WaivedFinding
from factory.core.tags import CodexTag
from factory.core.targets import Platform, Target
from factory.core.trust_level import TrustAssessment
from factory.manifest.acceptance import Acceptance

MANIFEST_NAME = "manifest.json"
CHECKSUMS_NAME = "SHA256SUMS"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRecord:
    """A release asset that the run read."""

    target: Target
    name: str
    purl: str
    digest: Digest
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolchainRecord:
    """What turned payload and recipe into bytes.

    Attributes:
        builder: Where the build ran: ``native`` or the name of a container engine.
        reason: Why this builder was chosen; it does not affect the wheels' bytes.
        image: The id of the container image; None for a native build.
        engine: What wrote the wheel: the build backend or the assembler.
        python: The interpreter's implementation and version.
        deflate: The deflate encoder's name and version.
        deflate_answer: The SHA-256 of that encoder's output for a known input (factory.build.deflate_check).
        encoder: What compressed the payload: zlib, or exact_deflate and its source's digest.
        lock: The SHA-256 of the requirements file that the build environment was installed from.
        packages: The version of each locked package, by name.
    """

    builder: str
    reason: str = field(default="", metadata={Form.MAY_BE_MISSING: True})
    image: str | None = None
    engine: str
    python: str
    deflate: str
    deflate_answer: Sha256
    encoder: str = field(default="", metadata={Form.MAY_BE_MISSING: True})
    lock: Sha256
    packages: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRecord:
    """A payload file in a wheel.

    Attributes:
        path: Where it is in the wheel.
        source: Where it is in the release package.
        mode: The permission bits in the wheel.
        assessment: Its trust assessment; None for a file that is not an executable.
    """

    path: PurePosixPath
    source: PurePosixPath
    mode: int = field(metadata={Form.OCTAL: True})
    size_bytes: int
    sha256: Sha256
    assessment: TrustAssessment | None = field(
        default=None,
        metadata={Form.KEY: "standing", Form.SHARED: {"place": "path", "sha256": "sha256"}},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutRecord:
    """A file of the release package that a payload rule leaves out of a wheel."""

    source: PurePosixPath
    sha256: Sha256
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelRecord:
    """A verified wheel.

    Attributes:
        platform: Its platform tag.
        recipe: The identity of the recipe that it was built with.
        asset: The digest of the release asset that its payload came from.
        checks: The ids of the checks that examined it.
        findings: The warnings and notes of those checks.
        waived: The findings that a waiver accepts; errors, too.
        acceptance: The result of its acceptance run with an SDK, if there was one.
    """

    name: str
    platform: str
    size_bytes: int
    sha256: Sha256
    recipe: Sha256
    asset: Digest
    payload: tuple[MemberRecord, ...]
    left_out: tuple[LeftOutRecord, ...]
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]
    waived: tuple[WaivedFinding, ...] = field(default=(), metadata={Form.MAY_BE_MISSING: True})
    acceptance: Acceptance | None = field(default=None, metadata={Form.OMITTED_IF_NONE: True})

    @property
    def assessments(self) -> tuple[TrustAssessment, ...]:
        """The trust assessments of its executables."""
        return tuple(member.assessment for member in self.payload if member.assessment is not None)

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """All findings, waived ones included."""
        return (*self.findings, *(waived.finding for waived in self.waived))


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The whole record of a run."""

    tag: CodexTag
    channel: ChannelName
    factory_version: str
    assets: tuple[AssetRecord, ...]
    toolchain: ToolchainRecord
    wheels: tuple[WheelRecord, ...]

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """Parse a ``manifest.json``.

        Raises:
            MalformedJson: It is not a manifest, or is damaged.
            IntegrityError: Its schema version is not supported.
        """
        data = JsonObject.parse(text, where=MANIFEST_NAME)
        version = data.integer("schema_version")
        if version != SCHEMA_VERSION:
            message = f"manifest of schema version {version}; this factory reads version {SCHEMA_VERSION}"
            hint = "Use the factory release that wrote it, or build the wheels again."
            raise IntegrityError(message, hint=hint)
        manifest = from_json(cls, data)
        for name, expected in (("project", DISTRIBUTION), ("version", manifest.tag.pep440)):
            if data.text(name) != expected:
                raise MalformedJson(MANIFEST_NAME, f"{name!r} is {data.text(name)!r}, not {expected!r}")
        for wheel in manifest.wheels:
            if not is_plain(wheel.name) or "/" in wheel.name:
                raise MalformedJson(MANIFEST_NAME, f"{wheel.name[:80]!r} is not the name of a wheel")
        return manifest

    def to_json(self) -> dict[str, object]:
        """Return the document."""
        return {
            "schema_version": SCHEMA_VERSION,
            "project": DISTRIBUTION,
            "tag": str(self.tag),
            "version": self.tag.pep440,
            **to_json(self),
        }

    def render(self) -> str:
        """Return the text of ``manifest.json``."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n"

    def render_checksums(self) -> str:
        """Return the text of ``SHA256SUMS``, which ``sha256sum --check`` reads."""
        return "".join(
            f"{wheel.sha256}  {wheel.name}\n" for wheel in sorted(self.wheels, key=lambda w: w.name)
        )

    def with_acceptance(self, accepted: Mapping[Sha256, Acceptance]) -> Self:
        """Return the manifest with acceptance results added, by the SHA-256 of the wheel."""
        return replace(
            self,
            wheels=tuple(
                replace(wheel, acceptance=accepted.get(wheel.sha256, wheel.acceptance))
                for wheel in self.wheels
            ),
        )

    def wheel(self, platform: Platform) -> WheelRecord | None:
        """Return the record of a platform's wheel, or None."""
        return next((wheel for wheel in self.wheels if wheel.platform == platform.tag), None)

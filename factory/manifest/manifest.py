"""The record of a run: what went in, what made it, what came out, and how it was judged.

A manifest holds nothing that would make two equal runs differ: no time, no path,
no host. Only a `VerifiedWheel` enters it, so that a pin can rest on it. The format
is published as ``docs/manifest.schema.json``; its version rises with every change
that a reader must know of.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Self

from factory.build.template import DISTRIBUTION
from factory.core.digests import Digest, Sha256
from factory.core.errors import IntegrityError
from factory.core.finding_json import finding_from_json, finding_to_json, waived_from_json, waived_to_json
from factory.core.json_reader import JsonObject
from factory.core.model import ChannelName, Finding, WaivedFinding
from factory.core.tags import CodexTag
from factory.core.targets import Platform, Target
from factory.core.trust_json import assessment_from_json, evidence_to_json
from factory.core.trust_level import TrustAssessment
from factory.manifest.acceptance import Acceptance

MANIFEST_NAME = "manifest.json"
CHECKSUMS_NAME = "SHA256SUMS"
SCHEMA_VERSION = 1


class UnknownManifestVersion(IntegrityError):
    """A manifest is of a version that this factory cannot read."""

    hint = "Use the factory release that wrote it, or build the wheels again."

    def __init__(self, version: int) -> None:
        super().__init__(f"manifest of schema version {version}; this factory reads version {SCHEMA_VERSION}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRecord:
    """A release asset that went in."""

    target: Target
    name: str
    purl: str
    digest: Digest
    size_bytes: int

    @classmethod
    def from_json(cls, data: JsonObject) -> Self:
        """Read one entry of ``assets``."""
        return cls(
            target=Target.parse(data.text("target")),
            name=data.text("name"),
            purl=data.text("purl"),
            digest=Digest.parse(data.text("digest")),
            size_bytes=data.integer("size_bytes"),
        )

    def to_json(self) -> dict[str, object]:
        """Return the entry of ``assets``."""
        return {
            "target": self.target.value,
            "name": self.name,
            "purl": self.purl,
            "digest": str(self.digest),
            "size_bytes": self.size_bytes,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolchainRecord:
    """What turned payload and recipe into bytes.

    Attributes:
        builder: Where the build ran, ``native`` or a container.
        reason: Why there; decides no byte.
        image: The id of the container's image, if there was one.
        engine: What laid the wheel out, the backend itself or the assembler.
        python: Implementation and version of the interpreter.
        deflate: The deflate encoder, by name and version.
        deflate_answer: What that encoder makes of the known input (factory.deflate).
        lock: The SHA-256 of the hash lock the environment was made from.
        packages: Name and version of each locked package.
    """

    builder: str
    engine: str
    python: str
    deflate: str
    deflate_answer: Sha256
    lock: Sha256
    packages: Mapping[str, str]
    reason: str = ""
    image: str | None = None

    @classmethod
    def from_json(cls, data: JsonObject) -> Self:
        """Read ``toolchain``; manifests of before there were containers have neither reason nor image."""
        return cls(
            builder=data.text("builder"),
            engine=data.text("engine"),
            python=data.text("python"),
            deflate=data.text("deflate"),
            deflate_answer=Sha256(data.text("deflate_answer")),
            lock=Sha256(data.text("lock")),
            packages=data.child("packages").text_members(),
            reason=data.text_or_none("reason") or "",
            image=data.text_or_none("image"),
        )

    def to_json(self) -> dict[str, object]:
        """Return ``toolchain``."""
        return {
            "builder": self.builder,
            "reason": self.reason,
            "image": self.image,
            "engine": self.engine,
            "python": self.python,
            "deflate": self.deflate,
            "deflate_answer": str(self.deflate_answer),
            "lock": str(self.lock),
            "packages": dict(sorted(self.packages.items())),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRecord:
    """A payload file in a wheel: where it is, and where in the release package it was.

    Attributes:
        path: In the wheel.
        source: In the release package.
        mode: The permission bits in the wheel.
        size_bytes: Its size.
        sha256: Its content.
        assessment: How much is known of who made it; None for what is no executable.
    """

    path: PurePosixPath
    source: PurePosixPath
    mode: int
    size_bytes: int
    sha256: Sha256
    assessment: TrustAssessment | None = None

    @classmethod
    def from_json(cls, data: JsonObject) -> Self:
        """Read one entry of a wheel's ``payload``."""
        path, sha256 = data.text("path"), Sha256(data.text("sha256"))
        evidence = data.child_or_none("standing")
        return cls(
            path=PurePosixPath(path),
            source=PurePosixPath(data.text("source")),
            mode=int(data.text("mode"), 8),
            size_bytes=data.integer("size_bytes"),
            sha256=sha256,
            assessment=None
            if evidence is None
            else assessment_from_json(evidence, place=path, sha256=sha256),
        )

    def to_json(self) -> dict[str, object]:
        """Return the entry of ``payload``."""
        return {
            "path": str(self.path),
            "source": str(self.source),
            "mode": f"{self.mode:04o}",
            "size_bytes": self.size_bytes,
            "sha256": str(self.sha256),
            "standing": None if self.assessment is None else evidence_to_json(self.assessment),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutRecord:
    """A file of the release package that a declared rule keeps out of a wheel."""

    source: PurePosixPath
    sha256: Sha256
    reason: str

    @classmethod
    def from_json(cls, data: JsonObject) -> Self:
        """Read one entry of a wheel's ``left_out``."""
        return cls(
            source=PurePosixPath(data.text("source")),
            sha256=Sha256(data.text("sha256")),
            reason=data.text("reason"),
        )

    def to_json(self) -> dict[str, object]:
        """Return the entry of ``left_out``."""
        return {"source": str(self.source), "sha256": str(self.sha256), "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelRecord:
    """A verified wheel.

    Attributes:
        name: Its file name.
        platform: Its platform tag.
        size_bytes: Its size.
        sha256: Its content.
        recipe: The identity of the recipe that made it.
        asset: The digest of the release asset that its payload came from.
        payload: The payload files in it.
        left_out: The payload files that are not, each with the reason.
        checks: The checks that looked at it.
        findings: What they said short of an error.
        waived: What they said and a waiver accepts, with its reason.
        acceptance: What came of trying it with an SDK, if that was done.
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
    waived: tuple[WaivedFinding, ...] = ()
    acceptance: Acceptance | None = None

    @property
    def assessments(self) -> tuple[TrustAssessment, ...]:
        """Where its executables stand on the ladder of trust."""
        return tuple(member.assessment for member in self.payload if member.assessment is not None)

    @property
    def found(self) -> tuple[Finding, ...]:
        """All that the checks said, accepted or not."""
        return (*self.findings, *(waived.finding for waived in self.waived))

    @classmethod
    def from_json(cls, data: JsonObject) -> Self:
        """Read one entry of ``wheels``."""
        return cls(
            name=data.text("name"),
            platform=data.text("platform"),
            size_bytes=data.integer("size_bytes"),
            sha256=Sha256(data.text("sha256")),
            recipe=Sha256(data.text("recipe")),
            asset=Digest.parse(data.text("asset")),
            payload=tuple(MemberRecord.from_json(item) for item in data.objects("payload")),
            left_out=tuple(LeftOutRecord.from_json(item) for item in data.objects("left_out")),
            checks=data.texts("checks"),
            findings=tuple(finding_from_json(item) for item in data.objects("findings")),
            waived=tuple(waived_from_json(item) for item in data.objects_or_none("waived")),
            acceptance=Acceptance.from_json(data.child("acceptance"))
            if "acceptance" in data.members
            else None,
        )

    def to_json(self) -> dict[str, object]:
        """Return the entry of ``wheels``."""
        return {
            "name": self.name,
            "platform": self.platform,
            "size_bytes": self.size_bytes,
            "sha256": str(self.sha256),
            "recipe": str(self.recipe),
            "asset": str(self.asset),
            "payload": [member.to_json() for member in self.payload],
            "left_out": [left_out.to_json() for left_out in self.left_out],
            "checks": list(self.checks),
            "findings": [finding_to_json(finding) for finding in self.findings],
            "waived": [waived_to_json(waived) for waived in self.waived],
            **({} if self.acceptance is None else {"acceptance": self.acceptance.to_json()}),
        }


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
            MalformedJson: It is no manifest.
            UnknownManifestVersion: It is one of another schema version.
        """
        data = JsonObject.parse(text, where=MANIFEST_NAME)
        version = data.integer("schema_version")
        if version != SCHEMA_VERSION:
            raise UnknownManifestVersion(version)
        return cls(
            tag=CodexTag.parse(data.text("tag")),
            channel=ChannelName(data.text("channel")),
            factory_version=data.text("factory_version"),
            assets=tuple(AssetRecord.from_json(item) for item in data.objects("assets")),
            toolchain=ToolchainRecord.from_json(data.child("toolchain")),
            wheels=tuple(WheelRecord.from_json(item) for item in data.objects("wheels")),
        )

    def to_json(self) -> dict[str, object]:
        """Return the document."""
        return {
            "schema_version": SCHEMA_VERSION,
            "project": DISTRIBUTION,
            "tag": str(self.tag),
            "version": self.tag.pep440,
            "channel": self.channel.value,
            "factory_version": self.factory_version,
            "assets": [asset.to_json() for asset in self.assets],
            "toolchain": self.toolchain.to_json(),
            "wheels": [wheel.to_json() for wheel in self.wheels],
        }

    def render(self) -> str:
        """Return the text of ``manifest.json``."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n"

    def render_checksums(self) -> str:
        """Return the text of ``SHA256SUMS``, which ``sha256sum --check`` reads."""
        return "".join(
            f"{wheel.sha256}  {wheel.name}\n" for wheel in sorted(self.wheels, key=lambda w: w.name)
        )

    def accepting(self, accepted: Mapping[Sha256, Acceptance]) -> Self:
        """Return the manifest with evidence for those of its wheels that have just these bytes."""
        return replace(
            self,
            wheels=tuple(
                replace(wheel, acceptance=accepted.get(wheel.sha256, wheel.acceptance))
                for wheel in self.wheels
            ),
        )

    def wheel(self, platform: Platform) -> WheelRecord | None:
        """Return the record of a platform's wheel, if there is one."""
        return next((wheel for wheel in self.wheels if wheel.platform == platform.tag), None)

"""The npm channel: the package ``@openai/codex``, one version a target.

Which version holds which target is read from the registry's answer. Before 0.100.0
the plain version's one tarball holds every target; since then the plain version is
a launcher that names the others in ``optionalDependencies``.

Registries that want a token are not supported: an npmrc's credentials are not read.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from packageurl import PackageURL
from packageurl.contrib import purl2url

from factory.core.digests import Digest, DigestAlgorithm, MalformedDigest
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import ArchiveFormat, ChannelName, ReleaseAsset, ReleaseAssets, Remote
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels import (
    AssetWithoutDigest,
    MalformedAnswer,
    ReleaseWithoutTargets,
    UnknownRelease,
    tags_in,
)
from factory.system.http import HttpClient
from factory.system.process import CannotStart, Command, Runner

SCOPE = "@openai"
NAME = "codex"

_ABBREVIATED = "application/vnd.npm.install-v1+json"
"""npm's short form of a package's document, a tenth of the whole one."""
_MAX_DOCUMENT_BYTES = 32 << 20


class NpmChannel:
    """A registry that speaks npm's protocol. Its document is fetched once and serves every tag."""

    name = ChannelName.NPM

    def __init__(self, client: HttpClient, *, registry: str) -> None:
        self._client = client
        self._registry = registry.rstrip("/")
        self._versions: Mapping[str, JsonObject] | None = None

    @property
    def identity(self) -> str:
        """The registry's address."""
        return self._registry

    def assets(self, tag: CodexTag) -> ReleaseAssets:
        """Return the tarballs of a tag, with the SHA-512 that the registry promises."""
        try:
            if self._versions is None:
                self._versions = self._fetch_versions()
            assets = tuple(self._assets_of(tag, self._versions))
        except MalformedJson as error:
            raise MalformedAnswer(self.name, str(error)) from error
        if not assets:
            if tag.semver in self._versions:
                raise ReleaseWithoutTargets(tag, self.name)
            raise UnknownRelease(tag, self.name, tags_in(self._versions))
        return ReleaseAssets(tag=tag, channel=self.name, assets=assets)

    def _fetch_versions(self) -> Mapping[str, JsonObject]:
        url = f"{self._registry}/{SCOPE}{quote('/', safe='')}{NAME}"
        body = self._client.get(url, headers={"Accept": _ABBREVIATED}, max_bytes=_MAX_DOCUMENT_BYTES)
        versions = JsonObject.parse(body, where=f"{SCOPE}/{NAME}").child("versions")
        return {version: versions.child(version) for version in versions.members}

    def _assets_of(self, tag: CodexTag, versions: Mapping[str, JsonObject]) -> Iterator[ReleaseAsset]:
        for target in Target:
            version = f"{tag.semver}-{target.npm_suffix}"
            if version in versions:
                yield self._asset(target, version, versions[version])
            elif tag.semver in versions and "optionalDependencies" not in versions[tag.semver].members:
                yield self._asset(target, tag.semver, versions[tag.semver])

    def _asset(self, target: Target, version: str, entry: JsonObject) -> ReleaseAsset:
        dist = entry.child("dist")
        purl = purl_of(version)
        return ReleaseAsset(
            target=target,
            name=f"{NAME}-{version}.tgz",
            purl=purl,
            digest=_promised(purl, dist.text_or_none("integrity") or ""),
            size_bytes=None,
            format=ArchiveFormat.TAR_GZ,
            location=Remote(url=_checked_url(dist.text("tarball"))),
        )


def purl_of(version: str) -> str:
    """Return the package URL of one version of the npm package."""
    return PackageURL(type="npm", namespace=SCOPE, name=NAME, version=version).to_string()


def default_npm_registry() -> str:
    """Return npm's public registry as the purl library knows it, so that no file of ours names a host."""
    example = "/package/-/package-0.tgz"
    url: str | None = purl2url.get_download_url("pkg:npm/package@0")  # type: ignore[no-untyped-call]
    if url is None or not url.endswith(example):
        raise AssertionError("packageurl-python builds npm addresses in another way now")
    return url.removesuffix(example)


def npm_registry_from_client(
    runner: Runner, *, env: Mapping[str, str], cwd: Path | None = None
) -> str | None:
    """Ask the npm client which registry it would use for the package.

    A registry configured for the scope goes before the general one, as with npm itself.

    Args:
        runner: Starts the client.
        env: The client's environment; it reads its configuration's places from there.
        cwd: Where a project's npmrc may lie.

    Returns:
        The address, or None where there is no npm client or it answers nothing usable.
    """
    scoped, general = f"{SCOPE}:registry", "registry"
    command = Command(argv=("npm", "config", "get", scoped, general), env=env, cwd=cwd, timeout_s=20.0)
    try:
        completed = runner.run(command)
    except CannotStart:
        return None
    if completed.returncode != 0:
        return None
    answers = dict(line.strip().partition("=")[::2] for line in completed.output.splitlines())
    usable = (answers.get(key, "") for key in (scoped, general))
    return next((url for url in usable if urlsplit(url).scheme in {"http", "https"}), None)


def _promised(purl: str, integrity: str) -> Digest:
    try:
        digest = Digest.parse_integrity(integrity)
    except MalformedDigest:
        digest = None
    if digest is None or digest.algorithm is not DigestAlgorithm.SHA512:
        raise AssetWithoutDigest(
            purl,
            wanted="a SHA-512 integrity",
            hint="The registry is very old or altered: use another registry or channel.",
        )
    return digest


def _checked_url(url: str) -> str:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise MalformedAnswer(ChannelName.NPM, f"{url!r} is no address of a tarball")
    return url

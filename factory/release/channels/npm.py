"""The npm channel: the package ``@openai/codex``, with one version for each target.

The registry's answer says which version has which target. Before 0.100.0 the tarball of the
plain version contains every target; since then the plain version is a launcher that lists the
others in ``optionalDependencies``.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from packageurl import PackageURL
from packageurl.contrib import purl2url

from factory.core.addresses import split_address
from factory.core.digests import Digest, DigestAlgorithm, MalformedDigest
from factory.core.errors import IntegrityError
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import ArchiveFormat, ChannelName, ReleaseAsset, ReleaseAssets, Remote
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels import (
    checked_url,
    malformed_answer,
    release_without_packages,
    tags_in,
    unknown_release,
)
from factory.release.channels.npm_login import NpmLogin
from factory.system.http import HttpClient
from factory.system.process import CannotStart, Command, Runner

SCOPE = "@openai"
NAME = "codex"

ABBREVIATED = "application/vnd.npm.install-v1+json"
"""npm's abbreviated package document, a tenth of the size of the full one."""
_MAX_DOCUMENT_BYTES = 8 << 20
"""The abbreviated document of the package has 450 kB."""


class NpmChannel:
    """A registry with npm's protocol. Its package document is downloaded once, and used for every tag."""

    name = ChannelName.NPM

    def __init__(self, client: HttpClient, *, login: NpmLogin) -> None:
        self._client = client
        self._login = login
        self._versions: Mapping[str, JsonObject] | None = None

    @property
    def identity(self) -> str:
        """The registry's URL, without credentials."""
        return self._login.registry

    def assets(self, tag: CodexTag) -> ReleaseAssets:
        """Return the tarballs of a tag, with the SHA-512 that the registry gives."""
        try:
            versions = self._all_versions()
            assets = tuple(self._assets_of(tag, versions))
        except MalformedJson as error:
            raise malformed_answer(self.name, str(error)) from error
        if not assets:
            if tag.semver in versions:
                raise release_without_packages(tag, self.name)
            raise unknown_release(tag, self.name, tags_in(versions))
        return ReleaseAssets(tag=tag, channel=self.name, assets=assets)

    def complete_releases(self) -> tuple[CodexTag, ...]:
        """Return the final releases that have one package for each target, the newest first."""
        try:
            versions = self._all_versions()
        except MalformedJson as error:
            raise malformed_answer(self.name, str(error)) from error
        tags = {tag for tag in tags_in(versions) if tag.pre is None}
        complete = [
            tag for tag in tags if all(f"{tag.semver}-{target.npm_suffix}" in versions for target in Target)
        ]
        return tuple(sorted(complete, key=lambda tag: tag.release, reverse=True))

    def _all_versions(self) -> Mapping[str, JsonObject]:
        if self._versions is None:
            self._versions = self._fetch_versions()
        return self._versions

    def _fetch_versions(self) -> Mapping[str, JsonObject]:
        url = package_url(self._login.registry)
        headers = {"Accept": ABBREVIATED, **self._login.headers_for(url)}
        with self._login.explaining_refusals(url):
            body = self._client.get(url, headers=headers, max_bytes=_MAX_DOCUMENT_BYTES)
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
            digest=_integrity(purl, dist.text_or_none("integrity") or ""),
            size_bytes=None,
            format=ArchiveFormat.TAR_GZ,
            location=Remote(url=checked_url(dist.text("tarball"), ChannelName.NPM)),
        )


def package_url(registry: str) -> str:
    """Return the URL of the package's document in a registry."""
    return f"{registry}/{SCOPE}{quote('/', safe='')}{NAME}"


def purl_of(version: str) -> str:
    """Return the package URL of one version of the npm package."""
    return PackageURL(type="npm", namespace=SCOPE, name=NAME, version=version).to_string()


def default_npm_registry() -> str:
    """Return npm's public registry as the packageurl library has it, so that our files name no host."""
    example = "/package/-/package-0.tgz"
    url: str | None = purl2url.get_download_url("pkg:npm/package@0")  # type: ignore[no-untyped-call]
    if url is None or not url.endswith(example):
        raise AssertionError("packageurl-python builds npm URLs in another way now")
    return url.removesuffix(example)


def npm_registry_from_client(
    runner: Runner, *, env: Mapping[str, str], cwd: Path | None = None
) -> str | None:
    """Return the registry that the npm client would use for the package.

    A registry configured for the scope takes precedence, as in npm itself.

    Args:
        runner: Starts the client.
        env: The client's environment, from which it finds its configuration files.
        cwd: A directory that may have a project's npmrc.

    Returns:
        The URL, or None if the npm client is missing or its answer is not usable.
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
    return next((url for url in usable if split_address(url) is not None), None)


def _integrity(purl: str, integrity: str) -> Digest:
    try:
        digest = Digest.parse_integrity(integrity)
    except MalformedDigest:
        digest = None
    if digest is None or digest.algorithm is not DigestAlgorithm.SHA512:
        raise IntegrityError(
            f"{purl} has no SHA-512 integrity",
            hint="The registry is very old or was altered: use another registry or channel.",
        )
    return digest

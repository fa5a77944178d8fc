"""The npm channel: the package ``@openai/codex``, with one version for each target.

The registry's answer says which version has which target. Before 0.100.0 the tarball of the
plain version contains every target; since then the plain version is a launcher that lists the
others in ``optionalDependencies``.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from packageurl.contrib import purl2url

from factory.core.addresses import split_address
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import ChannelName, ReleaseAsset, ReleaseAssets
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels import (
    malformed_answer,
    release_without_packages,
    tags_in,
    unknown_release,
)
from factory.release.channels.npm_login import NpmLogin
from factory.release.channels.npm_package import asset_of, fetch_versions
from factory.system.http import HttpClient
from factory.system.process import CannotStart, Command, Runner

SCOPE = "@openai"
NAME = "codex"
PACKAGE = f"{SCOPE}/{NAME}"


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
        return fetch_versions(self._client, self._login, PACKAGE)

    def _assets_of(self, tag: CodexTag, versions: Mapping[str, JsonObject]) -> Iterator[ReleaseAsset]:
        for target in Target:
            version = f"{tag.semver}-{target.npm_suffix}"
            if version in versions:
                yield asset_of(PACKAGE, version, versions[version], target=target)
            elif tag.semver in versions and "optionalDependencies" not in versions[tag.semver].members:
                yield asset_of(PACKAGE, tag.semver, versions[tag.semver], target=target)


def default_npm_registry() -> str:
    """Return npm's public registry as the packageurl library has it, so that our files name no host."""
    example = "/package/-/package-0.tgz"
    url: str | None = purl2url.get_download_url("pkg:npm/package@0")  # type: ignore[no-untyped-call]
    if url is None or not url.endswith(example):
        raise AssertionError("packageurl-python builds npm URLs in another way now")
    return url.removesuffix(example)


def npm_registry_from_client(
    runner: Runner, *, env: Mapping[str, str], cwd: Path | None = None, scope: str | None = SCOPE
) -> str | None:
    """Return the registry that the npm client would use for the packages of a scope.

    A registry configured for the scope takes precedence, as in npm itself.

    Args:
        runner: Starts the client.
        env: The client's environment, from which it finds its configuration files.
        cwd: A directory that may have a project's npmrc.
        scope: The scope; None for packages without one.

    Returns:
        The URL, or None if the npm client is missing or its answer is not usable.
    """
    keys = registry_keys(scope)
    # With one key, npm prints the bare value; so two are asked for in any case.
    asked = keys if len(keys) > 1 else (*keys, "user-agent")
    command = Command(argv=("npm", "config", "get", *asked), env=env, cwd=cwd, timeout_s=20.0)
    try:
        completed = runner.run(command)
    except CannotStart:
        return None
    if completed.returncode != 0:
        return None
    answers = dict(line.strip().partition("=")[::2] for line in completed.output.splitlines())
    usable = (answers.get(key, "") for key in keys)
    return next((url for url in usable if split_address(url) is not None), None)


def registry_keys(scope: str | None) -> tuple[str, ...]:
    """Return the keys of npm's configuration that name the registry of a scope, the strongest first."""
    return ("registry",) if scope is None else (f"{scope}:registry", "registry")

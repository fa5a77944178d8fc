"""The GitHub channel: a release's ``codex-package-<target>.tar.gz``.

The digests are those of the release's own ``codex-package_SHA256SUMS``. GitHub's API may also
give a digest, which GitHub computed at the upload; both must then be equal.
The release also has sigstore bundles of the Linux executables, ``<program>-<target>.sigstore``.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from packageurl import PackageURL

from factory.core.digests import Digest, DigestAlgorithm, MalformedDigest, Sha256
from factory.core.errors import IntegrityError, UpstreamError
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import ArchiveFormat, ChannelName, ReleaseAsset, ReleaseAssets, Remote, SigstoreBundle
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels import (
    checked_url,
    malformed_answer,
    release_without_packages,
    tags_in,
    unknown_release,
)
from factory.release.channels.checksums import parse_checksums
from factory.system.files import WrongDigest
from factory.system.http import HttpClient, HttpStatusError

API = "https://api.github.com"
REPOSITORY = "openai/codex"
CHECKSUMS = "codex-package_SHA256SUMS"

_MAX_DOCUMENT_BYTES = 8 << 20
_MAX_CHECKSUMS_BYTES = 1 << 20
_MAX_BUNDLE_BYTES = 1 << 18
_MAX_BUNDLES = 16
_BUNDLE = re.compile(rf"(?P<program>[\w-]+)-(?P<target>{'|'.join(map(re.escape, Target))})\.sigstore")


class GithubChannel:
    """The releases of one repository.

    Args:
        client: Sends the requests.
        api: The URL of the API; GitHub Enterprise has its own.
        repository: ``owner/name``.
        token: Sent only to the API, not to the host of the files.
    """

    name = ChannelName.GITHUB

    def __init__(
        self,
        client: HttpClient,
        *,
        api: str = API,
        repository: str = REPOSITORY,
        token: str | None = None,
    ) -> None:
        self._client = client
        self._base = f"{api.rstrip('/')}/repos/{repository}"
        self._repository = repository
        self._headers = {"Accept": "application/vnd.github+json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    @property
    def identity(self) -> str:
        """The repository's URL in the API."""
        return self._base

    def assets(self, tag: CodexTag) -> ReleaseAssets:
        """Return the packages of a tag, with the SHA-256 of the release's checksum file."""
        try:
            offered = self._offered(tag)
            if not any(_name(target) in offered for target in Target):
                raise release_without_packages(tag, self.name)
            listed = self._listed(offered)
            assets = tuple(self._assets_of(tag, offered, listed))
            bundles = tuple(self._bundles_of(offered))
        except MalformedJson as error:
            raise malformed_answer(self.name, str(error)) from error
        return ReleaseAssets(tag=tag, channel=self.name, assets=assets, bundles=bundles)

    def _offered(self, tag: CodexTag) -> Mapping[str, JsonObject]:
        try:
            body = self._ask(f"{self._base}/releases/tags/{quote(str(tag))}")
        except HttpStatusError as error:
            if error.status != 404:  # noqa: PLR2004 - "no such release"
                raise
            raise unknown_release(tag, self.name, self._known()) from error
        release = JsonObject.parse(body, where=f"release {tag}")
        return {asset.text("name"): asset for asset in release.objects("assets")}

    def _known(self) -> tuple[CodexTag, ...]:
        body = self._ask(f"{self._base}/releases?per_page=100")
        releases = JsonObject.parse(b'{"releases":%b}' % body, where="releases").objects("releases")
        return tags_in(release.text("tag_name") for release in releases)

    def _ask(self, url: str) -> bytes:
        try:
            return self._client.get(url, headers=self._headers, max_bytes=_MAX_DOCUMENT_BYTES)
        except HttpStatusError as error:
            if error.status in {401, 403, 429}:
                raise UpstreamError(  # most often the rate limit for requests without a token
                    f"GitHub's API refused the request (status {error.status})",
                    hint="Set GITHUB_TOKEN to any of your tokens, wait an hour, or use the npm channel.",
                ) from error
            raise

    def _listed(self, offered: Mapping[str, JsonObject]) -> Mapping[str, Digest]:
        """Download the release's checksum file, without the token: it is on another host."""
        if CHECKSUMS not in offered:
            return {}
        asset = offered[CHECKSUMS]
        body = self._client.get(_url_of(asset), max_bytes=_MAX_CHECKSUMS_BYTES)
        api, actual = _api_digest(asset), Sha256.of([body]).digest
        if api is not None and api != actual:
            raise WrongDigest(CHECKSUMS, expected=api, actual=actual)
        return parse_checksums(body.decode("utf-8", "replace"), where=CHECKSUMS)

    def _assets_of(
        self, tag: CodexTag, offered: Mapping[str, JsonObject], listed: Mapping[str, Digest]
    ) -> Iterator[ReleaseAsset]:
        for target in Target:
            name = _name(target)
            if name not in offered:
                continue
            yield ReleaseAsset(
                target=target,
                name=name,
                purl=purl_of(tag, name, repository=self._repository),
                digest=_agreed(name, listed.get(name), _api_digest(offered[name])),
                size_bytes=offered[name].integer("size"),
                format=ArchiveFormat.TAR_GZ,
                location=Remote(url=_url_of(offered[name])),
            )

    def _bundles_of(self, offered: Mapping[str, JsonObject]) -> Iterator[SigstoreBundle]:
        """Download the sigstore bundles, without the token as well; a release has a handful of them."""
        found = [(match, asset) for name, asset in offered.items() if (match := _BUNDLE.fullmatch(name))]
        for match, asset in found[:_MAX_BUNDLES]:
            yield SigstoreBundle(
                target=Target(match["target"]),
                program=match["program"],
                content=self._client.get(_url_of(asset), max_bytes=_MAX_BUNDLE_BYTES),
            )


def purl_of(tag: CodexTag, name: str, *, repository: str = REPOSITORY) -> str:
    """Return the package URL of a release asset: the repository at the tag, with the asset as subpath."""
    owner, _, project = repository.partition("/")
    return PackageURL(
        type="github", namespace=owner, name=project, version=str(tag), subpath=name
    ).to_string()


def _name(target: Target) -> str:
    return f"codex-package-{target}.tar.gz"


def _url_of(asset: JsonObject) -> str:
    return checked_url(asset.text("browser_download_url"), ChannelName.GITHUB)


def _api_digest(asset: JsonObject) -> Digest | None:
    text = asset.text_or_none("digest")
    try:
        return None if text is None else Digest.parse(text)
    except MalformedDigest as error:
        raise malformed_answer(ChannelName.GITHUB, str(error)) from error


def _agreed(name: str, listed: Digest | None, api: Digest | None) -> Digest:
    if listed is None or listed.algorithm is not DigestAlgorithm.SHA256:
        raise IntegrityError(
            f"{name} has no line in {CHECKSUMS}",
            hint="The release is incomplete: wait until it is complete, or use the npm channel.",
        )
    if api is not None and api != listed:
        raise IntegrityError(
            f"{CHECKSUMS} lists {listed} for {name}, but GitHub's API gives {api}",
            hint="Do not use this release. Compare with the npm channel, and report it upstream.",
        )
    return listed

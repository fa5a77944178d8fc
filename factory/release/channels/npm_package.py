"""One package of an npm registry: its versions, and the tarball of each with the registry's digest."""

from collections.abc import Mapping
from urllib.parse import quote

from packageurl import PackageURL

from factory.core.digests import Digest, DigestAlgorithm, MalformedDigest
from factory.core.errors import IntegrityError
from factory.core.json_reader import JsonObject
from factory.core.model import ArchiveFormat, ChannelName, ReleaseAsset, Remote
from factory.core.targets import Target
from factory.release.channels import checked_url
from factory.release.channels.npm_login import NpmLogin
from factory.system.http import HttpClient

ABBREVIATED = "application/vnd.npm.install-v1+json"
"""npm's abbreviated package document, a tenth of the size of the full one."""
_MAX_DOCUMENT_BYTES = 8 << 20
"""The abbreviated document of ``@openai/codex`` has 450 kB."""


def package_url(registry: str, package: str) -> str:
    """Return the URL of a package's document in a registry; the slash of a scoped name is escaped."""
    return f"{registry}/{quote(package, safe='@')}"


def purl_of(package: str, version: str) -> str:
    """Return the package URL of one version of a package."""
    scope, _, name = package.rpartition("/")
    return PackageURL(type="npm", namespace=scope or None, name=name, version=version).to_string()


def fetch_versions(client: HttpClient, login: NpmLogin, package: str) -> Mapping[str, JsonObject]:
    """Return the entry of each version of a package.

    Raises:
        RequestFailed: The registry does not answer, or has no such package.
        MalformedJson: The answer is not a package document.
    """
    url = package_url(login.registry, package)
    headers = {"Accept": ABBREVIATED, **login.headers_for(url)}
    with login.explaining_refusals(url):
        body = client.get(url, headers=headers, max_bytes=_MAX_DOCUMENT_BYTES)
    versions = JsonObject.parse(body, where=package).child("versions")
    return {version: versions.child(version) for version in versions.members}


def asset_of(package: str, version: str, entry: JsonObject, *, target: Target) -> ReleaseAsset:
    """Return the tarball of a version.

    Raises:
        IntegrityError: The registry gives no SHA-512 for it.
        MalformedJson: The entry has no tarball.
        UpstreamError: Its address is not usable.
    """
    dist = entry.child("dist")
    purl = purl_of(package, version)
    return ReleaseAsset(
        target=target,
        name=f"{package.rpartition('/')[2]}-{version}.tgz",
        purl=purl,
        digest=_integrity(purl, dist.text_or_none("integrity") or ""),
        size_bytes=None,
        format=ArchiveFormat.TAR_GZ,
        location=Remote(url=checked_url(dist.text("tarball"), ChannelName.NPM)),
    )


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

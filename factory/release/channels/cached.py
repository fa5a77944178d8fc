"""Cache the answers of a channel, so that a second run sends no requests."""

from factory.core.addresses import has_secrets, redacted
from factory.core.codec import from_json, to_plain
from factory.core.digests import Digest, MalformedDigest
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import ArchiveFormat, ChannelName, ReleaseAsset, ReleaseAssets, Remote, SigstoreBundle
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels import Channel
from factory.system.cache import Cache

_KIND = "release-v3"


class CachedChannel:
    """A channel whose complete answers are cached.

    An answer is cached only if it has every target, because the other packages of a release may
    still be uploaded, and only without credentials and signatures in its addresses: caches are
    copied, and such addresses expire. Published assets never change, so cached answers do not
    expire; a digest that is wrong anyway is noticed when the asset is downloaded.

    Args:
        channel: Asked for answers that are not cached.
        cache: Keeps the answers by the channel's identity and the tag.
        refresh: Whether to ignore cached answers and replace them.
    """

    def __init__(self, channel: Channel, cache: Cache, *, refresh: bool = False) -> None:
        self._channel = channel
        self._cache = cache
        self._refresh = refresh

    @property
    def name(self) -> ChannelName:
        """The name of the underlying channel."""
        return self._channel.name

    @property
    def identity(self) -> str:
        """The identity of the underlying channel."""
        return self._channel.identity

    def assets(self, tag: CodexTag) -> ReleaseAssets:
        """Return the cached answer, or ask the channel and cache its answer."""
        key = f"{self.name} {redacted(self.identity)} {tag}"
        if not self._refresh and (cached := self._load(key, tag)) is not None:
            return cached
        answer = self._channel.assets(tag)
        entries = [entry for asset in answer.assets if (entry := _entry(asset)) is not None]
        if len(entries) == len(Target):
            bundles = to_plain(answer.bundles)
            self._cache.write_record(_KIND, key, {"assets": entries, "bundles": bundles})
        return answer

    def _load(self, key: str, tag: CodexTag) -> ReleaseAssets | None:
        """Read a record; one that another version of the factory wrote in another form is ignored."""
        try:
            record = JsonObject.of(self._cache.read_record(_KIND, key), key)
            assets = tuple(_asset(entry) for entry in record.objects("assets"))
            bundles = tuple(from_json(SigstoreBundle, entry) for entry in record.objects("bundles"))
        except (MalformedJson, MalformedDigest, ValueError):
            return None
        return ReleaseAssets(tag=tag, channel=self.name, assets=assets, bundles=bundles)


def _entry(asset: ReleaseAsset) -> dict[str, object] | None:
    if not isinstance(asset.location, Remote) or has_secrets(asset.location.url):
        return None
    return {
        "target": asset.target.value,
        "name": asset.name,
        "purl": asset.purl,
        "digest": str(asset.digest),
        "size_bytes": asset.size_bytes,
        "format": asset.format.value,
        "url": asset.location.url,
    }


def _asset(entry: JsonObject) -> ReleaseAsset:
    return ReleaseAsset(
        target=Target(entry.text("target")),
        name=entry.text("name"),
        purl=entry.text("purl"),
        digest=Digest.parse(entry.text("digest")),
        size_bytes=entry.integer_or_none("size_bytes"),
        format=ArchiveFormat(entry.text("format")),
        location=Remote(url=entry.text("url")),
    )

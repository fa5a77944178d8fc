"""Remember what a channel said about a whole release, so that a second run asks nobody."""

from factory.core.codec import from_json, to_plain
from factory.core.digests import Digest, MalformedDigest
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import ArchiveFormat, ChannelName, ReleaseAsset, ReleaseAssets, Remote, SigstoreBundle
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels import Channel
from factory.system.cache import Cache

_KIND = "release-v2"


class CachedChannel:
    """A channel whose complete answers are kept in a cache.

    Only an answer with every target is kept: a release can still be under way, and
    its rest appear. A published asset never changes, so what is kept does not age; a
    digest that is wrong all the same shows when the bytes come.

    Args:
        channel: Who is asked.
        cache: Where its answers are kept, by its identity and the tag.
        refresh: Whether to ask in any case, and keep the new answer.
    """

    def __init__(self, channel: Channel, cache: Cache, *, refresh: bool = False) -> None:
        self._channel = channel
        self._store = cache
        self._refresh = refresh

    @property
    def name(self) -> ChannelName:
        """The name of the channel behind it."""
        return self._channel.name

    @property
    def identity(self) -> str:
        """The identity of the channel behind it."""
        return self._channel.identity

    def assets(self, tag: CodexTag) -> ReleaseAssets:
        """Return what is remembered, or ask and remember."""
        key = f"{self.name} {self.identity} {tag}"
        if not self._refresh and (remembered := self._recall(key, tag)) is not None:
            return remembered
        answer = self._channel.assets(tag)
        entries = [entry for asset in answer.assets if (entry := _entry(asset)) is not None]
        if len(entries) == len(Target):
            bundles = to_plain(answer.bundles)
            self._store.write_record(_KIND, key, {"assets": entries, "bundles": bundles})
        return answer

    def _recall(self, key: str, tag: CodexTag) -> ReleaseAssets | None:
        """Read a record; one that an older or newer version wrote otherwise counts as none."""
        try:
            record = JsonObject.of(self._store.read_record(_KIND, key), key)
            assets = tuple(_asset(entry) for entry in record.objects("assets"))
            bundles = tuple(from_json(SigstoreBundle, entry) for entry in record.objects("bundles"))
        except (MalformedJson, MalformedDigest, ValueError):
            return None
        return ReleaseAssets(tag=tag, channel=self.name, assets=assets, bundles=bundles)


def _entry(asset: ReleaseAsset) -> dict[str, object] | None:
    if not isinstance(asset.location, Remote):
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

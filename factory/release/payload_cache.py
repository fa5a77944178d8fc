"""What is known of a release package that was read before: its payload, by the asset's digest."""

from factory.core.codec import from_json, to_plain
from factory.core.digests import Digest
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import Payload, PayloadFile
from factory.core.targets import Target
from factory.system.cache import Cache

_KIND = "payload-v1"


def save_payload(cache: Cache, asset: Digest, payload: Payload) -> None:
    """Keep what was read; the digest names the very bytes, so it never ages.

    Raises:
        CannotWrite: The cache has no room or is read-only.
    """
    cache.write_record(_KIND, _key(asset, payload.target), {"files": to_plain(payload.files)})


def load_payload(cache: Cache, asset: Digest, target: Target) -> Payload | None:
    """Return what was read before; a record that makes no sense counts as none."""
    key = _key(asset, target)
    try:
        record = JsonObject.of(cache.read_record(_KIND, key), key)
        files = tuple(from_json(PayloadFile, entry) for entry in record.objects("files"))
    except MalformedJson:
        return None
    return Payload(target=target, files=files)


def _key(asset: Digest, target: Target) -> str:
    """Name the asset and the target: before 0.100.0 one asset held all targets."""
    return f"{asset} {target.value}"

"""Cache the payload of a release package by the package's digest, so that it need not be read again."""

from factory.core.codec import from_json, to_plain
from factory.core.digests import Digest
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import Payload, PayloadFile
from factory.core.targets import Target
from factory.system.cache import Cache

_KIND = "payload-v1"


def save_payload(cache: Cache, asset: Digest, payload: Payload) -> None:
    """Save a payload; the digest identifies the exact bytes, so the record does not expire.

    Raises:
        CannotWrite: The disk is full or read-only.
    """
    cache.write_record(_KIND, _key(asset, payload.target), {"files": to_plain(payload.files)})


def load_payload(cache: Cache, asset: Digest, target: Target) -> Payload | None:
    """Return a saved payload, or None if the record is missing or malformed."""
    key = _key(asset, target)
    try:
        record = JsonObject.of(cache.read_record(_KIND, key), key)
        files = tuple(from_json(PayloadFile, entry) for entry in record.objects("files"))
    except MalformedJson:
        return None
    return Payload(target=target, files=files)


def _key(asset: Digest, target: Target) -> str:
    """Name both the asset and the target, because before 0.100.0 one asset held all targets."""
    return f"{asset} {target.value}"

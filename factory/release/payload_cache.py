"""Cache the payload of a release package by the package's digest, so that it need not be read again.

A run that knows the payload, and has every compressed file, does not read the package. So the record
has the package's size, and does not serve a file of another size: that one is damaged, and is read.
"""

from factory.core.codec import from_json, to_plain
from factory.core.digests import Digest
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import Payload, PayloadFile
from factory.core.targets import Target
from factory.system.cache import Cache

_KIND = "payload-v2"


def save_payload(cache: Cache, asset: Digest, payload: Payload, *, package_bytes: int) -> None:
    """Save a payload; the digest identifies the exact bytes, so the record does not expire.

    Args:
        cache: Where it is saved.
        asset: The digest of the package, which was checked while the payload was read.
        payload: The payload.
        package_bytes: The size of the package.

    Raises:
        CannotWrite: The disk is full or read-only.
    """
    record = {"package_bytes": package_bytes, "files": to_plain(payload.files)}
    cache.write_record(_KIND, _key(asset, payload.target), record)


def load_payload(cache: Cache, asset: Digest, target: Target, *, package_bytes: int | None) -> Payload | None:
    """Return a saved payload; None if the record is missing or malformed, or the package had another size.

    Args:
        cache: Where it was saved.
        asset: The digest of the package.
        target: The target of the payload.
        package_bytes: The size of the package on this machine; None if it is not here.
    """
    key = _key(asset, target)
    try:
        record = JsonObject.of(cache.read_record(_KIND, key), key)
        if package_bytes not in {None, record.integer("package_bytes")}:
            return None
        files = tuple(from_json(PayloadFile, entry) for entry in record.objects("files"))
    except MalformedJson:
        return None
    return Payload(target=target, files=files)


def _key(asset: Digest, target: Target) -> str:
    """Name both the asset and the target, because before 0.100.0 one asset held all targets."""
    return f"{asset} {target.value}"

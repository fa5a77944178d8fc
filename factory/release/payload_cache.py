"""What is known of a release package that was read before: its payload, by the asset's digest."""

from pathlib import PurePosixPath

from factory.core.digests import Digest, MalformedDigest, Sha256
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import FileKind, Payload, PayloadFile
from factory.core.targets import Target
from factory.system.cache import Cache

_KIND = "payload-v1"


def save_payload(cache: Cache, asset: Digest, payload: Payload) -> None:
    """Keep what was read; the digest names the very bytes, so it never ages.

    Raises:
        CannotWrite: The cache has no room or is read-only.
    """
    files = [
        {
            "path": str(file.path),
            "mode": file.mode,
            "size_bytes": file.size_bytes,
            "sha256": str(file.sha256),
            "kind": file.kind.value,
        }
        for file in payload.files
    ]
    cache.write_record(_KIND, _key(asset, payload.target), {"files": files})


def load_payload(cache: Cache, asset: Digest, target: Target) -> Payload | None:
    """Return what was read before; a record that makes no sense counts as none."""
    key = _key(asset, target)
    try:
        record = JsonObject.of(cache.read_record(_KIND, key), key)
        files = tuple(_file(entry) for entry in record.objects("files"))
    except (MalformedJson, MalformedDigest, ValueError):
        return None
    return Payload(target=target, files=files)


def _key(asset: Digest, target: Target) -> str:
    """Name the asset and the target: before 0.100.0 one asset held all targets."""
    return f"{asset} {target.value}"


def _file(entry: JsonObject) -> PayloadFile:
    return PayloadFile(
        path=PurePosixPath(entry.text("path")),
        mode=entry.integer("mode"),
        size_bytes=entry.integer("size_bytes"),
        sha256=Sha256(entry.text("sha256")),
        kind=FileKind(entry.text("kind")),
    )

"""Documents from outside: manifests, records, and the answers of registries and indexes."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from factory.audit.index import fetch_listing
from factory.audit.remote_zip import Fetched, RemoteSource
from factory.core.digests import Digest
from factory.core.errors import FactoryError
from factory.core.model import ArchiveFormat, ReleaseAsset, Remote
from factory.core.progress import SilentProgress
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.manifest.manifest import Manifest
from factory.release.channels.cached import CachedChannel
from factory.release.channels.github import GithubChannel
from factory.release.channels.npm import NpmChannel
from factory.release.channels.npm_login import NpmLogin
from factory.release.download import Downloader
from factory.release.payload_cache import load_payload
from factory.system.cache import Cache
from factory.system.http import HttpResponse
from factory.system.retry import RetryPolicy
from tests.fakes import Answer

TAG = CodexTag.parse("rust-v0.163.0")
DIGEST = Digest.parse("sha256:" + "1" * 64)
BASE = "https://host.example.invalid"
CHECKSUMS = "".join(f"{'1' * 64}  codex-package-{target}.tar.gz\n" for target in Target).encode()
_ASKED_AT = datetime(2026, 11, 29, tzinfo=UTC)
_RETRY = RetryPolicy(attempts=1)


class _SameAnswer:
    """An HTTP client that gives one answer to every request, except for a file of checksums."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int) -> bytes:  # noqa: ARG002
        return CHECKSUMS if url.endswith("SUMS") else b"".join(self._answer.body)[:max_bytes]

    @contextmanager
    def stream(self, url: str, *, headers: Mapping[str, str] | None = None) -> Iterator[HttpResponse]:  # noqa: ARG002
        yield self._answer


def read_manifest(data: bytes) -> None:
    """Read a manifest, and write it again."""
    manifest = Manifest.parse(data)
    manifest.render().encode()
    manifest.render_checksums().encode()


def read_records(data: bytes) -> None:
    """Put a document in place of every record that is read."""
    with tempfile.TemporaryDirectory() as directory:
        cache = Cache(Path(directory))
        login = NpmLogin.of(BASE, "test", {})
        cached = CachedChannel(NpmChannel(_SameAnswer(Answer(body=(b"{}",))), login=login), cache)
        value = _object_in(data)
        cache.write_record("payload-v2", f"{DIGEST} {Target.LINUX_X86_64}", value or {})
        cache.write_record("release-v3", f"npm {BASE} {TAG}", value or {})
        if value is None:
            for entry in cache.entries():
                entry.path.write_bytes(data)
        load_payload(cache, DIGEST, Target.LINUX_X86_64, package_bytes=1)
        with suppress(FactoryError):
            cached.assets(TAG)
        cache.close()


def _object_in(data: bytes) -> dict[str, object] | None:
    """Return the object that a record can have as its value, with the right checksum."""
    try:
        value = json.loads(data)
        json.dumps(value, sort_keys=True).encode()
    except (ValueError, RecursionError, TypeError):
        return None
    return value if isinstance(value, dict) else None


def read_registry(data: bytes) -> None:
    """Answer the requests of the npm channel."""
    client = _SameAnswer(Answer(body=(data,)))
    NpmChannel(client, login=NpmLogin.of(BASE, "test", {})).assets(TAG)


def read_github(data: bytes) -> None:
    """Answer the requests of the GitHub channel."""
    GithubChannel(_SameAnswer(Answer(body=(data,)))).assets(TAG)


def read_index(data: bytes) -> None:
    """Answer the request for a project page."""
    fetch_listing(
        _SameAnswer(Answer(body=(data,))),
        index=f"{BASE}/simple/",
        project="openai-codex-cli-bin",
        asked_at=_ASKED_AT,
    )


def read_ranges(data: bytes) -> None:
    """Answer requests for parts of a file with any Content-Range and Content-Length."""
    text, _, length = data.decode("latin-1").partition("\n")
    headers = {"content-range": text, "content-length": length}
    answer = Answer(body=(data[:64],), status=206, headers=headers)
    with suppress(FactoryError):
        RemoteSource(
            client=_SameAnswer(answer),
            url=f"{BASE}/file",
            name="file",
            size_bytes=None,
            fetched=Fetched(),
            retry=_RETRY,
        ).open()
    with tempfile.TemporaryDirectory() as directory:
        cache = Cache(Path(directory))
        asset = ReleaseAsset(
            target=Target.LINUX_X86_64,
            name="codex.tgz",
            purl="pkg:npm/x",
            digest=DIGEST,
            size_bytes=None,
            format=ArchiveFormat.TAR_GZ,
            location=Remote(url=f"{BASE}/file"),
        )
        downloader = Downloader(
            cache=cache, client=_SameAnswer(answer), progress=SilentProgress(), retry=_RETRY
        )
        with suppress(FactoryError):
            downloader.fetch(asset)
        cache.close()


KINDS: Mapping[str, Callable[[bytes], None]] = {
    "manifests": read_manifest,
    "records": read_records,
    "registry documents": read_registry,
    "GitHub documents": read_github,
    "index documents": read_index,
    "ranges": read_ranges,
}


def read_documents(data: bytes) -> None:
    """Read bytes as one of the documents; the first byte selects the kind."""
    if data:
        readers = list(KINDS.values())
        with suppress(FactoryError):
            readers[data[0] % len(readers)](data[1:])

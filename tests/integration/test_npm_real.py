import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from factory.core.errors import UpstreamError
from factory.core.model import ReleaseAsset
from factory.core.progress import SilentProgress
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels.cached import CachedChannel
from factory.release.channels.npm import NpmChannel, default_npm_registry, npm_registry_from_client
from factory.release.channels.npm_login import NpmLogin
from factory.release.download import Downloader
from factory.system.cache import Cache
from factory.system.http import RequestsClient
from factory.system.process import SubprocessRunner
from tests.fakes import FakeHttpClient

pytestmark = pytest.mark.network

TAG = CodexTag.parse("rust-v0.131.0")
LINUX_SHA512 = (
    "163f4fee1de20608c040ace81325246f543c40c54ba9a7fad94ce52f58d87838"
    "48cdb0cc23f81a574b4e69c9081973dc7e0bb3cce4490b5839a43f52316a94e6"
)


@pytest.fixture(scope="module")
def channel() -> Iterator[NpmChannel]:
    configured = npm_registry_from_client(SubprocessRunner(), env=os.environ)
    with RequestsClient() as client:
        yield NpmChannel(client, login=NpmLogin.of(configured or default_npm_registry(), "a test", {}))


def linux(asset: ReleaseAsset) -> bool:
    return asset.target is Target.LINUX_X86_64


def test_a_real_release_has_every_target(channel: NpmChannel) -> None:
    assets = channel.assets(TAG).assets
    assert [asset.target for asset in assets] == list(Target)
    assert assets[0].purl == "pkg:npm/%40openai/codex@0.131.0-linux-x64"


def test_the_error_for_an_unknown_release_lists_real_ones(channel: NpmChannel) -> None:
    with pytest.raises(UpstreamError) as caught:
        channel.assets(CodexTag.parse("0.131.99"))
    assert "rust-v0.131.0" in caught.value.hint


def test_a_real_asset_is_downloaded_once(channel: NpmChannel, tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    (asset,) = filter(linux, CachedChannel(channel, cache).assets(TAG).assets)
    assert str(asset.digest) == f"sha512:{LINUX_SHA512}"
    with RequestsClient() as client:
        path = Downloader(cache=cache, client=client, progress=SilentProgress()).fetch(asset)
    assert path.stat().st_size == 89_134_051
    cache.verify(asset.digest)

    offline = NpmChannel(FakeHttpClient({}), login=NpmLogin.of(channel.identity, "a test", {}))
    (again,) = filter(linux, CachedChannel(offline, cache).assets(TAG).assets)
    fetcher = Downloader(cache=cache, client=FakeHttpClient({}), progress=SilentProgress())
    assert fetcher.fetch(again) == path
    path.unlink()

from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.digests import Digest
from factory.core.model import (
    ArchiveFormat,
    ChannelName,
    Local,
    ReleaseAsset,
    ReleaseAssets,
    Remote,
    SigstoreBundle,
)
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels.cached import CachedChannel
from factory.system.cache import Cache

TAG = CodexTag.parse("0.163.0")


def asset(target: Target) -> ReleaseAsset:
    return ReleaseAsset(
        target=target,
        name=f"codex-{target}.tgz",
        purl=f"pkg:npm/%40openai/codex@0.163.0-{target.npm_suffix}",
        digest=Digest.parse("sha512:" + "0" * 128),
        size_bytes=None if target is Target.LINUX_X86_64 else 5,
        format=ArchiveFormat.TAR_GZ,
        location=Remote(url=f"https://files.example.invalid/{target}"),
    )


COMPLETE = ReleaseAssets(
    tag=TAG,
    channel=ChannelName.NPM,
    assets=tuple(asset(target) for target in Target),
    bundles=(SigstoreBundle(target=Target.LINUX_X86_64, program="codex", content=b"\0 a bundle"),),
)


class Scripted:
    """A channel that gives each answer once, for one tag."""

    name = ChannelName.NPM

    def __init__(self, *answers: ReleaseAssets, identity: str = "one") -> None:
        self._answers = list(answers)
        self.identity = identity

    def assets(self, tag: CodexTag) -> ReleaseAssets:
        assert tag == TAG
        assert self._answers, "asked once too often"
        return self._answers.pop(0)


def test_a_complete_release_is_requested_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert CachedChannel(Scripted(COMPLETE), cache).assets(TAG) == COMPLETE
    assert CachedChannel(Scripted(), cache).assets(TAG) == COMPLETE


def test_another_registry_has_its_own_answer(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    CachedChannel(Scripted(COMPLETE), cache).assets(TAG)
    other = Scripted(COMPLETE, identity="two")
    assert CachedChannel(other, cache).identity == "two"
    CachedChannel(other, cache).assets(TAG)
    with pytest.raises(AssertionError, match="asked once too often"):
        other.assets(TAG)


def test_refreshing_replaces_the_cached_answer(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    newer = replace(COMPLETE, assets=tuple(replace(entry, size_bytes=6) for entry in COMPLETE.assets))
    CachedChannel(Scripted(COMPLETE), cache).assets(TAG)
    assert CachedChannel(Scripted(newer), cache, refresh=True).assets(TAG) == newer
    assert CachedChannel(Scripted(), cache).assets(TAG) == newer


@pytest.mark.parametrize(
    "answer",
    [
        replace(COMPLETE, assets=COMPLETE.assets[:5]),
        replace(
            COMPLETE,
            assets=tuple(replace(entry, location=Local(path=Path(entry.name))) for entry in COMPLETE.assets),
        ),
    ],
    ids=["incomplete", "local"],
)
def test_an_incomplete_or_local_answer_is_not_cached(tmp_path: Path, answer: ReleaseAssets) -> None:
    CachedChannel(Scripted(answer), Cache(tmp_path)).assets(TAG)
    assert Cache(tmp_path).entries() == ()


def test_a_malformed_record_is_ignored(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    CachedChannel(Scripted(COMPLETE), cache).assets(TAG)
    (record,) = cache.entries()
    record.path.write_text(record.path.read_text().replace("sha512:0", "sha512:!"))
    assert CachedChannel(Scripted(COMPLETE), cache).assets(TAG) == COMPLETE

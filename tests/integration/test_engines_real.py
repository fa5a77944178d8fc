"""Both engines on a real release package: equal bytes, whatever the deflate store holds."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.children import factory

pytestmark = [pytest.mark.network, pytest.mark.slow]

WHEEL = "openai_codex_cli_bin-0.131.0-py3-none-win_arm64.whl"


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="engines-"))
    yield directory
    shutil.rmtree(directory)


def make(place: Path, out: str, *options: str) -> Path:
    words = ("wheels", "0.131.0", "--platform", "win_arm64", "--out", out, *options)
    ended = factory(*words, cwd=place, env={"FACTORY_CACHE_DIR": str(place / "cache")}).run()
    assert ended.status == 0, ended.err
    return place / out / "0.131.0" / WHEEL


def test_a_real_wheel_is_the_same_from_both_engines_and_from_a_warm_store(place: Path) -> None:
    checked = make(place, "checked", "--check-engine")
    assert not (place / "cache" / "deflate").exists(), "a check must not read what an earlier run compressed"
    cold = make(place, "cold")
    assert len(list((place / "cache" / "deflate").rglob("??/*"))) == 4
    warm = make(place, "warm")
    assert checked.read_bytes() == cold.read_bytes() == warm.read_bytes()


def test_the_store_keeps_within_its_bound(place: Path) -> None:
    make(place, "bounded", "--deflate-limit", "1MB")
    kept = [path for path in (place / "cache" / "deflate").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) <= 1_000_000

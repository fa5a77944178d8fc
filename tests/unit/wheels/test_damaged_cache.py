"""A cache that is damaged, or full of wrong things: the run makes again what it needs."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from factory.core.targets import Target
from factory.system.cache import Cache
from factory.system.cache_entries import Namespace
from factory.system.files import CannotWrite
from tests.packages import release_directory
from tests.runs import run_factory

PLATFORMS = ("win_amd64",)


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def flip_crc(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[9] ^= 1
    path.write_bytes(content)


def replace_with_directory(path: Path) -> None:
    path.unlink()
    (path / "below").mkdir(parents=True)


def forget_a_file(path: Path) -> None:
    record = json.loads(path.read_text())
    if "files" in record["value"]:
        del record["value"]["files"][0]
    path.write_text(json.dumps(record))


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    return release_directory(tmp_path / "packages", targets=[Target.WINDOWS_X86_64])


@pytest.mark.parametrize(
    ("namespace", "damage"),
    [
        (Namespace.DEFLATE, flip_last_byte),
        (Namespace.DEFLATE, flip_crc),
        (Namespace.DEFLATE, replace_with_directory),
        (Namespace.DEFLATE, Path.unlink),
        (Namespace.RECORDS, forget_a_file),
        (Namespace.RECORDS, replace_with_directory),
        (Namespace.RECORDS, lambda path: path.write_text("[" * 100_000)),
    ],
)
def test_a_damaged_entry_is_made_again_within_the_run(
    packages: Path, tmp_path: Path, namespace: Namespace, damage: Callable[[Path], object]
) -> None:
    cache = tmp_path / "cache"
    first = run_factory(packages, tmp_path / "first", cache=cache, platforms=PLATFORMS)
    damaged = [entry.path for entry in Cache(cache).entries() if entry.namespace is namespace]
    assert damaged
    for path in damaged:
        damage(path)
    second = run_factory(packages, tmp_path / "second", cache=cache, platforms=PLATFORMS)
    assert [wheel.sha256 for wheel in second.manifest.wheels] == [
        wheel.sha256 for wheel in first.manifest.wheels
    ]


def test_an_entry_that_vanishes_during_the_run_is_made_again(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    first = run_factory(packages, tmp_path / "first", cache=cache, platforms=PLATFORMS)
    module = "factory.build.assembler.assembler.build_skeletons"
    real = pytest.importorskip("factory.build.assembler.skeleton_build").build_skeletons

    def vanish_once(*arguments: object, **options: object) -> object:
        monkeypatch.setattr(module, real)
        shutil.rmtree(cache / "deflate")
        return real(*arguments, **options)

    monkeypatch.setattr(module, vanish_once)
    second = run_factory(packages, tmp_path / "second", cache=cache, platforms=PLATFORMS)
    assert [wheel.sha256 for wheel in second.manifest.wheels] == [
        wheel.sha256 for wheel in first.manifest.wheels
    ]


def test_records_are_only_for_this_user(packages: Path, tmp_path: Path) -> None:
    run_factory(packages, tmp_path / "out", cache=tmp_path / "cache", platforms=PLATFORMS)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "cache" / "records").iterdir()}
    assert modes == {0o600}


def test_a_cache_in_a_file_is_reported(packages: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    with pytest.raises(CannotWrite, match="cache"):
        run_factory(packages, tmp_path / "out", cache=tmp_path / "cache", platforms=PLATFORMS)

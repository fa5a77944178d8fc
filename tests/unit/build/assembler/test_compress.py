import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import pytest

from factory.build.assembler.compress import CompressedPackage, compress, recall
from factory.build.builder import FetchedPackage, PlannedWheel
from factory.build.deflate_cache import DeflateCache
from factory.build.deflate_check import REFERENCE_ANSWER
from factory.build.recipe import our_recipe
from factory.build.template import bundled_template
from factory.core.digests import Digest, Sha256
from factory.core.errors import IntegrityError
from factory.core.model import ArchiveFormat, Local, ReleaseAsset
from factory.core.progress import ProgressTask, SilentProgress
from factory.core.tags import CodexTag
from factory.core.targets import Platform, Target
from factory.release.payload import PackageSource
from factory.system.lease import Lease
from factory.system.parallel import Stopped
from tests.packages import npm_tarball, release_files

TARGET = Target.LINUX_AARCH64
TAG = CodexTag.parse("rust-v0.163.0")


@pytest.fixture
def cache(tmp_path: Path) -> DeflateCache:
    return DeflateCache(root=tmp_path / "deflate", answer=REFERENCE_ANSWER, lease=Lease(tmp_path))


@pytest.fixture
def tarball(tmp_path: Path) -> Path:
    return npm_tarball(tmp_path / "codex.tgz", {TARGET: release_files(TARGET, voice=True)})


def package(tarball: Path, *platforms: str) -> FetchedPackage:
    asset = ReleaseAsset(
        target=TARGET,
        name=tarball.name,
        purl="pkg:npm/%40openai/codex@0.163.0-linux-arm64",
        digest=Digest.parse("sha512:" + "ab" * 64),
        size_bytes=None,
        format=ArchiveFormat.TAR_GZ,
        location=Local(path=tarball),
    )
    return FetchedPackage(
        asset=asset,
        source=PackageSource.archive(tarball, ArchiveFormat.TAR_GZ),
        size_bytes=tarball.stat().st_size,
        payload=None,
        wheels=tuple(
            PlannedWheel(
                tag=TAG, asset=asset, recipe=our_recipe(Platform.parse(tag), template=bundled_template())
            )
            for tag in platforms
        ),
    )


def made(package: FetchedPackage, cache: DeflateCache) -> CompressedPackage:
    return compress(package, cache=cache, progress=SilentProgress(), stop=threading.Event())


def kept(cache: DeflateCache) -> set[str]:
    return {path.name for path in cache.root.rglob("*") if path.is_file()}


def digest_of(path: str) -> Sha256:
    return Sha256.of([release_files(TARGET, voice=True)[path][0]])


def test_all_files_are_hashed_and_those_of_some_wheel_are_compressed(
    tarball: Path, cache: DeflateCache
) -> None:
    done = made(package(tarball, "musllinux_1_1_aarch64", "manylinux_2_17_aarch64"), cache)
    files = release_files(TARGET, voice=True)
    assert {(str(file.path), file.size_bytes, file.sha256) for file in done.payload.files} == {
        (path, len(content), Sha256.of([content])) for path, (content, _) in files.items()
    }
    assert done.contents.keys() == {digest_of(path) for path in files if "voice" not in path}
    assert kept(cache) == {sha256.hex for sha256 in done.contents}


def test_a_file_of_no_wheel_is_not_compressed(tarball: Path, cache: DeflateCache) -> None:
    done = made(package(tarball, "musllinux_1_1_aarch64"), cache)
    assert digest_of("codex-path/rg") not in done.contents
    assert done.payload.file("codex-path/rg") is not None


def test_compressed_files_are_recalled(tarball: Path, cache: DeflateCache) -> None:
    two = package(tarball, "musllinux_1_1_aarch64", "manylinux_2_17_aarch64")
    done = made(two, cache)
    assert recall(done.payload, package=two, cache=cache) == done


def test_an_incomplete_payload_is_not_recalled(tarball: Path, cache: DeflateCache) -> None:
    one = package(tarball, "manylinux_2_17_aarch64")
    done = made(one, cache)
    cache.path(digest_of("codex-path/rg")).unlink()
    assert recall(done.payload, package=one, cache=cache) is None
    musl = package(tarball, "musllinux_1_1_aarch64")
    recalled = recall(done.payload, package=musl, cache=cache)
    assert recalled is not None
    assert digest_of("codex-path/rg") not in recalled.contents


class StoppingProgress(SilentProgress):
    """Sets an event after the first bytes."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def advance(self, size_bytes: int) -> None:
        assert size_bytes > 0
        self._stop.set()

    def expect(self, total_bytes: int) -> None:
        """Ignore the size."""

    @contextmanager
    def task(self, label: str, *, total_bytes: int | None = None) -> Iterator[ProgressTask]:
        assert label == f"compress {TARGET}"
        assert total_bytes is not None
        yield self


def test_a_stop_ends_compression_and_leaves_no_incomplete_file(tarball: Path, cache: DeflateCache) -> None:
    stop = threading.Event()
    with pytest.raises(Stopped):
        compress(
            package(tarball, "manylinux_2_17_aarch64"),
            cache=cache,
            progress=StoppingProgress(stop),
            stop=stop,
        )
    assert kept(cache) <= {digest_of(path).hex for path in release_files(TARGET, voice=True)}
    assert list(cache.root.rglob(".*")) == []


def test_a_package_with_a_damaged_end_is_an_error(tarball: Path, cache: DeflateCache) -> None:
    raw = tarball.read_bytes()
    tarball.write_bytes(raw[: len(raw) - 5000])
    with pytest.raises(IntegrityError):
        made(package(tarball, "manylinux_2_17_aarch64"), cache)


def test_a_payload_file_has_the_path_and_mode_of_the_archive(tarball: Path, cache: DeflateCache) -> None:
    codex = made(package(tarball, "manylinux_2_17_aarch64"), cache).payload.file("bin/codex")
    assert codex is not None
    assert (codex.path, oct(codex.mode), codex.kind.value) == (PurePosixPath("bin/codex"), "0o755", "elf")


def test_the_unpacked_size_of_a_package_is_known_before_it_is_read(tarball: Path) -> None:
    unpacked = len(gzip.decompress(tarball.read_bytes()))
    assert package(tarball).unpacked_bytes == unpacked
    empty = tarball.with_name("empty.tgz")
    empty.write_bytes(b"x" * 7)
    assert package(empty).unpacked_bytes is None

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from factory.build import deflate_guard
from factory.build.assembler import assembler
from factory.build.assembler.assembler import AssemblingBuilder
from factory.build.assembler.compress import compress
from factory.build.assembler.skeleton import Skeleton, recompressed
from factory.build.assembler.skeleton_build import build_skeletons
from factory.build.backend.native import NativeFrontEnd
from factory.build.backend.reference import ReferenceBuilder
from factory.build.builder import BuiltWheel, FetchedPackage
from factory.build.deflate import DamagedDeflated
from factory.build.deflate_cache import DeflateCache
from factory.build.deflate_check import REFERENCE_ANSWER, DeflateIdentity, OtherDeflate
from factory.build.encoder import ZLIB, Compressor, Encoder, EncoderChoice
from factory.core.digests import Sha256
from factory.core.progress import SilentProgress
from factory.system.lease import Lease
from factory.system.parallel import Stopped
from factory.system.process import SubprocessRunner
from tests.encoders import EQUAL, OTHER_BYTES, Damaging, encoder
from tests.packages import npm_tarball, release_files
from tests.toolchains import running_toolchain
from tests.unit.build.assembler.test_compress import TARGET, package

BOTH = ("manylinux_2_17_aarch64", "musllinux_1_1_aarch64")

ZLIB_NG = DeflateIdentity(name="zlib-ng", version="2.2.4", answer=Sha256(64 * "b"))


@pytest.fixture
def tarball(tmp_path: Path) -> Path:
    return npm_tarball(tmp_path / "codex.tgz", {TARGET: release_files(TARGET)})


@pytest.fixture
def builder(tmp_path: Path) -> AssemblingBuilder:
    stop = threading.Event()
    return AssemblingBuilder(
        toolchain=running_toolchain(),
        runner=SubprocessRunner(stop),
        progress=SilentProgress(),
        host_env={},
        jobs=2,
        cache=DeflateCache(root=tmp_path / "deflate", answer=REFERENCE_ANSWER, lease=Lease(tmp_path)),
        stop=stop,
    )


def digests(built: Sequence[BuiltWheel]) -> dict[str, Sha256]:
    return {wheel.file.name: wheel.file.sha256 for wheel in built}


def recalled(package: FetchedPackage, builder: AssemblingBuilder) -> FetchedPackage:
    """Return a package as in a second run, with a known payload."""
    done = compress(package, cache=builder.cache, progress=SilentProgress(), stop=builder.stop)
    return replace(package, payload=done.payload)


def test_the_assembler_writes_the_wheels_of_the_reference_engine(
    builder: AssemblingBuilder, tarball: Path, tmp_path: Path
) -> None:
    front_end = NativeFrontEnd(
        toolchain=builder.toolchain,
        runner=builder.runner,
        progress=builder.progress,
        host_env={},
        logs=tmp_path / "logs",
    )
    reference = ReferenceBuilder(front_end=front_end, progress=builder.progress, jobs=2, stop=builder.stop)
    packages = [package(tarball, *BOTH)]
    slow = reference.build(packages, scratch=tmp_path / "slow")
    fast = builder.build(packages, scratch=tmp_path / "fast")

    assert digests(fast) == digests(slow)
    assert [wheel.planned.platform.tag for wheel in fast] == list(BOTH)
    assert [wheel.layout for wheel in fast] == [wheel.layout for wheel in slow]
    for file in (wheel.file for wheel in fast):
        assert (file.size_bytes, file.sha256) == (file.path.stat().st_size, Sha256.of_file(file.path))


def test_wheels_are_returned_in_the_order_of_the_packages(
    builder: AssemblingBuilder, tarball: Path, tmp_path: Path
) -> None:
    one, two = package(tarball, BOTH[0]), package(tarball, BOTH[1])
    built = builder.build([one, replace(two, size_bytes=1 << 30)], scratch=tmp_path / "scratch")
    assert [wheel.planned.platform.tag for wheel in built] == list(BOTH)


def test_compressed_files_are_not_read_again(
    builder: AssemblingBuilder, tarball: Path, tmp_path: Path
) -> None:
    first = builder.build([package(tarball, *BOTH)], scratch=tmp_path / "first")
    known = recalled(package(tarball, *BOTH), builder)
    tarball.unlink()
    second = builder.build([known], scratch=tmp_path / "second")
    assert digests(second) == digests(first)


def test_a_damaged_entry_ends_the_run_and_the_next_run_replaces_it(
    builder: AssemblingBuilder, tarball: Path, tmp_path: Path
) -> None:
    good = builder.build([package(tarball, *BOTH)], scratch=tmp_path / "good")
    known = recalled(package(tarball, *BOTH), builder)
    entry = builder.cache.path(Sha256.of([release_files(TARGET)["bin/codex"][0]]))
    raw = bytearray(entry.read_bytes())
    raw[-1] ^= 1
    entry.write_bytes(raw)

    with pytest.raises(DamagedDeflated) as caught:
        builder.build([known], scratch=tmp_path / "damaged")
    assert caught.value.exit_code == 22
    again = replace(builder, stop=threading.Event(), runner=SubprocessRunner())
    healed = again.build([known], scratch=tmp_path / "healed")
    assert digests(healed) == digests(good)


def test_a_pruned_entry_is_an_error_with_a_hint(builder: AssemblingBuilder, tarball: Path) -> None:
    done = compress(
        package(tarball, BOTH[0]), cache=builder.cache, progress=SilentProgress(), stop=builder.stop
    )
    kept = done.contents[Sha256.of([release_files(TARGET)["bin/codex"][0]])]
    kept.path.unlink()
    with pytest.raises(DamagedDeflated, match="damaged or missing") as caught:
        list(kept.chunks())
    assert "Run the same command again" in caught.value.hint


def test_a_stopped_run_assembles_no_wheel(builder: AssemblingBuilder, tarball: Path, tmp_path: Path) -> None:
    builder.stop.set()
    with pytest.raises(Stopped):
        builder.build([package(tarball, *BOTH)], scratch=tmp_path / "scratch")
    assert not (tmp_path / "scratch").exists()


def test_another_encoder_gives_the_same_wheels(
    builder: AssemblingBuilder, tarball: Path, tmp_path: Path
) -> None:
    with_zlib = builder.build([package(tarball, *BOTH)], scratch=tmp_path / "zlib")
    fast = replace(builder, cache=replace(builder.cache, encoder=EQUAL, root=tmp_path / "fast-deflate"))
    assert digests(fast.build([package(tarball, *BOTH)], scratch=tmp_path / "fast")) == digests(with_zlib)


@pytest.mark.parametrize("wrong", [OTHER_BYTES, encoder(partial(Damaging, after=b"more"))])
def test_after_a_difference_the_wheels_are_built_with_zlib(
    builder: AssemblingBuilder, tarball: Path, tmp_path: Path, wrong: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = builder.build([package(tarball, *BOTH)], scratch=tmp_path / "zlib")
    monkeypatch.setattr(deflate_guard, "LARGE_BYTES", 1)
    said: list[str] = []
    encoders = EncoderChoice(lambda: wrong, report=said.append)
    cache = replace(builder.cache, encoder=encoders.current(), root=tmp_path / "wrong-deflate")
    built = replace(builder, cache=cache, encoders=encoders).build(
        [package(tarball, *BOTH)], scratch=tmp_path / "wrong"
    )
    assert digests(built) == digests(expected)
    assert encoders.current() is ZLIB
    assert said[0].startswith("warning: exact_deflate 5e5e5e5e5e5e5e5e ")
    assert said[0].endswith("; this run goes on with zlib")


def test_without_a_reference_zlib_a_difference_ends_the_run(
    builder: AssemblingBuilder, tarball: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembler, "deflate_identity", lambda: ZLIB_NG)
    wrong = encoder(partial(Damaging, after=b"more"))
    failing = replace(
        builder, cache=replace(builder.cache, encoder=wrong), encoders=EncoderChoice(lambda: wrong)
    )
    with pytest.raises(OtherDeflate):
        failing.build([package(tarball, *BOTH)], scratch=tmp_path / "wrong")


def test_the_members_of_a_backend_with_another_zlib_are_compressed_again(
    builder: AssemblingBuilder, tarball: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = builder.build([package(tarball, *BOTH)], scratch=tmp_path / "zlib")
    build = build_skeletons

    def build_with_another_zlib(*arguments: object, **named: object) -> tuple[Skeleton, ...]:
        return tuple(recompressed(skeleton, OTHER_BYTES) for skeleton in build(*arguments, **named))  # type: ignore[arg-type]

    monkeypatch.setattr(assembler, "build_skeletons", build_with_another_zlib)
    toolchain = builder.toolchain
    other = replace(toolchain, interpreter=replace(toolchain.interpreter, deflate=ZLIB_NG))
    fast = replace(builder.cache, encoder=EQUAL)
    kept = builder.build([package(tarball, *BOTH)], scratch=tmp_path / "kept")
    again = replace(builder, toolchain=other, cache=fast).build(
        [package(tarball, *BOTH)], scratch=tmp_path / "again"
    )
    assert digests(kept) != digests(expected)
    assert digests(again) == digests(expected)


@pytest.mark.parametrize(("jobs", "expected"), [(4, {2}), (2, set()), (7, {3})])
def test_fewer_packages_than_threads_share_the_threads(
    builder: AssemblingBuilder,
    tarball: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    jobs: int,
    expected: set[int],
) -> None:
    used: set[int] = set()

    def start_parallel(threads: int) -> Compressor:
        used.add(threads)
        return EQUAL.start()

    monkeypatch.setattr(assembler, "usable_cores", lambda: 8)
    cache = replace(builder.cache, encoder=replace(EQUAL, start_parallel=start_parallel))
    packages = [package(tarball, platform) for platform in BOTH]
    replace(builder, cache=cache, jobs=jobs).build(packages, scratch=tmp_path / "scratch")
    assert used == expected

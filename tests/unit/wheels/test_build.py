"""The comparison of the two engines, and that of rebuilt wheels with the published ones."""

import errno
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from factory.build.backend.front_end import FrontEnd
from factory.build.backend.native import NativeFrontEnd
from factory.build.builder import BuilderName, BuiltWheel, Engine, WheelFile
from factory.build.deflate_check import DeflateIdentity, OtherDeflate
from factory.build.encoder import ZLIB, EncoderChoice
from factory.build.stage import StagedRuntime
from factory.build.toolchain import Lock, Toolchain
from factory.core.digests import Sha256
from factory.core.errors import BuildError, VerificationError
from factory.core.progress import SilentProgress
from factory.core.targets import Platform, Target
from factory.release.channels.directory import DirectoryChannel
from factory.release.payload_cache import save_payload
from factory.system.files import CannotWrite
from factory.system.lease import Lease, leased_entries
from factory.system.process import SubprocessRunner
from factory.wheels.build import build_wheels, fetch_and_build, require_published_bytes
from factory.wheels.build_environment import BuildEnvironment
from factory.wheels.fetch import fetch_packages
from factory.wheels.plan import WheelsRequest, plan_wheels
from tests.encoders import EQUAL, OTHER_BYTES
from tests.packages import TAG, release_directory
from tests.runs import run_context
from tests.toolchains import running_toolchain
from tests.wheels import built_wheel, good_wheel

AMD64, ARM64 = (f"openai_codex_cli_bin-0.163.0-py3-none-{tag}.whl" for tag in ("win_amd64", "win_arm64"))


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    targets = (Target.WINDOWS_AARCH64, Target.WINDOWS_X86_64)
    return release_directory(tmp_path_factory.mktemp("release") / "packages", targets=targets)


def native(directory: Path) -> NativeFrontEnd:
    return NativeFrontEnd(
        toolchain=running_toolchain(),
        runner=SubprocessRunner(),
        progress=SilentProgress(),
        host_env={},
        logs=directory / "logs",
    )


def native_environment(engine: Engine, directory: Path) -> BuildEnvironment:
    return BuildEnvironment(
        builder=BuilderName.NATIVE,
        engine=engine,
        toolchain=running_toolchain(),
        front_end=native(directory),
    )


class DeviatingFrontEnd:
    """Builds as `NativeFrontEnd` does, but changes a byte of the wheel for win_arm64."""

    def __init__(self, front_end: NativeFrontEnd) -> None:
        self._front_end = front_end

    def build(self, staged: StagedRuntime, *, scratch: Path, dist: Path) -> WheelFile:
        built = self._front_end.build(staged, scratch=scratch, dist=dist)
        if staged.platform.tag != "win_arm64":
            return built
        content = bytearray(built.path.read_bytes())
        content[10] ^= 1  # the time of the first member
        built.path.write_bytes(content)
        return replace(built, sha256=Sha256.of([bytes(content)]))


REQUEST = WheelsRequest(
    tag=TAG, platforms=tuple(map(Platform.parse, ("win_amd64", "win_arm64"))), out=Path("dist")
)
CHECKED = replace(REQUEST, is_engine_checked=True)


def unused_toolchain(lock: Lock) -> Toolchain:
    raise AssertionError(lock.name)


def build(
    request: WheelsRequest,
    front_end: FrontEnd,
    packages: Path,
    directory: Path,
    *,
    engine: Engine,
    encoders: EncoderChoice | None = None,
) -> tuple[BuiltWheel, ...]:
    # The environment has the toolchain; no engine may make it again.
    context = replace(
        run_context(directory / "cache"),
        toolchain_for=unused_toolchain,
        encoders=encoders or EncoderChoice(),
    )
    environment = replace(native_environment(engine, directory), front_end=front_end)
    fetched = fetch_packages(plan_wheels(request, DirectoryChannel(packages)).wheels, context)
    return build_wheels(fetched, request, environment, context, directory / "scratch")


@pytest.mark.parametrize("engine", list(Engine))
def test_engines_that_disagree_fail_the_run(packages: Path, tmp_path: Path, engine: Engine) -> None:
    with pytest.raises(VerificationError) as caught:
        build(CHECKED, DeviatingFrontEnd(native(tmp_path)), packages, tmp_path, engine=engine)

    by_engine = {Engine.ASSEMBLER: "build", Engine.BACKEND: "check"}
    if engine is Engine.BACKEND:
        by_engine = {Engine.ASSEMBLER: "check", Engine.BACKEND: "build"}
    digests = {
        one: Sha256.of_file(tmp_path / "scratch" / name / "wheels" / ARM64) for one, name in by_engine.items()
    }
    assert str(caught.value) == (
        f"{ARM64}: assembler made {digests[Engine.ASSEMBLER]}, backend made {digests[Engine.BACKEND]}"
    )
    assert caught.value.exit_code == 24
    assert caught.value.hint == "Use '--engine backend' and report this with the tag and the platform."


@pytest.mark.parametrize("engine", list(Engine))
def test_engines_that_agree_return_the_wheels_of_the_requested_one(
    packages: Path, tmp_path: Path, engine: Engine
) -> None:
    built = build(CHECKED, native(tmp_path), packages, tmp_path, engine=engine)
    assert sorted(wheel.file.name for wheel in built) == [AMD64, ARM64]
    assert {wheel.file.path.parent for wheel in built} == {tmp_path / "scratch" / "build" / "wheels"}


def test_the_assembler_uses_a_toolchain_of_this_host_if_the_backend_is_in_a_container(
    packages: Path, tmp_path: Path
) -> None:
    in_the_image = replace(running_toolchain(), python=Path("/opt/factory/python"))
    environment = BuildEnvironment(
        builder=BuilderName.DOCKER,
        engine=Engine.BACKEND,
        toolchain=in_the_image,
        front_end=native(tmp_path),
    )
    made: list[Lock] = []

    def make(lock: Lock) -> Toolchain:
        made.append(lock)
        return running_toolchain()

    context = replace(run_context(tmp_path / "cache"), toolchain_for=make)
    fetched = fetch_packages(plan_wheels(CHECKED, DirectoryChannel(packages)).wheels, context)
    build_wheels(fetched, CHECKED, environment, context, tmp_path / "scratch")
    assert made == [in_the_image.lock]


def test_without_a_check_only_the_requested_engine_builds(packages: Path, tmp_path: Path) -> None:
    deviating = DeviatingFrontEnd(native(tmp_path))
    build(REQUEST, deviating, packages, tmp_path, engine=Engine.ASSEMBLER)
    assert not (tmp_path / "scratch" / "check").exists()


@pytest.mark.parametrize(
    ("request_", "is_cached"), [(REQUEST, True), (CHECKED, False), (replace(REQUEST, is_fresh=True), False)]
)
def test_fresh_and_check_engine_do_not_use_the_cache_of_compressed_files(
    packages: Path, tmp_path: Path, request_: WheelsRequest, *, is_cached: bool
) -> None:
    build(request_, native(tmp_path), packages, tmp_path, engine=Engine.ASSEMBLER)
    assert (tmp_path / "cache" / "deflate").exists() is is_cached
    assert (tmp_path / "scratch" / "deflate").exists() is not is_cached


@pytest.mark.parametrize(
    ("request_", "is_leased"), [(REQUEST, True), (replace(REQUEST, is_fresh=True), False)]
)
def test_the_compressed_files_that_a_run_uses_are_leased(
    packages: Path, tmp_path: Path, request_: WheelsRequest, *, is_leased: bool
) -> None:
    context = replace(run_context(tmp_path / "cache"), toolchain_for=unused_toolchain)
    environment = native_environment(Engine.ASSEMBLER, tmp_path)
    fetched = fetch_packages(plan_wheels(request_, DirectoryChannel(packages)).wheels, context)
    build_wheels(fetched, request_, environment, context, tmp_path / "scratch")
    leased = leased_entries(tmp_path / "cache")
    assert any(path.is_relative_to(tmp_path / "cache/deflate") for path in leased) is is_leased
    assert all(path.is_relative_to(tmp_path / "cache") for path in leased)


def test_only_a_rebuild_with_the_promised_digest_is_accepted(tmp_path: Path) -> None:
    built = built_wheel(good_wheel(), tmp_path)
    require_published_bytes([built])
    require_published_bytes([promising(built, built.file.sha256)])
    other = promising(built, Sha256("0" * 64))
    with pytest.raises(VerificationError) as caught:
        require_published_bytes([built, other, other])
    name = "openai_codex_cli_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl"
    assert str(caught.value) == f"not the bytes that the index lists: {name}, {name}"
    assert caught.value.hint == "Run 'factory audit' on the release: it names what differs."


def promising(wheel: BuiltWheel, sha256: Sha256) -> BuiltWheel:
    return replace(wheel, planned=replace(wheel.planned, promised=sha256))


@pytest.mark.parametrize("engine", list(Engine))
def test_check_engine_finds_an_encoder_that_differs_from_zlib(
    packages: Path, tmp_path: Path, engine: Engine
) -> None:
    said: list[str] = []
    encoders = EncoderChoice(lambda: OTHER_BYTES, report=said.append)
    built = build(CHECKED, native(tmp_path), packages, tmp_path / "one", engine=engine, encoders=encoders)
    right = build(REQUEST, native(tmp_path), packages, tmp_path / "two", engine=Engine.BACKEND)
    assert {wheel.file.name: wheel.file.sha256 for wheel in built} == {
        wheel.file.name: wheel.file.sha256 for wheel in right
    }
    assert encoders.current() is ZLIB
    assert len(said) == 1
    assert said[0].startswith("warning: exact_deflate 5e5e5e5e5e5e5e5e gives other bytes than zlib for ")


def test_check_engine_keeps_an_encoder_that_gives_the_bytes_of_zlib(packages: Path, tmp_path: Path) -> None:
    said: list[str] = []
    encoders = EncoderChoice(lambda: EQUAL, report=said.append)
    build(CHECKED, native(tmp_path), packages, tmp_path, engine=Engine.ASSEMBLER, encoders=encoders)
    assert said == []
    assert encoders.current() is EQUAL
    assert not (tmp_path / "scratch" / "zlib").exists()


def test_an_error_of_the_assembler_is_not_blamed_on_the_encoder(packages: Path, tmp_path: Path) -> None:
    said: list[str] = []
    encoders = EncoderChoice(lambda: EQUAL, report=said.append)
    front_end = DeviatingFrontEnd(native(tmp_path))
    with pytest.raises(VerificationError, match=f"{ARM64}: assembler made"):
        build(CHECKED, front_end, packages, tmp_path, engine=Engine.ASSEMBLER, encoders=encoders)
    assert said == []
    assert encoders.current() is EQUAL


def test_the_backend_needs_a_toolchain_with_stock_zlib(packages: Path, tmp_path: Path) -> None:
    toolchain = running_toolchain()
    zlib_ng = DeflateIdentity(name="zlib-ng", version="2.2.4", answer=Sha256(64 * "b"))
    environment = BuildEnvironment(
        builder=BuilderName.NATIVE,
        engine=Engine.BACKEND,
        toolchain=replace(toolchain, interpreter=replace(toolchain.interpreter, deflate=zlib_ng)),
        front_end=native(tmp_path),
    )
    context = run_context(tmp_path / "cache")
    fetched = fetch_packages(plan_wheels(REQUEST, DirectoryChannel(packages)).wheels, context)
    with pytest.raises(OtherDeflate):
        build_wheels(fetched, REQUEST, environment, context, tmp_path / "scratch")


class ReadOnlyLease(Lease):
    """The lease in a cache that this user can read and not write."""

    def new_path(self, name: str = "") -> Path:
        raise CannotWrite(Path("cache") / name, OSError(errno.EROFS, "Read-only file system"))


def test_a_read_only_cache_is_left_alone_and_the_scratch_directory_used(
    packages: Path, tmp_path: Path
) -> None:
    context = replace(run_context(tmp_path / "cache"), toolchain_for=unused_toolchain)
    environment = native_environment(Engine.ASSEMBLER, tmp_path)
    fetched = fetch_packages(plan_wheels(REQUEST, DirectoryChannel(packages)).wheels, context)
    context.cache.lease = ReadOnlyLease(tmp_path / "cache")
    built = build_wheels(fetched, REQUEST, environment, context, tmp_path / "scratch")
    assert [wheel.planned.name for wheel in built] == [AMD64, ARM64]
    assert not (tmp_path / "cache" / "deflate").exists()
    assert (tmp_path / "scratch" / "deflate").is_dir()


def test_a_failed_build_with_the_backend_stops_the_run(packages: Path, tmp_path: Path) -> None:
    context = replace(run_context(tmp_path / "cache"), toolchain_for=unused_toolchain)
    fetched = fetch_packages(plan_wheels(REQUEST, DirectoryChannel(packages)).wheels, context)
    failing = FailingFrontEnd(context.stop)
    environment = replace(native_environment(Engine.BACKEND, tmp_path), front_end=failing)
    with pytest.raises(BuildError, match="win_arm64 failed"):
        build_wheels(fetched, REQUEST, environment, context, tmp_path / "scratch")
    assert failing.is_stopped


class FailingFrontEnd:
    """Fails for win_arm64; the build beside it waits until the run is stopped."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self.is_stopped = False

    def build(self, staged: StagedRuntime, *, scratch: Path, dist: Path) -> WheelFile:
        if staged.platform.tag != "win_arm64":
            self.is_stopped = self._stop.wait(timeout=10)
        raise BuildError(f"{staged.platform} failed {scratch.name}{dist.name}", hint="")


def test_after_damage_the_packages_are_read_again(packages: Path, tmp_path: Path) -> None:
    context = replace(run_context(tmp_path / "cache"), toolchain_for=unused_toolchain)
    planned = plan_wheels(REQUEST, DirectoryChannel(packages)).wheels
    built = build(REQUEST, native(tmp_path), packages, tmp_path, engine=Engine.ASSEMBLER)
    for package, wheel in zip(fetch_packages(planned, context), built, strict=True):
        payload = wheel.layout.payload
        save_payload(context.cache, package.asset.digest, payload, package_bytes=package.size_bytes)
    entry = next(path for path in (tmp_path / "cache" / "deflate").rglob("*") if path.is_file())
    entry.write_bytes(entry.read_bytes()[:-1] + b"?")
    fetched, again = fetch_and_build(
        planned,
        request=REQUEST,
        environment=native_environment(Engine.ASSEMBLER, tmp_path),
        context=context,
        scratch=tmp_path / "again",
    )
    assert [package.payload for package in fetched] == [None, None]
    assert [wheel.file.sha256 for wheel in again] == [wheel.file.sha256 for wheel in built]

"""Downloading and reading the release packages of an audit: what fails for one target stops no other."""

import threading
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pytest

from factory.audit.audited import AuditedWheel, Failure, FailureKind, attempt
from factory.audit.codex.packages import read_packages
from factory.audit.context import AuditContext
from factory.audit.index import PublishedWheel
from factory.audit.project_file import NotInferable
from factory.audit.published import UnreadableWheel
from factory.audit.read_package import ReadPackage
from factory.core.digests import Sha256
from factory.core.errors import FactoryError, HostError, UpstreamError
from factory.core.model import (
    ChannelName,
    FileKind,
    Local,
    Payload,
    PayloadFile,
    ReleaseAsset,
    ReleaseAssets,
    Remote,
)
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels.directory import DirectoryChannel
from factory.release.download import Downloader
from factory.release.payload_cache import load_payload, save_payload
from factory.system.cache import DamagedEntry
from factory.system.parallel import Stopped
from tests.audits import CODEX_MAPPING
from tests.origins import listed
from tests.packages import TAG, release_directory
from tests.runs import run_context

LINUX, ARM, WINDOWS = Target.LINUX_X86_64, Target.LINUX_AARCH64, Target.WINDOWS_X86_64


def published(*platforms: str, size_bytes: int | None = 7) -> PublishedWheel:
    name = f"x-0.163.0-py3-none-{'.'.join(platforms)}.whl"
    return PublishedWheel(
        name=name,
        version="0.163.0",
        platforms=platforms,
        size_bytes=size_bytes,
        sha256=Sha256("0" * 64),
        location=Remote(url=f"https://files.example.invalid/{name}"),
        origin=listed(Sha256("0" * 64)),
    )


def audited(*platforms: str) -> AuditedWheel:
    wheel = published(*platforms)
    return AuditedWheel(wheel=wheel, reference=wheel)


@dataclass
class RefusingChannel:
    """A channel whose every request fails."""

    error: FactoryError
    name: ChannelName = ChannelName.DIRECTORY
    identity: str = "refusing"

    def assets(self, tag: CodexTag) -> ReleaseAssets:
        assert tag == TAG
        raise self.error


@pytest.fixture
def context(tmp_path: Path) -> AuditContext:
    packages = release_directory(tmp_path / "packages", targets=(LINUX, ARM))
    return AuditContext(
        tools=run_context(tmp_path / "cache"), channel=DirectoryChannel(packages), scratch=tmp_path
    )


def test_each_needed_package_is_read_and_its_payload_saved(context: AuditContext) -> None:
    wheels = [audited("manylinux_2_17_x86_64"), audited("musllinux_1_1_x86_64"), audited("any")]
    packages = read_packages(TAG, wheels, context, CODEX_MAPPING)

    package = packages.by_target[LINUX]
    assert isinstance(package, ReadPackage)
    assert list(packages.by_target) == [LINUX]
    assert package.asset.target is LINUX
    assert isinstance(package.asset.location, Local)
    assert package.size_bytes == package.asset.location.path.stat().st_size
    assert "bin/codex" in {str(file.path) for file in package.payload.files}
    saved = load_payload(context.tools.cache, package.asset.digest, LINUX, package_bytes=package.size_bytes)
    assert saved == package.payload
    assert packages.package_for(wheels[0].wheel) == package
    assert packages.package_for(wheels[1].wheel) == package


def test_a_saved_payload_is_not_read_again(context: AuditContext) -> None:
    asset = context.channel.assets(TAG).for_target(LINUX)
    assert asset is not None
    codex = PayloadFile(
        path=PurePosixPath("bin/codex"), mode=0, size_bytes=1, sha256=Sha256("1" * 64), kind=FileKind.ELF
    )
    saved = Payload(target=LINUX, files=(codex,))
    assert isinstance(asset.location, Local)
    size_bytes = asset.location.path.stat().st_size
    save_payload(context.tools.cache, asset.digest, saved, package_bytes=size_bytes)

    package = read_packages(TAG, [audited("manylinux_2_17_x86_64")], context, CODEX_MAPPING).by_target[LINUX]
    assert isinstance(package, ReadPackage)
    assert package.payload == saved


def test_a_package_without_the_executable_of_the_mapping_is_a_failure(context: AuditContext) -> None:
    asset = context.channel.assets(TAG).for_target(LINUX)
    assert asset is not None
    assert isinstance(asset.location, Local)
    size_bytes = asset.location.path.stat().st_size
    save_payload(context.tools.cache, asset.digest, Payload(target=LINUX, files=()), package_bytes=size_bytes)

    failed = read_packages(TAG, [audited("manylinux_2_17_x86_64")], context, CODEX_MAPPING).by_target[LINUX]

    assert isinstance(failed, Failure)
    assert failed.kind is FailureKind.OUTSIDE
    assert "has no file vendor/x86_64-unknown-linux-musl/bin/codex" in failed.reason


def test_a_wheel_for_no_single_target_has_a_reason(context: AuditContext) -> None:
    packages = read_packages(TAG, [audited("manylinux_2_17_x86_64")], context, CODEX_MAPPING)

    assert packages.package_for(published("any")) == Failure(
        reason="its platform tag any names no single target of Codex"
    )


def test_a_missing_package_is_a_failure_of_its_target_alone(context: AuditContext) -> None:
    wheels = [audited("manylinux_2_17_x86_64"), audited("win_amd64")]
    packages = read_packages(TAG, wheels, context, CODEX_MAPPING)

    assert isinstance(packages.package_for(wheels[0].wheel), ReadPackage)
    assert packages.package_for(wheels[1].wheel) == Failure(
        reason="channel directory has no package of rust-v0.163.0 for x86_64-pc-windows-msvc",
        kind=FailureKind.NO_PAYLOAD,
    )


def test_a_damaged_package_is_a_failure_of_its_target_alone(context: AuditContext, tmp_path: Path) -> None:
    (tmp_path / "packages/codex-0.163.0-linux-arm64.tgz").write_bytes(b"damaged")
    wheels = [audited("manylinux_2_17_x86_64"), audited("manylinux_2_17_aarch64")]
    packages = read_packages(TAG, wheels, context, CODEX_MAPPING)

    assert isinstance(packages.package_for(wheels[0].wheel), ReadPackage)
    assert isinstance(packages.package_for(wheels[1].wheel), Failure)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealingDownloader(Downloader):
    """Finds a damaged package unless it is to check it first."""

    asked: list[bool]

    def fetch(
        self, asset: ReleaseAsset, *, stop: threading.Event | None = None, is_checked: bool = False
    ) -> Path:
        self.asked.append(is_checked)
        if not is_checked:
            raise DamagedEntry("the package is damaged")
        return Downloader.fetch(self, asset, stop=stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingDownloader(Downloader):
    """Fails for one target, and keeps the other one waiting until the run is stopped."""

    is_waiting: threading.Event

    def fetch(
        self, asset: ReleaseAsset, *, stop: threading.Event | None = None, is_checked: bool = False
    ) -> Path:
        assert not is_checked
        if asset.target is ARM:
            assert self.is_waiting.wait(10), "the other package was not requested"
            raise ArithmeticError("an error that is no property of the package")
        self.is_waiting.set()
        assert stop is not None
        assert stop.wait(10), "the run was not stopped"
        raise Stopped


def with_downloader(context: AuditContext, downloader: Downloader) -> AuditContext:
    return replace(context, tools=replace(context.tools, downloader=downloader))


def test_a_damaged_package_of_the_cache_is_checked_and_downloaded_again(context: AuditContext) -> None:
    tools = context.tools
    healing = HealingDownloader(
        cache=tools.cache, client=tools.downloader.client, progress=tools.progress, asked=[]
    )
    packages = read_packages(
        TAG, [audited("manylinux_2_17_x86_64")], with_downloader(context, healing), CODEX_MAPPING
    )

    assert isinstance(packages.by_target[LINUX], ReadPackage)
    assert healing.asked == [False, True]


def test_an_error_stops_the_other_downloads(context: AuditContext) -> None:
    tools = context.tools
    failing = FailingDownloader(
        cache=tools.cache,
        client=tools.downloader.client,
        progress=tools.progress,
        is_waiting=threading.Event(),
    )
    wheels = [audited("manylinux_2_17_x86_64"), audited("manylinux_2_17_aarch64")]
    with pytest.raises(ArithmeticError):
        read_packages(TAG, wheels, with_downloader(context, failing), CODEX_MAPPING)
    assert tools.stop.is_set()


def test_without_a_target_the_channel_is_not_asked(context: AuditContext) -> None:
    refusing = replace(context, channel=RefusingChannel(UpstreamError("asked")))
    packages = read_packages(TAG, [audited("any")], refusing, CODEX_MAPPING)

    assert packages.by_target == {}


def test_a_channel_that_fails_is_the_reason_for_every_target(context: AuditContext) -> None:
    refusing = replace(context, channel=RefusingChannel(UpstreamError("no network")))
    wheels = [audited("manylinux_2_17_x86_64"), audited("win_amd64")]
    packages = read_packages(TAG, wheels, refusing, CODEX_MAPPING)

    assert [packages.package_for(one.wheel) for one in wheels] == [Failure(reason="no network")] * 2


def test_an_interrupted_run_is_no_reason(context: AuditContext) -> None:
    with pytest.raises(Stopped):
        read_packages(
            TAG, [audited("win_amd64")], replace(context, channel=RefusingChannel(Stopped())), CODEX_MAPPING
        )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (HostError("x"), FailureKind.OUTSIDE),
        (UpstreamError("x"), FailureKind.OUTSIDE),
        (NotInferable("x"), FailureKind.NO_RECIPE),
    ],
)
def test_an_error_becomes_a_failure_of_its_kind(error: Exception, kind: FailureKind) -> None:
    def fail() -> None:
        raise error

    assert attempt(fail) == Failure(reason="x", kind=kind)


def test_an_unreadable_wheel_is_a_failure_of_its_own_kind() -> None:
    def fail() -> None:
        raise UnreadableWheel("x.whl", "it has no RECORD")

    assert attempt(fail) == Failure(
        reason="x.whl cannot be read: it has no RECORD", kind=FailureKind.UNREADABLE
    )


def test_bugs_are_not_failures() -> None:
    def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        attempt(fail)


def test_the_largest_wheel_weighs_most() -> None:
    wheel = published("win_amd64")
    unknown = published("win_amd64", size_bytes=None)

    assert AuditedWheel(wheel=wheel, reference=wheel).weight == 7
    assert AuditedWheel(wheel=unknown, reference=unknown).weight == 0

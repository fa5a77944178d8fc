"""Bundles: complete, equal for equal contents, and refused if one byte differs."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from factory.build.toolchain import Lock
from factory.cli.offline import OfflineClient
from factory.core.digests import Sha256
from factory.core.errors import IntegrityError, UpstreamError, UsageError
from factory.core.progress import Progress, SilentProgress
from factory.core.targets import Platform
from factory.release.channels.directory import DirectoryChannel
from factory.release.download import Downloader
from factory.system.cache import Cache
from factory.wheels.bundle import Bundle, BundleRequest, make_bundle, open_bundle, program_lock
from tests.fakes import FakeHttpClient
from tests.packages import TAG, release_directory
from tests.planned import PlannedProgress
from tests.unit.cli.conftest import Factory, cache, cache_with_toolchain, factory

__all__ = ["cache", "cache_with_toolchain", "factory"]

HATCHLINGS = ["1.29.0", "1.30.1", "1.31.0", "1.32.0", "1.32.3", "1.32.4", "1.33.0"]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_directory(tmp_path_factory.mktemp("bundled") / "packages")


@pytest.fixture
def bundled(packages: Path, tmp_path: Path) -> Callable[..., Bundle]:
    """Return a function that makes a bundle; a lock has one wheel with its name."""

    def fetch_wheels(locks: tuple[Lock, ...], python: Path) -> Path:
        assert python.name.startswith("python")
        (lock,) = locks
        directory = tmp_path / "fetched" / lock.name
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{lock.name}.txt").write_bytes(lock.content)
        (directory / f"{lock.name}-py3-none-any.whl").write_text(lock.name)
        return directory

    def make(
        out: Path, *platforms: str, has_program: bool = True, progress: Progress | None = None
    ) -> Bundle:
        program = tmp_path / "codex_wheel_factory-0.1.0-py3-none-any.whl"
        program.write_text("a wheel")
        request = BundleRequest(
            tag=TAG,
            platforms=tuple(map(Platform.parse, platforms)) or None,
            out=out,
            program=program if has_program else None,
        )
        store = Cache(tmp_path / "store")
        downloader = Downloader(cache=store, client=FakeHttpClient({}), progress=progress or SilentProgress())
        channel = DirectoryChannel(packages)
        return make_bundle(request, channel, downloader=downloader, fetch_wheels=fetch_wheels)

    return make


def names(directory: Path) -> list[str]:
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())


def test_a_bundle_has_packages_tools_and_the_program(bundled: Callable[..., Bundle], tmp_path: Path) -> None:
    made = bundled(tmp_path / "out")
    tools = [f"toolchain/hatchling-{version}" for version in HATCHLINGS]
    suffixes = ("darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64", "win32-arm64", "win32-x64")
    assert names(made.directory) == sorted(
        [
            "README.md",
            "SHA256SUMS",
            "bundle.json",
            "packages/SHA256SUMS",
            *(f"packages/codex-0.163.0-{suffix}.tgz" for suffix in suffixes),
            "program/codex_wheel_factory-0.1.0-py3-none-any.whl",
            "program/requirements-py3-none-any.whl",
            "program/requirements.txt",
            *(f"{tool}-py3-none-any.whl" for tool in tools),
            *(f"{tool}.txt" for tool in tools),
        ]
    )
    assert b"cryptography==" in (made.directory / "program/requirements.txt").read_bytes()
    opened = open_bundle(made.directory)
    assert (opened.tag, opened.sha256) == (TAG, made.sha256)


def test_each_download_of_pip_is_a_task(bundled: Callable[..., Bundle], tmp_path: Path) -> None:
    progress = PlannedProgress()
    bundled(tmp_path / "out", progress=progress)
    assert progress.begun == [f"wheels of hatchling-{version}" for version in HATCHLINGS] + [
        "wheels of requirements"
    ]


def test_equal_contents_give_equal_bytes(bundled: Callable[..., Bundle], tmp_path: Path) -> None:
    one, other = bundled(tmp_path / "a" / "one"), bundled(tmp_path / "b" / "other")
    assert one.sha256 == other.sha256
    for name in names(one.directory):
        assert (one.directory / name).read_bytes() == (other.directory / name).read_bytes()


def test_one_platform_without_the_program(bundled: Callable[..., Bundle], tmp_path: Path) -> None:
    made = bundled(tmp_path / "out", "musllinux_1_1_x86_64", "manylinux_2_17_x86_64", has_program=False)
    assert [name for name in names(made.directory) if not name.startswith("toolchain/")] == [
        "README.md",
        "SHA256SUMS",
        "bundle.json",
        "packages/SHA256SUMS",
        "packages/codex-0.163.0-linux-x64.tgz",
    ]
    readme = (made.directory / "README.md").read_text()
    assert "    factory wheels 0.163.0 --offline . --out ../dist\n" in readme
    assert "*musllinux_1_1_x86_64.whl" in readme
    assert "pip install" not in readme


def test_a_bundle_is_replaced_and_another_directory_is_not(
    bundled: Callable[..., Bundle], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    bundled(out)
    (out / "stray").touch()
    bundled(out)
    assert not (out / "stray").exists()
    for other in ("file", "directory"):
        (tmp_path / other).mkdir()
        (tmp_path / other / "mine").touch()
        with pytest.raises(UsageError, match="exists and is not a bundle"):
            bundled(tmp_path / other)
        assert names(tmp_path / other) == ["mine"]
    (tmp_path / "empty").mkdir()
    assert bundled(tmp_path / "empty").tag == TAG


def test_a_failure_leaves_nothing(
    bundled: Callable[..., Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Lock:
        raise UsageError("no lock")

    monkeypatch.setattr("factory.wheels.bundle.program_lock", fail)
    with pytest.raises(UsageError, match="no lock"):
        bundled(tmp_path / "place" / "out")
    assert list((tmp_path / "place").iterdir()) == []


PACKAGE = "packages/codex-0.163.0-win32-arm64.tgz"


def flip(directory: Path, name: str = PACKAGE) -> None:
    content = bytearray((directory / name).read_bytes())
    content[len(content) // 2] ^= 1
    (directory / name).write_bytes(content)


def rewrite(directory: Path, before: str, after: str) -> None:
    sums = directory / "SHA256SUMS"
    assert before in sums.read_text()
    sums.write_text(sums.read_text().replace(before, after))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (flip, "has the SHA-256|is not the expected|digest"),
        (lambda out: flip(out, "README.md"), "digest|expected"),
        (lambda out: (out / PACKAGE).unlink(), f"{PACKAGE} is missing"),
        (lambda out: (out / "toolchain/new.whl").touch(), "new.whl is not in SHA256SUMS"),
        (lambda out: rewrite(out, PACKAGE, "../x"), "malformed line"),
        (lambda out: rewrite(out, PACKAGE, "/x"), "malformed line"),
        (lambda out: rewrite(out, "  README.md", " README.md"), "malformed line"),
    ],
)
def test_a_changed_bundle_is_refused(
    change: Callable[[Path], None], complaint: str, bundled: Callable[..., Bundle], tmp_path: Path
) -> None:
    made = bundled(tmp_path / "out")
    change(made.directory)
    with pytest.raises(IntegrityError, match=complaint):
        open_bundle(made.directory)


def test_a_link_is_refused(bundled: Callable[..., Bundle], tmp_path: Path) -> None:
    made = bundled(tmp_path / "out")
    shutil.move(made.directory / PACKAGE, tmp_path / "elsewhere")
    (made.directory / PACKAGE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match="is not a regular file"):
        open_bundle(made.directory)


def test_another_schema_version_is_refused(bundled: Callable[..., Bundle], tmp_path: Path) -> None:
    made = bundled(tmp_path / "out")
    path = made.directory / "bundle.json"
    before = made.sha256
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"schema_version": 2}))
    old = next(
        line[:64]
        for line in (made.directory / "SHA256SUMS").read_text().splitlines()
        if "bundle.json" in line
    )
    rewrite(made.directory, old, str(Sha256.of_file(path)))
    assert made.sha256 != before
    with pytest.raises(IntegrityError, match="schema version 2, not 1"):
        open_bundle(made.directory)


def test_a_directory_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a bundle: No such file"):
        open_bundle(tmp_path)


def test_pip_gets_only_the_bundle(bundled: Callable[..., Bundle], tmp_path: Path) -> None:
    made = bundled(tmp_path / "my bundle")
    assert made.pip_env == {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": f"{tmp_path.as_uri()}/my%20bundle/toolchain",
    }


def test_the_lock_of_the_program_is_that_of_the_checkout() -> None:
    assert program_lock().content == (Path(__file__).parents[3] / "requirements.txt").read_bytes()


def offline(factory: Factory, made: Bundle, tmp_path: Path, *options: str) -> tuple[int, str]:
    command = ("wheels", "0.163.0", "--platform", "win_arm64", "--out", tmp_path / "dist")
    ended = factory(*command, "--offline", made.directory, *options)
    return ended.status, ended.err


def test_wheels_are_built_and_audited_from_a_bundle(
    factory: Factory, bundled: Callable[..., Bundle], tmp_path: Path
) -> None:
    made = bundled(tmp_path / "out", "win_arm64")
    assert offline(factory, made, tmp_path)[0] == 0
    (wheel,) = (tmp_path / "dist/0.163.0").glob("*.whl")
    audit = ("audit", "--wheel", wheel, "--offline", made.directory, "--out", tmp_path / "audit")
    ended = factory(*audit, "--no-index")
    assert "IDENTICAL" in ended.out
    refused = factory(*audit)
    assert refused.status == 20
    assert "--offline opens no connection, so no index can be asked" in refused.complaint


def test_the_client_of_an_offline_run_refuses_every_request() -> None:
    client = OfflineClient()
    refusal = "^https://example.invalid/x was not asked: --offline opens no connection$"
    with pytest.raises(UpstreamError, match=refusal):
        client.get("https://me:word@example.invalid/x", max_bytes=1)
    with pytest.raises(UpstreamError, match=refusal), client.stream("https://example.invalid/x"):
        pass


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--npm-registry", "https://example.invalid"), "--npm-registry contradicts --offline"),
        (("--channel", "github"), "--channel contradicts --offline"),
        (("--directory", "x"), "--directory contradicts --offline"),
        (("--github-api", "https://example.invalid"), "--github-api contradicts --offline"),
    ],
)
def test_options_that_name_a_server_contradict_offline(
    options: tuple[str, ...], complaint: str, factory: Factory, bundled: Callable[..., Bundle], tmp_path: Path
) -> None:
    status, err = offline(factory, bundled(tmp_path / "out"), tmp_path, *options)
    assert (status, complaint in err, (tmp_path / "dist").exists()) == (20, True, False)


def test_another_release_is_refused(factory: Factory, bundled: Callable[..., Bundle], tmp_path: Path) -> None:
    made = bundled(tmp_path / "out")
    ended = factory("wheels", "0.162.0", "--offline", made.directory, "--out", tmp_path / "dist")
    assert (ended.status, (tmp_path / "dist").exists()) == (20, False)
    assert f"the bundle {made.directory} has rust-v0.163.0, not rust-v0.162.0" in ended.complaint
    jobs = factory("matrix", "0.163.0", "--offline", made.directory, "--platform", "win_arm64")
    assert (jobs.status, "win_arm64" in jobs.out) == (0, True)


def test_a_changed_byte_stops_the_run(
    factory: Factory, bundled: Callable[..., Bundle], tmp_path: Path
) -> None:
    made = bundled(tmp_path / "out")
    flip(made.directory)
    status, err = offline(factory, made, tmp_path)
    assert (status, (tmp_path / "dist").exists()) == (22, False)
    assert PACKAGE in err


def test_a_bundle_of_a_bundle_is_refused(factory: Factory, tmp_path: Path) -> None:
    ended = factory("bundle", "0.163.0", "--out", tmp_path / "b", "--offline", tmp_path)
    assert (ended.status, (tmp_path / "b").exists()) == (20, False)
    missing = factory(
        "bundle",
        "0.163.0",
        "--out",
        tmp_path / "b",
        "--program-wheel",
        tmp_path / "x.whl",
        "--channel",
        "directory",
        "--directory",
        tmp_path,
    )
    assert (missing.status, "is not a wheel" in missing.complaint) == (20, True)


def test_a_platform_without_a_package_is_refused(packages: Path, tmp_path: Path) -> None:
    less = tmp_path / "less"
    shutil.copytree(packages, less)
    (less / "codex-0.163.0-win32-arm64.tgz").unlink()
    request = BundleRequest(
        tag=TAG, platforms=(Platform.parse("win_arm64"),), out=tmp_path / "out", program=None
    )
    downloader = Downloader(cache=Cache(tmp_path / "c"), client=FakeHttpClient({}), progress=SilentProgress())
    with pytest.raises(UsageError, match=r"has no package of rust-v0.163.0 for aarch64-pc-windows-msvc"):
        make_bundle(
            request, DirectoryChannel(less), downloader=downloader, fetch_wheels=lambda _l, _p: tmp_path
        )

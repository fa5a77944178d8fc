"""SIGKILL in the middle of a run: the next one gives the same bytes and leaves nothing behind."""

import hashlib
import signal
from pathlib import Path

import pytest

from factory.system.files import TEMPORARY_PREFIX
from tests.children import Child, factory
from tests.packages import bulky_directory
from tests.toolchains import place_toolchain

pytestmark = pytest.mark.slow


def contents(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a package that takes a second or more to deflate."""
    return bulky_directory(tmp_path_factory.mktemp("packages"), mib=12)


@pytest.fixture(scope="module")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    place_toolchain(cache)
    return cache / "toolchains"


def run_in(directory: Path, packages: Path, toolchain: Path, *more: str) -> Child:
    cache = directory / "cache"
    cache.mkdir(parents=True)
    (cache / "toolchains").symlink_to(toolchain)
    command = ("wheels", "0.163.0", "--channel", "directory", "--directory", str(packages), *more)
    return factory(*command, cwd=directory, env={"FACTORY_CACHE_DIR": str(cache)})


@pytest.fixture(scope="module")
def undisturbed(packages: Path, toolchain: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a run gives that nobody disturbs."""
    directory = tmp_path_factory.mktemp("undisturbed")
    assert run_in(directory, packages, toolchain).run().status == 0
    wheels = contents(directory / "dist")
    assert sorted(wheels) == [
        "0.163.0/SHA256SUMS",
        "0.163.0/manifest.json",
        "0.163.0/openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl",
        "0.163.0/openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl.cdx.json",
    ]
    return wheels


@pytest.mark.parametrize(("by", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_cleans_up_itself(
    packages: Path, toolchain: Path, tmp_path: Path, by: signal.Signals, status: int
) -> None:
    ended = run_in(tmp_path, packages, toolchain).kill_at("compress", after_s=0.05, by=by)
    assert ended.status == status
    assert "run the same command again" in ended.err
    assert contents(tmp_path / "dist") == {}
    assert [path for path in tmp_path.rglob(f"{TEMPORARY_PREFIX}*") if path.is_file()] == []


@pytest.mark.parametrize("phase", ["compress", "lay out", "assemble", "verify"])
def test_a_killed_run_is_repeated_to_the_byte(
    packages: Path, toolchain: Path, undisturbed: dict[str, str], tmp_path: Path, phase: str
) -> None:
    command = run_in(tmp_path, packages, toolchain)
    assert command.kill_at(phase, after_s=0.05).status == -9
    assert not (tmp_path / "dist" / "0.163.0").exists()

    assert command.run().status == 0
    assert contents(tmp_path / "dist") == undisturbed
    assert [path for path in tmp_path.rglob(".factory-tmp-*") if "deflate" not in path.parts] == []


def test_a_killed_backend_s_children_do_not_disturb_the_next_run(
    packages: Path, toolchain: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    command = run_in(tmp_path, packages, toolchain, "--engine", "backend")
    assert command.kill_at("build", after_s=1.0).status == -9

    ended = command.run()
    assert ended.status == 0, ended.err
    wheel = "0.163.0/openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl"
    there = contents(tmp_path / "dist")
    assert there[wheel] == undisturbed[wheel]
    assert sorted(there) == sorted(undisturbed)


def test_a_place_killed_while_it_was_renewed_is_swept_by_a_run_that_makes_nothing(
    packages: Path, toolchain: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    command = run_in(tmp_path, packages, toolchain)
    assert command.run().status == 0
    fresh = Child(argv=(*command.argv, "--fresh"), env=command.env, cwd=tmp_path)
    assert fresh.kill_at("compress", after_s=0.05).status == -9

    assert command.run().status == 0
    assert contents(tmp_path / "dist") == undisturbed


def test_a_killed_comparison_leaves_nothing_once_the_next_has_run(
    packages: Path, toolchain: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "toolchains").symlink_to(toolchain)
    words = ("reproduce", "0.163.0", "--platform", "win_amd64", "--variation", "home")
    command = factory(
        *words,
        *("--channel", "directory", "--directory", str(packages)),
        cwd=tmp_path,
        env={"FACTORY_CACHE_DIR": str(cache)},
    )
    assert command.kill_at("build", after_s=0.05).status == -9
    (left,) = (path for path in cache.glob("temporary/run-*/reproduce-*") if path.is_dir())
    assert [path for path in left.rglob("*") if path.is_file()]

    ended = command.run()
    assert ended.status == 0, ended.err
    assert list(cache.glob("temporary/run-*")) == []

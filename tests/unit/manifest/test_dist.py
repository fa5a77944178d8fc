import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.digests import Sha256
from factory.core.targets import Target
from factory.manifest.dist import Dist, DistInUse
from factory.manifest.manifest import Manifest, WheelRecord
from factory.system.files import CannotWrite
from tests.packages import release_directory
from tests.runs import run_factory

PLATFORM = "macosx_11_0_arm64"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    packages = release_directory(root / "packages", targets=(Target.MACOS_AARCH64,))
    run_factory(packages, root / "dist", cache=root / "cache")
    return root / "dist" / "0.163.0"


@pytest.fixture(scope="module")
def made(out: Path) -> Manifest:
    return Manifest.parse((out / "manifest.json").read_bytes())


def record(made: Manifest, content: bytes) -> WheelRecord:
    return replace(made.wheels[0], size_bytes=len(content), sha256=Sha256.of([content]))


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_second_run_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    dist = Dist(directory=tmp_path / "0.163.0")
    with dist.scratch() as scratch:
        assert scratch.is_dir()
        with pytest.raises(DistInUse) as caught, dist.scratch():
            pytest.fail("a second run got the same directory")
        assert scratch.is_dir()
    assert caught.value.exit_code == 20
    assert names(tmp_path) == []


def test_the_scratch_directory_is_empty_and_removed_after_an_error(tmp_path: Path) -> None:
    dist = Dist(directory=tmp_path / "0.163.0")
    leftover = tmp_path / ".factory-tmp-0.163.0" / "wheels"
    leftover.mkdir(parents=True)

    def fail() -> None:
        with dist.scratch() as scratch:
            assert names(scratch) == []
            (scratch / "half").write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(tmp_path) == []


def test_only_the_leftovers_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    dist = Dist(directory=tmp_path / "a" / "0.163.0")
    dist.remove_leftovers()
    assert names(tmp_path) == []
    other = tmp_path / "a" / ".factory-tmp-0.162.0"
    for directory in (other, tmp_path / "a" / ".factory-tmp-0.163.0" / "wheels"):
        directory.mkdir(parents=True)
    dist.remove_leftovers()
    assert names(tmp_path / "a") == [other.name]
    with dist.scratch() as scratch:
        dist.remove_leftovers()
        assert scratch.is_dir()


def test_the_current_manifest_is_updated(made: Manifest, tmp_path: Path) -> None:
    dist = Dist(directory=tmp_path / "0.163.0")
    dist.directory.mkdir()
    dist.manifest_path.write_text(made.render())
    dist.update_manifest(lambda manifest: replace(manifest, wheels=manifest.wheels[:0]))
    changed = dist.read_manifest()
    assert changed is not None
    assert (changed.tag, changed.wheels) == (made.tag, ())
    with dist.scratch(), pytest.raises(DistInUse):
        dist.update_manifest(lambda manifest: manifest)
    assert names(tmp_path) == ["0.163.0"]


def test_an_unwritable_directory_is_refused(made: Manifest, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    dist = Dist(directory=tmp_path / "file" / "0.163.0")
    with pytest.raises(CannotWrite), dist.scratch():
        pytest.fail("the directory cannot exist")
    with pytest.raises(CannotWrite, match=r"file/0\.163\.0"):
        dist.publish(made, [])


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff\xfe", b"[1]"])
def test_an_unreadable_manifest_is_ignored(tmp_path: Path, content: bytes | None) -> None:
    dist = Dist(directory=tmp_path)
    if content is not None:
        dist.manifest_path.write_bytes(content)
    assert dist.read_manifest() is None


def test_only_wheels_with_the_recorded_bytes_are_intact(made: Manifest, tmp_path: Path) -> None:
    good, short, other, absent = (
        replace(record(made, b"wheel"), name=f"{name}.whl") for name in ("good", "short", "other", "absent")
    )
    (tmp_path / "good.whl").write_bytes(b"wheel")
    (tmp_path / "short.whl").write_bytes(b"whee")
    (tmp_path / "other.whl").write_bytes(b"wheeL")
    assert Dist(directory=tmp_path).intact_wheels((good, short, other, absent), jobs=2) == (good,)


def test_publishing_removes_wheels_that_the_manifest_does_not_list(
    made: Manifest, out: Path, tmp_path: Path
) -> None:
    wheel = tmp_path / made.wheels[0].name
    dist = Dist(directory=tmp_path / "new" / "0.163.0")
    dist.publish(replace(made, wheels=()), [])
    assert names(dist.directory) == ["SHA256SUMS", "manifest.json"]
    (dist.directory / "older.whl").touch()
    (dist.directory / "older.whl.cdx.json").touch()
    (dist.directory / ".factory-tmp-killed").touch()
    (dist.directory / "notes.txt").touch()
    shutil.copyfile(out / wheel.name, wheel)
    wheel.chmod(0o600)

    dist.publish(made, [wheel])

    sbom = f"{wheel.name}.cdx.json"
    assert names(dist.directory) == ["SHA256SUMS", "manifest.json", "notes.txt", wheel.name, sbom]
    assert json.loads((dist.directory / sbom).read_bytes())["metadata"]["component"]["version"] == "0.163.0"
    assert oct((dist.directory / wheel.name).stat().st_mode & 0o777) == "0o644"
    assert dist.read_manifest() == made


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_missing_and_changed_files_are_restored(out: Path, made: Manifest, tmp_path: Path) -> None:
    dist = Dist(directory=Path(shutil.copytree(out, tmp_path / "0.163.0")))
    (sbom,) = dist.directory.glob("*.cdx.json")
    sbom.unlink()
    (dist.directory / "SHA256SUMS").write_text("changed")
    dist.manifest_path.write_text("{}")
    (dist.directory / "other.whl.cdx.json").write_text("of a wheel that is not there")

    dist.restore(made)
    assert content(dist.directory) == content(out)


def test_a_file_that_is_as_it_should_be_is_not_written_again(
    out: Path, made: Manifest, tmp_path: Path
) -> None:
    dist = Dist(directory=Path(shutil.copytree(out, tmp_path / "0.163.0")))
    before = {name: (dist.directory / name).stat().st_ino for name in ("SHA256SUMS", "manifest.json")}
    dist.restore(made)
    assert {name: (dist.directory / name).stat().st_ino for name in before} == before


def test_a_bill_of_materials_that_cannot_be_replaced_is_an_error(
    out: Path, made: Manifest, tmp_path: Path
) -> None:
    dist = Dist(directory=Path(shutil.copytree(out, tmp_path / "0.163.0")))
    (sbom,) = dist.directory.glob("*.cdx.json")
    sbom.unlink()
    sbom.mkdir()
    with pytest.raises(CannotWrite, match=r"cannot write .*/0\.163\.0: "):
        dist.restore(made)

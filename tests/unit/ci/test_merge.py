"""Merge the real parts of a release; each refusal test changes one part."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from factory.ci.merge import merge
from factory.core.errors import FactoryError, IntegrityError, UsageError, VerificationError
from factory.core.json_reader import MalformedJson
from factory.core.progress import SilentProgress
from factory.core.targets import PLATFORMS
from factory.manifest.dist import Dist
from factory.system.files import WrongDigest
from factory.verify.proof import Terms, prove
from tests.packages import release_directory
from tests.runs import run_factory
from tests.unit.cli.conftest import Factory, cache, cache_with_toolchain, factory

__all__ = ["cache", "cache_with_toolchain", "factory"]

WINDOWS = "openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl"
Document = dict[str, object]
Change = Callable[[Document], None]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a release twice: whole, and platform by platform, each with a cache of its own."""
    root = tmp_path_factory.mktemp("made")
    packages = release_directory(root / "packages")
    run_factory(packages, root / "whole", cache=root / "cache")
    for platform in PLATFORMS:
        run_factory(
            packages,
            root / "parts" / platform.tag,
            cache=root / "caches" / platform.tag,
            platforms=(platform.tag,),
        )
    return root


@pytest.fixture
def parts(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "parts", tmp_path / "parts"))


def part(parts: Path, platform: str) -> Path:
    return parts / platform / "0.163.0"


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def merged(parts: Path, out: Path) -> Path:
    merge(sorted(parts.glob("*/0.163.0")), SilentProgress()).write(Dist(directory=out))
    return out


def edit(directory: Path, change: Change) -> None:
    path = directory / "manifest.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def member(document: Document, name: str) -> Document:
    value = document[name]
    assert isinstance(value, dict)
    return value


def first(document: Document, name: str) -> Document:
    values = document[name]
    assert isinstance(values, list)
    (value, *_) = values
    assert isinstance(value, dict)
    return value


def test_eight_parts_merge_to_the_release_of_one_run(made: Path, parts: Path, tmp_path: Path) -> None:
    out = merged(parts, tmp_path / "release")
    assert content(out) == content(made / "whole" / "0.163.0")
    assert len(prove(out, Terms()).wheels) == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts", "release"]


def test_order_and_overlap_of_the_parts_do_not_matter(made: Path, parts: Path, tmp_path: Path) -> None:
    whole = made / "whole" / "0.163.0"
    turned = [*sorted(parts.glob("*/0.163.0/manifest.json"), reverse=True), part(parts, "win_amd64"), whole]
    merge(turned, SilentProgress()).write(Dist(directory=tmp_path / "release"))
    assert content(tmp_path / "release") == content(whole)


def test_a_merge_into_one_of_its_parts_completes_it(made: Path, parts: Path) -> None:
    out = merged(parts, part(parts, "win_arm64"))
    assert content(out) == content(made / "whole" / "0.163.0")


def test_a_merge_does_not_change_the_parts(made: Path, parts: Path, tmp_path: Path) -> None:
    merged(parts, tmp_path / "release")
    for path in made.glob("parts/*/0.163.0"):
        assert content(part(parts, path.parent.name)) == content(path)


def other_tag(document: Document) -> None:
    document.update(tag="rust-v0.162.0", version="0.162.0")
    wheel = first(document, "wheels")
    wheel["name"] = str(wheel["name"]).replace("0.163.0", "0.162.0")


def other_channel(document: Document) -> None:
    document["channel"] = "github"


def other_factory(document: Document) -> None:
    document["factory_version"] = "9.9"


def other_deflate(document: Document) -> None:
    member(document, "toolchain")["deflate"] = "zlib-ng 2.2"


def other_hatchling(document: Document) -> None:
    member(member(document, "toolchain"), "packages")["hatchling"] = "1.2.3"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (other_channel, "channel: github and directory"),
        (other_factory, "factory: 9.9 and "),
        (other_deflate, "deflate: zlib-ng 2.2 and zlib 1."),
        (other_hatchling, "hatchling: 1.2.3 and 1."),
    ],
)
def test_parts_of_different_builds_are_refused(
    parts: Path, tmp_path: Path, change: Change, said: str
) -> None:
    edit(part(parts, "macosx_10_12_x86_64"), change)
    error = refused(parts, tmp_path / "release", UsageError)
    assert said in str(error)
    assert error.exit_code == 20
    assert "the same factory and the same Python" in error.hint


def other_reason(document: Document) -> None:
    member(document, "toolchain")["reason"] = "asked for"


def test_parts_may_have_chosen_their_builder_for_different_reasons(parts: Path, tmp_path: Path) -> None:
    edit(part(parts, "macosx_10_12_x86_64"), other_reason)
    assert len(list(merged(parts, tmp_path / "release").glob("*.whl"))) == 8


def test_parts_of_another_release_are_refused(parts: Path, tmp_path: Path) -> None:
    directory = part(parts, "macosx_10_12_x86_64")
    (wheel,) = directory.glob("*.whl")
    wheel.rename(directory / wheel.name.replace("0.163.0", "0.162.0"))
    edit(directory, other_tag)
    sums = directory / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("0.163.0", "0.162.0"))
    error = refused(parts, tmp_path / "release", UsageError)
    assert "tag: rust-v0.162.0 and rust-v0.163.0" in str(error)


def test_all_differences_are_reported_at_once(parts: Path, tmp_path: Path) -> None:
    for change in (other_channel, other_factory):
        edit(part(parts, "macosx_10_12_x86_64"), change)
    error = refused(parts, tmp_path / "release", UsageError)
    differences = str(error).splitlines()[1:]
    assert [difference.partition(":")[0] for difference in differences] == ["  channel", "  factory"]


def test_a_wheel_that_was_damaged_in_transfer_is_refused(parts: Path, tmp_path: Path) -> None:
    path = part(parts, "win_amd64") / WINDOWS
    damaged = bytearray(path.read_bytes())
    damaged[100] ^= 1
    path.write_bytes(damaged)
    error = refused(parts, tmp_path / "release", VerificationError)
    assert f"{WINDOWS} is not the verified file" in str(error)
    assert (error.exit_code, error.hint[:20]) == (24, "Fetch that part agai")


def test_a_wheel_that_changes_during_the_merge_is_refused(parts: Path, tmp_path: Path) -> None:
    release = merge(sorted(parts.glob("*/0.163.0")), SilentProgress())
    (part(parts, "win_amd64") / WINDOWS).write_bytes(b"other")
    with pytest.raises(WrongDigest):
        release.write(Dist(directory=tmp_path / "release"))
    assert not (tmp_path / "release").exists()


def test_an_unverified_wheel_is_refused(parts: Path, tmp_path: Path) -> None:
    finding = {"check": "pe-machine", "severity": "error", "place": "x", "evidence": "x", "remedy": "x"}
    edit(part(parts, "win_amd64"), lambda document: first(document, "wheels").update(findings=[finding]))
    error = refused(parts, tmp_path / "release", VerificationError)
    assert f"{WINDOWS} is not verified: pe-machine at x" in str(error)


def test_waived_findings_are_accepted_and_stay_in_the_manifest(parts: Path, tmp_path: Path) -> None:
    waived = {"check": "pe-machine", "severity": "error", "place": "x", "evidence": "x", "remedy": "x"}
    waived |= {"pattern": "*", "reason": "known"}
    edit(part(parts, "win_amd64"), lambda document: first(document, "wheels").update(waived=[waived]))
    out = merged(parts, tmp_path / "release")
    (wheel,) = (wheel for wheel in prove(out, Terms(accepts_waivers=True)).wheels if wheel.waived)
    assert (wheel.name, wheel.waived[0].reason) == (WINDOWS, "known")


def test_two_wheels_of_one_platform_that_differ_are_refused(made: Path, parts: Path, tmp_path: Path) -> None:
    twin = shutil.copytree(part(parts, "win_amd64"), parts / "twin" / "0.163.0")
    edit(twin, lambda document: first(document, "wheels").update(recipe="0" * 64))
    error = refused(parts, tmp_path / "release", VerificationError)
    assert str(error) == (
        f"two parts have different wheels for win_amd64, {WINDOWS}:"
        " the same bytes, but different manifest entries"
    )

    other = (made / "parts" / "win_arm64" / "0.163.0").glob("*.whl")
    (twin / WINDOWS).write_bytes(next(other).read_bytes())
    record_actual_wheel(twin)
    error = refused(parts, tmp_path / "release", VerificationError)
    assert f"two parts have different wheels for win_amd64, {WINDOWS}: SHA-256 " in str(error)
    assert (error.exit_code, "factory ci reproduce" in error.hint) == (24, True)


def record_actual_wheel(directory: Path) -> None:
    """Write the wheel's actual size and digest into the manifest and the checksums of its part."""
    digest = hashlib.sha256((directory / WINDOWS).read_bytes()).hexdigest()
    size = (directory / WINDOWS).stat().st_size
    edit(directory, lambda document: first(document, "wheels").update(sha256=digest, size_bytes=size))
    (directory / "SHA256SUMS").write_text(f"{digest}  {WINDOWS}\n")


def test_two_wheels_for_the_same_users_are_refused(parts: Path, tmp_path: Path) -> None:
    twin = shutil.copytree(part(parts, "macosx_10_12_x86_64"), parts / "twin" / "0.163.0")
    (wheel,) = twin.glob("*.whl")
    name = wheel.name.replace("10_12", "10_9")
    wheel.rename(twin / name)
    edit(
        twin,
        lambda document: first(document, "wheels").update(name=name, platform="macosx_10_9_x86_64"),
    )
    sums = twin / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("10_12", "10_9"))
    assert "macosx_10_9_x86_64" in str(refused(parts, tmp_path / "release", VerificationError))


def test_two_packages_of_one_target_are_refused(parts: Path, tmp_path: Path) -> None:
    edit(
        part(parts, "manylinux_2_17_x86_64"),
        lambda document: first(document, "assets").update(digest="sha256:" + "0" * 64),
    )
    error = refused(parts, tmp_path / "release", IntegrityError)
    assert "two parts used different packages for x86_64-unknown-linux-musl: sha256:000" in str(error)
    assert error.exit_code == 22


def refused(parts: Path, out: Path, expected: type[FactoryError]) -> FactoryError:
    """Merge parts that must be refused, and check that no output is left."""
    with pytest.raises(expected) as caught:
        merged(parts, out)
    assert not out.exists()
    assert not list(out.parent.glob(".factory-tmp-*"))
    assert caught.value.hint
    return caught.value


def test_a_path_without_a_manifest_is_refused(parts: Path, tmp_path: Path) -> None:
    (part(parts, "win_amd64") / "manifest.json").unlink()
    refused(parts, tmp_path / "release", UsageError)


def test_a_damaged_manifest_is_refused(parts: Path, tmp_path: Path) -> None:
    (part(parts, "win_amd64") / "manifest.json").write_text("{")
    refused(parts, tmp_path / "release", MalformedJson)


def test_a_directory_with_other_wheels_is_not_changed(parts: Path, tmp_path: Path) -> None:
    out = tmp_path / "wheelhouse"
    out.mkdir()
    (out / "numpy-2.0-cp311-none-any.whl").write_bytes(b"mine")
    with pytest.raises(UsageError, match=r"numpy-2\.0-cp311-none-any\.whl"):
        merged(parts, out)
    assert content(out) == {"numpy-2.0-cp311-none-any.whl": b"mine"}


def test_the_directory_of_another_release_is_not_changed(parts: Path, tmp_path: Path) -> None:
    out = merged(parts, tmp_path / "release")
    edit(out, lambda document: document.update(tag="rust-v0.162.0", version="0.162.0"))
    before = content(out)
    with pytest.raises(UsageError, match=r"it has rust-v0\.162\.0"):
        merged(parts, out)
    assert content(out) == before


def test_the_command_prints_the_merged_wheels(
    factory: Factory, parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    windows, macos = part(parts, "win_amd64"), part(parts, "macosx_11_0_arm64")
    ended = factory("merge", windows, macos)
    rows = [line.split("\t") for line in ended.out.splitlines()]
    assert ended.status == 0
    assert rows[0] == ["wheel", "platform", "size", "sha256"]
    assert [row[1] for row in rows[1:]] == ["macosx_11_0_arm64", "win_amd64"]
    assert f"check {windows}: done" in ended.err
    assert (tmp_path / "dist" / "0.163.0" / WINDOWS).is_file()

    again = factory("merge", windows, macos, "--out", tmp_path / "elsewhere", "--json")
    assert again.out == (tmp_path / "elsewhere" / "manifest.json").read_text()


def test_the_command_prints_why_parts_are_refused(factory: Factory, parts: Path, tmp_path: Path) -> None:
    one, other = part(parts, "win_amd64"), part(parts, "win_arm64")
    edit(other, other_channel)
    ended = factory("merge", one, other, "--out", tmp_path / "release")
    assert (ended.status, ended.out) == (20, "")
    assert ended.complaint == (
        f"factory: {one} and {other} are not parts of one release:\n"
        "  channel: directory and github\n"
        "hint: Merge parts of one release and one channel, and use the same factory and the same Python"
        " on every machine that builds a part.\n"
    )

import hashlib
import json
from pathlib import Path

import jsonschema
import pytest

from factory.core.targets import Target
from tests.packages import TAG, npm_tarball, release_directory, release_files
from tests.unit.cli.conftest import Factory

ROOT = Path(__file__).resolve().parents[3]
WINDOWS = "openai_codex_cli_bin-0.163.0-py3-none-win_arm64.whl"


def below(directory: Path) -> list[str]:
    """Return everything below a directory, hidden files included."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def from_directory(packages: Path, out: Path, *more: str) -> tuple[str | Path, ...]:
    return ("wheels", "0.163.0", "--channel", "directory", "--directory", packages, "--out", out, *more)


def test_wheels_are_built_and_shown_in_a_table(factory: Factory, packages: Path, tmp_path: Path) -> None:
    out = tmp_path / "dist"
    ended = factory(*from_directory(packages, out, "--platform", "win_arm64"))

    content = (out / "0.163.0" / WINDOWS).read_bytes()
    heading, row = (line.split("\t") for line in ended.out.splitlines())
    assert ended.status == 0
    assert heading == ["wheel", "platform", "size", "state", "sha256"]
    assert row[:2] == [WINDOWS, "win_arm64"]
    assert row[3:] == ["built", hashlib.sha256(content).hexdigest()]
    assert "verify win_arm64: done" in ended.err
    assert below(out) == [
        "0.163.0",
        *(f"0.163.0/{name}" for name in ("SHA256SUMS", "manifest.json", WINDOWS, f"{WINDOWS}.cdx.json")),
    ]


def test_a_second_run_reports_wheels_as_up_to_date(factory: Factory, packages: Path, tmp_path: Path) -> None:
    command = from_directory(packages, tmp_path / "dist", "--platform", "win_arm64")
    first, second = factory(*command), factory(*command)

    assert second.status == 0
    assert second.out == first.out.replace("\tbuilt\t", "\tup to date\t")
    assert "assemble" not in second.err


def test_json_is_the_manifest_and_matches_its_schema(
    factory: Factory, packages: Path, tmp_path: Path
) -> None:
    ended = factory(*from_directory(packages, tmp_path, "--platform", "win_arm64", "--json"))

    jsonschema.validate(ended.document, json.loads((ROOT / "docs/manifest.schema.json").read_text()))
    assert ended.out == (tmp_path / "0.163.0/manifest.json").read_text()


def test_a_dry_run_writes_no_file(factory: Factory, packages: Path, cache: Path, tmp_path: Path) -> None:
    out, before = tmp_path / "dist", below(cache)
    ended = factory(*from_directory(packages, out, "--dry-run"))
    document = factory(*from_directory(packages, out, "--dry-run", "--json")).document

    lines = [line.split("\t") for line in ended.out.splitlines()]
    assert lines[0] == ["wheel", "platform", "source", "digest"]
    assert [line[1] for line in lines[1:]] == [
        "manylinux_2_17_x86_64",
        "manylinux_2_17_aarch64",
        "musllinux_1_1_x86_64",
        "musllinux_1_1_aarch64",
        "macosx_11_0_arm64",
        "macosx_10_12_x86_64",
        "win_amd64",
        "win_arm64",
    ]
    assert lines[-1][:3] == [WINDOWS, "win_arm64", "pkg:npm/%40openai/codex@0.163.0-win32-arm64"]
    assert document["tag"] == "rust-v0.163.0"
    assert not out.exists()
    assert below(cache) == before


def test_a_platform_missing_from_the_release_is_reported(factory: Factory, tmp_path: Path) -> None:
    packages = release_directory(tmp_path / "packages", targets=(Target.WINDOWS_X86_64,))
    ended = factory(*from_directory(packages, tmp_path / "dist", "--dry-run"))
    asked = factory(*from_directory(packages, tmp_path / "dist", "--platform", "win_arm64"))

    assert "skipped win_arm64: the release has no package for aarch64-pc-windows-msvc" in ended.err
    assert asked.status == 21
    assert asked.complaint == (
        "factory: channel directory has no package of rust-v0.163.0 for aarch64-pc-windows-msvc, "
        "which win_arm64 needs\n"
        "hint: It has x86_64-pc-windows-msvc. Leave the platform out, or try another channel.\n"
    )
    assert not (tmp_path / "dist").exists()


def test_an_unknown_tag_is_reported_with_similar_tags(
    factory: Factory, packages: Path, tmp_path: Path
) -> None:
    ended = factory(
        "wheels", "0.163.1", "--channel", "directory", "--directory", packages, "--out", tmp_path / "dist"
    )
    assert ended.status == 21
    assert ended.complaint == (
        "factory: channel directory has no release rust-v0.163.1\nhint: It has rust-v0.163.0.\n"
    )
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize("tag", ["latest", "rust-v0.163", "0.163.0.dev1", "", "v0.163.0-alpha"])
def test_a_malformed_tag_is_refused_before_any_request(factory: Factory, tmp_path: Path, tag: str) -> None:
    ended = factory("wheels", tag, "--out", tmp_path / "dist")

    assert ended.status == 20
    assert ended.complaint.startswith(f"factory: {tag!r} is")
    assert "hint: " in ended.err
    assert not (tmp_path / "dist").exists()


def test_an_unknown_platform_is_refused(factory: Factory, tmp_path: Path) -> None:
    ended = factory("wheels", "0.163.0", "--platform", "linux_x86_64", "--out", tmp_path / "dist")
    assert ended.status == 20
    assert "'linux_x86_64'" in ended.complaint
    assert "manylinux_2_17_x86_64" in ended.complaint


def test_a_wrong_digest_leaves_no_file(factory: Factory, tmp_path: Path) -> None:
    packages = release_directory(tmp_path / "packages", targets=(Target.WINDOWS_AARCH64,))
    (packages / "SHA256SUMS").write_text(f"{64 * 'a'}  codex-0.163.0-win32-arm64.tgz\n")
    ended = factory(*from_directory(packages, tmp_path / "dist"))

    assert ended.status == 22
    assert f"codex-0.163.0-win32-arm64.tgz has the wrong digest: expected sha256:{64 * 'a'}" in ended.err
    assert "hint: Do not use it." in ended.err
    assert below(tmp_path / "dist") == []


def test_a_wheel_with_an_error_finding_leaves_no_file(factory: Factory, tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    files = release_files(Target.MACOS_AARCH64) | {
        "bin/codex": release_files(Target.LINUX_X86_64)["bin/codex"]
    }
    tarball = npm_tarball(packages / "codex-0.163.0-darwin-arm64.tgz", {Target.MACOS_AARCH64: files}, tag=TAG)
    digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
    (packages / "SHA256SUMS").write_text(f"{digest}  {tarball.name}\n")
    ended = factory(*from_directory(packages, tmp_path / "dist"))

    assert ended.status == 24
    assert "bin/codex" in ended.complaint
    assert "hint: " in ended.complaint
    assert below(tmp_path / "dist") == []


def test_an_output_below_a_file_is_refused(factory: Factory, packages: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    ended = factory(*from_directory(packages, tmp_path / "file", "--platform", "win_arm64"))

    assert ended.status == 25
    assert ended.complaint == (
        f"factory: cannot write {tmp_path / 'file' / '0.163.0'}: File exists\n"
        "hint: Choose another directory, or correct its permissions.\n"
    )
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_the_directory_channel_needs_a_directory(factory: Factory, tmp_path: Path) -> None:
    ended = factory("wheels", "0.163.0", "--channel", "directory", "--out", tmp_path / "dist")
    assert (ended.status, ended.complaint) == (
        20,
        "factory: --channel directory needs a directory\nhint: Add --directory DIR.\n",
    )


@pytest.mark.parametrize("jobs", ["0", "-1", "many", "1.5"])
def test_the_number_of_jobs_must_be_positive(factory: Factory, jobs: str) -> None:
    ended = factory("wheels", "0.163.0", f"--jobs={jobs}")
    assert ended.status == 2
    assert f"must be a positive integer, not {jobs!r}" in ended.err

import hashlib
import json
from pathlib import Path

import pytest

from factory.model import FileKind
from factory.payload import Layout, PackageSource, kind_of, layout_of
from factory.tags import CodexTag
from factory.targets import Target
from tests.packages import (
    github_tarball,
    github_zst,
    npm_tarball,
    package_directory,
    release_directory,
    release_files,
    zip_archive,
)

LINUX = Target.LINUX_X86_64
WINDOWS = Target.WINDOWS_AARCH64


def test_the_package_layout_of_linux() -> None:
    assert list(release_files(LINUX)) == [
        "bin/codex",
        "bin/codex-code-mode-host",
        "codex-package.json",
        "codex-path/rg",
        "codex-resources/bwrap",
    ]


def test_the_legacy_layout_of_windows_has_helpers_beside_the_executable() -> None:
    files = release_files(WINDOWS, layout=Layout.LEGACY)

    assert {path: mode for path, (_, mode) in files.items()} == {
        "codex/codex-command-runner.exe": 0o644,
        "codex/codex-windows-sandbox-setup.exe": 0o644,
        "codex/codex.exe": 0o644,
        "path/rg.exe": 0o644,
    }


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (Target.LINUX_AARCH64, FileKind.ELF),
        (Target.MACOS_AARCH64, FileKind.MACHO),
        (Target.WINDOWS_X86_64, FileKind.PE),
    ],
)
def test_executables_are_of_their_target(target: Target, kind: FileKind) -> None:
    content, _ = release_files(target, voice=True)[f"bin/codex{target.executable_suffix}"]

    assert kind_of(content) is kind
    assert f"codex {target.value} 0.163.0\n".encode() in content


def test_every_target_and_release_has_contents_of_its_own() -> None:
    older = CodexTag.parse("0.147.0")
    contents = {
        release_files(target, tag)[f"bin/codex{target.executable_suffix}"][0]
        for target in Target
        for tag in (CodexTag.parse("0.163.0"), older)
    }

    assert len(contents) == 12


def test_the_voice_runtime_of_linux_is_linked_against_glibc() -> None:
    files = release_files(LINUX, voice=True)

    assert b"GLIBC_2.34\0" in files["codex-resources/voice/bin/codex-voice-host"][0]
    assert b"GLIBC_2.34\0" in files["codex-resources/voice/lib/libglib-2.0.so.0"][0]
    assert b"GLIBC" not in files["bin/codex"][0]


def test_the_description_names_version_and_target() -> None:
    fields = json.loads(release_files(WINDOWS)["codex-package.json"][0])

    assert fields == {
        "layoutVersion": 1,
        "version": "0.163.0",
        "target": "aarch64-pc-windows-msvc",
        "variant": "codex",
        "entrypoint": "bin/codex.exe",
        "resourcesDir": "codex-resources",
        "pathDir": "codex-path",
    }


@pytest.mark.parametrize("layout", list(Layout))
def test_all_containers_hold_the_same_payload(tmp_path: Path, layout: Layout) -> None:
    files = release_files(LINUX, layout=layout)
    sources = [
        npm_tarball(tmp_path / "npm.tgz", {LINUX: files, WINDOWS: release_files(WINDOWS)}),
        github_tarball(tmp_path / "package.tar.gz", files),
        github_zst(tmp_path / "package.tar.zst", files),
        zip_archive(tmp_path / "package.zip", files),
        package_directory(tmp_path / "directory", files),
        package_directory(tmp_path / "unpacked" / "package" / "vendor" / LINUX, files).parents[2],
    ]
    payloads = [PackageSource.at(path).scan(LINUX) for path in sources]

    assert all(payload == payloads[0] for payload in payloads)
    assert layout_of(payloads[0]) is layout
    assert {str(file.path): (file.size_bytes, file.sha256.hex, file.mode) for file in payloads[0].files} == {
        path: (len(content), hashlib.sha256(content).hexdigest(), mode)
        for path, (content, mode) in files.items()
    }


def test_a_release_directory_has_six_tarballs_and_their_digests(tmp_path: Path) -> None:
    release_directory(tmp_path / "one")
    release_directory(tmp_path / "two")
    sums = (tmp_path / "one" / "SHA256SUMS").read_text()

    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [
        "SHA256SUMS",
        "codex-0.163.0-darwin-arm64.tgz",
        "codex-0.163.0-darwin-x64.tgz",
        "codex-0.163.0-linux-arm64.tgz",
        "codex-0.163.0-linux-x64.tgz",
        "codex-0.163.0-win32-arm64.tgz",
        "codex-0.163.0-win32-x64.tgz",
    ]
    assert sums == (tmp_path / "two" / "SHA256SUMS").read_text()
    for line in sums.splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / "one" / name).read_bytes()).hexdigest() == digest

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pytest

from factory.core.digests import Digest, DigestAlgorithm, Sha256
from factory.core.errors import IntegrityError, UpstreamError, UsageError
from factory.core.model import ArchiveFormat, FileKind, Payload, PayloadFile
from factory.core.targets import Target
from factory.release.archives.entries import HEAD_BYTES
from factory.release.payload import (
    Layout,
    PackageEntry,
    PackageSource,
    kind_of,
    layout_of,
)
from factory.release.payload.new_files import NewFile
from factory.system.files import CannotWrite, WrongDigest, read_verified
from tests.images import Elf, FatMachO, MachO, MachOCpu, Pe, filler
from tests.packages import (
    Files,
    github_tarball,
    npm_tarball,
    package_directory,
    package_json,
    release_files,
    zip_archive,
)

LINUX, ARM, WINDOWS = Target.LINUX_X86_64, Target.LINUX_AARCH64, Target.WINDOWS_X86_64
HELLO: Files = {"bin/codex": (b"hello", 0o755)}


@pytest.fixture
def tarball(tmp_path: Path) -> Path:
    return npm_tarball(tmp_path / "codex.tgz", {LINUX: release_files(LINUX)})


def archive(path: Path) -> PackageSource:
    return PackageSource.archive(path, ArchiveFormat.TAR_GZ)


def verified(path: Path, digest: Digest) -> PackageSource:
    return PackageSource.archive(path, ArchiveFormat.TAR_GZ, opened=lambda: read_verified(path, digest))


def payload_of(*paths: str, target: Target = LINUX) -> Payload:
    files = tuple(
        PayloadFile(
            path=PurePosixPath(path), mode=0o755, size_bytes=0, sha256=Sha256.of([]), kind=FileKind.DATA
        )
        for path in paths
    )
    return Payload(target=target, files=files)


# Walking


def test_walk_yields_the_files_of_a_target_in_the_order_of_the_package(tmp_path: Path) -> None:
    path = github_tarball(tmp_path / "p.tgz", {"codex-path/rg": (b"rg", 0o644), **HELLO})

    with archive(path).walk(LINUX) as entries:
        seen = [
            (str(entry.path), entry.mode, entry.size_bytes, b"".join(entry.chunks())) for entry in entries
        ]

    assert seen == [("codex-path/rg", 0o644, 2, b"rg"), ("bin/codex", 0o755, 5, b"hello")]


def test_other_files_of_an_npm_tarball_are_not_in_the_payload(tmp_path: Path) -> None:
    path = npm_tarball(tmp_path / "p.tgz", {WINDOWS: release_files(WINDOWS), LINUX: HELLO})

    assert archive(path).scan(LINUX) == Payload(
        target=LINUX,
        files=(
            PayloadFile(
                path=PurePosixPath("bin/codex"),
                mode=0o755,
                size_bytes=5,
                sha256=Sha256("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
                kind=FileKind.DATA,
            ),
        ),
    )


def test_entries_need_not_be_read(tarball: Path) -> None:
    with archive(tarball).walk(LINUX) as entries:
        sizes = {str(entry.path): entry.size_bytes for entry in entries}

    assert sizes["bin/codex"] == 60_000


def test_a_partly_read_entry_does_not_affect_the_next(tmp_path: Path) -> None:
    files = {"a": (filler(700_000, seed="a"), 0o644), "b": (b"next", 0o644)}
    with archive(github_tarball(tmp_path / "p.tgz", files)).walk(LINUX) as entries:
        next(next(entries).chunks())
        assert b"".join(next(entries).chunks()) == b"next"


def test_an_entry_can_be_read_only_once(tarball: Path) -> None:
    with archive(tarball).walk(LINUX) as entries:
        entry = next(entries)
        first = b"".join(entry.chunks())
        with pytest.raises(RuntimeError, match="has already been read"):
            entry.chunks()

    assert len(first) == entry.size_bytes


def test_the_first_chunk_is_long_enough_to_find_the_kind_of_file() -> None:
    pieces = iter([b"a" * 100, b"b" * 100, b"c" * 9000, b"d"])
    entry = PackageEntry(path=PurePosixPath("x"), mode=0o4755, size_bytes=9201, pieces=pieces)
    chunks = list(entry.chunks())

    assert [len(chunk) for chunk in chunks] == [9200, 1]
    assert len(chunks[0]) >= HEAD_BYTES
    assert entry.mode == 0o755


def test_an_empty_file_has_no_chunks(tmp_path: Path) -> None:
    with archive(github_tarball(tmp_path / "p.tgz", {"a": (b"", 0o644)})).walk(LINUX) as entries:
        assert [list(entry.chunks()) for entry in entries] == [[]]


def test_the_rest_of_the_package_is_checked_after_a_walk_ends_early(tarball: Path) -> None:
    cut = tarball.read_bytes()[:-20]
    tarball.write_bytes(cut)

    with pytest.raises(Exception, match="ends too early"), archive(tarball).walk(LINUX) as entries:
        next(entries)


def test_an_error_during_a_walk_closes_the_archive(tarball: Path) -> None:
    closed = []

    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        with tarball.open("rb") as file:
            try:
                yield file
            finally:
                closed.append(True)

    source = PackageSource.archive(tarball, ArchiveFormat.TAR_GZ, opened=opened)
    with pytest.raises(ZeroDivisionError), source.walk(LINUX) as entries:
        _ = 1 // (next(entries).size_bytes * 0)

    assert closed == [True]


def test_a_package_without_files_for_the_target_is_reported(tarball: Path) -> None:
    with pytest.raises(UpstreamError) as caught:
        archive(tarball).scan(WINDOWS)

    assert str(caught.value) == "codex.tgz has no files for x86_64-pc-windows-msvc"
    assert caught.value.exit_code == 21


def test_a_package_for_another_target_is_refused(tmp_path: Path) -> None:
    path = github_tarball(
        tmp_path / "p.tgz", dict(HELLO) | {"codex-package.json": (package_json(ARM), 0o644)}
    )

    with pytest.raises(UpstreamError, match="is for aarch64-unknown-linux-musl, not x86_64"):
        archive(path).extract(LINUX, place=lambda file: (tmp_path / "out" / file,))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"not json", b"[]", b"{}", b'{"target": 3}', b"\xff"])
def test_a_description_without_a_target_is_accepted_unchanged(tmp_path: Path, content: bytes) -> None:
    path = github_tarball(tmp_path / "p.tgz", {"codex-package.json": (content, 0o644)})

    assert archive(path).scan(LINUX).files[0].sha256.hex == hashlib.sha256(content).hexdigest()


def test_files_outside_an_npm_package_are_refused(tmp_path: Path) -> None:
    path = github_tarball(tmp_path / "p.tgz", {f"package/vendor/{LINUX}/x": (b"x", 0o644), **HELLO})

    with pytest.raises(IntegrityError, match="is outside the npm package in the same archive"):
        archive(path).scan(LINUX)


def test_a_file_in_place_of_the_targets_directory_is_refused(tmp_path: Path) -> None:
    path = github_tarball(tmp_path / "p.tgz", {f"package/vendor/{LINUX}": (b"x", 0o644)})

    with pytest.raises(IntegrityError, match="is a file in place of the target's directory"):
        archive(path).scan(LINUX)


# Digests


def test_a_verified_archive_is_read_to_its_end(tarball: Path) -> None:
    digest = Digest(DigestAlgorithm.SHA512, hashlib.sha512(tarball.read_bytes()).hexdigest())

    assert verified(tarball, digest).scan(LINUX) == archive(tarball).scan(LINUX)


@pytest.mark.parametrize("keep", [-1, 300, None])
def test_a_wrong_digest_is_reported_instead_of_the_damage(
    tmp_path: Path, tarball: Path, keep: int | None
) -> None:
    tarball.write_bytes(tarball.read_bytes()[:keep])
    digest = Digest(DigestAlgorithm.SHA256, "0" * 64)

    with pytest.raises(WrongDigest):
        verified(tarball, digest).extract(LINUX, place=lambda file: (tmp_path / "out" / file,))
    assert not (tmp_path / "out").exists()


def test_the_digest_of_a_zip_is_verified(tmp_path: Path) -> None:
    path = zip_archive(tmp_path / "p.zip", HELLO)
    right, wrong = Sha256.of_file(path).digest, Digest(DigestAlgorithm.SHA256, "0" * 64)

    def source(digest: Digest) -> PackageSource:
        return PackageSource.archive(path, ArchiveFormat.ZIP, opened=lambda: read_verified(path, digest))

    assert len(source(right).scan(LINUX).files) == 1
    with pytest.raises(WrongDigest):
        source(wrong).scan(LINUX)


# Extracting


def test_files_are_written_to_all_given_paths(tmp_path: Path, tarball: Path) -> None:
    def place(path: PurePosixPath) -> tuple[Path, ...]:
        if path == PurePosixPath("codex-package.json"):
            return ()
        if path == PurePosixPath("codex-path/rg"):
            return (tmp_path / "one" / path,)
        return tmp_path / "one" / path, tmp_path / "two" / path

    payload = archive(tarball).extract(LINUX, place=place)
    files = release_files(LINUX)

    assert payload == archive(tarball).scan(LINUX)
    assert not (tmp_path / "one" / "codex-package.json").exists()
    assert not (tmp_path / "two" / "codex-path").exists()
    for directory in ("one", "two"):
        written = tmp_path / directory / "bin" / "codex"
        assert written.read_bytes() == files["bin/codex"][0]
        assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_an_existing_file_is_not_changed(tmp_path: Path, tarball: Path) -> None:
    existing = tmp_path / "out" / "codex-resources" / "bwrap"
    existing.parent.mkdir(parents=True)
    existing.write_bytes(b"mine")

    with pytest.raises(CannotWrite, match="File exists"):
        archive(tarball).extract(LINUX, place=lambda file: (tmp_path / "out" / file,))

    assert [path.name for path in (tmp_path / "out").rglob("*")] == ["codex-resources", "bwrap"]
    assert existing.read_bytes() == b"mine"


def test_an_existing_link_is_not_followed(tmp_path: Path, tarball: Path) -> None:
    (tmp_path / "out" / "bin").mkdir(parents=True)
    (tmp_path / "out" / "bin" / "codex").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(CannotWrite):
        archive(tarball).extract(LINUX, place=lambda file: (tmp_path / "out" / file,))

    assert not (tmp_path / "elsewhere").exists()


def test_an_interruption_leaves_no_files(tmp_path: Path, tarball: Path) -> None:
    def place(path: PurePosixPath) -> tuple[Path, ...]:
        if path == PurePosixPath("codex-path/rg"):
            raise KeyboardInterrupt
        return (tmp_path / "out" / path,)

    with pytest.raises(KeyboardInterrupt):
        archive(tarball).extract(LINUX, place=place)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
@pytest.mark.parametrize("chunk", [b"x", bytes(1 << 18)], ids=["when closing", "when writing"])
def test_a_full_disk_is_reported(tmp_path: Path, chunk: bytes) -> None:
    file = NewFile(tmp_path / "codex", os.open("/dev/full", os.O_WRONLY))

    with pytest.raises(CannotWrite) as caught, closing(file):
        file.write(chunk)

    assert str(caught.value) == f"cannot write {tmp_path / 'codex'}: No space left on device"


# Sources


def test_a_package_directory_and_an_unpacked_tarball_have_the_same_payload(tmp_path: Path) -> None:
    files = release_files(LINUX, layout=Layout.LEGACY)
    plain = package_directory(tmp_path / "plain", files)
    unpacked = tmp_path / "unpacked"
    package_directory(unpacked / "package" / "vendor" / LINUX, files)
    package_directory(unpacked / "package", {"bin/codex.js": (b"#!/usr/bin/env node", 0o755)})

    expected = PackageSource.at(plain).scan(LINUX)

    assert PackageSource.at(unpacked).scan(LINUX) == expected
    assert PackageSource.at(unpacked / "package").scan(LINUX) == expected
    assert len(expected.files) == 3


def test_an_unpacked_tarball_without_the_target_is_reported(tmp_path: Path) -> None:
    package_directory(tmp_path / "unpacked" / "package" / "vendor" / LINUX, HELLO)

    with pytest.raises(UpstreamError, match="has no files for"):
        PackageSource.at(tmp_path / "unpacked").scan(WINDOWS)


def test_an_empty_directory_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="has no files for"):
        PackageSource.directory(tmp_path).scan(LINUX)


def test_a_missing_path_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a release package: No such file or directory"):
        PackageSource.at(tmp_path / "none")


@pytest.mark.parametrize(("target", "path"), [(LINUX, "codex/codex"), (WINDOWS, "codex/codex.exe")])
def test_a_single_executable_is_a_package(tmp_path: Path, target: Target, path: str) -> None:
    file = tmp_path / "codex-of-some-name"
    file.write_bytes(Elf().content())
    payload = PackageSource.at(file).scan(target)

    assert [str(found.path) for found in payload.files] == [path]
    assert layout_of(payload) is Layout.LEGACY


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh", b"text"])
def test_any_other_file_is_not_a_package(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)

    with pytest.raises(UsageError) as caught:
        PackageSource.at(file)
    assert ".tar.zst" in caught.value.hint


# Layouts and kinds


def test_the_path_of_the_executable_determines_the_layout() -> None:
    assert layout_of(payload_of("bin/codex", "codex-path/rg")) is Layout.PACKAGE
    assert layout_of(payload_of("codex/codex.exe", target=WINDOWS)) is Layout.LEGACY


@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        (("bin/rg",), "it has no bin/codex or codex/codex"),
        (("bin/codex.exe",), "it has no bin/codex or codex/codex"),
        (("bin/codex", "codex/codex"), "it mixes two layouts"),
    ],
)
def test_an_unknown_layout_is_reported(paths: tuple[str, ...], reason: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        layout_of(payload_of(*paths))

    expected = f"the release package for x86_64-unknown-linux-musl has an unknown layout: {reason}"
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (Elf().content(), FileKind.ELF),
        (MachO().content(), FileKind.MACHO),
        (FatMachO(slices=(MachO(), MachO(cpu=MachOCpu.X86_64))).content(), FileKind.MACHO),
        (bytes.fromhex("cafebabf00000002"), FileKind.MACHO),
        (bytes.fromhex("cefaedfe"), FileKind.MACHO),
        (bytes.fromhex("cafebabe00000041"), FileKind.DATA),
        (Pe().content(), FileKind.PE),
        (b"MZ", FileKind.PE),
        (b"MZ".ljust(60, b"\0") + bytes.fromhex("00100000"), FileKind.PE),
        (b"MZ".ljust(60, b"\0") + bytes.fromhex("40000000") + b"NE\0\0", FileKind.DATA),
        (b"#!/bin/sh\n", FileKind.SCRIPT),
        (b"", FileKind.DATA),
        (b"{}", FileKind.DATA),
        (b"\x7fEL", FileKind.DATA),
    ],
)
def test_the_first_bytes_determine_the_kind_of_file(head: bytes, kind: FileKind) -> None:
    assert kind_of(head[:4096]) is kind


@pytest.mark.parametrize("start", [b"MZjunk", b"\x7fELFjunk", b"\xcf\xfa\xed\xfejunk"])
def test_an_archive_behind_the_start_of_an_executable_is_no_executable(tmp_path: Path, start: bytes) -> None:
    path = zip_archive(tmp_path / "package", release_files(LINUX))
    path.write_bytes(start + path.read_bytes())
    with pytest.raises(UsageError, match="it starts like an executable, but is not one"):
        PackageSource.at(path)

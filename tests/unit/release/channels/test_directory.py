from pathlib import Path

import pytest

from factory.core.digests import Digest
from factory.core.errors import IntegrityError, UpstreamError, UsageError
from factory.core.model import ArchiveFormat, ChannelName, Local, ReleaseAsset
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels.directory import DirectoryChannel

TAG = CodexTag.parse("0.163.0")
SHA256, SHA512 = "a" * 64, "b" * 128


def fill(path: Path, *names: str, listed: bool = True) -> DirectoryChannel:
    for name in names:
        (path / name).touch()
    if listed:
        (path / "SHA256SUMS").write_text("".join(f"{SHA256}  {name}\n" for name in names))
    return DirectoryChannel(path)


@pytest.mark.parametrize(
    ("name", "form", "purl"),
    [
        ("codex-0.163.0-linux-x64.tgz", "tar.gz", "pkg:npm/%40openai/codex@0.163.0-linux-x64"),
        ("openai-codex-0.163.0-linux-x64.tgz", "tar.gz", "pkg:npm/%40openai/codex@0.163.0-linux-x64"),
        (
            "codex-package-x86_64-unknown-linux-musl.tar.zst",
            "tar.zst",
            "pkg:github/openai/codex@rust-v0.163.0#codex-package-x86_64-unknown-linux-musl.tar.zst",
        ),
        (
            "rust-v0.163.0-codex-package-x86_64-unknown-linux-musl.tar.gz",
            "tar.gz",
            "pkg:github/openai/codex@rust-v0.163.0#codex-package-x86_64-unknown-linux-musl.tar.gz",
        ),
    ],
)
def test_the_file_names_of_both_channels_are_known(tmp_path: Path, name: str, form: str, purl: str) -> None:
    channel = fill(tmp_path, name, "notes.txt")
    answer = channel.assets(TAG)
    assert channel.identity == str(tmp_path)
    assert (answer.channel, answer.tag) == (ChannelName.DIRECTORY, TAG)
    assert answer.assets == (
        ReleaseAsset(
            target=Target.LINUX_X86_64,
            name=name,
            purl=purl,
            digest=Digest.parse(f"sha256:{SHA256}"),
            size_bytes=None,
            format=ArchiveFormat(form),
            location=Local(path=tmp_path / name),
        ),
    )


def test_before_the_split_one_tarball_is_for_every_target(tmp_path: Path) -> None:
    channel = fill(tmp_path, "openai-codex-0.98.0.tgz", "openai-codex-0.163.0.tgz")
    assert [asset.target for asset in channel.assets(CodexTag.parse("0.98.0")).assets] == list(Target)
    with pytest.raises(UpstreamError, match=r"^channel directory has no release rust-v0\.163\.0$"):
        channel.assets(TAG)


def test_a_name_with_the_version_is_preferred(tmp_path: Path) -> None:
    names = ("codex-package-x86_64-unknown-linux-musl.tar.gz", "codex-0.163.0-linux-x64.tgz")
    assert [asset.name for asset in fill(tmp_path, *names).assets(TAG).assets] == [names[1]]


def test_the_longer_digest_is_used(tmp_path: Path) -> None:
    channel = fill(tmp_path, "codex-0.163.0-linux-x64.tgz")
    (tmp_path / "SHA512SUMS").write_text(f"{SHA512}  codex-0.163.0-linux-x64.tgz\n")
    assert channel.assets(TAG).assets[0].digest == Digest.parse(f"sha512:{SHA512}")


def test_an_asset_without_a_digest_is_refused(tmp_path: Path) -> None:
    channel = fill(tmp_path, "codex-0.163.0-linux-x64.tgz", listed=False)
    with pytest.raises(IntegrityError, match="has no line in SHA512SUMS or SHA256SUMS") as caught:
        channel.assets(TAG)
    assert str(tmp_path / "SHA256SUMS") in caught.value.hint


def test_the_error_for_an_unknown_release_lists_the_releases_present(tmp_path: Path) -> None:
    names = (
        "codex-0.162.0-alpha.1-linux-x64.tgz",
        "openai-codex-0.98.0.tgz",
        "rust-v0.161.0-codex-package-x86_64-apple-darwin.tar.gz",
        "codex-what.tgz",
    )
    with pytest.raises(UpstreamError) as caught:
        fill(tmp_path, *names).assets(TAG)
    assert caught.value.hint == "It has rust-v0.98.0, rust-v0.161.0, rust-v0.162.0-alpha.1."


def test_a_checksum_for_a_file_elsewhere_is_refused(tmp_path: Path) -> None:
    channel = fill(tmp_path, "codex-0.163.0-linux-x64.tgz")
    (tmp_path / "SHA256SUMS").write_text(f"{SHA256}  ../codex-0.163.0-linux-x64.tgz\n")
    with pytest.raises(IntegrityError, match="SHA256SUMS, line 1: "):
        channel.assets(TAG)


def test_a_link_is_refused(tmp_path: Path) -> None:
    channel = fill(tmp_path, "codex-0.163.0-linux-x64.tgz")
    path = tmp_path / "codex-0.163.0-linux-x64.tgz"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match=f"^{path} is not a regular file$") as caught:
        channel.assets(TAG)
    assert caught.value.hint == "Put the file itself into the directory."


def test_an_unreadable_directory_or_checksum_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"^cannot read {tmp_path}/none: No such file") as caught:
        DirectoryChannel(tmp_path / "none").assets(TAG)
    assert caught.value.hint == (
        "Name an existing directory that contains release packages and a SHA256SUMS file."
    )
    (tmp_path / "SHA256SUMS").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="SHA256SUMS: 'utf-8' codec"):
        DirectoryChannel(tmp_path).assets(TAG)

import json

import pytest

from factory.core.digests import Digest, Sha256
from factory.core.errors import IntegrityError, UpstreamError
from factory.core.model import ArchiveFormat, ChannelName, ReleaseAsset, Remote, SigstoreBundle
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels.github import GithubChannel
from factory.system.files import WrongDigest
from factory.system.http import HttpStatusError
from tests.fakes import Answer, FakeHttpClient

API = "https://api.example.invalid"
RELEASE = f"{API}/repos/openai/codex/releases/tags/rust-v0.163.0"
RELEASES = f"{API}/repos/openai/codex/releases?per_page=100"
FILES = "https://files.example.invalid"
SUMS_URL = f"{FILES}/codex-package_SHA256SUMS"
TAG = CodexTag.parse("0.163.0")
LINUX = "codex-package-x86_64-unknown-linux-musl.tar.gz"
WINDOWS = "codex-package-aarch64-pc-windows-msvc.tar.gz"
A, B = "a" * 64, "b" * 64
SUMS = f"{A}  {LINUX}\n{B}  {WINDOWS}\n".encode()


def asset(name: str, digest: str | None = None) -> dict[str, object]:
    return {"name": name, "size": 7, "digest": digest, "browser_download_url": f"{FILES}/{name}"}


def release(*assets: dict[str, object]) -> Answer:
    return Answer(body=(json.dumps({"assets": assets}).encode(),))


def channel(answer: Answer, *, sums: bytes | None = SUMS, token: str | None = None) -> GithubChannel:
    script = {RELEASE: (answer,), SUMS_URL: () if sums is None else (Answer(body=(sums,)),)}
    return GithubChannel(FakeHttpClient(script), api=f"{API}/", token=token)


SUMS_ASSET = asset("codex-package_SHA256SUMS")


def test_packages_have_the_listed_digest_and_size() -> None:
    answer = channel(
        release(asset(WINDOWS, f"sha256:{B}"), asset(LINUX), asset("other.zip"), SUMS_ASSET)
    ).assets(TAG)
    assert answer.channel is ChannelName.GITHUB
    assert [entry.target for entry in answer.assets] == [Target.LINUX_X86_64, Target.WINDOWS_AARCH64]
    assert answer.assets[0] == ReleaseAsset(
        target=Target.LINUX_X86_64,
        name=LINUX,
        purl=f"pkg:github/openai/codex@rust-v0.163.0#{LINUX}",
        digest=Digest.parse(f"sha256:{A}"),
        size_bytes=7,
        format=ArchiveFormat.TAR_GZ,
        location=Remote(url=f"{FILES}/{LINUX}"),
    )


def test_the_token_is_sent_only_to_the_api() -> None:
    client = FakeHttpClient(
        {RELEASE: (release(asset(LINUX), SUMS_ASSET),), SUMS_URL: (Answer(body=(SUMS,)),)}
    )
    github = GithubChannel(client, api=API, token="secret")  # noqa: S106 - not one
    github.assets(TAG)
    assert [request.headers.get("Authorization") for request in client.requests] == ["Bearer secret", None]
    assert client.requests[0].headers["Accept"] == "application/vnd.github+json"
    assert github.identity == f"{API}/repos/openai/codex"


def test_sigstore_bundles_are_downloaded_without_the_token() -> None:
    name = "codex-x86_64-unknown-linux-musl.sigstore"
    other = "codex-x86_64-unknown-linux-musl.zst"
    client = FakeHttpClient(
        {
            RELEASE: (release(asset(LINUX), asset(name), asset(other), SUMS_ASSET),),
            SUMS_URL: (Answer(body=(SUMS,)),),
            f"{FILES}/{name}": (Answer(body=(b"a bundle",)),),
        }
    )
    answer = GithubChannel(client, api=API, token="secret").assets(TAG)  # noqa: S106 - not one
    assert answer.bundles == (
        SigstoreBundle(target=Target.LINUX_X86_64, program="codex", content=b"a bundle"),
    )
    assert client.requests[-1].headers.get("Authorization") is None


def test_two_different_digests_are_refused() -> None:
    with pytest.raises(IntegrityError, match=f"lists sha256:{A} for .*, but GitHub's API gives sha256:{B}"):
        channel(release(asset(LINUX, f"sha256:{B}"), SUMS_ASSET)).assets(TAG)


def test_a_checksum_file_with_the_wrong_digest_is_refused() -> None:
    listed = asset("codex-package_SHA256SUMS", f"sha256:{B}")
    with pytest.raises(WrongDigest, match="codex-package_SHA256SUMS has the wrong digest") as caught:
        channel(release(asset(LINUX), listed)).assets(TAG)
    assert caught.value.expected == Digest.parse(f"sha256:{B}")
    assert caught.value.actual == Sha256.of([SUMS]).digest


def test_a_checksum_file_that_is_no_text_is_refused() -> None:
    with pytest.raises(IntegrityError, match="codex-package_SHA256SUMS, line 1"):
        channel(release(asset(LINUX), SUMS_ASSET), sums=b"\xff\xfe").assets(TAG)


@pytest.mark.parametrize("with_list", [True, False])
def test_a_package_without_a_listed_digest_is_refused(*, with_list: bool) -> None:
    assets = [asset(LINUX, f"sha256:{A}"), *([SUMS_ASSET] if with_list else [])]
    with pytest.raises(IntegrityError, match="has no line in codex-package_SHA256SUMS") as caught:
        channel(release(*assets), sums=b"" if with_list else None).assets(TAG)
    assert caught.value.hint == (
        "The release is incomplete: wait until it is complete, or use the npm channel."
    )


def test_a_release_without_packages_is_reported() -> None:
    with pytest.raises(UpstreamError) as caught:
        channel(release(asset("codex-x86_64-unknown-linux-musl.tar.gz")), sums=None).assets(TAG)
    assert str(caught.value) == "channel github has rust-v0.163.0, but no package for any target"
    assert caught.value.hint == "Use another channel: see --channel."


def test_the_error_for_an_unknown_release_lists_the_nearest() -> None:
    listed = Answer(body=(b'[{"tag_name": "rust-v0.162.0"}, {"tag_name": "python-v1"}]',))
    client = FakeHttpClient({RELEASE: (Answer(status=404),), RELEASES: (listed,)})
    with pytest.raises(UpstreamError, match=r"^channel github has no release rust-v0\.163\.0$") as caught:
        GithubChannel(client, api=API).assets(TAG)
    assert caught.value.hint == "It has rust-v0.162.0."


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refused_request_has_a_hint_about_the_token(status: int) -> None:
    with pytest.raises(UpstreamError, match="refused the request") as caught:
        channel(Answer(status=status)).assets(TAG)
    assert caught.value.hint == (
        "Set GITHUB_TOKEN to any of your tokens, wait an hour, or use the npm channel."
    )


def test_a_server_error_is_reported() -> None:
    with pytest.raises(HttpStatusError, match="status 500"):
        channel(Answer(status=500)).assets(TAG)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(body=(b"<html>",)), r"release rust-v0\.163\.0: not JSON"),
        (Answer(body=(b"{}",)), r"release rust-v0\.163\.0: 'assets' should be a list"),
        (Answer(body=(b'{"assets": [{}]}',)), r".*: assets\[0\]: 'name' should be a string"),
        (release(asset(LINUX, "md5:00"), SUMS_ASSET), ".*md5:00"),
    ],
)
def test_a_malformed_answer_is_reported(answer: Answer, problem: str) -> None:
    with pytest.raises(UpstreamError, match=f"^channel github sent a malformed answer: {problem}") as caught:
        channel(answer).assets(TAG)
    assert caught.value.hint == ("Check the channel's address; a proxy or a login page may answer instead.")

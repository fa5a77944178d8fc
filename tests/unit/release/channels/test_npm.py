import base64
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from factory.core.digests import Digest
from factory.core.errors import IntegrityError, UpstreamError
from factory.core.model import ArchiveFormat, ChannelName, ReleaseAsset, Remote
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels.npm import NpmChannel, default_npm_registry, npm_registry_from_client
from factory.release.channels.npm_login import NpmLogin
from factory.release.channels.npm_package import package_url, purl_of
from factory.system.process import CannotStart, Command, Completed
from tests.fake_runner import Expected, FakeRunner
from tests.fakes import Answer, FakeHttpClient

REGISTRY = "https://npm.example.invalid/mirror"
DOCUMENT = "https://npm.example.invalid/mirror/@openai%2Fcodex"
TAG = CodexTag.parse("rust-v0.163.0-alpha.2")
SUFFIXES = ("linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "win32-x64", "win32-arm64")


def entry(version: str, byte: bytes = b"\x01", **more: object) -> dict[str, object]:
    return {
        "dist": {
            "integrity": f"sha512-{base64.b64encode(byte * 64).decode()}",
            "shasum": "00",
            "tarball": f"https://files.example.invalid/codex-{version}.tgz",
        },
        **more,
    }


def channel(versions: Mapping[str, object] | bytes) -> NpmChannel:
    body = versions if isinstance(versions, bytes) else json.dumps({"versions": versions}).encode()
    client = FakeHttpClient({DOCUMENT: (Answer(body=(body,)),)})
    return NpmChannel(client, login=NpmLogin.of(f"{REGISTRY}/", "a test", {}))


SPLIT = {
    "0.163.0-alpha.2": entry("0.163.0-alpha.2", optionalDependencies={"@openai/codex-linux-x64": "npm:..."}),
    **{f"0.163.0-alpha.2-{suffix}": entry(f"0.163.0-alpha.2-{suffix}") for suffix in SUFFIXES},
    "0.162.0": entry("0.162.0", optionalDependencies={}),
}


def test_each_target_has_a_version_with_a_sha512() -> None:
    answer = channel(SPLIT).assets(TAG)
    assert (answer.tag, answer.channel) == (TAG, ChannelName.NPM)
    assert [asset.target for asset in answer.assets] == list(Target)
    assert answer.assets[0] == ReleaseAsset(
        target=Target.LINUX_X86_64,
        name="codex-0.163.0-alpha.2-linux-x64.tgz",
        purl="pkg:npm/%40openai/codex@0.163.0-alpha.2-linux-x64",
        digest=Digest.parse("sha512:" + "01" * 64),
        size_bytes=None,
        format=ArchiveFormat.TAR_GZ,
        location=Remote(url="https://files.example.invalid/codex-0.163.0-alpha.2-linux-x64.tgz"),
    )


def test_the_abbreviated_document_is_requested_once() -> None:
    body = json.dumps({"versions": SPLIT}).encode()
    client = FakeHttpClient({DOCUMENT: (Answer(body=(body,)),)})
    npm = NpmChannel(client, login=NpmLogin.of(REGISTRY, "a test", {}))
    assert npm.assets(TAG) == npm.assets(TAG)
    assert [request.headers["Accept"] for request in client.requests] == [
        "application/vnd.npm.install-v1+json"
    ]
    assert npm.identity == REGISTRY


def test_complete_releases_are_final_and_have_a_package_for_each_target() -> None:
    versions = {"0.99.0": entry("0.99.0"), **SPLIT}
    for version, suffixes in {"0.9.1": SUFFIXES, "0.162.0": SUFFIXES, "0.161.0": SUFFIXES[:1]}.items():
        versions |= {f"{version}-{suffix}": entry(f"{version}-{suffix}") for suffix in suffixes}
        versions.setdefault(version, entry(version, optionalDependencies={}))
    assert [tag.semver for tag in channel(versions).complete_releases()] == ["0.162.0", "0.9.1"]


def test_before_the_split_one_tarball_is_for_every_target() -> None:
    answer = channel({"0.98.0": entry("0.98.0")}).assets(CodexTag.parse("0.98.0"))
    assert [asset.target for asset in answer.assets] == list(Target)
    assert {asset.name for asset in answer.assets} == {"codex-0.98.0.tgz"}
    assert {asset.purl for asset in answer.assets} == {"pkg:npm/%40openai/codex@0.98.0"}


def test_a_release_may_lack_targets() -> None:
    versions = {key: value for key, value in SPLIT.items() if "win32" not in key}
    answer = channel(versions).assets(TAG)
    assert len(answer.assets) == 4
    assert answer.for_target(Target.WINDOWS_AARCH64) is None


def test_a_launcher_alone_is_not_a_release_package() -> None:
    with pytest.raises(UpstreamError, match=r"^channel npm has rust-v0\.162\.0, but no package"):
        channel(SPLIT).assets(CodexTag.parse("0.162.0"))


def test_the_error_for_an_unknown_release_lists_the_nearest() -> None:
    with pytest.raises(UpstreamError) as caught:
        channel(SPLIT).assets(CodexTag.parse("0.162.1"))
    assert caught.value.hint == "It has rust-v0.162.0, rust-v0.163.0-alpha.2."


@pytest.mark.parametrize(
    "integrity", [None, "", "sha1-AAAA", "sha256-" + base64.b64encode(bytes(32)).decode()]
)
def test_an_asset_without_a_sha512_is_refused(integrity: str | None) -> None:
    dist = {"integrity": integrity, "tarball": "https://files.example.invalid/x.tgz"}
    with pytest.raises(IntegrityError) as caught:
        channel({"0.163.0-alpha.2-linux-x64": {"dist": dist}}).assets(TAG)
    assert str(caught.value) == ("pkg:npm/%40openai/codex@0.163.0-alpha.2-linux-x64 has no SHA-512 integrity")
    assert caught.value.hint == ("The registry is very old or was altered: use another registry or channel.")


def test_a_tarball_may_be_on_a_server_without_tls() -> None:
    url = "http://127.0.0.1:4873/codex.tgz"
    dist = {"integrity": f"sha512-{base64.b64encode(bytes(64)).decode()}", "tarball": url}
    answer = channel({"0.163.0-alpha.2-linux-x64": {"dist": dist}}).assets(TAG)
    assert [asset.location for asset in answer.assets] == [Remote(url=url)]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>log in</html>",
        b"[]",
        b'{"versions": []}',
        b'{"versions": {"0.163.0-alpha.2-linux-x64": {}}}',
        json.dumps(
            {"versions": {"0.163.0-alpha.2-linux-x64": entry("x") | {"dist": {"integrity": 1}}}}
        ).encode(),
        json.dumps({"versions": {"0.163.0-alpha.2-linux-x64": entry("x")}})
        .replace("https://files.example.invalid", "file:///etc")
        .encode(),
    ],
)
def test_a_malformed_answer_is_reported(body: bytes) -> None:
    with pytest.raises(UpstreamError, match=r"channel npm sent a malformed answer: .") as caught:
        channel(body).assets(TAG)
    assert ("@openai/codex: " in str(caught.value)) is (b"/etc/" not in body)


def test_a_malformed_list_of_releases_is_reported() -> None:
    expected = r"^channel npm sent a malformed answer: @openai/codex: versions: should be an object$"
    with pytest.raises(UpstreamError, match=expected):
        channel(b'{"versions": []}').complete_releases()


def test_the_default_registry_is_a_url_from_the_library() -> None:
    registry = default_npm_registry()
    assert registry.startswith("https://")
    assert registry.count("/") == 2


@pytest.mark.parametrize(
    ("output", "registry"),
    [
        (
            "@openai:registry=undefined\nregistry=https://r.example.invalid/?a=b\n",
            "https://r.example.invalid/?a=b",
        ),
        ("@openai:registry=file:///etc\nregistry=http://127.0.0.1:4873\n", "http://127.0.0.1:4873"),
        (
            "npm warn Unknown config\n@openai:registry=https://s.example.invalid\nregistry=https://r.example.invalid/\n",
            "https://s.example.invalid",
        ),
        ("@openai:registry=undefined\nregistry=undefined\n", None),
        ("", None),
    ],
)
def test_the_registry_of_the_scope_takes_precedence(output: str, registry: str | None) -> None:
    completed = Completed(returncode=0, output=output)
    runner = FakeRunner(
        Expected(argv=("npm", "config", "get", "@openai:registry", "registry"), completed=completed)
    )
    assert npm_registry_from_client(runner, env={"PATH": "/bin"}, cwd=Path("/project")) == registry
    (command,) = runner.commands
    assert (command.env, command.cwd, command.timeout_s) == ({"PATH": "/bin"}, Path("/project"), 20.0)


@pytest.mark.parametrize(
    ("scope", "keys"),
    [("@deno", ("@deno:registry", "registry")), (None, ("registry", "user-agent"))],
)
def test_the_client_is_asked_for_the_registry_of_another_scope(
    scope: str | None, keys: tuple[str, ...]
) -> None:
    """With one key npm prints the bare value, so a second one is asked for in any case."""
    output = f"{keys[0]}=https://s.example.invalid/\n{keys[1]}=https://other.example.invalid/\n"
    completed = Completed(returncode=0, output=output)
    runner = FakeRunner(Expected(argv=("npm", "config", "get", *keys), completed=completed))
    assert npm_registry_from_client(runner, env={}, scope=scope) == "https://s.example.invalid/"


def test_the_agent_is_no_registry_of_packages_without_a_scope() -> None:
    output = "registry=undefined\nuser-agent=https://s.example.invalid/\n"
    argv = ("npm", "config", "get", "registry", "user-agent")
    runner = FakeRunner(Expected(argv=argv, completed=Completed(returncode=0, output=output)))
    assert npm_registry_from_client(runner, env={}, scope=None) is None


@pytest.mark.parametrize(
    ("package", "url", "purl"),
    [
        ("@deno/linux", "https://r.example.invalid/@deno%2Flinux", "pkg:npm/%40deno/linux@1.0.0"),
        ("lefthook", "https://r.example.invalid/lefthook", "pkg:npm/lefthook@1.0.0"),
    ],
)
def test_a_package_has_an_address_with_and_without_a_scope(package: str, url: str, purl: str) -> None:
    assert package_url("https://r.example.invalid", package) == url
    assert purl_of(package, "1.0.0") == purl


def test_without_a_working_npm_client_no_registry_is_configured() -> None:
    def missing(command: Command) -> None:
        raise CannotStart(command.argv[0], "No such file or directory")

    assert npm_registry_from_client(FakeRunner(Expected(argv=("npm",), effect=missing)), env={}) is None
    broken = FakeRunner(
        Expected(argv=("npm",), completed=Completed(returncode=1, output="registry=https://x"))
    )
    assert npm_registry_from_client(broken, env={}) is None

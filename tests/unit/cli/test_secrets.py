"""Secrets in every place where a user can put them, and a search of every file that the program writes."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from factory.core.targets import Target
from tests.children import Ended, factory
from tests.packages import npm_tarball, release_files
from tests.toolchains import place_toolchain

SECRETS = ("planted-user", "planted-word", "planted-signature", "planted-token", "planted-index")
TARGETS = (Target.WINDOWS_X86_64,)


@pytest.fixture(scope="module")
def toolchains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("toolchains")
    place_toolchain(cache)
    return cache / "toolchains"


@pytest.fixture
def registry(httpserver: HTTPServer, tmp_path: Path) -> str:
    """Serve a release with signed addresses; return the address with a user name and a password."""
    place = f"127.0.0.1:{httpserver.port}"
    versions: dict[str, object] = {"0.163.0": {"optionalDependencies": {}, "dist": {}}}
    for target in Target:
        tarball = npm_tarball(tmp_path / f"{target}.tgz", {target: release_files(target)}).read_bytes()
        integrity = base64.b64encode(hashlib.sha512(tarball).digest()).decode()
        address = f"http://planted-user:planted-word@{place}/{target}.tgz?sig=planted-signature"
        versions[f"0.163.0-{target.npm_suffix}"] = {
            "dist": {"integrity": f"sha512-{integrity}", "tarball": address}
        }
        httpserver.expect_request(f"/{target}.tgz").respond_with_data(tarball)
    document = json.dumps({"versions": versions})
    httpserver.expect_request("/@openai/codex").respond_with_data(document)
    httpserver.expect_request("/@openai%2Fcodex").respond_with_data(document)
    httpserver.expect_request("/broken/@openai/codex").respond_with_handler(_refused)
    return f"http://planted-user:planted-word@{place}"


def _refused(_: Request) -> Response:
    return Response(status=403)


def run(tmp_path: Path, toolchains: Path, *words: str) -> Ended:
    cache = tmp_path / "cache"
    cache.mkdir(exist_ok=True)
    if not (cache / "toolchains").exists():
        (cache / "toolchains").symlink_to(toolchains)
    env = {
        "FACTORY_CACHE_DIR": str(cache),
        "GITHUB_TOKEN": "planted-token",
        "PIP_INDEX_URL": "http://planted-index:planted-word@127.0.0.1:9/simple/?token=planted-token",
        "HTTP_PROXY": "",
        "http_proxy": "",
    }
    return factory(*words, cwd=tmp_path, env=env).run()


def places_of_secrets(directory: Path) -> list[str]:
    files = [path for path in directory.rglob("*") if path.is_file() and path.suffix != ".tgz"]
    return [
        f"{path.relative_to(directory)}: {secret}"
        for path in files
        for secret in SECRETS
        if secret.encode() in path.read_bytes() or secret in path.name
    ]


def said_secrets(ended: Ended) -> list[str]:
    return [secret for secret in SECRETS if secret in ended.out + ended.err]


def test_no_file_and_no_message_of_a_run_has_a_secret(
    registry: str, tmp_path: Path, toolchains: Path
) -> None:
    words = ("wheels", "0.163.0", "--allow", "closed-world-member:*=synthetic", "--json")
    ended = run(tmp_path, toolchains, *words, "--npm-registry", registry)
    assert ended.status == 0, ended.err
    assert said_secrets(ended) == []
    assert (tmp_path / "dist/0.163.0/manifest.json").is_file()
    assert any((tmp_path / "cache/records").iterdir())
    assert places_of_secrets(tmp_path) == []


@pytest.mark.parametrize(
    "words",
    [
        ("wheels", "0.163.0", "--npm-registry", "{registry}/broken"),
        ("wheels", "0.163.0", "--npm-registry", "http://planted-user:planted-word@[::1"),
        (
            "wheels",
            "0.163.0",
            "--npm-registry",
            "http://planted-user:planted-word@127.0.0.1:9/?sig=planted-token",
        ),
        (
            "wheels",
            "0.163.0",
            "--channel",
            "github",
            "--github-api",
            "{registry}/broken?sig=planted-signature",
        ),
        ("wheels", "0.163.0", "--channel", "github", "--github-api", "http://planted-user:planted-word@[::1"),
        ("audit", "0.163.0", "--index-url", "{registry}/broken/?sig=planted-signature", "--out", "audit"),
        ("audit", "0.163.0", "--index-url", "http://planted-user:planted-word@[::1", "--out", "audit"),
        ("audit", "0.163.0", "--out", "audit", "--html", "page.html", "--json"),
    ],
)
def test_no_error_has_a_secret(
    registry: str, tmp_path: Path, toolchains: Path, words: tuple[str, ...]
) -> None:
    given = [word.replace("{registry}", registry) for word in words]
    ended = run(tmp_path, toolchains, *given, "--max-time", "3")
    assert ended.status in {11, 20, 21}, ended.err
    assert "Traceback" not in ended.err
    assert ended.err
    assert said_secrets(ended) == []
    assert places_of_secrets(tmp_path) == []


def test_the_search_finds_a_planted_secret(tmp_path: Path) -> None:
    (tmp_path / "record").write_text(f"https://{SECRETS[0]}@host/")
    assert places_of_secrets(tmp_path) == [f"record: {SECRETS[0]}"]

"""Wheels from a company's npm mirror: a path prefix, a token, and files on the same or another host."""

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.npm_cases import SECRET
from tests.unit.cli.conftest import Ended, Factory

PREFIX = "/artifactory/api/npm/npm-all"
DOCUMENT = f"{PREFIX}/@openai%2Fcodex"


class Mirror:
    """A registry below a path, which asks for a token.

    Attributes:
        server: Answers below `PREFIX` only with the token.
        other: Another origin; it notes the Authorization headers that it gets.
        files: Where the tarballs are.
        redirects: Whether the mirror redirects the tarballs to the other origin.
    """

    def __init__(self, server: HTTPServer, other: HTTPServer, packages: Path) -> None:
        self.server, self.other, self.packages = server, other, packages
        self.files = server.url_for(f"{PREFIX}/files")
        self.redirects = False
        self.leaked: list[str | None] = []
        server.expect_request(DOCUMENT.replace("%2F", "/")).respond_with_handler(self._document)
        for path in packages.glob("*.tgz"):
            server.expect_request(f"{PREFIX}/files/{path.name}").respond_with_handler(self._tarball)
            other.expect_request(f"/{path.name}").respond_with_handler(self._elsewhere)

    @property
    def registry(self) -> str:
        return self.server.url_for(f"{PREFIX}/")

    @property
    def key(self) -> str:
        return f"//{self.server.host}:{self.server.port}{PREFIX}/:_authToken"

    def _document(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {SECRET}":
            return Response(status=401 if "Authorization" not in request.headers else 403)
        versions = {
            path.name[len("codex-") : -len(".tgz")]: self._entry(path) for path in self.packages.glob("*.tgz")
        }
        return Response(json.dumps({"versions": versions}))

    def _entry(self, path: Path) -> dict[str, object]:
        digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
        return {"dist": {"integrity": f"sha512-{digest}", "tarball": f"{self.files}/{path.name}"}}

    def _tarball(self, request: Request) -> Response:
        name = request.path.rpartition("/")[2]
        if request.headers.get("Authorization") != f"Bearer {SECRET}":
            return Response(status=401)
        if self.redirects:
            return Response(status=302, headers={"Location": self.other.url_for(f"/{name}")})
        return Response((self.packages / name).read_bytes())

    def _elsewhere(self, request: Request) -> Response:
        self.leaked.append(request.headers.get("Authorization"))
        return Response((self.packages / request.path[1:]).read_bytes())


@pytest.fixture
def mirror(httpserver: HTTPServer, packages: Path) -> Iterator[Mirror]:
    with HTTPServer() as other:
        yield Mirror(httpserver, other, packages)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home directory without a developer's npm settings."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("npm_config_registry", raising=False)
    monkeypatch.chdir(home)
    return home


def wheels(factory: Factory, tmp_path: Path, *options: str) -> Ended:
    return factory("wheels", "0.163.0", "--platform", "win_arm64", "--out", tmp_path / "dist", *options)


def test_the_token_of_npmrc_opens_the_mirror_and_is_in_no_output(
    factory: Factory, mirror: Mirror, home: Path, cache: Path, tmp_path: Path
) -> None:
    (home / ".npmrc").write_text(f"@openai:registry={mirror.registry}\n{mirror.key}={SECRET}\n")
    ended = wheels(factory, tmp_path)
    assert ended.status == 0, ended.err
    assert len(list((tmp_path / "dist/0.163.0").glob("*.whl"))) == 1
    written = [*(tmp_path / "dist").rglob("*"), *(cache / "records").rglob("*")]
    texts = [path.read_bytes() for path in written if path.is_file() and path.suffix != ".whl"]
    assert texts
    assert not any(SECRET.encode() in text for text in (*texts, ended.out.encode(), ended.err.encode()))


def test_the_password_in_the_address_is_in_no_output(
    factory: Factory, mirror: Mirror, home: Path, tmp_path: Path
) -> None:
    assert home.is_dir()
    address = mirror.registry.replace("://", f"://me:{SECRET}@")
    ended = wheels(factory, tmp_path, "--npm-registry", address)
    assert ended.status == 21
    assert ended.complaint == (
        f"factory: {mirror.registry}@openai%2Fcodex answered with status 403\n"
        "hint: The credentials of the address in --npm-registry were sent. Check that they are valid and"
        " allow reading the package, for example with 'npm whoami' or 'npm view'.\n"
    )
    assert SECRET not in ended.err + ended.out


@pytest.mark.parametrize("is_redirected", [False, True])
def test_no_other_host_gets_the_token(
    factory: Factory,
    mirror: Mirror,
    home: Path,
    tmp_path: Path,
    is_redirected: bool,  # noqa: FBT001 - a parameter of a test
) -> None:
    (home / ".npmrc").write_text(f"{mirror.key}={SECRET}\n")
    if is_redirected:
        mirror.redirects = True
    else:
        mirror.files = mirror.other.url_for("").rstrip("/")
    ended = wheels(factory, tmp_path, "--npm-registry", mirror.registry)
    assert ended.status == 0, ended.err
    assert mirror.leaked == [None]


def test_a_mirror_without_credentials_says_how_to_set_them(
    factory: Factory, mirror: Mirror, home: Path, tmp_path: Path
) -> None:
    (home / ".npmrc").write_text(f"//other.example.invalid/:_authToken={SECRET}\n_auth={SECRET}\n")
    ended = wheels(factory, tmp_path, "--npm-registry", mirror.registry)
    assert ended.status == 21
    assert ended.complaint == (
        f"factory: {mirror.registry}@openai%2Fcodex answered with status 401\n"
        f"hint: No credentials for {mirror.registry}@openai%2Fcodex were found. The setting _auth in"
        f" {home / '.npmrc'} is not used, since it names no address. Log in with 'npm login --registry"
        f" {mirror.registry}', or set {mirror.key} in ~/.npmrc.\n"
    )
    assert list((tmp_path).glob("dist/*")) == []


def test_a_token_that_is_not_set_is_reported_before_any_request(
    factory: Factory, mirror: Mirror, home: Path, tmp_path: Path
) -> None:
    (home / ".npmrc").write_text(f"{mirror.key}=${{MIRROR_TOKEN}}\n")
    ended = wheels(factory, tmp_path, "--npm-registry", mirror.registry)
    assert (ended.status, mirror.server.log) == (20, [])
    assert "refers to MIRROR_TOKEN, which is not set" in ended.complaint


def test_another_channel_does_not_read_npms_settings(
    factory: Factory, packages: Path, home: Path, tmp_path: Path
) -> None:
    (home / ".npmrc").write_bytes(b"\xff")
    assert wheels(factory, tmp_path, "--channel", "directory", "--directory", str(packages)).status == 0
    assert wheels(factory, tmp_path).status == 20

"""The real pip and uv ask the indexes that our reading of their settings names."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from factory.system.process import Command, Completed, SubprocessRunner
from tests.client_settings.case import Case, conf, index, pip, uv
from tests.client_settings.pip_cases import PIP_CASES
from tests.client_settings.uv_cases import SOURCES, UV_CASES

pytestmark = [pytest.mark.network, pytest.mark.slow]

PROJECT = "no-such-project"


def run(argv: tuple[str, ...], env: dict[str, str], directory: Path) -> Completed:
    return SubprocessRunner().run(Command(argv=argv, env=env, cwd=directory, timeout_s=300))


@pytest.fixture(scope="module", params=["pip==23.2.1", "pip"])
def pip_environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a virtual environment with one version of pip."""
    place = tmp_path_factory.mktemp("environment")
    run((sys.executable, "-m", "venv", str(place)), dict(os.environ), place)
    install = (str(place / "bin/python"), "-m", "pip", "install", "--upgrade", request.param)
    installed = run(install, dict(os.environ), place)
    assert installed.returncode == 0, installed.output
    return place


@pytest.fixture(scope="module")
def uv_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("uv")
    install = (sys.executable, "-m", "pip", "install", "--target", str(place), "uv")
    installed = run(install, dict(os.environ), place)
    assert installed.returncode == 0, installed.output
    return place / "bin/uv"


@pytest.fixture
def asked(httpserver: HTTPServer) -> Callable[[], frozenset[str]]:
    """Serve no file, and return the first part of each requested path."""
    httpserver.expect_request(re.compile(".*")).respond_with_data(status=404)
    return lambda: frozenset(request.path.split("/")[1] for request, _ in httpserver.log)


def start(case: Case, argv: tuple[str, ...], root: Path, server: HTTPServer) -> Completed:
    address = server.url_for("")
    case.write(root, address)
    env = {
        "PATH": os.defpath,
        "HOME": str(root / "home"),
        "XDG_CONFIG_DIRS": str(root / "etc"),
        **case.environ(root, address),
    }
    return run(argv, env, root / case.directory)


def pip_command(environment: Path, case: Case) -> tuple[str, ...]:
    options = ("--no-cache-dir", "--disable-pip-version-check", "--retries", "0")
    command = ("install", "--dry-run") if case.command == "install" else ("download", "--no-deps")
    return (str(environment / "bin/python"), "-m", "pip", *command, *options, PROJECT)


def uv_command(program: Path, case: Case) -> tuple[str, ...]:
    words: tuple[str, ...] = ("lock",)
    if case.command == "pip":
        words = ("pip", "install", "--dry-run", "--python", sys.executable, PROJECT)
    return (str(program), "--no-cache", "--no-python-downloads", *words)


def expected(case: Case) -> frozenset[str]:
    return case.also | ({case.asked} if case.asked else frozenset())


@pytest.mark.parametrize("case", PIP_CASES, ids=lambda case: case.id)
def test_pip_asks_the_index_of_its_settings(
    case: Case,
    pip_environment: Path,
    asked: Callable[[], frozenset[str]],
    httpserver: HTTPServer,
    tmp_path: Path,
) -> None:
    ended = start(case, pip_command(pip_environment, case), tmp_path, httpserver)
    assert asked() == expected(case), ended.output


def test_the_file_of_the_environment_goes_before_that_of_the_user(
    pip_environment: Path, asked: Callable[[], frozenset[str]], httpserver: HTTPServer, tmp_path: Path
) -> None:
    place = pip_environment / "pip.conf"
    place.write_text(conf("index-url", "site").replace("{U}", httpserver.url_for("")), encoding="utf-8")
    case = pip("", "site", files={"home/.config/pip/pip.conf": conf("index-url", "user")})
    try:
        ended = start(case, pip_command(pip_environment, case), tmp_path, httpserver)
    finally:
        place.unlink()
    assert asked() == {"site"}, ended.output


@pytest.mark.parametrize("case", UV_CASES, ids=lambda case: case.id)
def test_uv_asks_the_index_of_its_settings(
    case: Case,
    uv_program: Path,
    asked: Callable[[], frozenset[str]],
    httpserver: HTTPServer,
    tmp_path: Path,
) -> None:
    ended = start(case, uv_command(uv_program, case), tmp_path, httpserver)
    assert asked() == expected(case), ended.output


def test_uv_asks_the_index_that_a_source_assigns(
    uv_program: Path, asked: Callable[[], frozenset[str]], httpserver: HTTPServer, tmp_path: Path
) -> None:
    case = uv("", "assigned", files={"work/pyproject.toml": SOURCES}, command="lock")
    ended = start(case, uv_command(uv_program, case), tmp_path, httpserver)
    assert asked() == {"assigned"}, ended.output


@pytest.mark.parametrize("name", ["PIP_INDEX_URL", "UV_INDEX_URL"])
def test_both_clients_send_the_credentials_of_an_address(
    name: str, pip_environment: Path, uv_program: Path, httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.expect_request(re.compile(".*")).respond_with_data(status=404)
    address = httpserver.url_for("/simple/").replace("://", "://me:word@")
    commands = {
        "PIP_INDEX_URL": pip_command(pip_environment, pip("", "")),
        "UV_INDEX_URL": uv_command(uv_program, uv("", "")),
    }
    start(pip("", "simple", env={name: address}), commands[name], tmp_path, httpserver)
    sent = [request.authorization for request, _ in httpserver.log]
    assert [(each.username, each.password) for each in sent if each is not None] == [("me", "word")]


def test_uv_sends_the_credentials_of_a_named_index(
    uv_program: Path, httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.expect_request(re.compile(".*")).respond_with_data(status=404)
    login = {"UV_INDEX_MY_COMPANY_1_USERNAME": "me", "UV_INDEX_MY_COMPANY_1_PASSWORD": "a/b@c"}
    files = {"home/.config/uv/uv.toml": index("user", default="true", name='"my-company.1"')}
    case = uv("", "user", env=login, files=files)
    start(case, uv_command(uv_program, case), tmp_path, httpserver)
    sent = [request.authorization for request, _ in httpserver.log]
    assert [(each.username, each.password) for each in sent if each is not None] == [("me", "a/b@c")]

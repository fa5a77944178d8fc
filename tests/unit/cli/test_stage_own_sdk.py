"""``factory sdk stage`` without a source, with a fake runtime and a generator that needs no index."""

import sys
import tomllib
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from tests.own_sdk import DEFINITIONS, MODELS
from tests.protocols import runtime, runtimes
from tests.toolchains import place_generator
from tests.unit.cli.conftest import Ended, Factory

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="starts shell scripts")
GENERATOR = f"""\
import pathlib, sys
given = dict(zip(sys.argv, sys.argv[1:]))
pathlib.Path(given["--output"]).write_bytes(pathlib.Path({str(MODELS)!r}).read_bytes())
"""


@pytest.fixture(scope="module")
def cache_with_toolchain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("toolchain")
    place_generator(cache, GENERATOR)
    return cache


@pytest.fixture
def released(tmp_path: Path) -> Path:
    return runtimes(tmp_path / "released", runtime(DEFINITIONS))


def stage(factory: Factory, released: Path, *more: str | Path) -> Ended:
    return factory(
        *("stage-sdk", released.parent / "sdk", "--codex-version", "0.163.0"),
        *("--channel", "directory", "--directory", released, *more),
    )


def test_an_sdk_is_made_from_the_release_alone(factory: Factory, released: Path, tmp_path: Path) -> None:
    ended = stage(factory, released, "--no-index", "--json")
    assert ended.status == 0, ended.err
    assert ended.document == {
        "path": str(tmp_path / "sdk"),
        "name": "codex-wheel-factory-sdk",
        "version": "0.163.0",
        "requirement": "openai-codex-cli-bin==0.163.0",
    }
    assert (tmp_path / "sdk/src/codex_factory_sdk/generated/client_methods.py").is_file()
    first = {path: path.read_bytes() for path in (tmp_path / "sdk").rglob("*") if path.is_file()}
    assert stage(factory, released, "--no-index").status == 0
    assert {path: path.read_bytes() for path in (tmp_path / "sdk").rglob("*") if path.is_file()} == first


def test_the_names_are_options(factory: Factory, released: Path, tmp_path: Path) -> None:
    names = ("--sdk-name", "my-sdk", "--import-name", "my_codex", "--sdk-version", "7")
    assert stage(factory, released, "--no-index", *names).status == 0
    project = tomllib.loads((tmp_path / "sdk/pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (project["name"], project["version"]) == ("my-sdk", "7")
    assert (tmp_path / "sdk/src/my_codex/py.typed").is_file()


def test_a_name_that_the_index_has_is_refused(
    factory: Factory, released: Path, tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/simple/my-sdk/").respond_with_data("<html></html>", content_type="text/html")
    index = ("--sdk-name", "my_sdk", "--index-url", httpserver.url_for("/simple"))
    refused = stage(factory, released, *index)
    assert refused.status == 20
    assert "the index already has a project my_sdk" in refused.complaint
    assert not (tmp_path / "sdk").exists()
    assert stage(factory, released, *index, "--allow-name-on-index").status == 0


def test_a_name_that_the_index_does_not_have_is_used(
    factory: Factory, released: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/simple/my-sdk/").respond_with_data("no", status=404)
    ended = stage(factory, released, "--sdk-name", "my-sdk", "--index-url", httpserver.url_for("/simple"))
    assert ended.status == 0, ended.err


def test_an_index_that_cannot_be_asked_is_an_error(
    factory: Factory, released: Path, tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/simple/my-sdk/").respond_with_data("no", status=403)
    ended = stage(factory, released, "--sdk-name", "my-sdk", "--index-url", httpserver.url_for("/simple"))
    assert ended.status == 21
    assert "status 403" in ended.complaint
    assert not (tmp_path / "sdk").exists()


@pytest.mark.parametrize("options", [("--sdk-name", "x"), ("--import-name", "x"), ("--allow-name-on-index",)])
def test_the_names_of_another_sdk_cannot_be_changed(
    factory: Factory, released: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    ended = stage(factory, released, "--sdk-source", tmp_path, *options)
    assert ended.status == 20
    assert "have no use with --sdk-source" in ended.complaint


def test_what_cannot_be_replaced_is_refused_before_the_work(
    factory: Factory, released: Path, tmp_path: Path
) -> None:
    (tmp_path / "sdk").mkdir()
    (tmp_path / "sdk/precious.txt").touch()
    ended = stage(factory, released, "--no-index")
    assert ended.status == 20
    assert "schema of" not in ended.err
    assert (tmp_path / "sdk/precious.txt").exists()


def test_missing_platforms_are_named_in_the_readme(factory: Factory, released: Path, tmp_path: Path) -> None:
    assert stage(factory, released, "--no-index", "--without", "win_arm64").status == 0
    readme = (tmp_path / "sdk/README.md").read_text(encoding="utf-8")
    assert readme.endswith("There is no wheel of openai-codex-cli-bin==0.163.0 for: win_arm64.\n")

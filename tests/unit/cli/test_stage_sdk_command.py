"""``factory sdk stage --regenerate`` with fake runtimes and a generator that needs no index."""

import sys
from pathlib import Path

import pytest

from tests.protocols import runtime, runtimes
from tests.toolchains import place_generator
from tests.unit.cli.conftest import Ended, Factory
from tests.unit.sdk.regenerate.small_sdk import small_sdk

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="starts shell scripts")


@pytest.fixture(scope="session", autouse=True)
def generator(cache_with_toolchain: Path) -> None:
    place_generator(cache_with_toolchain)


def stage(
    factory: Factory, tmp_path: Path, *more: str, api: str = "from .generated.v2_all import Turn\n"
) -> Ended:
    source = small_sdk(tmp_path / "sdk", api=api)
    released = runtimes(tmp_path / "released", runtime())
    return factory(
        *("stage-sdk", tmp_path / "stage", "--sdk-source", source, "--codex-version", "rust-v0.163.0"),
        *("--channel", "directory", "--directory", released, "--regenerate", *more),
    )


def test_the_stage_has_the_types_of_the_release(factory: Factory, tmp_path: Path) -> None:
    ended = stage(factory, tmp_path)
    assert ended.status == 0, ended.err
    package = tmp_path / "stage" / "src" / "small_sdk"
    models = (package / "generated" / "v2_all.py").read_text()
    assert models.startswith("# Made by codex-wheel-factory from the app-server schema of Codex 0.163.0,\n")
    assert "class TurnCompletedNotification:" in models
    change = (
        "src/small_sdk/generated: types and registry of Codex 0.163.0;"
        " 11 of 11 classes are new, and 3 are gone"
    )
    assert change in ended.err
    assert change in (tmp_path / "stage" / "REGENERATED.md").read_text()


def test_the_document_has_the_source_and_the_changes(factory: Factory, tmp_path: Path) -> None:
    document = stage(factory, tmp_path, "--raise-minimum", "--json").document
    assert (document["name"], document["version"], document["regenerated"]) == ("small-sdk", "0.163.0", True)
    changes = document["changes"]
    assert isinstance(changes, list)
    assert changes[1:] == ["limits.py: MINIMUM_RUNTIME_VERSION raised from 0.151.0 to 0.163.0"]


def test_an_sdk_that_does_not_fit_leaves_nothing(factory: Factory, tmp_path: Path) -> None:
    ended = stage(factory, tmp_path, api="from .generated.v2_all import Thread\n")
    assert (ended.status, ended.out) == (20, "")
    assert ended.complaint == (
        "factory: the SDK's code does not fit the protocol of 0.163.0: api.py imports Thread\n"
        "hint: Regenerate the SDK of a release nearer to it.\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "released", "sdk"]


@pytest.mark.parametrize("option", ["--regenerate", "--raise-minimum"])
def test_only_a_given_sdk_is_changed(factory: Factory, tmp_path: Path, option: str) -> None:
    ended = factory("stage-sdk", tmp_path / "stage", "--codex-version", "0.163.0", option)
    assert ended.status == 20
    assert "--regenerate and --raise-minimum have no use without --sdk-source" in ended.complaint

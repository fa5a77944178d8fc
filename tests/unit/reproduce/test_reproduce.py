"""Variations change the backend's command, and a differing member is named."""

import os
import shutil
import sys
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from factory.builders.package import Engine
from factory.channels.directory import DirectoryChannel
from factory.planning import WheelsOrder, WheelsPlan, plan_wheels
from factory.process import Command, SubprocessRunner
from factory.reproduce.run import Outcome, Planner, judge, reproduce
from factory.reproduce.variations import UnknownVariation, variations_named
from factory.targets import Platform
from factory.template import Template, bundled_template
from tests.packages import TAG, release_directory
from tests.workshops import workshop

LEAK = b"""
import os, pathlib, socket
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

class LeakingHook(BuildHookInterface):
    def initialize(self, version, build_data):
        build_data.update(pure_python=False, infer_tag=False, tag="py3-none-" + self.config["platform-tag"])
        text = pathlib.Path(self.root, "src/codex_cli_bin/__init__.py")
        text.write_text(text.read_text() + "# built on " + LEAKED + chr(10))
"""


def leaking(leaked: bytes, packages: Path, order: WheelsOrder) -> WheelsPlan:
    """Plan with a template whose hook stamps something of the machine into a file."""
    plan = plan_wheels(order, DirectoryChannel(packages))
    files = tuple(
        replace(file, content=LEAK.replace(b"LEAKED", leaked)) if file.path.name == "hatch_build.py" else file
        for file in bundled_template().files
    )
    wheels = (replace(one, recipe=replace(one.recipe, template=Template(files=files))) for one in plan.wheels)
    return replace(plan, wheels=tuple(wheels))


def states(tmp_path: Path, planner: Planner, *names: str) -> dict[str, tuple[str, str]]:
    order = WheelsOrder(
        tag=TAG, platforms=(Platform.parse("win_arm64"),), out=tmp_path / "out", engine=Engine.BACKEND
    )
    outcomes = reproduce(order, planner, workshop(tmp_path / "cache"), variations_named(names))
    return {outcome.variation: (outcome.state, outcome.detail) for outcome in outcomes}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_directory(tmp_path_factory.mktemp("release") / "packages")


@pytest.mark.slow
def test_our_template_gives_the_same_bytes_under_every_variation(packages: Path, tmp_path: Path) -> None:
    found = states(tmp_path, lambda order: plan_wheels(order, DirectoryChannel(packages)))
    assert found.pop("plain") == ("plain", "")
    tried = {name for name, (state, _) in found.items() if state != "not tried"}
    assert {found[name] for name in tried} == {("equal", "")}
    assert len(tried) >= 11


def test_a_leaked_time_zone_is_found_and_named(packages: Path, tmp_path: Path) -> None:
    leak = partial(leaking, b"os.environ['TZ']", packages)
    assert states(tmp_path, leak, "locale", "timezone") == {
        "plain": ("plain", ""),
        "locale": ("equal", ""),
        "timezone": (
            "different",
            "codex_cli_bin/__init__.py, openai_codex_cli_bin-0.163.0.dist-info/RECORD",
        ),
    }


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="another host name needs root and unshare",
)
def test_a_leaked_host_name_is_found_and_named(packages: Path, tmp_path: Path) -> None:
    leak = partial(leaking, b"socket.gethostname()", packages)
    found = states(tmp_path, leak, "umask", "hostname")
    assert found["umask"] == ("equal", "")
    assert found["hostname"][0] == "different"
    assert found["hostname"][1].startswith("codex_cli_bin/__init__.py, ")


def test_directories_are_given_the_other_way_round(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).touch()
    (order,) = variations_named(("file-order",))
    say = "import os; print([e.name for e in os.scandir('.')], os.listdir('.'))"
    varied = order.apply(Command(argv=(sys.executable, "-c", say), cwd=tmp_path))
    assert SubprocessRunner().run(varied).output == "['c', 'b', 'a'] ['c', 'b', 'a']\n"


def wheel(path: Path, stamp: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("pkg/stamp.txt"), stamp)
        archive.writestr(zipfile.ZipInfo("pkg/same.txt"), "same")
    return path


def test_a_variation_sets_its_variable_and_keeps_the_rest() -> None:
    (zone,) = variations_named(("timezone",))
    varied = zone.apply(Command(argv=("/py", "-m", "build"), env={"TZ": "UTC", "HOME": "/h"}))
    assert varied == Command(argv=("/py", "-m", "build"), env={"TZ": "Pacific/Kiritimati", "HOME": "/h"})


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownVariation, match="'moon'"):
        variations_named(("moon",))


def test_the_member_that_differs_is_named(tmp_path: Path) -> None:
    one, other = wheel(tmp_path / "a.whl", "here"), wheel(tmp_path / "b.whl", "elsewhere")
    outcome = judge("hostname", one, other)
    assert (outcome.variation, outcome.state, outcome.detail) == ("hostname", "different", "pkg/stamp.txt")
    same = judge("hostname", one, one)
    assert same == Outcome(variation="hostname", sha256=same.sha256, state="equal")

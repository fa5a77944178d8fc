"""Whole runs on a small release: leaks of the environment are found, bisected and named."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from factory.audit.reproduce.reproduction import reproduce
from factory.audit.reproduce.result import State, VariationResult
from factory.audit.reproduce.variations import (
    OtherEngine,
    Surroundings,
    Variation,
    variations_named,
)
from factory.audit.reproduce.varied_builds import VariedBuilder
from factory.build.builder import Engine
from factory.build.template import Template, bundled_template
from factory.build.toolchain import Lock, Toolchain, ToolchainFailed
from factory.core.digests import Sha256
from factory.core.targets import Platform
from factory.release.channels.directory import DirectoryChannel
from factory.wheels.plan import WheelsPlan, WheelsRequest, plan_wheels
from tests.packages import TAG, release_directory
from tests.runs import run_context
from tests.toolchains import running_toolchain

WIN = "win_arm64"
LEAK = b"""
import os, pathlib, socket
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

class LeakingHook(BuildHookInterface):
    def initialize(self, version, build_data):
        build_data.update(pure_python=False, infer_tag=False, tag="py3-none-" + self.config["platform-tag"])
        text = pathlib.Path(self.root, "src/codex_cli_bin/__init__.py")
        text.write_text(text.read_text() + "# built on " + LEAKED + chr(10))
"""
LEAKS_INTO = "codex_cli_bin/__init__.py, openai_codex_cli_bin-0.163.0.dist-info/RECORD"


def plan(packages: Path, *platforms: str) -> WheelsPlan:
    request = WheelsRequest(
        tag=TAG,
        platforms=tuple(Platform.parse(tag) for tag in platforms or (WIN,)),
        out=packages,
        engine=Engine.BACKEND,
        is_fresh=True,
    )
    return plan_wheels(request, DirectoryChannel(packages))


def leaking(packages: Path, leaked: bytes) -> WheelsPlan:
    """Return a plan with a template whose hook writes a value of the machine into a file."""
    honest = plan(packages)
    files = tuple(
        replace(file, content=LEAK.replace(b"LEAKED", leaked)) if file.path.name == "hatch_build.py" else file
        for file in bundled_template().files
    )
    wheels = (
        replace(one, recipe=replace(one.recipe, template=Template(files=files))) for one in honest.wheels
    )
    return replace(honest, wheels=tuple(wheels))


def no_toolchain(python: Path, lock: Lock) -> Toolchain:
    raise ToolchainFailed(lock.name, f"creating the environment of {python}", "exit status 1", Path("log"))


def builder(
    tmp_path: Path, toolchain_on: Callable[[Path, Lock], Toolchain] = no_toolchain, programs: str = ""
) -> VariedBuilder:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return VariedBuilder(
        context=run_context(tmp_path / "cache"),
        toolchain_on=toolchain_on,
        find_program=lambda name: name if name == programs else None,
        env={},
        scratch=scratch,
    )


def by_variation(outcomes: "list[VariationResult]") -> dict[str, tuple[State, str]]:
    assert {outcome.platform for outcome in outcomes} == {WIN}
    return {outcome.variation: (outcome.state, outcome.detail) for outcome in outcomes}


def run(
    plan: WheelsPlan, tmp_path: Path, *names: str, is_together: bool = False
) -> dict[str, tuple[State, str]]:
    outcomes = reproduce(plan, builder(tmp_path), variations_named(names), is_together=is_together)
    return by_variation(list(outcomes))


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_directory(tmp_path_factory.mktemp("release") / "packages")


@pytest.mark.slow
def test_our_template_builds_equal_bytes_under_every_variation(packages: Path, tmp_path: Path) -> None:
    here = (one for one in variations_named(()) if isinstance(one.change, Surroundings | OtherEngine))
    found = run(plan(packages), tmp_path, *(variation.name for variation in here))
    assert found.pop("plain") == (State.PLAIN, "")
    state, together = found.pop("together")
    tried = {name for name, (state, _) in found.items() if state is not State.NOT_TRIED}
    assert state is State.EQUAL
    assert set(together.split(" + ")) == tried - {"engine"}
    assert {found[name] for name in tried} == {(State.EQUAL, "")}
    assert len(tried) >= 11


def test_a_leaked_time_zone_is_found_and_named(packages: Path, tmp_path: Path) -> None:
    assert run(leaking(packages, b"os.environ['TZ']"), tmp_path, "locale", "timezone") == {
        "plain": (State.PLAIN, ""),
        "locale": (State.EQUAL, ""),
        "timezone": (State.DIFFERENT, LEAKS_INTO),
    }


def test_a_leak_that_needs_two_changes_is_bisected_to_both(packages: Path, tmp_path: Path) -> None:
    both = b"str(os.environ['TZ'] != 'UTC' and os.environ['LC_ALL'] == 'POSIX')"
    assert run(leaking(packages, both), tmp_path, "home", "timezone", "locale") == {
        "plain": (State.PLAIN, ""),
        "home": (State.EQUAL, ""),
        "timezone": (State.EQUAL, ""),
        "locale": (State.EQUAL, ""),
        "timezone + locale": (State.DIFFERENT, LEAKS_INTO),
        "together": (State.EQUAL, "home"),
    }


def test_combined_surroundings_are_bisected_to_every_leak(packages: Path, tmp_path: Path) -> None:
    two = b"os.environ['TZ'] + os.environ['PYTHONHASHSEED']"
    leak = leaking(packages, two)
    assert run(leak, tmp_path, "timezone", "home", "hash-seed", is_together=True) == {
        "plain": (State.PLAIN, ""),
        "timezone": (State.DIFFERENT, LEAKS_INTO),
        "hash-seed": (State.DIFFERENT, LEAKS_INTO),
        "together": (State.EQUAL, "home"),
    }


def test_together_a_single_variation_needs_one_build(packages: Path, tmp_path: Path) -> None:
    assert run(plan(packages), tmp_path, "home", is_together=True) == {
        "plain": (State.PLAIN, ""),
        "together": (State.EQUAL, "home"),
    }


def test_a_difference_that_does_not_recur_is_reported(packages: Path, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    once = (
        f"str(os.environ['TZ'] != 'UTC' and not os.path.exists({str(flag)!r}) and open({str(flag)!r}, 'w'))"
    )
    found = run(leaking(packages, once.encode()), tmp_path, "home", "timezone", is_together=True)
    assert found == {
        "plain": (State.PLAIN, ""),
        "together": (State.DIFFERENT, f"differed once, but not again: {LEAKS_INTO}"),
    }


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="another host name needs root and unshare",
)
def test_a_leaked_host_name_is_found_and_named(packages: Path, tmp_path: Path) -> None:
    found = run(leaking(packages, b"socket.gethostname()"), tmp_path, "umask", "hostname")
    assert found["umask"] == (State.EQUAL, "")
    assert found["hostname"] == (State.DIFFERENT, LEAKS_INTO)


def test_a_leaked_user_is_found_and_named(packages: Path, tmp_path: Path) -> None:
    found = run(leaking(packages, b"str(os.getuid())"), tmp_path, "umask", "user")
    assert found["umask"] == (State.EQUAL, "")
    if found["user"][0] is State.NOT_TRIED:
        pytest.skip(found["user"][1])
    assert found["user"] == (State.DIFFERENT, LEAKS_INTO)


def test_a_failed_build_does_not_stop_the_next_one(packages: Path, tmp_path: Path) -> None:
    broken = Variation(name="broken", change=Surroundings(env={"PYTHONHOME": "/nonexistent"}))
    platforms = plan(packages, WIN, "win_amd64")
    outcomes = list(reproduce(platforms, builder(tmp_path), (broken, *variations_named(("home",)))))
    assert [(one.variation, one.platform, one.state) for one in outcomes] == [
        ("plain", "win_arm64", State.PLAIN),
        ("plain", "win_amd64", State.PLAIN),
        ("broken", "win_arm64", State.FAILED),
        ("broken", "win_amd64", State.FAILED),
        ("home", "win_arm64", State.EQUAL),
        ("home", "win_amd64", State.EQUAL),
    ]
    assert outcomes[2].detail.startswith("building openai_codex_cli_bin-0.163.0-py3-none-win_a")
    assert outcomes[2].detail.endswith("<no Python frame>")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_another_deflate_encoder_is_refused(packages: Path, tmp_path: Path) -> None:
    def with_other_deflate(python: Path, lock: Lock) -> Toolchain:
        assert (str(python), lock.name) == ("python3.14", "hatchling-1.33.0")
        toolchain = running_toolchain()
        deflate = replace(
            toolchain.interpreter.deflate, name="zlib-ng", version="2.2.4", answer=Sha256("0" * 64)
        )
        interpreter = replace(toolchain.interpreter, deflate=deflate)
        return replace(toolchain, python=Path("/other"), interpreter=interpreter)

    varied = builder(tmp_path, with_other_deflate, "python3.14")
    found = by_variation(list(reproduce(plan(packages), varied, variations_named(("python3.14",)))))
    state, detail = found["python3.14"]
    assert state is State.REFUSED
    assert "(zlib-ng 2.2.4) gives other bytes than stock zlib" in detail


def test_a_hidden_encoder_is_found_by_its_members(packages: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import zlib\nreal = zlib.compressobj\nzlib.compressobj = lambda level, *rest: real(1, *rest)\n"
    )
    liar = Variation(name="liar", change=Surroundings(env={"PYTHONPATH": str(hidden)}))
    found = by_variation(list(reproduce(plan(packages), builder(tmp_path), (liar,))))
    state, detail = found["liar"]
    assert state is State.DIFFERENT
    assert "codex_cli_bin/bin/codex.exe (compressed differently)" in detail


@pytest.mark.parametrize(
    ("toolchain_on", "programs", "reason"),
    [
        (no_toolchain, "", "no python3.13 on PATH; name one with --python"),
        (
            no_toolchain,
            "python3.13",
            (
                "making the toolchain hatchling-1.33.0 failed while creating the environment of python3.13:"
                " exit status 1; log: log"
            ),
        ),
        (lambda *_: running_toolchain(), "python3.13", "it is the interpreter of the plain build"),
    ],
)
def test_an_unavailable_interpreter_is_not_tried(
    packages: Path,
    tmp_path: Path,
    toolchain_on: Callable[[Path, Lock], Toolchain],
    programs: str,
    reason: str,
) -> None:
    varied = builder(tmp_path, toolchain_on, programs)
    found = by_variation(list(reproduce(plan(packages), varied, variations_named(("python3.13",)))))
    assert found["python3.13"] == (State.NOT_TRIED, reason)


def test_an_unavailable_builder_is_not_tried(packages: Path, tmp_path: Path) -> None:
    assert run(plan(packages), tmp_path, "docker", "cibuildwheel") == {
        "plain": (State.PLAIN, ""),
        "docker": (State.NOT_TRIED, "no container engine answers: this run has none configured"),
        "cibuildwheel": (
            State.NOT_TRIED,
            "cibuildwheel starts the docker program, which is not on PATH",
        ),
    }


def test_published_digests_are_compared_as_well(packages: Path, tmp_path: Path) -> None:
    honest = plan(packages)
    promising = replace(honest, wheels=(replace(honest.wheels[0], promised=Sha256("1" * 64)),))
    outcomes = list(reproduce(promising, builder(tmp_path), ()))
    assert [(one.variation, one.state) for one in outcomes] == [
        ("plain", State.PLAIN),
        ("index", State.DIFFERENT),
    ]
    assert outcomes[1].sha256 == "1" * 64

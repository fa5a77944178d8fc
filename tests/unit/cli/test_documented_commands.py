"""The runner of the documents' commands: each one that needs nothing else is run."""

import re
import shlex
import shutil
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from factory.sdk.types.schema import BUNDLE
from tests.children import Child
from tests.documented import NEEDS, Documented, Need, documented
from tests.documented_session import SESSION_LINES
from tests.images import Pe
from tests.mapped import NAME, FakeWorld, good_mapped_wheel, mapping_text
from tests.protocols import content
from tests.toolchains import place_generator
from tests.unit.cli.conftest import Factory
from tests.unit.sdk.accept.test_acceptance_run import sdk_file
from tests.workflow_files import ROOT, factory_commands

COMMANDS = documented()
RUN = sorted({one.line for one in COMMANDS if one.need is Need.NOTHING} | {"factory wheels 0.163.0"})
SLOW = [line for line in RUN if line.startswith("factory ci reproduce ")]  # each builds many times
LINES = [line for line in RUN if line not in SLOW]
ON_HOST = sorted({one.line for one in COMMANDS if one.need is Need.HOST})
IS_RUN = {Need.NOTHING, Need.REGISTRIES, Need.HOST, Need.DOCKER, Need.GATE}
WINDOWS = "openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl"
SETTINGS = """
channel = "directory"
directory = "packages"
"""


def test_the_documents_have_commands_and_most_that_can_be_run_here_are_run() -> None:
    assert len(COMMANDS) > 90
    assert len(RUN) >= 35
    assert len({one.line for one in COMMANDS if one.need not in IS_RUN}) <= 15
    for line in ("factory verify dist/0.163.0", "factory sdk pin dist/0.163.0", "factory --help"):
        assert line in RUN


def test_every_need_is_that_of_a_command() -> None:
    lines = {one.line for one in COMMANDS}
    lines -= SESSION_LINES
    unused = [pattern for pattern, _ in NEEDS if not any(fnmatchcase(line, pattern) for line in lines)]
    assert unused == []


def test_a_new_command_is_run_unless_it_has_a_row() -> None:
    assert Documented(page="x.md", line="factory show platforms --format json").need is Need.NOTHING
    assert Documented(page="x.md", line="factory audit 0.163.0").need is Need.REGISTRIES
    assert Documented(page="x.md", line="factory audit --all --since 0.1.0").need is Need.TIME


def test_the_session_has_only_documented_commands() -> None:
    lines = {one.line for one in COMMANDS}
    assert SESSION_LINES - lines == {""}


def test_the_gate_runs_the_commands_that_need_the_development_environment() -> None:
    gate = {line.strip() for line in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()}
    assert "\ncheck: test lint types ##" in (ROOT / "Makefile").read_text(encoding="utf-8")
    # Every target makes what "make setup" makes.
    parts = {"make setup": {"make test"}, "make check": {"make test", "make lint", "make types"}}
    lines = {one.line for one in COMMANDS if one.need is Need.GATE} - {".ci/run"}
    assert set().union(*(parts.get(line, {line}) for line in lines)) - gate == set()


@pytest.fixture
def world(cache: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve an index and a registry with the project of docs/projects.md."""
    assert cache.is_dir()  # it removes the settings of indexes first
    base = f"http://{httpserver.host}:{httpserver.port}"
    world = FakeWorld(wheels={NAME: good_mapped_wheel().content()}, base=base)
    httpserver.expect_request(re.compile("/.*")).respond_with_handler(world.answer)
    monkeypatch.setenv("PIP_INDEX_URL", world.index)
    monkeypatch.setenv("FACTORY_NPM_REGISTRY", world.registry)


@pytest.fixture
def prepared(
    factory: Factory,
    cache_with_toolchain: Path,
    packages: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Work in a directory with what the pages speak of: packages, wheels, a key, parts of a release."""
    place_generator(cache_with_toolchain)
    place = tmp_path / "prepared"
    shutil.copytree(packages, place / "packages")
    monkeypatch.chdir(place)
    Path("factory.toml").write_text(SETTINGS)
    assert factory("wheels", "0.163.0").status == 0
    parts = [("a", "win_amd64"), ("b", "win_arm64")]
    for part, platform in parts:
        assert factory("wheels", "0.163.0", "--platform", platform, "--out", f"parts/{part}").status == 0
    shutil.copytree("dist/0.163.0", "release")
    shutil.copy(f"dist/0.163.0/{WINDOWS}", WINDOWS)
    Path("codex.exe").write_bytes(Pe().content())
    assert factory("statement", "create", "--new-key", "key").status == 0
    shutil.copy("key", "codex.key")
    assert (
        factory(
            "sdk", "pin", "release", "--format", "requirements", "--output", "requirements-codex.txt"
        ).status
        == 0
    )
    Path("SOURCE").write_bytes(next(Path("packages").glob("*win32-x64*")).read_bytes())
    Path("gadget.toml").write_text(mapping_text(), encoding="utf-8")
    Path("schema").mkdir()
    Path("schema", BUNDLE).write_bytes(content())
    Path("python/bin").mkdir(parents=True)
    Path("python/bin/python3").symlink_to(sys.executable)
    sdk_file(place)
    return place


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("lines", [LINES, pytest.param(SLOW, marks=pytest.mark.slow)], ids=["fast", "slow"])
def test_the_documented_commands_run(
    lines: list[str], factory: Factory, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")  # machines have different interpreters
    failed = []
    for number, line in enumerate(lines):
        place = shutil.copytree(prepared, tmp_path / str(number), symlinks=True)
        monkeypatch.chdir(place)
        if "--new-key" in line:
            Path("codex.key").unlink()
            Path("codex.key.pub").unlink(missing_ok=True)
        if "--mapping" in line:
            Path("factory.toml").unlink()  # the packages of other projects are those of npm
        for words in factory_commands(line, {"PWD": str(place), "PROFILE": "profile"}):
            ended = factory(*(path for word in words for path in expanded(word)))
            if ended.status != 0:
                failed.append((line, ended.status, ended.err[-300:]))
    assert failed == []


@pytest.mark.parametrize("line", ON_HOST)
def test_the_documented_commands_run_with_programs_of_the_host(line: str, tmp_path: Path) -> None:
    program = line.split(maxsplit=1)[0]
    if shutil.which(program) is None:
        pytest.skip(f"this host has no {program}")
    man = tmp_path / "man/man1"
    man.mkdir(parents=True)
    made = shlex.join((sys.executable, "-m", "factory"))
    script = f"{made} ci matrix 0.163.0 > matrix.json && {made} show man > man/man1/factory.1 && {line}"
    env = {"PYTHONPATH": str(ROOT), "MANPATH": str(man.parent), "MANPAGER": "cat", "TERM": "dumb"}
    ended = Child(argv=("bash", "-c", script), env=env, cwd=tmp_path).run()
    assert ended.status == 0, ended.err
    made_by = {"jq": tmp_path / "pipeline.yml"}
    said = made_by[program].read_text() if program in made_by else ended.out
    assert "factory wheels" in said


def expanded(word: str) -> list[str]:
    """Expand a pattern as a shell does; the pattern of a waiver has an equals sign."""
    return sorted(map(str, Path().glob(word))) if "*" in word and "=" not in word else [word]

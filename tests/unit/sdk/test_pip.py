"""How pip is run, and when an SDK is downloaded."""

from pathlib import Path

import pytest

from factory.core.errors import UpstreamError
from factory.sdk.pip import Pip, Sources, fetch_sdk, is_exact_requirement
from factory.system.process import Command, Completed
from tests.fake_runner import Expected, FakeRunner

PYTHON = Path("/usr/bin/python3")
LOCAL = Sources(find_links=(Path("/wheels"),), is_local=True)
BEFORE = ("-I", "-m", "pip")
QUIET = ("--disable-pip-version-check", "--no-input", "--quiet")


def pip(runner: FakeRunner, sources: Sources = LOCAL) -> Pip:
    return Pip(python=PYTHON, env={"PIP_CERT": "c"}, runner=runner, sources=sources)


def downloads(name: str) -> Expected:
    """Let pip write a file to its --dest directory."""

    def write(command: Command) -> None:
        (Path(command.argv[command.argv.index("--dest") + 1]) / name).touch()

    return Expected(argv=("download",), effect=write)


@pytest.mark.parametrize("text", ["openai-codex==0.163.0", "openai_codex == 0.163.0rc1", "a[b]==1"])
def test_one_version_is_exact(text: str) -> None:
    assert is_exact_requirement(text)


@pytest.mark.parametrize(
    "text",
    ["openai-codex", "openai-codex>=1", "openai-codex==1.*", "a==1,!=2", "sdk/", "sdk.whl", "../sdk", ""],
)
def test_anything_else_is_a_path(text: str) -> None:
    assert not is_exact_requirement(text)


def test_a_requirement_is_downloaded_without_dependencies(tmp_path: Path) -> None:
    runner = FakeRunner(downloads("openai_codex-0.163.0-py3-none-any.whl"))
    downloaded = fetch_sdk("openai-codex==0.163.0", pip=pip(runner), scratch=tmp_path)
    assert downloaded == tmp_path / "download" / "openai_codex-0.163.0-py3-none-any.whl"
    where = ("--no-deps", "--dest", str(tmp_path / "download"), "--no-index", "--find-links", "/wheels")
    assert runner.commands == [
        Command(
            argv=(str(PYTHON), *BEFORE, "download", *QUIET, *where, "openai-codex==0.163.0"),
            env={"PIP_CERT": "c"},
            timeout_s=900.0,
        )
    ]


def test_an_existing_path_is_used_even_if_it_is_named_like_a_requirement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sdk==1").mkdir()
    runner = FakeRunner()
    assert fetch_sdk("sdk==1", pip=pip(runner), scratch=tmp_path) == Path("sdk==1")
    assert fetch_sdk("sdk/", pip=pip(runner), scratch=tmp_path) == Path("sdk")


def test_the_end_of_pips_output_is_shown(tmp_path: Path) -> None:
    output = "\n".join(("", *(f"line {number}" for number in range(9))))
    runner = FakeRunner(Expected(argv=(), completed=Completed(returncode=1, output=output)))
    with pytest.raises(UpstreamError) as caught:
        fetch_sdk("openai-codex==9", pip=pip(runner), scratch=tmp_path)
    assert str(caught.value).splitlines() == [
        "pip could not download openai-codex==9 (exit status 1):",
        *(f"  line {number}" for number in range(3, 9)),
    ]
    assert caught.value.exit_code == 21


def test_a_project_is_built_by_its_own_backend(tmp_path: Path) -> None:
    def write(command: Command) -> None:
        (Path(command.argv[command.argv.index("--wheel-dir") + 1]) / "sdk-1-py3-none-any.whl").touch()

    runner = FakeRunner(Expected(argv=("wheel", "--no-deps", "/sdk"), effect=write))
    built = pip(runner, Sources()).build(Path("/sdk"), tmp_path / "built")
    assert built == tmp_path / "built" / "sdk-1-py3-none-any.whl"
    assert "--no-index" not in runner.commands[0].argv


def test_a_build_without_a_wheel_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="could not build sdk"):
        pip(FakeRunner(Expected(argv=("wheel",)))).build(Path("/sdk"), tmp_path / "built")

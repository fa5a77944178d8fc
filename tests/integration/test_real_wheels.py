"""The wheels of real releases, made by the real command line and used as a user uses them."""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from factory.core.digests import Digest
from factory.sdk.model_server import Say, model_server
from factory.system.cache import Cache
from tests.children import ROOT, Child, Ended, factory

pytestmark = pytest.mark.network

LINUX = "openai_codex_cli_bin-0.131.0-py3-none-manylinux_2_17_x86_64.whl"
AARCH64 = "openai_codex_cli_bin-0.131.0-py3-none-musllinux_1_1_aarch64.whl"
WINDOWS = "openai_codex_cli_bin-0.131.0-py3-none-win_amd64.whl"
SDK_RUNTIME = "openai_codex_cli_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl"
ONLY_LINUX = ("--platform", "manylinux_2_17_x86_64")
FIND_BESIDE = """\
from pathlib import Path
def bundled_codex_path():
    return Path(__file__).with_name("codex")
"""
PRINT_VERSION = (
    "import codex_cli_bin,subprocess; "
    "subprocess.run([codex_cli_bin.bundled_codex_path(),'--version'],check=True)"
)
TURN = """\
from openai_codex import Codex
with Codex() as codex:
    print(codex.thread_start().run("Say it.").final_response)
"""
is_linux_x86_64 = sys.platform == "linux" and os.uname().machine == "x86_64"
runs_linux_x86_64 = pytest.mark.skipif(not is_linux_x86_64, reason="runs a Linux x86_64 executable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A directory to work in, and the cache that its runs use."""

    directory: Path
    cache: Path

    @property
    def dist(self) -> Path:
        return self.directory / "dist"

    def factory(self, *words: str) -> Child:
        return factory(*words, cwd=self.directory, env={"FACTORY_CACHE_DIR": str(self.cache)})

    def wheel(self, name: str) -> Path:
        version, platform = name.split("-")[1], name.removesuffix(".whl").split("-")[-1]
        path = self.dist / version / name
        if not path.exists():
            succeed(self.factory("wheels", version, "--platform", platform))
        return path


def succeed(child: Child) -> Ended:
    ended = child.run()
    assert ended.status == 0, ended.err
    return ended


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("real")
    yield Place(directory=directory, cache=directory / "cache")
    shutil.rmtree(directory)


def environment(directory: Path, *pip_arguments: str | Path) -> Path:
    """Make a clean virtual environment with what pip installs, and return its interpreter."""
    succeed(Child(argv=(sys.executable, "-m", "venv", str(directory)), cwd=directory.parent))
    python = directory / "bin" / "python"
    install = (str(python), "-m", "pip", "install", "--quiet", *(str(word) for word in pip_arguments))
    succeed(Child(argv=install, cwd=directory.parent))
    return python


def test_wheels_of_the_legacy_layout_are_the_same_by_both_engines(place: Place) -> None:
    command = ("wheels", "rust-v0.131.0", "--platform", "win_amd64", "--check-engine", "--json")
    document = json.loads(succeed(place.factory(*command)).out)

    (wheel,) = document["wheels"]
    assert wheel["name"] == WINDOWS
    assert wheel["sha256"] == sha256(place.wheel(WINDOWS))
    assert [member["path"] for member in wheel["payload"]] == [
        "codex_cli_bin/bin/codex-command-runner.exe",
        "codex_cli_bin/bin/codex-windows-sandbox-setup.exe",
        "codex_cli_bin/bin/codex.exe",
        "codex_cli_bin/codex-path/rg.exe",
    ]


@runs_linux_x86_64
def test_an_installed_wheel_runs(place: Place) -> None:
    python = environment(place.directory / "installed", "--no-index", place.wheel(LINUX))
    ended = succeed(Child(argv=(str(python), "-c", PRINT_VERSION), cwd=place.directory))
    assert ended.out == "codex-cli 0.131.0\n"


@pytest.mark.skipif(
    shutil.which("qemu-aarch64-static") is None, reason="qemu-aarch64-static is not installed"
)
def test_the_executable_of_another_architecture_runs(place: Place) -> None:
    unpacked = place.directory / "aarch64"
    install = ("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(unpacked))
    foreign = ("--platform", "musllinux_1_1_aarch64", "--only-binary", ":all:", str(place.wheel(AARCH64)))
    succeed(Child(argv=(sys.executable, *install, *foreign), cwd=place.directory))
    codex = unpacked / "codex_cli_bin" / "bin" / "codex"

    ended = succeed(Child(argv=("qemu-aarch64-static", str(codex), "--version"), cwd=place.directory))
    assert ended.out == "codex-cli 0.131.0\n"


@runs_linux_x86_64
def test_the_official_sdk_runs_a_turn_on_our_wheel(place: Place, tmp_path: Path) -> None:
    wheel = place.wheel(SDK_RUNTIME)
    python = environment(tmp_path / "sdk", "openai-codex==0.163.0", "--no-deps")
    install = (
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        str(wheel),
        "pydantic>=2.12",
        "packaging>=26.2",
    )
    succeed(Child(argv=install, cwd=tmp_path))
    assert_runs_a_turn(python, tmp_path)


@runs_linux_x86_64
def test_a_staged_sdk_is_installed_from_a_directory_and_runs_a_turn(place: Place, tmp_path: Path) -> None:
    local = tmp_path / "local"
    download = (sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(local))
    succeed(Child(argv=(*download, "pydantic>=2.12", "packaging>=26.2"), cwd=tmp_path))
    official = tmp_path / "official"
    succeed(Child(argv=(*download[:-1], str(official), "--no-deps", "openai-codex==0.163.0"), cwd=tmp_path))
    (source,) = official.glob("*.whl")
    stage = ("stage-sdk", str(tmp_path / "sdk"), "--sdk-source", str(source), "--codex-version", "0.163.0")
    succeed(place.factory(*stage, "--sdk-version", "0.163.0.post1"))
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(local))
    succeed(Child(argv=(*build, str(tmp_path / "sdk")), cwd=tmp_path))
    runtime = place.wheel(SDK_RUNTIME)

    only_local = ("--no-index", "--find-links", local, "--find-links", runtime.parent)
    python = environment(tmp_path / "installed", *only_local, "openai-codex==0.163.0.post1")
    assert_runs_a_turn(python, tmp_path)


ONLY_OWN_SDK = (
    "approval-is-accepted",
    "approval-is-declined",
    "approval-has-a-safe-default",
    "runtime-is-killed",
)
"""The cases about what the official SDK does not have or promise."""


@runs_linux_x86_64
def test_a_runtime_is_accepted_with_the_official_sdk_and_the_manifest_says_so(place: Place) -> None:
    dist = place.wheel(SDK_RUNTIME).parent
    succeed(place.factory("accept", str(dist)))

    (wheel,) = json.loads((dist / "manifest.json").read_text())["wheels"]
    acceptance = wheel["acceptance"]
    assert (acceptance["sdk"]["name"], acceptance["sdk"]["version"]) == ("openai-codex", "0.163.0")
    assert acceptance["how"] == "natively"
    others = {case["case"]: case["outcome"] for case in acceptance["cases"] if case["outcome"] != "passed"}
    assert others == dict.fromkeys(ONLY_OWN_SDK, "not-applicable")
    assert len(acceptance["cases"]) == 41
    rerun = json.loads(succeed(place.factory("wheels", "0.163.0", "--json", *ONLY_LINUX)).out)
    assert rerun["wheels"] == [wheel]


def broken_runtime(directory: Path, program: str) -> Path:
    """Make a wheel of a runtime that is a shell script."""
    path = directory / SDK_RUNTIME
    info = "openai_codex_cli_bin-0.163.0.dist-info"
    files = {
        "codex_cli_bin/__init__.py": FIND_BESIDE,
        "codex_cli_bin/codex": f"#!/bin/sh\n{program}\n",
        f"{info}/METADATA": "Metadata-Version: 2.4\nName: openai-codex-cli-bin\nVersion: 0.163.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-manylinux_2_17_x86_64\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = 0o100755 << 16
            archive.writestr(member, content)
        archive.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD")))
    return path


@runs_linux_x86_64
def test_a_runtime_that_is_broken_is_told_and_nothing_of_it_stays(place: Place, tmp_path: Path) -> None:
    wheel = broken_runtime(tmp_path, "read line; echo it is broken >&2; sleep 86421 <&- >&- 2>&- & exit 7")
    cases = ("--case", "constructor-initialises", "--case", "app-server-too-old")
    ended = place.factory("accept", str(wheel), "--json", *cases).run()

    assert ended.status == 24, ended.err
    assert f"factory: {SDK_RUNTIME} failed 1 of 2 cases with openai-codex 0.163.0\nhint: " in ended.err
    first, second = json.loads(ended.out)["acceptance"]["cases"]
    assert first["outcome"] == "failed"
    assert first["detail"].startswith("TransportClosedError: ")
    assert "it is broken" in first["detail"]
    assert second["outcome"] == "passed"
    commands = (path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
    assert not any(b"86421" in command.split(b"\0") for command in commands)
    assert sorted(path.name for path in tmp_path.iterdir()) == [SDK_RUNTIME]


def assert_runs_a_turn(python: Path, directory: Path) -> None:
    """Let an environment's SDK talk to a model on this machine."""
    (directory / "turn.py").write_text(TURN, encoding="utf-8")
    with model_server((Say(text="Said on our wheel."),)) as server:
        server.configure(directory / "codex-home")
        only = {"CODEX_HOME": str(directory / "codex-home"), "HOME": str(directory), "PATH": os.defpath}
        ended = succeed(Child(argv=(str(python), "turn.py"), environ=only, cwd=directory))

    assert ended.out == "Said on our wheel.\n"
    assert [json.loads(turn)["model"] for turn in server.turns] == ["loopback"]


def test_a_stage_built_by_hand_is_the_same_wheel(place: Place, tmp_path: Path) -> None:
    made = place.wheel(LINUX)
    (asset,) = json.loads((made.parent / "manifest.json").read_text())["assets"][:1]
    package = tmp_path / asset["name"]
    package.hardlink_to(Cache(place.cache).path(Digest.parse(asset["digest"])))

    release = ("--codex-version", "0.131.0", "--platform-tag", "manylinux_2_17_x86_64")
    succeed(factory("stage-runtime", "stage", str(package), *release, cwd=tmp_path, env={}))
    succeed(
        Child(
            argv=(sys.executable, "-m", "build", "--wheel", "--no-isolation", "stage"),
            cwd=tmp_path,
            env={"TZ": "Asia/Kathmandu"},
        )
    )
    assert sha256(tmp_path / "stage" / "dist" / LINUX) == sha256(made)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """Give a directory that every user can work in; pytest's own are for one user."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        path.chmod(0o777)
        yield path


def as_nobody(directory: Path) -> tuple[str, ...]:
    """Return what makes a command another user's; nothing where that user could not start Python."""
    become = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    is_able = os.geteuid() == 0 and shutil.which(become[0]) is not None
    starts_itself = "import os, sys; sys.exit(not os.access(sys.executable, os.X_OK))"
    probe = Child(argv=(*become, sys.executable, "-c", starts_itself), cwd=directory)
    return become if is_able and probe.run().status == 0 else ()


def test_another_user_elsewhere_makes_the_same_bytes(place: Place, open_directory: Path) -> None:
    made = place.wheel(LINUX)
    nobody: Mapping[str, str] = {
        "HOME": str(open_directory),
        "USER": "nobody",
        "TZ": "America/St_Johns",
        "LC_ALL": "tr_TR.UTF-8",
        "LANG": "C",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "FACTORY_CACHE_DIR": str(open_directory / "cache"),
    }
    run = (sys.executable, "-m", "factory", "wheels", "0.131.0", "--platform", "manylinux_2_17_x86_64")
    become = as_nobody(open_directory)
    succeed(Child(argv=(*become, *run), cwd=open_directory, env=nobody, umask=0o077))

    assert sha256(open_directory / "dist" / "0.131.0" / LINUX) == sha256(made)


def test_a_killed_download_goes_on_and_gives_the_same_bytes(place: Place, tmp_path: Path) -> None:
    made = place.wheel(WINDOWS)
    again = Place(directory=tmp_path, cache=tmp_path / "cache")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "toolchains").symlink_to(place.cache / "toolchains")
    command = again.factory("wheels", "0.131.0", "--platform", "win_amd64")

    def partials() -> list[int]:
        """Return the sizes of the unfinished downloads."""
        found = (again.cache / "temporary").glob("run-*/partial-*")
        return [size for path in found if (size := path.stat().st_size)]

    # A fixed time would be too long for a fast mirror and too short for a slow one.
    assert command.kill_at("codex-0.131.0-win32-x64.tgz", once=lambda: bool(partials())).status == -9
    (size,) = partials()
    assert size < 90_936_609
    succeed(command)

    assert sha256(again.wheel(WINDOWS)) == sha256(made)
    assert sorted(path.name for path in again.dist.iterdir()) == ["0.131.0"]
    assert partials() == []
    assert list((again.cache / "partials").glob("*")) == []
    shutil.rmtree(tmp_path)


def test_a_server_that_is_down_is_told(tmp_path: Path) -> None:
    nobody_listens = {"FACTORY_CACHE_DIR": str(tmp_path / "cache"), "NO_PROXY": "127.0.0.1"}
    command = ("wheels", "0.163.0", "--npm-registry", "http://127.0.0.1:9")
    ended = factory(*command, cwd=tmp_path, env=nobody_listens).run()

    assert ended.status == 21
    assert "127.0.0.1:9" in ended.err
    assert "hint: " in ended.err
    assert "Traceback" not in ended.err
    assert not (tmp_path / "dist").exists()

"""Every command of ``factory sdk pin`` runs, although an index has another wheel of the same name."""

import os
import shlex
import subprocess  # noqa: TID251
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.children import ROOT
from tests.packages import release_directory
from tests.runs import run_factory

pytestmark = [pytest.mark.network, pytest.mark.slow]

PROJECT = "openai-codex-cli-bin"
NAME = "openai_codex_cli_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl"
STEPS = [
    "write the hashes",
    "make the directory an index",
    "install with pip",
    "or with uv",
    "or add to a uv project",
]


def run(words: list[str], *, cwd: Path, env: dict[str, str]) -> None:
    ended = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    assert ended.returncode == 0, f"{words}\n{ended.stdout}{ended.stderr}"


def environment(directory: Path, requirement: str) -> Path:
    """Make a virtual environment with an installer, and return its directory of programs."""
    run([sys.executable, "-m", "venv", str(directory)], cwd=directory.parent, env=dict(os.environ))
    programs = directory / "bin"
    install = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--upgrade", requirement]
    run(install, cwd=directory.parent, env=dict(os.environ))
    return programs


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A user's machine: a release, and programs for a shell.

    Attributes:
        dist: The directory of the release; its name has a space.
        other: A directory with another wheel of the same name.
    """

    dist: Path
    other: Path
    programs: Path


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    root = tmp_path_factory.mktemp("machine")
    dist = root / "my wheels" / "0.163.0"
    run_factory(release_directory(root / "packages"), dist.parent, cache=root / "cache")
    other = root / "other"
    other.mkdir()
    with zipfile.ZipFile(dist / NAME) as ours, zipfile.ZipFile(other / NAME, "w") as theirs:
        for member in ours.infolist():
            theirs.writestr(member, ours.read(member))
        theirs.comment = b"other bytes"
    programs = root / "programs"
    programs.mkdir()
    (programs / "factory").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m factory "$@"\n')
    (programs / "factory").chmod(0o755)
    (programs / "uv").symlink_to(environment(root / "uv", "uv") / "uv")
    return Machine(dist=dist, other=other, programs=programs)


@pytest.fixture(scope="module", params=["pip==23.2.1", "pip"])
def pip_programs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment(tmp_path_factory.mktemp("pip") / "environment", request.param)


@contextmanager
def served(wheel: Path, *, fragment: str) -> Iterator[str]:
    """Serve an index that lists one wheel."""
    page = f'<a href="/files/{NAME}{fragment}">{NAME}</a>'.encode()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            answers = {f"/simple/{PROJECT}/": ("text/html", page), f"/files/{NAME}": ("", wheel.read_bytes())}
            kind, content = answers.get(self.path, ("", b""))
            self.send_response(200 if content else 404)
            self.send_header("Content-Type", kind or "application/octet-stream")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple"
    finally:
        server.shutdown()
        server.server_close()


def printed(machine: Machine, env: dict[str, str]) -> dict[str, str]:
    """Return the commands that ``factory sdk pin`` prints, by the comments above them."""
    words = [str(machine.programs / "factory"), "pin", str(machine.dist), "--format", "commands"]
    ended = subprocess.run(words, env=env, capture_output=True, text=True, check=True)  # noqa: S603
    lines = ended.stdout.splitlines()
    return {line.removeprefix("# "): command for line, command in zip(lines[::2], lines[1::2], strict=True)}


def installed(environment: Path) -> bytes:
    (record,) = environment.glob("lib/python3*/site-packages/openai_codex_cli_bin-0.163.0.dist-info/RECORD")
    return (record.parent.parent / "codex_cli_bin" / "__init__.py").read_bytes()


@pytest.mark.parametrize("digest", ["with digest", "without digest"])
def test_every_printed_command_runs_beside_an_index_with_another_wheel(
    machine: Machine, pip_programs: Path, tmp_path: Path, digest: str
) -> None:
    other = machine.other / NAME
    fragment = f"#sha256={sha256(other.read_bytes()).hexdigest()}" if digest == "with digest" else ""
    project = '[project]\nname = "x"\nversion = "0"\nrequires-python = ">=3.11"\n'
    (tmp_path / "pyproject.toml").write_text(project)
    with served(other, fragment=fragment) as index:
        env = {
            "PYTHONPATH": str(ROOT),
            "PATH": os.pathsep.join((str(pip_programs), str(machine.programs), os.defpath)),
            "HOME": str(tmp_path),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": index,
            "PIP_FIND_LINKS": str(machine.other),
            "UV_DEFAULT_INDEX": index,
            "UV_FIND_LINKS": str(machine.other),
            "UV_NO_CACHE": "1",
        }
        commands = printed(machine, env)
        assert list(commands) == STEPS
        for step, command in commands.items():
            run(["/bin/sh", "-c", command], cwd=tmp_path, env=env | changes(step, pip_programs.parent))
            if "install" in command:
                check_installed(machine, pip_programs, tmp_path, env)
    check_lock(machine, tmp_path)


def changes(step: str, environment: Path) -> dict[str, str]:
    """Return the variables that a step needs: uv installs into the active environment.

    With ``uv add``, files of ``UV_FIND_LINKS`` go before those of an index (docs/sdk.md).
    """
    match step:
        case "or with uv":
            return {"VIRTUAL_ENV": str(environment)}
        case "or add to a uv project":
            return {"UV_FIND_LINKS": ""}
        case _:
            return {}


def check_installed(machine: Machine, programs: Path, cwd: Path, env: dict[str, str]) -> None:
    """Compare an installed file with ours, and remove the wheel for the next installer."""
    with zipfile.ZipFile(machine.dist / NAME) as ours:
        assert installed(programs.parent) == ours.read("codex_cli_bin/__init__.py")
    run([str(programs / "python"), "-m", "pip", "uninstall", "--yes", PROJECT], cwd=cwd, env=env)


def check_lock(machine: Machine, project: Path) -> None:
    """Check that the lock of uv has the hash of each of our wheels."""
    lock = (project / "uv.lock").read_text()
    for wheel in machine.dist.glob("*.whl"):
        assert f'/{wheel.name}", hash = "sha256:{sha256(wheel.read_bytes()).hexdigest()}' in lock
    assert "127.0.0.1" not in lock
    assert (project / ".venv").is_dir()

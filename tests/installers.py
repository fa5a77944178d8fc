"""What installers do with a wheel: the files that each one installs, or that it refuses.

``python -m tests.installers`` runs pip, uv and unzip on the zoo's wheels and writes docs/installers.md.
It needs the package registry for the installers' own packages, and takes some minutes.
"""

import functools
import hashlib
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from factory.core.digests import Sha256
from factory.system.files import atomic_write
from factory.system.process import Command, SubprocessRunner
from factory.verify.checks.dist_info_files import dist_info_text
from factory.verify.checks.entry_points import scripts
from factory.verify.reading.contents import WheelContents
from factory.verify.reading.read import read_wheel
from tests.authority import TRUST
from tests.pip_driver import PipDriver
from tests.wheels import Wheel, good_wheel
from tests.zoo.container import CONTAINER
from tests.zoo.dist_info import DIST_INFO
from tests.zoo.judge import errors_of
from tests.zoo.members import MEMBERS

PAGE = Path(__file__).parent.parent / "docs" / "installers.md"
PLATFORM = "manylinux_2_17_x86_64"
VERSIONS = {"pip old": "pip==23.0.1", "pip": "pip==26.3", "uv": "uv==0.13.9"}
REFUSED = "refuses"
_TRIPLES = {
    "macosx_11_0_arm64": "aarch64-apple-darwin",
    "macosx_10_12_x86_64": "x86_64-apple-darwin",
    "manylinux_2_17_aarch64": "aarch64-manylinux_2_17",
    "win_amd64": "x86_64-pc-windows-msvc",
}
_SECONDS = 60
_ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir()}
_WRITTEN_BY_INSTALLERS = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "RECORD", "uv_cache.json"})


Install = Callable[[Path, str, tuple[str, ...]], int]
"""Installs into a directory, from a path or an address, with further options; returns the exit status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installers:
    """The installers to compare.

    Attributes:
        commands: The installers, by name.
        server: The address of a directory on this machine, for the installers that read over HTTP.
        served: That directory.
    """

    commands: Mapping[str, Install]
    server: str
    served: Path

    @classmethod
    @contextmanager
    def started(cls, directory: Path) -> Iterator[Self]:
        """Make the installers' environments below a directory, and serve another one over HTTP."""
        old, new = (_environment(directory / name, VERSIONS[name]) for name in ("pip old", "pip"))
        uv = _uv(_environment(directory / "uv", VERSIONS["uv"]) / "uv")
        served = directory / "served"
        served.mkdir(exist_ok=True)
        server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, directory=str(served)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with (
            PipDriver.started(old / "python", _ENVIRONMENT) as old_pip,
            PipDriver.started(new / "python", _ENVIRONMENT) as new_pip,
        ):
            commands = {
                "pip old": _pip(old_pip),
                "pip": _pip(new_pip),
                "uv, file": uv,
                "uv, http": uv,
                "unzip": _unzip,
            }
            try:
                yield cls(commands=commands, served=served, server=f"http://127.0.0.1:{server.server_port}")
            finally:
                server.shutdown()
                server.server_close()

    def answers(self, path: Path, contents: WheelContents) -> dict[str, str]:
        """Return what each installer does with a wheel: as verify read it, or not."""
        return {
            name: self._answer(name, path, _expected(contents, is_unpacked=name == "unzip"))
            for name in self.commands
        }

    def _answer(self, name: str, path: Path, expected: dict[str, Sha256 | None]) -> str:
        with tempfile.TemporaryDirectory() as temporary:
            target = Path(temporary) / "target"
            if not name.endswith("http"):
                status = self.commands[name](target, str(path), _foreign(name, path))
            else:
                with self._address(path) as address:
                    status = self.commands[name](target, address, _foreign(name, path))
            assert status >= 0, f"{name} was ended by signal {-status}: {path.name}"
            # unzip ends with 1 after a warning.
            if status not in ({0, 1} if name == "unzip" else {0}):
                return REFUSED
            found = {
                file: None if file in expected and expected[file] is None else sha256
                for file, sha256 in _tree(target).items()
            }
            return "same" if found == expected else "different"

    @contextmanager
    def _address(self, path: Path) -> Iterator[str]:
        with tempfile.TemporaryDirectory(dir=self.served) as directory:
            (Path(directory) / path.name).write_bytes(path.read_bytes())
            yield f"{self.server}/{Path(directory).name}/{path.name}"


def _pip(driver: PipDriver) -> Install:
    """Return a function that installs with one version of pip."""
    words = ("install", "--no-deps", "--no-index", "--no-compile", "--no-cache-dir", "-q", "--target")
    return lambda target, source, options: driver.run((*words, str(target), source, *options))


def _uv(program: Path) -> Install:
    words = ("pip", "install", "--no-deps", "--no-cache", "-q", "--python", sys.executable, "--target")
    return lambda target, source, options: _run(str(program), *words, str(target), source, *options)


def _unzip(target: Path, source: str, _: tuple[str, ...]) -> int:
    return _run("unzip", "-qq", "-o", "-d", str(target), source)


def _run(*words: str) -> int:
    return SubprocessRunner().run(Command(argv=words, env=_ENVIRONMENT, timeout_s=_SECONDS)).returncode


class _Handler(SimpleHTTPRequestHandler):
    """Serves a directory without a log; it has no ranges, so uv reads the wheel as a stream."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Write nothing."""


def _foreign(installer: str, wheel: Path) -> tuple[str, ...]:
    """Return the options that let an installer take a wheel for another system than this one."""
    platform = wheel.stem.rpartition("-")[2]
    triple = next((triple for start, triple in _TRIPLES.items() if platform.startswith(start)), None)
    if triple is None or installer == "unzip":
        return ()
    if installer.startswith("uv"):
        return ("--python-platform", triple)
    return ("--platform", platform, "--only-binary", ":all:")


def _environment(directory: Path, requirement: str) -> Path:
    """Return the directory with the programs of an environment, made if it is missing."""
    programs = directory / "bin"
    if not programs.exists():
        install = (str(programs / "python"), "-m", "pip", "install", "-q", requirement)
        for words in ((sys.executable, "-m", "venv", str(directory)), install):
            done = SubprocessRunner().run(Command(argv=words, env=dict(os.environ)))
            assert done.returncode == 0, done.output
    return programs


def _expected(contents: WheelContents, *, is_unpacked: bool) -> dict[str, Sha256 | None]:
    """Return the files that verify read, where installers put them; scripts may have any content."""
    files = {
        name: member.sha256
        for name, member in contents.by_name.items()
        if member.sha256 is not None and not member.is_directory and not _is_written(name)
    }
    if is_unpacked:
        return dict(files)
    made = scripts(dist_info_text(contents, "entry_points.txt") or "")
    return {f"bin/{name}": None for name in made} | dict(
        _spread(name, sha256) for name, sha256 in files.items()
    )


def _spread(name: str, sha256: Sha256) -> tuple[str, Sha256 | None]:
    """Return where installers put a file of a ``.data`` directory with ``--target``."""
    top, _, rest = name.partition("/")
    scheme, _, path = rest.partition("/")
    if not top.endswith(".data"):
        return name, sha256
    return (f"bin/{path}", None) if scheme == "scripts" else (path, sha256)


def _tree(target: Path) -> dict[str, Sha256]:
    return {
        name: Sha256(hashlib.sha256(path.read_bytes()).hexdigest())
        for path in target.rglob("*")
        if path.is_file() and not _is_written(name := path.relative_to(target).as_posix())
    }


def _is_written(name: str) -> bool:
    """Whether installers write this file themselves."""
    directory, _, file = name.rpartition("/")
    return name == ".lock" or (directory.endswith(".dist-info") and file in _WRITTEN_BY_INSTALLERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The answers to one wheel: the checks that report an error, and what each installer does."""

    name: str
    errors: tuple[str, ...]
    answers: Mapping[str, str]

    @property
    def is_missed(self) -> bool:
        """Whether verify accepts a wheel that an installer refuses or installs differently."""
        return not self.errors and set(self.answers.values()) != {"same"}


def ask(name: str, wheel: Wheel, installers: Installers) -> Row:
    """Ask verify and all installers about a wheel."""
    with tempfile.TemporaryDirectory() as temporary:
        path = wheel.write(Path(temporary))
        contents = read_wheel(path, scratch=Path(temporary), trust=TRUST)
        return Row(name=name, errors=errors_of(contents), answers=installers.answers(path, contents))


def shown(errors: tuple[str, ...]) -> str:
    """Return the cell of the page with the errors of verify."""
    return ", ".join(f"`{error}`" for error in errors) or "passed"


def asked_wheels() -> list[tuple[str, Wheel]]:
    """Return the good wheel, and every wheel of the zoo with a broken container, names or texts."""
    return [("nothing wrong", good_wheel(PLATFORM))] + [
        (breakage.name, breakage.make(good_wheel(PLATFORM)))
        for breakage in (*CONTAINER, *MEMBERS, *DIST_INFO)
        if breakage.platform == PLATFORM
    ]


def zoo_rows(installers: Installers) -> list[Row]:
    """Ask about all of these wheels."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda pair: ask(pair[0], pair[1], installers), asked_wheels()))


def render(rows: list[Row]) -> str:
    """Return the page."""
    names = list(rows[0].answers)
    lines = [
        "# What installers do with broken wheels",
        "",
        "`python -m tests.installers` writes this page. Each row is a wheel with one defect.",
        "",
        "- `same`: the installer installs the files that `factory verify` read.",
        "- `different`: it installs other files.",
        "- `refuses`: it ends with an error.",
        "",
        "`uv, http` reads the wheel as a stream. Not shown: findings of the checks that compare a wheel with",
        "the reviewed baseline.",
        "",
        f"Versions: {', '.join(f'`{version}`' for version in VERSIONS.values())}, and the system's `unzip`.",
        "",
        f"| A wheel with | Errors of `factory verify` | {' | '.join(names)} |",
        f"|---|---|{'---|' * len(names)}",
    ]
    for row in rows:
        errors = shown(row.errors)
        lines.append(f"| {row.name} | {errors} | {' | '.join(row.answers[name] for name in names)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Ask all installers about the zoo, and write the page."""
    with (
        tempfile.TemporaryDirectory() as temporary,
        Installers.started(Path(sys.argv[1] if sys.argv[1:] else temporary)) as installers,
    ):
        rows = zoo_rows(installers)
    atomic_write(PAGE, render(rows).encode())
    for row in rows:
        if row.is_missed:
            sys.stderr.write(f"verify accepts: {row.name}: {dict(row.answers)}\n")


if __name__ == "__main__":
    main()

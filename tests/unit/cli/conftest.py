import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from factory.cli import main
from tests.packages import release_directory
from tests.runs import cheap_runner
from tests.toolchains import place_toolchain


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The exit status of a command and its output."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, object]:
        document = json.loads(self.out)
        assert isinstance(document, dict)
        return document

    @property
    def complaint(self) -> str:
        """The error and its hint, without the progress lines above them."""
        return self.err[self.err.index("factory: ") :]


Factory = Callable[..., Ended]


@pytest.fixture(scope="session")
def cache_with_toolchain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("toolchain")
    place_toolchain(cache)
    return cache


@pytest.fixture
def cache(cache_with_toolchain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set up a cache that has only a toolchain, as after an earlier run."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "toolchains").symlink_to(cache_with_toolchain / "toolchains")
    monkeypatch.setenv("FACTORY_CACHE_DIR", str(cache))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")  # do not use a developer's engine
    # Nor a developer's package index.
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    return cache


@pytest.fixture
def factory(capsys: pytest.CaptureFixture[str], cache: Path, monkeypatch: pytest.MonkeyPatch) -> Factory:
    """Run the command line in this process; its builds start fewer processes."""
    assert cache.is_dir()
    monkeypatch.setattr("factory.cli.session.SubprocessRunner", cheap_runner)

    def run(*words: str | Path) -> Ended:
        argv: Sequence[str] = [str(word) for word in words]
        try:
            status = main(argv)
        except SystemExit as ended:  # argparse
            status = int(ended.code or 0)
        captured = capsys.readouterr()
        return Ended(status=status, out=captured.out, err=captured.err)

    return run


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_directory(tmp_path_factory.mktemp("release") / "packages")

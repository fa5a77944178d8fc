"""Real wheels of other projects, as published and tampered with, against the packages on npm."""

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from factory.audit.index import fetch_listing
from factory.audit.projects.bundled import bundled_mapping
from factory.audit.projects.npm_release import MakerPackages
from factory.cli import main
from factory.cli.index import chosen_index
from factory.cli.settings import Settings
from factory.core.model import Remote
from factory.release.channels.npm import default_npm_registry, npm_registry_from_client
from factory.release.channels.npm_login import NpmLogin
from factory.release.download import Downloader
from factory.system.cache import Cache
from factory.system.http import RequestsClient
from factory.system.process import SubprocessRunner
from factory.system.retry import RetryPolicy
from tests.runs import run_context

pytestmark = [pytest.mark.network, pytest.mark.slow]

LINUX, MACOS = "manylinux_2_17_x86_64", "macosx_11_0_arm64"
LEFTHOOK = "lefthook/bin/lefthook-linux-x86_64/lefthook"

Members = dict[str, bytes]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("projects") / "cache"


@pytest.fixture
def audit(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Audit, and return the exit status and the verdict on the one wheel."""
    monkeypatch.setenv("FACTORY_CACHE_DIR", str(cache))

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        status = main(["audit", *words, "--out", str(tmp_path / "out"), "--format", "json"])
        (wheel,) = json.loads(capsys.readouterr().out)["wheels"]
        return status, wheel

    return run


@pytest.mark.parametrize(
    ("project", "version", "platform", "outcome", "status"),
    [
        ("lefthook", "2.2.2", LINUX, "IDENTICAL", 0),
        ("lefthook", "2.2.2", MACOS, "IDENTICAL", 24),
        ("prek", "0.5.3", LINUX, "EQUIVALENT", 0),
        ("rust-just", "1.57.0", LINUX, "NOT-REBUILT", 12),
    ],
)
def test_a_published_wheel_has_the_answer_of_its_mapping(
    audit: Callable[..., tuple[int, dict[str, Any]]],
    project: str,
    version: str,
    platform: str,
    outcome: str,
    status: int,
) -> None:
    ended, wheel = audit("--project", project, version, "--platform", platform)
    assert (wheel["outcome"], ended) == (outcome, status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tampered:
    """A published wheel, what somebody changes in it, and the causes that the audit must name."""

    project: str
    version: str
    platform: str
    edit: Callable[[Members], None]
    causes: tuple[tuple[str, str], ...]


def _older_executable(members: Members) -> None:
    members[LEFTHOOK] = _file_on_npm("lefthook", LINUX, "2.2.1", "bin/lefthook")


def _module(members: Members) -> None:
    members["prek/_telemetry.py"] = b"import os\n"


def _launcher(members: Members) -> None:
    members["lefthook/main.py"] += b"\nimport socket\n"


TAMPERED = {
    "an executable of another version": Tampered(
        project="lefthook",
        version="2.2.2",
        platform=LINUX,
        edit=_older_executable,
        causes=(("executable-of-another-release", LEFTHOOK), ("not-the-listed-file", "")),
    ),
    "an extra module": Tampered(
        project="prek",
        version="0.5.3",
        platform=LINUX,
        edit=_module,
        causes=(("importable-file", "prek/_telemetry.py"), ("not-the-listed-file", "")),
    ),
    "a changed launcher": Tampered(
        project="lefthook",
        version="2.2.2",
        platform=MACOS,
        edit=_launcher,
        causes=(("text-not-seen-before", "lefthook/main.py"), ("not-the-listed-file", "")),
    ),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_a_tampered_copy_is_different_with_its_cause(
    audit: Callable[..., tuple[int, dict[str, Any]]], tmp_path: Path, case: str
) -> None:
    tampered = TAMPERED[case]
    path = _tampered(tampered, tmp_path)

    status, wheel = audit("--project", tampered.project, "--wheel", str(path))

    assert (status, wheel["outcome"], wheel["answer"]) == (10, "DIFFERENT", "no")
    found = [(cause["id"], cause["place"]) for cause in wheel["causes"]]
    assert found == [(id_, place or path.name) for id_, place in tampered.causes]


def _client() -> RequestsClient:
    return RequestsClient(retry=RetryPolicy())


def _tampered(tampered: Tampered, directory: Path) -> Path:
    """Download a published wheel, change it, and write it with a correct RECORD."""
    index = chosen_index(None, Settings.from_environ(), project=tampered.project)
    listing = fetch_listing(
        _client(), index=index.value, project=tampered.project, asked_at=datetime.now(tz=UTC)
    )
    (wheel,) = (
        one
        for one in listing.wheels
        if one.version == tampered.version and tampered.platform in one.platforms
    )
    assert isinstance(wheel.location, Remote)
    original = directory / "original.whl"
    original.write_bytes(_client().get(wheel.location.url, max_bytes=20_000_000))
    with zipfile.ZipFile(original) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        members = {name: archive.read(name) for name in infos}
    tampered.edit(members)
    record = next(name for name in members if name.endswith(".dist-info/RECORD"))
    del members[record]
    members[record] = "".join([*map(_record_line, members.items()), f"{record},,\n"]).encode()
    path = directory / wheel.name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(infos.get(name, name), content, zipfile.ZIP_DEFLATED)
    return path


def _record_line(member: tuple[str, bytes]) -> str:
    name, content = member
    encoded = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={encoded},{len(content)}\n"


def _file_on_npm(project: str, platform: str, version: str, path: str) -> bytes:
    """Return a file of a project's npm package."""
    row = bundled_mapping(project).platform_for((platform,))
    assert row is not None
    env = dict(Settings.from_environ().environ)
    registry = npm_registry_from_client(SubprocessRunner(), env=env, scope=None) or default_npm_registry()
    cache = Cache(Settings.from_environ().cache_dir)
    tools = run_context(Settings.from_environ().cache_dir)
    login = NpmLogin.of(registry, "npm config", {})
    downloader = Downloader(cache=cache, client=_client(), progress=tools.progress, npm_login=login)
    package = MakerPackages(tools=replace(tools, downloader=downloader)).read(row, version)
    found = {}
    with package.source.walk(None) as entries:
        for entry in entries:
            found[str(entry.path)] = b"".join(entry.chunks())
    return found[f"package/{path}"]

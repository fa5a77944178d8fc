"""Which release, target and package a wheel of Codex is for, by the mapping."""

from pathlib import PurePosixPath

import pytest

from factory.audit.codex.releases import release_of, require_executables, row_for, target_of
from factory.audit.index import PublishedWheel
from factory.audit.projects.version_rule import VersionRule
from factory.core.digests import Sha256
from factory.core.errors import UpstreamError
from factory.core.model import FileKind, Payload, PayloadFile, Remote
from factory.core.targets import PLATFORMS, Platform, Target
from factory.release.payload import Layout
from tests.audits import CODEX_MAPPING
from tests.origins import listed

LINUX, WINDOWS = Target.LINUX_X86_64, Target.WINDOWS_X86_64


@pytest.mark.parametrize(
    ("version", "tag"),
    [
        ("0.163.0", "rust-v0.163.0"),
        ("0.116.0a1", "rust-v0.116.0-alpha.1"),
        ("0.154.0a1.post2", "rust-v0.154.0-alpha.1.2"),
        # Installers take these for 0.163.0, and no release has such a version.
        ("0.163", None),
        ("0.163.0.0", None),
        ("0.163.0.post1", None),
        ("2026.1.post1", None),
    ],
)
def test_only_the_exact_version_of_a_release_names_it(version: str, tag: str | None) -> None:
    found = release_of(version, CODEX_MAPPING.rule)
    assert (None if found is None else str(found)) == tag


def test_the_version_rule_of_the_mapping_gives_the_release() -> None:
    assert release_of("0.163.0", VersionRule.MEMBER) is None


def published(*platforms: str) -> PublishedWheel:
    return PublishedWheel(
        name=f"x-0.163.0-py3-none-{'.'.join(platforms)}.whl",
        version="0.163.0",
        platforms=platforms,
        size_bytes=7,
        sha256=Sha256("0" * 64),
        location=Remote(url="https://files.example.invalid/x"),
        origin=listed(Sha256("0" * 64)),
    )


@pytest.mark.parametrize(
    ("platforms", "target"),
    [
        (("manylinux_2_17_x86_64",), LINUX),
        (("musllinux_1_1_x86_64",), LINUX),
        (("manylinux_2_17_x86_64", "manylinux2014_x86_64"), LINUX),
        (("manylinux_2_17_x86_64", "musllinux_1_1_x86_64"), LINUX),
        (("win_amd64",), WINDOWS),
        (("manylinux_2_17_x86_64", "manylinux_2_17_aarch64"), None),
        (("win_amd64", "manylinux_2_17_x86_64"), None),
        (("any",), None),
        (("manylinux_2_17_s390x",), None),
        (("linux_x86_64",), None),
        (("macosx_11_0_universal2",), None),
        # No installer takes such a tag, so nothing is known about its wheels.
        (("musllinux_9_9_x86_64",), None),
        (("manylinux_2_17_x86_64", "musllinux_9_9_x86_64"), None),
    ],
)
def test_all_platform_tags_must_name_one_target(platforms: tuple[str, ...], target: Target | None) -> None:
    row = row_for(published(*platforms), CODEX_MAPPING)
    assert (None if row is None else target_of(row)) is target


@pytest.mark.parametrize("platform", PLATFORMS, ids=str)
def test_the_mapping_has_a_row_for_each_platform_of_the_factory(platform: Platform) -> None:
    row = row_for(published(platform.tag), CODEX_MAPPING)
    assert row is not None
    assert target_of(row) is platform.target


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("layout", Layout)
def test_a_package_has_the_executable_of_the_mapping_in_either_layout(target: Target, layout: Layout) -> None:
    (row,) = (row for row in CODEX_MAPPING.platforms if target_of(row) is target)
    require_executables(row, payload(target, layout.executable(target)), purl="pkg:npm/x@1")


def test_a_package_without_the_executable_of_the_mapping_is_refused() -> None:
    (row,) = (row for row in CODEX_MAPPING.platforms if target_of(row) is LINUX)
    with pytest.raises(UpstreamError) as caught:
        require_executables(row, payload(LINUX, "bin/codex-code-mode-host"), purl="pkg:npm/x@1")
    assert str(caught.value) == (
        "pkg:npm/x@1 has no file vendor/x86_64-unknown-linux-musl/bin/codex, which the mapping places at"
        " codex_cli_bin/bin/codex"
    )
    assert caught.value.hint == "Check that this is a package of a Codex release."


def payload(target: Target, path: str) -> Payload:
    sha256 = Sha256("0" * 64)
    file = PayloadFile(path=PurePosixPath(path), mode=0o755, size_bytes=1, sha256=sha256, kind=FileKind.ELF)
    return Payload(target=target, files=(file,))

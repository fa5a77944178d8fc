"""Platform tags: which are understood, and what they say."""

import pytest
from auditwheel.architecture import Architecture as Processor  # type: ignore[import-untyped]
from auditwheel.libc import Libc  # type: ignore[import-untyped]
from auditwheel.policy import WheelPolicies  # type: ignore[import-untyped]
from packaging.tags import mac_platforms

from factory.core.platform_tags import (
    MUSL_VERSIONS,
    NEWEST_GLIBC,
    architecture_of,
    glibc_of_tag,
    operating_system_of,
    platform_of_tag,
    why_not_understood,
)
from factory.core.targets import PLATFORMS, Architecture, OperatingSystem, Platform, UnknownPlatform


@pytest.mark.parametrize(
    ("tag", "system", "architecture"),
    [
        ("manylinux1_x86_64", OperatingSystem.LINUX, Architecture.X86_64),
        ("manylinux2014_aarch64", OperatingSystem.LINUX, Architecture.AARCH64),
        ("manylinux_2_39_aarch64", OperatingSystem.LINUX, Architecture.AARCH64),
        ("musllinux_1_2_x86_64", OperatingSystem.LINUX, Architecture.X86_64),
        ("macosx_10_9_x86_64", OperatingSystem.MACOS, Architecture.X86_64),
        ("macosx_10_16_x86_64", OperatingSystem.MACOS, Architecture.X86_64),
        ("macosx_26_0_arm64", OperatingSystem.MACOS, Architecture.AARCH64),
        ("macosx_10_9_universal2", OperatingSystem.MACOS, None),
        ("win_amd64", OperatingSystem.WINDOWS, Architecture.X86_64),
        ("win_arm64", OperatingSystem.WINDOWS, Architecture.AARCH64),
    ],
)
def test_a_tag_that_is_understood(
    tag: str, system: OperatingSystem, architecture: Architecture | None
) -> None:
    assert why_not_understood(tag) is None
    assert (operating_system_of(tag), architecture_of(tag)) == (system, architecture)


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.tag)
def test_the_tags_of_the_factory_are_understood(platform: Platform) -> None:
    assert why_not_understood(platform.tag) is None
    assert operating_system_of(platform.tag) is platform.target.operating_system
    assert architecture_of(platform.tag) is platform.target.architecture


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("banana", "it is not a platform tag that the checks know"),
        ("any", "it names no platform, and executables run on one platform only"),
        ("", "it is not a platform tag that the checks know"),
        ("linux_x86_64", "it does not name a libc; package indexes refuse it"),
        ("win32", "it is not a platform tag that the checks know"),
        ("windows_amd64", "it is not a platform tag that the checks know"),
        ("win_x86_64", "it is not a platform tag that the checks know"),
        ("WIN_AMD64", "it is not a platform tag that the checks know"),
        ("manylinux_2_17_amd64", "the architecture is amd64; the checks know x86_64, aarch64"),
        ("manylinux_2_17_arm64", "the architecture is arm64; the checks know x86_64, aarch64"),
        ("manylinux_2_17_i686", "the architecture is i686; the checks know x86_64, aarch64"),
        ("manylinux_2_39_riscv64", "the architecture is riscv64; the checks know x86_64, aarch64"),
        ("manylinux2014_armv7l", "the architecture is armv7l; the checks know x86_64, aarch64"),
        ("manylinux_3_0_x86_64", "the glibc version is not between 2.5 and 2.41"),
        ("manylinux_2_99_x86_64", "the glibc version is not between 2.5 and 2.41"),
        ("manylinux_2_4_x86_64", "the glibc version is not between 2.5 and 2.41"),
        ("manylinux_2_12_aarch64", "the glibc version is not between 2.17 and 2.41"),
        ("manylinux1_aarch64", "the glibc version is not between 2.17 and 2.41"),
        ("manylinux_2_017_x86_64", "it is not a platform tag that the checks know"),
        ("manylinux_2_17", "it is not a platform tag that the checks know"),
        ("manylinux2020_x86_64", "it is not a platform tag that the checks know"),
        ("musllinux_9_9_x86_64", "the musl version is not one of 1.1, 1.2"),
        ("musllinux_1_0_aarch64", "the musl version is not one of 1.1, 1.2"),
        ("macosx_11_arm64", "it is not a platform tag that the checks know"),
        ("macosx_99_0_arm64", "the macOS version is not between 11.0 and 26.0"),
        ("macosx_10_9_arm64", "the macOS version is not between 11.0 and 26.0"),
        ("macosx_10_17_x86_64", "there is no macOS 10.17"),
        ("macosx_11_3_x86_64", "from macOS 11 on, installers accept only the minor version 0"),
        ("macosx_11_0_aarch64", "the architecture is aarch64; the checks know x86_64, arm64"),
        ("macosx_10_9_intel", "the architecture is intel; the checks know x86_64, arm64"),
        ("linux_riscv64", "it does not name a libc; package indexes refuse it"),
        ("android_21_x86_64", "it is not a platform tag that the checks know"),
        ("ios_13_0_arm64_iphoneos", "it is not a platform tag that the checks know"),
        ("manylinux_2_17_x86_64\n", "it is not a platform tag that the checks know"),
    ],
)
def test_a_tag_that_is_not_understood_has_no_system(tag: str, reason: str) -> None:
    assert why_not_understood(tag) == reason
    assert (operating_system_of(tag), architecture_of(tag)) == (None, None)


def test_the_newest_glibc_and_musl_are_those_of_auditwheel() -> None:
    names = [policy.name for policy in WheelPolicies(libc=Libc.GLIBC, arch=Processor.x86_64)]
    assert max(filter(None, map(glibc_of_tag, names))) == NEWEST_GLIBC
    assert MUSL_VERSIONS[-1] == (1, 2)


def test_macos_tags_are_those_that_installers_accept() -> None:
    """`packaging` lists the tags that a Mac accepts; those of known systems are all understood."""
    accepted = [
        *mac_platforms((26, 0), "arm64"),
        *(tag for tag in mac_platforms((26, 0), "x86_64") if tag.endswith("_x86_64")),
    ]
    assert [tag for tag in accepted if why_not_understood(tag) is not None] == []


@pytest.mark.parametrize(
    ("tag", "target"),
    [
        ("macosx_10_9_x86_64", "x86_64-apple-darwin"),
        ("manylinux2014_aarch64", "aarch64-unknown-linux-musl"),
        ("win_arm64", "aarch64-pc-windows-msvc"),
    ],
)
def test_any_platform_tag_belongs_to_a_target(tag: str, target: str) -> None:
    platform = platform_of_tag(tag)
    assert (platform.tag, platform.target.value) == (tag, target)


@pytest.mark.parametrize("tag", ["win32", "macosx_10_9_universal2", "banana"])
def test_a_tag_of_an_unsupported_architecture_is_refused(tag: str) -> None:
    with pytest.raises(UnknownPlatform):
        platform_of_tag(tag)

import pytest
from packaging.tags import Tag, parse_tag

from factory.core.targets import PLATFORMS, Platform, Target, UnknownPlatform, targets_of


def test_the_table_is_what_upstream_releases() -> None:
    assert {(target.value, target.npm_suffix, target.executable_suffix) for target in Target} == {
        ("x86_64-unknown-linux-musl", "linux-x64", ""),
        ("aarch64-unknown-linux-musl", "linux-arm64", ""),
        ("x86_64-apple-darwin", "darwin-x64", ""),
        ("aarch64-apple-darwin", "darwin-arm64", ""),
        ("x86_64-pc-windows-msvc", "win32-x64", ".exe"),
        ("aarch64-pc-windows-msvc", "win32-arm64", ".exe"),
    }


def test_a_linux_package_goes_into_the_wheels_of_both_libcs() -> None:
    assert [platform.tag for platform in PLATFORMS if platform.target is Target.LINUX_AARCH64] == [
        "manylinux_2_17_aarch64",
        "musllinux_1_1_aarch64",
    ]


def test_every_target_has_a_platform_and_every_platform_a_reason() -> None:
    assert targets_of(PLATFORMS) == tuple(Target)
    assert len({platform.tag for platform in PLATFORMS}) == len(PLATFORMS) == 8
    assert all(platform.reason for platform in PLATFORMS)


@pytest.mark.parametrize("platform", PLATFORMS, ids=str)
def test_a_wheel_tag_is_one_tag(platform: Platform) -> None:
    assert parse_tag(platform.wheel_tag) == {Tag("py3", "none", platform.tag)}
    assert Platform.parse(platform.tag) is platform


def test_the_hint_for_an_unknown_platform_lists_the_known_ones() -> None:
    with pytest.raises(UnknownPlatform) as caught:
        Platform.parse("linux_x86_64")
    assert "linux_x86_64" in str(caught.value)
    assert "manylinux_2_17_x86_64" in caught.value.hint

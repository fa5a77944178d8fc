"""What is selected from a listing, and what a selection misses there."""

from dataclasses import replace

import pytest

from factory.audit.index import Listing, PublishedWheel
from factory.audit.selection import Selection
from factory.audit.verdict import AuditReport, UnexpectedFile
from factory.core.digests import Sha256
from factory.core.model import Remote
from factory.core.tags import CodexTag
from tests.origins import ASKED, ASKED_AT, listed

ONE = Sha256("1" * 64)
TAG = CodexTag.parse("0.163.0")
OLD = CodexTag.parse("0.131.0")
SINCE = CodexTag.parse("0.160.0")


def name(version: str, platform: str) -> str:
    return f"openai_codex_cli_bin-{version}-py3-none-{platform}.whl"


def wheel(version: str, platform: str) -> PublishedWheel:
    return PublishedWheel(
        name=name(version, platform),
        version=version,
        platforms=tuple(platform.split(".")),
        size_bytes=None,
        sha256=ONE,
        location=Remote(url="https://files.example.invalid/x.whl"),
        origin=listed(ONE),
    )


def unexpected(file: str) -> UnexpectedFile:
    return UnexpectedFile(name=file, reason="it is odd")


LISTING = Listing(
    project="openai-codex-cli-bin",
    asked=ASKED,
    wheels=(
        wheel("0.163.0", "win_amd64"),
        wheel("0.163.0", "macosx_10_9_x86_64"),
        wheel("0.163.0", "manylinux2014_x86_64.musllinux_1_1_x86_64"),
        wheel("0.131.0", "win_amd64"),
    ),
    unexpected=(
        unexpected(name("0.163.0", "win_arm64")),
        unexpected("openai_codex_cli_bin-0.163.0.tar.gz"),
        unexpected("openai_codex_cli_bin-0.131.0.tar.gz"),
        unexpected("README.txt"),
    ),
)


PLATFORMS = "macosx_10_9_x86_64, manylinux2014_x86_64.musllinux_1_1_x86_64, win_amd64, win_arm64"


@pytest.mark.parametrize(
    ("selection", "sentences"),
    [
        (Selection(tags=(TAG, OLD)), ()),
        (Selection(tags=(TAG,), platforms=("win_amd64", "musllinux_1_1_x86_64")), ()),
        (
            Selection(tags=(TAG,), platforms=("macosx_10_12_x86_64",)),
            (f"the index has no macosx_10_12_x86_64 wheel of rust-v0.163.0; it has {PLATFORMS}",),
        ),
        (
            Selection(tags=(TAG, OLD), platforms=("macosx_10_9_x86_64",)),
            ("the index has no macosx_10_9_x86_64 wheel of rust-v0.131.0; it has win_amd64",),
        ),
        (
            Selection(tags=(CodexTag.parse("0.164.0"),), platforms=("win_amd64",)),
            ("the index has no wheel of rust-v0.164.0",),
        ),
        (Selection(tags=None), ()),
        (
            Selection(tags=None, since=SINCE, platforms=("win_arm64", "win32")),
            (f"the index has no win32 wheel; it has {PLATFORMS}",),
        ),
    ],
)
def test_a_selection_says_what_the_index_lacks(selection: Selection, sentences: tuple[str, ...]) -> None:
    assert selection.missing_from(LISTING) == sentences


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (Selection(tags=None), [file.name for file in LISTING.unexpected]),
        (
            Selection(tags=(TAG,)),
            [name("0.163.0", "win_arm64"), "openai_codex_cli_bin-0.163.0.tar.gz"],
        ),
        (Selection(tags=(TAG,), platforms=("win_amd64",)), ["openai_codex_cli_bin-0.163.0.tar.gz"]),
        (
            Selection(tags=None, since=SINCE, platforms=("win_arm64",)),
            [name("0.163.0", "win_arm64"), "openai_codex_cli_bin-0.163.0.tar.gz", "README.txt"],
        ),
        (Selection(tags=(CodexTag.parse("0.164.0"),)), []),
    ],
)
def test_unexpected_files_belong_to_releases_and_platforms(selection: Selection, names: list[str]) -> None:
    assert [file.name for file in selection.unexpected_of(LISTING)] == names


def test_an_audit_with_an_unexpected_file_is_inconclusive() -> None:
    report = AuditReport(
        project=LISTING.project,
        channel="npm",
        index=ASKED.address,
        asked_at=ASKED_AT,
        verdicts=(),
        unexpected=LISTING.unexpected[:1],
    )
    assert report.exit_status == 11


EARLIEST = wheel("0.9.0", "win_amd64")
ALPHA = wheel("0.10.0a2", "win_amd64")
FINAL = wheel("0.10.0", "win_amd64")
FINAL_MACOS = wheel("0.10.0", "macosx_10_9_x86_64.macosx_11_0_arm64")
NO_RELEASE = wheel("2026.1.post1", "win_amd64")
UNSORTED = Listing(
    project="x",
    asked=ASKED,
    wheels=(FINAL, NO_RELEASE, FINAL_MACOS, EARLIEST, ALPHA),
    unexpected=(),
)


@pytest.mark.parametrize(
    ("selection", "selected"),
    [
        (Selection(tags=None), (EARLIEST, ALPHA, FINAL_MACOS, FINAL, NO_RELEASE)),
        (Selection(tags=(CodexTag.parse("0.10.0"),)), (FINAL_MACOS, FINAL)),
        (Selection(tags=()), ()),
        (
            Selection(tags=None, since=CodexTag.parse("0.10.0-alpha.2")),
            (ALPHA, FINAL_MACOS, FINAL, NO_RELEASE),
        ),
        (Selection(tags=None, since=CodexTag.parse("0.10.0")), (FINAL_MACOS, FINAL, NO_RELEASE)),
        (Selection(tags=None, platforms=("macosx_11_0_arm64",)), (FINAL_MACOS,)),
        (Selection(tags=(CodexTag.parse("0.9.0"),), platforms=("win_amd64", "win_arm64")), (EARLIEST,)),
        (Selection(tags=(CodexTag.parse("0.9.0"),), since=CodexTag.parse("0.10.0")), ()),
    ],
)
def test_wheels_are_selected_by_release_and_platform_and_sorted_by_version(
    selection: Selection, selected: tuple[PublishedWheel, ...]
) -> None:
    assert selection.wheels_of(UNSORTED) == selected


@pytest.mark.parametrize(
    ("selection", "platform", "takes"),
    [
        (Selection(tags=(CodexTag.parse("0.163.0"),)), None, True),
        (Selection(tags=(CodexTag.parse("0.162.0"),)), None, False),
        (Selection(tags=None, since=CodexTag.parse("0.164.0")), "win_amd64", False),
        (Selection(tags=None, platforms=("win_amd64",)), "win_amd64", True),
        (Selection(tags=None, platforms=("win_amd64",)), "win_arm64", False),
        (Selection(tags=None, platforms=("win_amd64",)), None, True),
    ],
)
def test_a_release_and_a_platform_are_selected(
    selection: Selection,
    platform: str | None,
    takes: bool,  # noqa: FBT001 - a case of the table
) -> None:
    assert selection.takes_release(CodexTag.parse("0.163.0"), platform) is takes


def test_a_release_with_unexpected_files_alone_is_not_absent() -> None:
    listing = replace(LISTING, wheels=(), unexpected=(unexpected("openai_codex_cli_bin-0.131.0.tar.gz"),))
    assert Selection(tags=(OLD,)).missing_from(listing) == ()
    assert Selection(tags=(OLD,), platforms=("win_amd64",)).missing_from(listing) == (
        "the index has no win_amd64 wheel of rust-v0.131.0; it has no wheel",
    )


@pytest.mark.parametrize(
    ("selection", "is_everything"),
    [
        (Selection(tags=None), True),
        (Selection(tags=(TAG,)), False),
        (Selection(tags=None, since=SINCE), False),
        (Selection(tags=None, platforms=("win_amd64",)), False),
        (Selection(tags=(TAG,), since=SINCE, platforms=("win_amd64",)), False),
    ],
)
def test_only_a_selection_without_limits_is_everything(selection: Selection, *, is_everything: bool) -> None:
    assert selection.is_everything is is_everything

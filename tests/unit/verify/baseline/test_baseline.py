from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from factory.core.digests import Sha256
from factory.core.errors import UsageError
from factory.core.tags import CodexTag
from factory.core.targets import OperatingSystem, Platform
from factory.verify.baseline.baseline import (
    AcceptedText,
    Baseline,
    KnownGenerator,
    KnownLeftOut,
    KnownPlacement,
    KnownText,
    ReviewedPlatform,
    Shape,
)

OLD, NEW, WINDOWS = (Sha256(digit * 64) for digit in "123")
INIT = "codex_cli_bin/__init__.py"
LINUX = OperatingSystem.LINUX
MANYLINUX = Platform.parse("manylinux_2_17_x86_64")
MUSLLINUX = Platform.parse("musllinux_1_1_x86_64")


def tag(version: str) -> CodexTag:
    return CodexTag.parse(version)


def text(sha256: Sha256, first: str, last: str | None, family: OperatingSystem = LINUX) -> KnownText:
    return KnownText(
        path=INIT, family=family, sha256=sha256, first=tag(first), last=tag(last) if last else None
    )


SHAPE = Shape(
    platforms=(
        ReviewedPlatform(platform="manylinux_2_17_x86_64", first=tag("0.131.0"), last=tag("0.163.0")),
        ReviewedPlatform(platform="musllinux_1_1_x86_64", first=tag("0.131.0"), last=tag("0.163.0")),
    ),
    generators=(
        KnownGenerator(name="hatchling 1.31.0", first=tag("0.144.4"), last=tag("0.147.0")),
        KnownGenerator(name="hatchling 1.32.0", first=tag("0.147.0"), last=tag("0.163.0")),
    ),
    texts=(
        text(OLD, "0.131.0", "0.132.0"),
        text(NEW, "0.133.0", "0.163.0"),
        text(WINDOWS, "0.131.0", "0.163.0", OperatingSystem.WINDOWS),
    ),
    left_out=(
        KnownLeftOut(
            pattern="codex-resources/voice/*",
            platform="manylinux_2_17_x86_64",
            first=tag("0.155.1"),
            last=tag("0.163.0"),
        ),
        KnownLeftOut(
            pattern="path/rg",
            platform="manylinux_2_17_x86_64",
            first=tag("0.131.0"),
            last=tag("0.132.0"),
        ),
    ),
    placements=(
        KnownPlacement(
            source=PurePosixPath("codex"),
            becomes=PurePosixPath("bin"),
            family=LINUX,
            first=tag("0.131.0"),
            last=tag("0.132.0"),
        ),
    ),
)


@pytest.mark.parametrize(
    ("release", "known"),
    [
        ("0.130.0", []),
        ("0.131.0", [OLD]),
        ("0.132.0", [OLD]),
        ("0.132.5", [OLD]),  # not reviewed: what was there before goes on
        ("0.133.0", [NEW]),
        ("0.150.0", [NEW]),
        ("0.171.0", [NEW]),
        ("0.131.0a4", [OLD]),  # a pre-release may have what its final release has
        ("0.133.0a1", [OLD, NEW]),  # ... or what the release before it had
    ],
)
def test_a_text_is_known_in_its_range_and_until_another_begins(release: str, known: list[Sha256]) -> None:
    assert [entry.sha256 for entry in SHAPE.texts_for(tag(release), LINUX)] == known


def test_a_text_is_known_for_its_family_only() -> None:
    found = SHAPE.texts_for(tag("0.150.0"), OperatingSystem.WINDOWS)
    assert [entry.sha256 for entry in found] == [WINDOWS]
    assert SHAPE.texts_for(tag("0.150.0"), OperatingSystem.MACOS) == ()


def test_a_text_without_a_last_release_is_never_replaced() -> None:
    shape = Shape(texts=(text(OLD, "0.131.0", None), text(NEW, "0.140.0", "0.150.0")))
    assert [entry.sha256 for entry in shape.texts_for(tag("0.171.0"), LINUX)] == [OLD]


@pytest.mark.parametrize(
    ("release", "known"),
    [
        ("0.137.0", []),
        ("0.144.4", ["hatchling 1.31.0"]),
        ("0.147.0", ["hatchling 1.31.0", "hatchling 1.32.0"]),
        ("0.149.0", ["hatchling 1.32.0"]),
        ("0.171.0", ["hatchling 1.32.0"]),
    ],
)
def test_generators_of_a_release(release: str, known: list[str]) -> None:
    assert [entry.name for entry in SHAPE.generators_for(tag(release))] == known


@pytest.mark.parametrize(
    ("path", "platform", "release", "may_lack"),
    [
        ("codex-resources/voice/bin/host", MANYLINUX, "0.155.1", True),
        ("codex-resources/voice/bin/host", MANYLINUX, "0.171.0", True),
        ("codex-resources/voice/bin/host", MANYLINUX, "0.154.0", False),
        ("codex-resources/voice/bin/host", MUSLLINUX, "0.163.0", False),
        ("codex-resources/bwrap", MANYLINUX, "0.163.0", False),
        ("path/rg", MANYLINUX, "0.132.0", True),
        ("path/rg", MANYLINUX, "0.150.0", False),  # later wheels were reviewed, and they have it
    ],
)
def test_payload_files_that_wheels_lack(
    path: str, platform: Platform, release: str, *, may_lack: bool
) -> None:
    assert SHAPE.may_lack(PurePosixPath(path), platform, tag(release)) is may_lack


@pytest.mark.parametrize(
    ("release", "place"), [("0.131.0", "bin/codex"), ("0.132.0", "bin/codex"), ("0.133.0", "codex/codex")]
)
def test_a_placement_ends_with_its_last_release(release: str, place: str) -> None:
    assert SHAPE.place(PurePosixPath("codex/codex"), MANYLINUX, tag(release)) == PurePosixPath(place)


def test_a_placement_is_for_one_family() -> None:
    windows = Platform.parse("win_amd64")
    path = PurePosixPath("codex/codex")
    assert SHAPE.place(path, windows, tag("0.131.0")) == path


def test_an_accepted_text_is_parsed() -> None:
    accepted = AcceptedText.parse(f"{INIT}:{'A' * 64}=I read it: a = b")
    assert accepted == AcceptedText(path=INIT, sha256=Sha256("a" * 64), reason="I read it: a = b")
    assert AcceptedText.parse(str(accepted)) == accepted


@pytest.mark.parametrize(
    "wrong", ["", INIT, f"{INIT}:{'a' * 64}", f"{INIT}:abc=why", f"{'a' * 64}=why", "p:=why"]
)
def test_an_acceptance_needs_path_digest_and_reason(wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        AcceptedText.parse(wrong)
    assert caught.value.hint.startswith("Write PATH:SHA256=REASON")


def test_an_acceptance_is_for_one_path_and_digest() -> None:
    accepted = AcceptedText(path="{dist-info}/METADATA", sha256=NEW, reason="read")
    baseline = Baseline(published=SHAPE).accepting([accepted])
    name = "openai_codex_cli_bin-0.163.0.dist-info/METADATA"
    assert baseline.acceptance("{dist-info}/METADATA", name, NEW) == accepted
    assert baseline.acceptance("{dist-info}/METADATA", name, OLD) is None
    assert baseline.acceptance(INIT, INIT, NEW) is None
    by_name = Baseline(accepted=(replace(accepted, path=name),))
    assert by_name.acceptance("{dist-info}/METADATA", name, NEW) is not None

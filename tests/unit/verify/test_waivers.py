import pytest

from factory.core.errors import UsageError
from factory.core.model import Finding, Severity, WaivedFinding
from factory.verify.waivers import Waiver, apply_waivers, require_used


def finding(check: str, place: str) -> Finding:
    return Finding(check=check, severity=Severity.ERROR, place=place, evidence="e", remedy="r")


def test_a_waiver_is_parsed() -> None:
    waiver = Waiver.parse("elf-musl:codex_cli_bin/codex-resources/*=voice is documented as glibc=only")
    assert waiver == Waiver(
        check="elf-musl",
        pattern="codex_cli_bin/codex-resources/*",
        reason="voice is documented as glibc=only",
    )
    assert Waiver.parse(str(waiver)) == waiver


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("elf-musl", "the waiver 'elf-musl' has no pattern"),
        ("elf-musl:*", r"the waiver 'elf-musl:\*' has no reason"),
        ("elf-musl:*= ", r"the waiver 'elf-musl:\*= ' has no reason"),
        (":*=why", r"the waiver ':\*=why' has no id"),
    ],
)
def test_a_waiver_without_a_part_is_rejected(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        Waiver.parse(text)


def test_waivers_separate_the_findings() -> None:
    kept, accepted = finding("elf-musl", "bin/codex"), finding("elf-musl", "voice/lib.so")
    used = Waiver(check="elf-musl", pattern="voice/*", reason="known")
    unused = Waiver(check="elf-rpath", pattern="*", reason="gone")
    waived = apply_waivers([kept, accepted], [used, unused])
    assert waived.remaining == (kept,)
    assert waived.waived == (WaivedFinding(finding=accepted, pattern="voice/*", reason="known"),)
    assert waived.unused == (unused,)


def test_an_id_is_not_a_pattern() -> None:
    waiver = Waiver(check="elf-*", pattern="*", reason="too much")
    assert apply_waivers([finding("elf-musl", "bin/codex")], [waiver]).unused == (waiver,)


def test_an_unused_waiver_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"no finding matches the waiver elf-musl:\*"):
        require_used([Waiver(check="elf-musl", pattern="*", reason="known")])
    require_used([])


@pytest.mark.parametrize("check", ["check-crashed", "archive-unreadable", "archive-bomb"])
def test_a_check_that_was_not_run_cannot_be_waived(check: str) -> None:
    with pytest.raises(UsageError, match=f"findings of {check} cannot be waived"):
        Waiver.parse(f"{check}:*=it will be fine")

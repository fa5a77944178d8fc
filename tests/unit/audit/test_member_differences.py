"""The causes for members that differ: what they say, and where the first difference is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from factory.audit.member_differences import MemberPair, member_differences, unreadable_parts
from factory.audit.verdict import Cause
from factory.core.digests import Sha256
from factory.core.model import Severity
from factory.verify.reading.read import read_wheel
from tests.audits import Release, good_release
from tests.images import MachO, MachOCpu, Pe, PeMachine
from tests.wheels import INFO, Wheel, good_wheel
from tests.zip_writer import ZipMember

CODEX = "codex_cli_bin/bin/codex"
INIT = "codex_cli_bin/__init__.py"
NOTICE = "codex_cli_bin/codex-resources/NOTICE.md"
FOREIGN = MachO(cpu=MachOCpu.ARM64, size_bytes=9000, seed="foreign").content()
LARGE = bytes((1 << 20) + 1)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return good_release(tmp_path_factory.mktemp("release"))


def causes(published: Wheel, rebuilt: Wheel, directory: Path) -> dict[str, Cause]:
    """Return the causes by place and id, without RECORD's, which follows from each of them."""
    found = all_causes(published, rebuilt, directory)
    return {f"{cause.place}: {cause.id}": cause for cause in found if not cause.place.endswith("/RECORD")}


def all_causes(published: Wheel, rebuilt: Wheel, directory: Path) -> list[Cause]:
    contents = []
    for name, wheel in (("published", published), ("rebuilt", rebuilt)):
        (directory / name).mkdir()
        contents.append(read_wheel(wheel.write(directory / name), scratch=directory))
    one, other = contents
    pairs = tuple(
        MemberPair(name=name, published=one.by_name[name], rebuilt=member)
        for name, member in other.by_name.items()
        if name in one.by_name
    )
    return list(member_differences(one, other, pairs))


def with_content(content: bytes) -> Callable[[ZipMember], ZipMember]:
    return lambda member: replace(member, content=content)


def stored(content: bytes) -> Callable[[ZipMember], ZipMember]:
    return lambda member: replace(member, content=content, method=0)


def digest(content: bytes) -> Sha256:
    return Sha256.of([content])


def test_equal_wheels_have_no_causes(release: Release, tmp_path: Path) -> None:
    assert causes(release.wheel, release.wheel, tmp_path) == {}


def test_an_executable_shows_where_it_differs(release: Release, tmp_path: Path) -> None:
    honest = release.wheel.member(CODEX).content
    at = 300_000 if len(honest) > 300_000 else len(honest) - 9
    changed = honest[:at] + bytes([honest[at] ^ 0xFF]) + honest[at + 1 :]

    (cause,) = causes(release.wheel.edited(CODEX, with_content(changed)), release.wheel, tmp_path).values()

    shown = changed[at : at + 8].hex(), honest[at : at + 8].hex()
    assert cause == Cause(
        id="executable-not-upstream",
        severity=Severity.ERROR,
        place=CODEX,
        sentence="It is not the executable that upstream released, and it may do anything.",
        evidence=f"SHA-256 {digest(changed)}, the release's file has {digest(honest)};"
        f" {len(changed)} bytes against {len(honest)};"
        f" first differing byte at {at}: {shown[0]} against {shown[1]}",
    )


def test_a_shorter_executable_differs_at_its_end(release: Release, tmp_path: Path) -> None:
    honest = release.wheel.member(CODEX).content
    (cause,) = causes(
        release.wheel.edited(CODEX, with_content(honest[:-4])), release.wheel, tmp_path
    ).values()

    assert cause.evidence.endswith(f"first differing byte at {len(honest) - 4}:  against {honest[-4:].hex()}")


def test_an_executable_in_the_place_of_a_text_is_not_upstream_s(release: Release, tmp_path: Path) -> None:
    found = causes(release.wheel.edited(NOTICE, with_content(FOREIGN)), release.wheel, tmp_path)

    assert list(found) == [f"{NOTICE}: executable-not-upstream"]
    assert "first differing byte" not in found[f"{NOTICE}: executable-not-upstream"].evidence


def test_an_executable_signed_again_is_a_warning(tmp_path: Path) -> None:
    name = "codex_cli_bin/bin/codex.exe"
    pe = Pe(machine=PeMachine.AMD64, security=b"signature", seed="a")
    rebuilt = good_wheel("win_amd64").edited(name, with_content(pe.content()))
    published = rebuilt.edited(name, with_content(replace(pe, security=b"another1!").content()))

    (cause,) = causes(published, rebuilt, tmp_path).values()

    assert (cause.id, cause.severity) == ("executable-re-signed", Severity.WARNING)


@pytest.mark.parametrize(("content", "what"), [(FOREIGN, "an executable"), (b"text\n", "a file (data)")])
def test_an_added_member_is_described(release: Release, tmp_path: Path, content: bytes, what: str) -> None:
    published = release.wheel.with_first(ZipMember(name=b"x", content=content))

    (cause,) = causes(published, release.wheel, tmp_path).values()

    assert cause == Cause(
        id="member-added",
        severity=Severity.ERROR,
        place="x",
        sentence=f"The published wheel has {what} that neither the release nor the backend provides.",
        evidence=f"{len(content)} bytes, SHA-256 {digest(content)}",
    )


@pytest.mark.parametrize(
    ("name", "is_code"),
    [(INIT, True), ("codex_cli_bin/x.pth", True), (NOTICE, False), (f"{INFO}/licenses/METADATA", False)],
)
def test_python_code_is_pointed_out(release: Release, tmp_path: Path, name: str, *, is_code: bool) -> None:
    rebuilt = release.wheel.with_first(ZipMember(name=name.encode(), content=b"one\n"))
    rebuilt = rebuilt if name not in {INIT, NOTICE} else release.wheel
    published = rebuilt.edited(name, with_content(b"two\n"))

    (cause,) = causes(published, rebuilt, tmp_path).values()

    assert (cause.id, cause.severity) == ("text", Severity.ERROR)
    assert ("Python code" in cause.sentence) is is_code


@pytest.mark.parametrize(
    ("published", "rebuilt"), [(LARGE, LARGE + b"!"), (b"small", LARGE), (LARGE, b"small")]
)
def test_contents_that_are_too_large_are_compared_by_digest(
    release: Release, tmp_path: Path, published: bytes, rebuilt: bytes
) -> None:
    one, other = (release.wheel.edited(NOTICE, stored(content)) for content in (published, rebuilt))

    (cause,) = causes(one, other, tmp_path).values()

    assert (cause.id, cause.severity, cause.sentence) == ("text", Severity.ERROR, "Its content differs.")
    assert cause.evidence == f"SHA-256 {digest(published)}, the rebuild has {digest(rebuilt)}"


def test_a_text_shows_where_it_differs(release: Release, tmp_path: Path) -> None:
    rebuilt = release.wheel.edited(NOTICE, with_content(b"one\ntwo\n"))
    published = release.wheel.edited(NOTICE, with_content(b"one\nthree\n"))

    (cause,) = causes(published, rebuilt, tmp_path).values()

    assert cause.evidence.splitlines() == [
        "first differing byte at 5: b'hree\\n', rebuilt b'wo\\n'",
        "--- rebuilt",
        "+++ published",
        "@@ -2 +2 @@",
        "-two",
        "+three",
    ]


def test_a_text_that_is_not_utf_8_shows_where_it_differs(release: Release, tmp_path: Path) -> None:
    rebuilt = release.wheel.edited(NOTICE, with_content(b"\xfe one\n"))
    published = release.wheel.edited(NOTICE, with_content(b"\xff one\n"))

    (cause,) = causes(published, rebuilt, tmp_path).values()

    # Both bytes are shown as the same character, so that only the first line says what differs.
    assert cause.evidence == r"first differing byte at 0: b'\xff one\n', rebuilt b'\xfe one\n'"


@pytest.mark.parametrize(("lines", "rest"), [(8, []), (9, ["... 1 more line"])])
def test_a_long_difference_is_cut(release: Release, tmp_path: Path, lines: int, rest: list[str]) -> None:
    rebuilt = release.wheel.edited(NOTICE, with_content(b"x\n"))
    published = release.wheel.edited(NOTICE, with_content(b"y\n" * lines))

    (cause,) = causes(published, rebuilt, tmp_path).values()

    assert cause.evidence.splitlines()[13:] == rest


@pytest.mark.parametrize(
    ("before", "after", "severity", "is_lost"),
    [
        (0o100644, 0o100640, Severity.WARNING, False),
        (0o100644, 0o100755, Severity.WARNING, False),
        (0o100755, 0o100644, Severity.ERROR, True),
        (0o100755, 0o100711, Severity.WARNING, False),
        (0o100644, 0o100664, Severity.ERROR, False),
        (0o100644, 0o100646, Severity.ERROR, False),
        (0o100755, 0o104755, Severity.ERROR, False),
        (0o100755, 0o102755, Severity.ERROR, False),
        (0o100755, 0o101755, Severity.ERROR, False),
        (0o100644, 0o000644, Severity.WARNING, False),
    ],
)
def test_a_mode_is_an_error_if_it_is_dangerous_or_not_executable(
    release: Release, tmp_path: Path, before: int, after: int, severity: Severity, *, is_lost: bool
) -> None:
    rebuilt = release.wheel.edited(NOTICE, lambda one: replace(one, mode=before))
    published = release.wheel.edited(NOTICE, lambda one: replace(one, mode=after))

    (cause,) = causes(published, rebuilt, tmp_path).values()

    assert (cause.id, cause.severity) == ("mode", severity)
    assert ("cannot be executed" in cause.sentence) is is_lost
    assert cause.evidence == f"published {after:o}, rebuilt {before:o}"


def test_line_ends_are_counted_and_are_a_warning(tmp_path: Path) -> None:
    def windows(member: ZipMember) -> ZipMember:
        return replace(member, content=member.content.replace(b"\n", b"\r\n", 2))

    cause = causes(good_wheel().edited(INIT, windows), good_wheel(), tmp_path)[f"{INIT}: line-ends"]
    assert (cause.id, cause.severity) == ("line-ends", Severity.WARNING)
    assert cause.evidence == "2 lines end with CRLF, 0 in the rebuild"


def test_mixed_line_ends_in_both_are_no_other_text(tmp_path: Path) -> None:
    def windows(count: int) -> Callable[[ZipMember], ZipMember]:
        return lambda member: replace(member, content=member.content.replace(b"\n", b"\r\n", count))

    published, rebuilt = good_wheel().edited(INIT, windows(2)), good_wheel().edited(INIT, windows(3))
    cause = causes(published, rebuilt, tmp_path)[f"{INIT}: line-ends"]
    assert cause.evidence == "2 lines end with CRLF, 3 in the rebuild"


def test_another_generator_has_its_own_cause(tmp_path: Path) -> None:
    place = f"{INFO}/WHEEL"
    published = good_wheel().edited_text(place, "hatchling 1.33.0", "hatchling 1.32.0")
    cause = causes(published, good_wheel(), tmp_path)[f"{place}: generator"]
    assert (cause.id, cause.severity) == ("generator", Severity.WARNING)
    assert cause.sentence == ("It names another generator: the wheel was built or edited with another tool.")
    assert cause.evidence.splitlines()[-2:] == [
        "-Generator: hatchling 1.33.0",
        "+Generator: hatchling 1.32.0",
    ]


def test_a_missing_member_is_an_error(tmp_path: Path) -> None:
    cause = causes(good_wheel().without(NOTICE), good_wheel(), tmp_path)[f"{NOTICE}: member-missing"]
    assert (cause.id, cause.severity) == ("member-missing", Severity.ERROR)


def test_the_lines_of_record_in_another_order_are_a_warning(tmp_path: Path) -> None:
    place = f"{INFO}/RECORD"
    backwards = replace(
        good_wheel(), edit_record=lambda text: "".join(reversed(text.splitlines(keepends=True)))
    )
    (cause,) = all_causes(backwards, good_wheel(), tmp_path)
    assert (cause.id, cause.severity, cause.place) == ("record-order", Severity.WARNING, place)
    assert cause.sentence == "RECORD has the same lines in another order, or has some of them twice."


def test_a_part_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    damaged = good_wheel().edited(NOTICE, lambda one: replace(one, packed=b"\xff" * 9))
    (cause,) = unreadable_parts(read_wheel(damaged.write(tmp_path), scratch=tmp_path))
    assert (cause.id, cause.severity, cause.place) == ("unreadable", Severity.ERROR, NOTICE)
    assert cause.sentence == (
        "A part of the wheel cannot be read safely: installers may read it differently."
    )

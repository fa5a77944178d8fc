"""Falsified copies of a published wheel, compared with the honest one: outcome, causes, severity."""

import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from factory.audit.decide import verdict_on
from factory.audit.verdict import Outcome, Verdict
from factory.audit.wheel_file import WheelFiles
from factory.core.digests import Sha256
from factory.core.model import FileKind, Payload, PayloadFile
from factory.core.tags import CodexTag
from factory.core.targets import Target
from tests.audits import Release, audited_file, good_release
from tests.images import MachO, MachOCpu
from tests.packages import TAG, executable
from tests.runs import run_context
from tests.wheels import INFO, Wheel
from tests.zip_writer import ZipMember, extra_field

LINUX = "manylinux_2_17_x86_64"
CODEX = "codex_cli_bin/bin/codex"
INIT = "codex_cli_bin/__init__.py"
RG = "codex_cli_bin/codex-path/rg"
METADATA = f"{INFO}/METADATA"
OLDER = CodexTag.parse("0.162.0")
OF_0_162 = executable(Target.LINUX_X86_64, name="codex", tag=OLDER, size_bytes=60_000)
OLD_PAYLOAD = Payload(
    target=Target.LINUX_X86_64,
    files=(
        PayloadFile(
            path=PurePosixPath("bin/codex"),
            mode=0o755,
            size_bytes=len(OF_0_162),
            sha256=Sha256.of([OF_0_162]),
            kind=FileKind.ELF,
        ),
    ),
)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return replace(good_release(tmp_path_factory.mktemp("release")), older=((OLDER, OLD_PAYLOAD),))


def decided(release: Release, wheel: Wheel, directory: Path) -> Verdict:
    """Return the verdict on a published wheel whose rebuild is the good wheel."""
    rebuilt = release.rebuilt(audited_file(wheel.write(directory)), directory / "rebuilt")
    files = WheelFiles(tools=run_context(directory / "cache"), scratch=directory / "published")
    return verdict_on(release.comparer(files, directory).compare(rebuilt))


def test_the_good_wheel_is_identical(release: Release, tmp_path: Path) -> None:
    verdict = decided(release, release.wheel, tmp_path)

    assert verdict.outcome is Outcome.IDENTICAL
    assert verdict.causes == ()
    assert verdict.findings == ()
    assert verdict.is_inspected


def flipped(member: ZipMember) -> ZipMember:
    content = bytearray(member.content)
    content[-1] ^= 1
    return replace(member, content=bytes(content))


def with_content(content: bytes) -> Callable[[ZipMember], ZipMember]:
    return lambda member: replace(member, content=content)


def all_members(wheel: Wheel, edit: Callable[[ZipMember], ZipMember]) -> Wheel:
    members = tuple(edit(member) for member in wheel.archive.members)
    return replace(wheel, archive=replace(wheel.archive, members=members), edit_record_member=edit)


def with_level(level: int) -> Callable[[ZipMember], ZipMember]:
    def edit(member: ZipMember) -> ZipMember:
        encoder = zlib.compressobj(level, zlib.DEFLATED, -15)
        return replace(member, packed=encoder.compress(member.content) + encoder.flush())

    return edit


def stored(member: ZipMember) -> ZipMember:
    return replace(member, method=0)


def on_a_wall_clock(member: ZipMember) -> ZipMember:
    return replace(member, dos_date=member.dos_date + 1, dos_time=0x6A2F)


def on_windows(member: ZipMember) -> ZipMember:
    return replace(member, create_system=0)


def in_other_order(wheel: Wheel) -> Wheel:
    first, second, *rest = wheel.archive.members
    return wheel.in_archive(lambda archive: replace(archive, members=(second, first, *rest)))


def listed_in_other_order(wheel: Wheel) -> Wheel:
    count = len(wheel.archive.members)
    order = (1, 0, *range(2, count))
    return wheel.in_archive(lambda archive: replace(archive, directory_order=order))


def added(name: str, content: bytes, mode: int = 0o100644) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.with_first(ZipMember(name=name.encode(), content=content, mode=mode))


def crlf(member: ZipMember) -> ZipMember:
    return replace(member, content=member.content.replace(b"\n", b"\r\n"))


def with_mode(mode: int) -> Callable[[ZipMember], ZipMember]:
    return lambda member: replace(member, mode=mode)


def doubled(wheel: Wheel) -> Wheel:
    evil = replace(wheel.member(INIT), content=b"import evil\n")
    members = (evil, *wheel.archive.members)
    return replace(
        wheel,
        archive=replace(wheel.archive, members=members),
        edit_record=lambda text: text.partition("\n")[2],
    )


def doubled_at_the_end(wheel: Wheel) -> Wheel:
    """Append a second text; up to there the members are those of the rebuild, in its order."""
    evil = replace(wheel.member(INIT), content=b"import evil\n")
    return wheel.in_archive(lambda archive: replace(archive, members=(*archive.members, evil)))


def unrecorded_edit(wheel: Wheel) -> Wheel:
    """Falsify the executable and leave RECORD as it was."""
    honest = wheel.record_text()
    return replace(wheel.edited(CODEX, flipped), edit_record=lambda _: honest)


def exchanged(wheel: Wheel) -> Wheel:
    codex, rg = wheel.member(CODEX).content, wheel.member(RG).content
    return wheel.edited(CODEX, with_content(rg)).edited(RG, with_content(codex))


OF_ARM = executable(Target.LINUX_AARCH64, name="codex", size_bytes=60_000)
FOREIGN = MachO(cpu=MachOCpu.ARM64, size_bytes=9000, seed="foreign").content()

TAMPERED: dict[str, tuple[Callable[[Wheel], Wheel], Outcome, set[tuple[str, str]]]] = {
    "one byte of the executable": (
        lambda wheel: wheel.edited(CODEX, flipped),
        Outcome.DIFFERENT,
        {("executable-not-upstream", "error"), ("record", "error")},
    ),
    "one byte of the executable, RECORD as it was": (
        unrecorded_edit,
        Outcome.DIFFERENT,
        {("executable-not-upstream", "error"), ("record", "error")},
    ),
    "a swapped architecture": (
        lambda wheel: wheel.edited(CODEX, with_content(OF_ARM)),
        Outcome.DIFFERENT,
        {("executable-of-another-target", "error"), ("record", "error")},
    ),
    "the executable of another release": (
        lambda wheel: wheel.edited(CODEX, with_content(OF_0_162)),
        Outcome.DIFFERENT,
        {("executable-of-another-release", "error"), ("record", "error")},
    ),
    "two executables exchanged": (
        exchanged,
        Outcome.DIFFERENT,
        {("executable-moved", "error"), ("record", "error")},
    ),
    "an executable of another system": (
        lambda wheel: wheel.edited(CODEX, with_content(FOREIGN)),
        Outcome.DIFFERENT,
        {("executable-not-upstream", "error"), ("record", "error")},
    ),
    "a text in the executable's place": (
        lambda wheel: wheel.edited(CODEX, with_content(b"#!/bin/sh\ncurl\n")),
        Outcome.DIFFERENT,
        {("executable-not-upstream", "error"), ("record", "error")},
    ),
    "an added module": (
        added("codex_cli_bin/extra.py", b"import os\n"),
        Outcome.DIFFERENT,
        {("importable-file", "error"), ("record", "error")},
    ),
    "an added path file": (
        added("codex.pth", b"import os\n"),
        Outcome.DIFFERENT,
        {("importable-file", "error"), ("record", "error")},
    ),
    "an added executable": (
        added("codex_cli_bin/bin/helper", FOREIGN, 0o100755),
        Outcome.DIFFERENT,
        {("executable-not-upstream", "error"), ("record", "error")},
    ),
    "added entry points": (
        lambda wheel: wheel.with_info("entry_points.txt", "[console_scripts]\npip = evil:main\n"),
        Outcome.DIFFERENT,
        {("entry-point", "error"), ("record", "error")},
    ),
    "an added directory": (
        added("codex_cli_bin/bin/", b"", 0o040755),
        Outcome.DIFFERENT,
        {("foreign-member", "error")},
    ),
    "a missing helper": (
        lambda wheel: wheel.without("codex_cli_bin/codex-path/rg"),
        Outcome.DIFFERENT,
        {("payload-missing", "error"), ("record", "error")},
    ),
    "a missing licence": (
        lambda wheel: wheel.without(f"{INFO}/licenses/LICENSE"),
        Outcome.DIFFERENT,
        {("text-missing", "error"), ("record", "error")},
    ),
    "no RECORD": (
        lambda wheel: replace(wheel, is_recorded=False),
        Outcome.DIFFERENT,
        {("text-missing", "error")},
    ),
    "a changed METADATA line": (
        lambda wheel: wheel.edited_text(f"{INFO}/METADATA", "Python: >=3.10", "Python: >=3.6"),
        Outcome.EQUIVALENT,
        {("metadata-not-seen-before", "error")},
    ),
    "an added requirement": (
        lambda wheel: wheel.edited_text(METADATA, "Requires-Python", "Requires-Dist: evil\nRequires-Python"),
        Outcome.DIFFERENT,
        {("dependency", "error"), ("record", "error")},
    ),
    "another generator": (
        lambda wheel: wheel.edited_text(f"{INFO}/WHEEL", "hatchling 1.33.0", "hatchling 1.29.0"),
        Outcome.EQUIVALENT,
        {("generator-not-seen-before", "warning")},
    ),
    "another tag": (
        lambda wheel: wheel.edited_text(f"{INFO}/WHEEL", LINUX, "manylinux_2_5_x86_64"),
        Outcome.DIFFERENT,
        {("tag", "error"), ("record", "error")},
    ),
    "purelib": (
        lambda wheel: wheel.edited_text(f"{INFO}/WHEEL", "Root-Is-Purelib: false", "Root-Is-Purelib: true"),
        Outcome.DIFFERENT,
        {("wheel-file", "error"), ("record", "error")},
    ),
    "an extra RECORD line": (
        lambda wheel: replace(wheel, edit_record=lambda text: f"../../evil.py,,\n{text}"),
        Outcome.DIFFERENT,
        {("record", "error")},
    ),
    "RECORD in another order": (
        lambda wheel: replace(
            wheel, edit_record=lambda text: "".join(sorted(text.splitlines(keepends=True), reverse=True))
        ),
        Outcome.DIFFERENT,
        {("record-order", "warning")},
    ),
    "a changed module": (
        lambda wheel: wheel.edited_text(INIT, "import", "import os\nimport"),
        Outcome.EQUIVALENT,
        {("text-not-seen-before", "error")},
    ),
    "other line ends": (
        lambda wheel: wheel.edited(INIT, crlf),
        Outcome.EQUIVALENT,
        {("text-not-seen-before", "warning")},
    ),
    "a changed package description": (
        lambda wheel: wheel.edited_text("codex_cli_bin/codex-package.json", "0.163.0", "0.163.1"),
        Outcome.DIFFERENT,
        {("payload-unknown", "error"), ("record", "error")},
    ),
    "a lost executable bit": (
        lambda wheel: wheel.edited(CODEX, with_mode(0o100644)),
        Outcome.DIFFERENT,
        {("mode", "error")},
    ),
    "a text made executable": (
        lambda wheel: wheel.edited(INIT, with_mode(0o100755)),
        Outcome.DIFFERENT,
        {("mode", "warning")},
    ),
    "a setuid executable": (
        lambda wheel: wheel.edited(CODEX, with_mode(0o104755)),
        Outcome.DIFFERENT,
        {("mode", "error")},
    ),
    "a doubled name": (
        doubled,
        Outcome.DIFFERENT,
        {("member-doubled", "error"), ("record", "error")},
    ),
    "a doubled name at the end": (
        doubled_at_the_end,
        Outcome.DIFFERENT,
        {("member-doubled", "error"), ("record", "error")},
    ),
    "bytes before everything": (
        lambda wheel: wheel.in_archive(lambda archive: replace(archive, prefix=b"#!/bin/sh\n")),
        Outcome.DIFFERENT,
        {("stray-bytes", "error")},
    ),
    "bytes between members": (
        lambda wheel: wheel.edited(INIT, lambda member: replace(member, before=b"hidden")),
        Outcome.DIFFERENT,
        {("stray-bytes", "error")},
    ),
    "a header that says another name": (
        lambda wheel: wheel.edited(CODEX, lambda member: replace(member, local_name=b"codex_cli_bin/x")),
        Outcome.DIFFERENT,
        {("local-header", "error")},
    ),
    "damaged content": (
        lambda wheel: wheel.edited(CODEX, lambda member: replace(member, packed=b"\xff" * 50)),
        Outcome.DIFFERENT,
        {("unreadable-member", "error"), ("record", "error")},
    ),
    "packed again with times": (
        lambda wheel: all_members(wheel, on_a_wall_clock),
        Outcome.REPLAYED,
        {("time", "note")},
    ),
    "packed again on Windows": (
        lambda wheel: all_members(wheel, on_windows),
        Outcome.REPLAYED,
        {("zip-host", "note")},
    ),
    "members in another order, RECORD too": (
        in_other_order,
        Outcome.DIFFERENT,
        {("record-order", "warning"), ("order", "note")},
    ),
    "the directory in another order": (
        listed_in_other_order,
        Outcome.REPLAYED,
        {("order", "note")},
    ),
    "a comment": (
        lambda wheel: wheel.in_archive(lambda archive: replace(archive, comment=b"hello")),
        Outcome.REPLAYED,
        {("comment", "note")},
    ),
    "extra fields": (
        lambda wheel: all_members(wheel, lambda member: replace(member, extra=extra_field(0x9999, b"abcd"))),
        Outcome.REPLAYED,
        {("header", "note")},
    ),
    "packed again at level 9": (
        lambda wheel: all_members(wheel, with_level(9)),
        Outcome.EQUIVALENT,
        {("encoder", "note")},
    ),
    "packed again at level 1": (
        lambda wheel: all_members(wheel, with_level(1)),
        Outcome.EQUIVALENT,
        {("encoder", "note")},
    ),
    "stored": (
        lambda wheel: all_members(wheel, stored),
        Outcome.EQUIVALENT,
        {("encoder", "note")},
    ),
}  # fmt: skip


TO_REVIEW = {"a changed METADATA line", "another generator", "a changed module", "other line ends"}
"""A person must read these texts, since an edit by upstream and an attack look alike."""


@pytest.mark.parametrize("case", TAMPERED)
def test_a_falsified_wheel_gets_its_outcome_and_its_causes(
    release: Release, tmp_path: Path, case: str
) -> None:
    tamper, outcome, causes = TAMPERED[case]

    verdict = decided(release, tamper(release.wheel), tmp_path)

    assert {(cause.id, cause.severity.value) for cause in verdict.causes} == causes
    assert verdict.outcome is outcome
    expected = 10 if outcome is Outcome.DIFFERENT else 11 if case in TO_REVIEW else 0
    assert verdict.status.exit_status == expected
    assert verdict.rebuilt == release.sha256
    assert all(cause.sentence.endswith(".") and cause.evidence for cause in verdict.causes)


def test_an_executable_of_another_release_is_named(release: Release, tmp_path: Path) -> None:
    verdict = decided(release, release.wheel.edited(CODEX, with_content(OF_0_162)), tmp_path)

    cause = verdict.causes[0]
    assert cause.sentence == "It is a file of another release: the wheel is not what its version says."
    assert cause.evidence.startswith("it is codex of 0.162.0 for x86_64-unknown-linux-musl; SHA-256 ")


def test_what_else_is_audited_changes_no_cause(release: Release, tmp_path: Path) -> None:
    """A wheel for one target, audited alone, has the same causes as among those of the other targets."""
    wheel = release.wheel.edited(CODEX, with_content(OF_ARM))
    own = tuple(one for one in release.packages if one.asset.target is Target.LINUX_X86_64)

    (tmp_path / "all").mkdir()
    (tmp_path / "alone").mkdir()
    among_all = decided(release, wheel, tmp_path / "all")
    older = (*release.older, *((TAG, package.payload) for package in release.packages))
    alone = decided(replace(release, packages=own, older=older), wheel, tmp_path / "alone")

    assert alone.causes == among_all.causes
    assert alone.assessments == among_all.assessments
    assert alone.chain == among_all.chain

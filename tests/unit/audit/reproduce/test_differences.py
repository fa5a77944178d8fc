"""Each kind of difference has its own description."""

import zipfile
from pathlib import Path

import pytest

from factory.audit.reproduce.differences import differences


def wheel(
    path: Path, *members: tuple[str, bytes], level: int = 6, mode: int = 0o644, comment: bytes = b""
) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED, level)
        archive.comment = comment
    return path


TEXT = b"".join(b"%d times seven is %d\n" % (number, 7 * number) for number in range(500))
A, B = ("pkg/a.txt", TEXT), ("pkg/b.txt", b"b")


@pytest.mark.parametrize(
    ("members", "level", "mode", "comment", "said"),
    [
        ((("pkg/a.txt", b"other"), B), 6, 0o644, b"", ("pkg/a.txt",)),
        ((A,), 6, 0o644, b"", ("pkg/b.txt (in one only)",)),
        ((A, B), 1, 0o644, b"", ("pkg/a.txt (compressed differently)",)),
        ((A, B), 6, 0o755, b"", ("pkg/a.txt (mode, time or zip host)", "pkg/b.txt (mode, time or zip host)")),
        ((B, A), 6, 0o644, b"", ("the order of members",)),
        ((A, B), 6, 0o644, b"x", ("only bytes outside the members",)),
    ],
)
def test_what_differs_is_named(
    tmp_path: Path,
    members: tuple[tuple[str, bytes], ...],
    level: int,
    mode: int,
    comment: bytes,
    said: tuple[str, ...],
) -> None:
    one = wheel(tmp_path / "one.whl", A, B)
    other = wheel(tmp_path / "other.whl", *members, level=level, mode=mode, comment=comment)
    assert differences(one, other) == said

"""A release package must have the executables of its release."""

from pathlib import PurePosixPath

import pytest

from factory.core.digests import Sha256
from factory.core.errors import IntegrityError
from factory.core.model import FileKind, Payload, PayloadFile
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.verify.baseline.complete_payload import require_complete
from factory.verify.baseline.executables import KnownExecutables, PackageExecutables

TARGET = Target.WINDOWS_X86_64
NAMES = ("bin/codex.exe", "bin/codex-code-mode-host.exe", "codex-path/rg.exe", "codex-resources/voice/x.dll")
KNOWN = KnownExecutables(
    [
        PackageExecutables(
            release=CodexTag.parse("0.163.0"),
            target=TARGET,
            digests={PurePosixPath(name): Sha256.of([name.encode()]) for name in NAMES},
        )
    ]
)


def payload(*names: str, content: bytes | None = None) -> Payload:
    files = tuple(
        PayloadFile(
            path=PurePosixPath(name),
            mode=0o755,
            size_bytes=1,
            sha256=Sha256.of([content or name.encode()]),
            kind=FileKind.PE,
        )
        for name in names
    )
    return Payload(target=TARGET, files=files)


@pytest.mark.parametrize("release", ["0.163.0", "0.164.0"])
def test_a_package_without_the_host_of_code_mode_is_refused(release: str) -> None:
    with pytest.raises(IntegrityError) as refused:
        require_complete(payload(NAMES[0], NAMES[2]), CodexTag.parse(release), KNOWN)
    assert str(refused.value) == (
        "the package lacks bin/codex-code-mode-host.exe, which 0.163.0 for x86_64-pc-windows-msvc has"
    )


@pytest.mark.parametrize(
    ("given", "release"),
    [
        (payload(*NAMES[:3]), "0.163.0"),
        (payload("codex/codex.exe", *NAMES[1:3]), "0.163.0"),
        (payload(NAMES[0]), "0.162.0"),
        (payload(NAMES[0], content=b"a build of its own"), "0.163.0"),
    ],
    ids=["without what wheels leave out", "another layout", "an earlier release", "unknown files"],
)
def test_another_package_is_accepted(given: Payload, release: str) -> None:
    require_complete(given, CodexTag.parse(release), KNOWN)

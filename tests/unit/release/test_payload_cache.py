from pathlib import Path, PurePosixPath

import pytest

from factory.core.digests import Digest, Sha256
from factory.core.model import FileKind, Payload, PayloadFile
from factory.core.targets import Target
from factory.release.payload_cache import load_payload, save_payload
from factory.system.cache import Cache

ASSET = Digest.parse("sha512:" + "ab" * 64)
PAYLOAD = Payload(
    target=Target.WINDOWS_AARCH64,
    files=(
        PayloadFile(
            path=PurePosixPath("bin/codex.exe"),
            mode=0o644,
            size_bytes=3,
            sha256=Sha256("cd" * 32),
            kind=FileKind.PE,
        ),
        PayloadFile(
            path=PurePosixPath("codex-package.json"),
            mode=0o644,
            size_bytes=0,
            sha256=Sha256("ef" * 32),
            kind=FileKind.DATA,
        ),
    ),
)


def test_a_payload_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    save_payload(Cache(tmp_path), ASSET, PAYLOAD, package_bytes=9)
    assert load_payload(Cache(tmp_path), ASSET, Target.WINDOWS_AARCH64, package_bytes=9) == PAYLOAD


def test_a_package_of_another_size_is_read_again(tmp_path: Path) -> None:
    save_payload(Cache(tmp_path), ASSET, PAYLOAD, package_bytes=9)
    assert load_payload(Cache(tmp_path), ASSET, Target.WINDOWS_AARCH64, package_bytes=8) is None
    assert load_payload(Cache(tmp_path), ASSET, Target.WINDOWS_AARCH64, package_bytes=None) == PAYLOAD


def test_a_payload_is_not_loaded_for_another_digest_or_target(tmp_path: Path) -> None:
    save_payload(Cache(tmp_path), ASSET, PAYLOAD, package_bytes=9)
    assert load_payload(Cache(tmp_path), ASSET, Target.WINDOWS_X86_64, package_bytes=9) is None
    other = Digest.parse("sha512:" + "cd" * 64)
    assert load_payload(Cache(tmp_path), other, Target.WINDOWS_AARCH64, package_bytes=9) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"path"', '"pfad"'),
        ('"mode": 420', '"mode": -1'),
        ('"kind": "pe"', '"kind": "com"'),
        ("cdcd", "xxxx"),
        ("{", ""),
    ],
    ids=["key", "mode", "kind", "digest", "cut"],
)
def test_a_malformed_record_is_ignored(tmp_path: Path, before: str, after: str) -> None:
    save_payload(Cache(tmp_path), ASSET, PAYLOAD, package_bytes=9)
    (record,) = tmp_path.rglob("*.json")
    text = record.read_text()
    assert before in text
    record.write_text(text.replace(before, after))
    assert load_payload(Cache(tmp_path), ASSET, Target.WINDOWS_AARCH64, package_bytes=9) is None

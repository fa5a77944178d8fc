"""What the format of RECORD allows, and what it does not."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.wheels import PACKAGE, Wheel, good_wheel
from tests.zoo.judge import findings_of

NOTICE = f"{PACKAGE}/codex-resources/NOTICE.md"
CODEX = f"{PACKAGE}/bin/codex"


def hashed(name: str, algorithm: str, *, padding: str = "") -> Callable[[str], str]:
    content = good_wheel().member(name).content
    digest = base64.urlsafe_b64encode(hashlib.new(algorithm, content).digest()).rstrip(b"=").decode()

    def edit(text: str) -> str:
        lines = text.splitlines(keepends=True)
        new = f"{name},{algorithm}={digest}{padding},{len(content)}\n"
        return "".join(new if line.startswith(f"{name},") else line for line in lines)

    return edit


def without_sizes(text: str) -> str:
    return "".join(f"{line.rpartition(',')[0]},\n" for line in text.splitlines())


def found(edit: Callable[[str], str], directory: Path, wheel: Wheel | None = None) -> list[str]:
    changed = replace(wheel or good_wheel(), edit_record=edit)
    return [finding.check for finding in findings_of(changed, directory)]


@pytest.mark.parametrize(
    "edit",
    [
        hashed(NOTICE, "sha512"),
        hashed(CODEX, "sha512"),
        hashed(NOTICE, "sha384"),
        hashed(NOTICE, "sha256", padding="="),
        without_sizes,
    ],
    ids=["sha512", "sha512 of an executable", "sha384", "padding", "no sizes"],
)
def test_what_the_format_allows_is_no_finding(edit: Callable[[str], str], tmp_path: Path) -> None:
    assert found(edit, tmp_path) == []


def test_a_wrong_sha512_is_found(tmp_path: Path) -> None:
    other = good_wheel().edited(NOTICE, lambda member: replace(member, content=b"# Another notice\n"))
    assert found(hashed(NOTICE, "sha512"), tmp_path, other) == ["record-hash", "record-size"]


@pytest.mark.parametrize("algorithm", ["sha1", "md5", "sha224", "blake2b"])
def test_another_hash_is_not_understood(algorithm: str, tmp_path: Path) -> None:
    assert found(hashed(NOTICE, algorithm), tmp_path) == ["record-algorithm"]

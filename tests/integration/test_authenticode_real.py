"""A real Windows executable, as it is and tampered with: a small one, of which no more is fetched."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import lief
import pytest

from factory.audit.index import fetch_listing
from factory.audit.remote_zip import Fetched, RemoteSource
from factory.cli.index import chosen_index
from factory.cli.settings import Settings
from factory.core.model import Remote
from factory.core.trust_level import Level, Scheme, Signature, Signer
from factory.executables.signatures.authenticode import read_authenticode
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.result import SignatureResult
from factory.system.http import RequestsClient
from tests.images.authenticode import Authenticode, with_table

pytestmark = pytest.mark.network

WHEEL = "openai_codex_cli_bin-0.131.0-py3-none-win_amd64.whl"
MEMBER = "codex_cli_bin/bin/codex-command-runner.exe"
POLICY = TrustPolicy(now=datetime(2026, 11, 24, tzinfo=UTC))
TABLE_AT = 751104
"""Where its certificates begin; they end the file."""

SIGNATURE = Signature(
    scheme=Scheme.AUTHENTICODE,
    signer=Signer(
        name="OpenAI OpCo, LLC",
        organization="OpenAI OpCo, LLC",
        identifier="1.3.6.1.4.1.311.97.34411380.685553541.718322805.135574919",
        root="Microsoft Identity Verification Root Certificate Authority 2020",
    ),
    signed_at=datetime(2026, 5, 18, 17, 34, 41, 762000, tzinfo=UTC),
    details=("sha256 digest",),
    serials=("0x330001299babe3d715d555963b00000001299b",),
)
CHANGED = SignatureResult(
    level=Level.SIGNATURE_NOT_VALID,
    reason="its sha256 digest is not the signed one: the file was changed after signing",
    signature=SIGNATURE,
)


@pytest.fixture(scope="module")
def program() -> bytes:
    index = chosen_index(None, Settings.from_environ()).value
    with RequestsClient() as client:
        listing = fetch_listing(client, index=index, project="openai-codex-cli-bin", asked_at=POLICY.now)
        wheel = listing.wheel(WHEEL)
        assert wheel is not None
        assert isinstance(wheel.location, Remote)
        source = RemoteSource(
            client=client, url=wheel.location.url, name=WHEEL, size_bytes=wheel.size_bytes, fetched=Fetched()
        )
        file, _ = source.open()
        with file, zipfile.ZipFile(file) as archive:
            return archive.read(MEMBER)


def read(content: bytes, directory: Path) -> SignatureResult | None:
    path = directory / "program.exe"
    path.write_bytes(content)
    return read_authenticode(path, POLICY)


def flipped(content: bytes, at: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


def test_all_that_is_said_of_it(program: bytes, tmp_path: Path) -> None:
    assert read(program, tmp_path) == SignatureResult(
        level=Level.AUTHORSHIP_VERIFIED,
        reason="its digest, the signer's chain to a pinned root and the countersigned time are valid",
        signature=SIGNATURE,
    )


def test_lief_says_the_same(program: bytes, tmp_path: Path) -> None:
    path = tmp_path / "program.exe"
    path.write_bytes(program)
    binary = lief.PE.parse(str(path))
    assert binary is not None
    assert binary.verify_signature() is lief.PE.Signature.VERIFICATION_FLAGS.OK


@pytest.mark.parametrize("at", [0x50, 300_000, TABLE_AT - 1], ids=["header", "page", "last signed byte"])
def test_a_flipped_byte_of_what_is_signed(at: int, program: bytes, tmp_path: Path) -> None:
    assert read(flipped(program, at), tmp_path) == CHANGED


def reason_of(content: bytes, directory: Path) -> str:
    result = read(content, directory)
    assert result is not None
    assert result.level is Level.SIGNATURE_NOT_VALID
    return result.reason


def test_a_flipped_byte_of_the_signed_digest(program: bytes, tmp_path: Path) -> None:
    digest_at = program.index(bytes.fromhex("3031300d060960864801650304020105000420"), TABLE_AT) + 19
    assert reason_of(flipped(program, digest_at), tmp_path) == "the signed digest is not that of the content"


def test_a_page_appended(program: bytes, tmp_path: Path) -> None:
    assert reason_of(program + bytes(4096), tmp_path) == "4096 unsigned bytes follow its certificates"


def stripped(content: bytes) -> bytes:
    """Take the certificates off, and their place out of the header."""
    start = int.from_bytes(content[0x3C:0x40], "little") + 24 + 112 + 8 * 4
    return content[:start] + bytes(8) + content[start + 8 : TABLE_AT]


def test_without_its_signature_it_has_none(program: bytes, tmp_path: Path) -> None:
    assert read(stripped(program), tmp_path) is None


def test_signed_again_by_the_right_name_under_another_root(program: bytes, tmp_path: Path) -> None:
    message = Authenticode().message_over(b"\0" * 32)
    start = int.from_bytes(program[0x3C:0x40], "little") + 24 + 112 + 8 * 4
    entry = with_table(bytes(1024), [message])[1024:]
    table = TABLE_AT.to_bytes(4, "little") + len(entry).to_bytes(4, "little")
    content = program[:start] + table + program[start + 8 : TABLE_AT] + entry
    assert reason_of(content, tmp_path).endswith("the file was changed after signing")

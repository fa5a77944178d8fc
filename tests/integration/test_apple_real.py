"""The executables of a real macOS release, as they are and tampered with."""

import os
import shutil
import struct
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from factory.core.progress import SilentProgress
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.core.trust_level import Level, Scheme, Signature, Signer
from factory.executables.signatures.apple import read_apple_signature
from factory.executables.signatures.policy import APPLE_ROOTS
from factory.executables.signatures.result import SignatureResult
from factory.release.channels.npm import NpmChannel, default_npm_registry, npm_registry_from_client
from factory.release.channels.npm_login import NpmLogin
from factory.release.download import Downloader
from factory.system.cache import Cache
from factory.system.http import RequestsClient
from factory.system.process import SubprocessRunner
from tests.images.apple_signature import AD_HOC_SIGNATURE, SOMEBODY, AppleSignature

pytestmark = pytest.mark.network

TAG = CodexTag.parse("rust-v0.163.0")
NOW = datetime(2026, 11, 24, tzinfo=UTC)
FOLDER = "package/vendor/aarch64-apple-darwin"
SIGNER = Signer(
    name="Developer ID Application: OpenAI OpCo, LLC (2DC432GLL2)",
    organization="OpenAI OpCo, LLC",
    identifier="2DC432GLL2",
    root="Apple Root CA",
)
RG = SignatureResult(
    level=Level.AUTHORSHIP_VERIFIED,
    reason="its pages, sealed parts and the signer's chain to a pinned root are valid as of the timestamp",
    signature=Signature(
        scheme=Scheme.APPLE,
        signer=SIGNER,
        signed_at=datetime(2026, 10, 15, 20, 57, 16, tzinfo=UTC),
        serials=("0x62b01e60619f73896a117564f13270f6",),
        details=(
            "identifier com.openai.codex.rg",
            "CodeDirectory 0x20500, 973 pages, SHA-256",
            "hardened runtime",
            "a Developer ID Application certificate",
            "timestamp by Timestamp Signer MR02 under Apple Root CA, which signs with sha1",
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Two of a release's executables, and a directory to write in."""

    rg: bytes
    codex: Path
    directory: Path

    def read(self, content: bytes) -> SignatureResult | None:
        path = self.directory / "tampered"
        path.write_bytes(content)
        return read_apple_signature(path, now=NOW, roots=APPLE_ROOTS)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    directory = tmp_path_factory.mktemp("apple")
    registry = npm_registry_from_client(SubprocessRunner(), env=os.environ) or default_npm_registry()
    with RequestsClient() as client:
        assets = NpmChannel(client, login=NpmLogin.of(registry, "a test", {})).assets(TAG).assets
        (asset,) = (asset for asset in assets if asset.target is Target.MACOS_AARCH64)
        package = Downloader(cache=Cache(directory), client=client, progress=SilentProgress()).fetch(asset)
    with tarfile.open(package) as archive:
        archive.extract(f"{FOLDER}/bin/codex", directory, filter="data")
        archive.extract(f"{FOLDER}/codex-path/rg", directory, filter="data")
    yield Release(
        rg=(directory / FOLDER / "codex-path/rg").read_bytes(),
        codex=directory / FOLDER / "bin/codex",
        directory=directory,
    )
    shutil.rmtree(directory)


def signature_start(content: bytes) -> int:
    at = 32
    while True:
        kind, size, offset = struct.unpack_from("<III", content, at)
        if kind == 0x1D:
            return int(offset)
        at += size


def parts(content: bytes) -> dict[int, int]:
    """Tell where the parts of the signature start, by slot."""
    start = signature_start(content)
    (count,) = struct.unpack_from(">I", content, start + 8)
    entries = [struct.unpack_from(">II", content, start + 12 + 8 * number) for number in range(count)]
    return {slot: start + offset for slot, offset in entries}


def resigned(content: bytes, signature: AppleSignature) -> bytes:
    """Put another signature in the place of the one that is there."""
    start = signature_start(content)
    return content[:start] + signature.over(content[:start]).ljust(len(content) - start, b"\0")


def flipped(content: bytes, at: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


def test_the_largest_executable_holds(release: Release) -> None:
    result = read_apple_signature(release.codex, now=NOW, roots=APPLE_ROOTS)
    assert result is not None
    assert (result.level, result.signature.signer) == (Level.AUTHORSHIP_VERIFIED, SIGNER)
    assert "CodeDirectory 0x20500, 60547 pages, SHA-256" in result.signature.details


def test_all_that_is_said_of_rg(release: Release) -> None:
    assert release.read(release.rg) == RG


@pytest.mark.parametrize(("at", "page"), [(0x123456, 1191936), (25, 0)], ids=["page", "header"])
def test_a_flipped_byte_of_what_is_signed(at: int, page: int, release: Release) -> None:
    reason = f"the page at offset {page} was changed after signing"
    expected = SignatureResult(level=Level.SIGNATURE_NOT_VALID, reason=reason, signature=RG.signature)
    assert release.read(flipped(release.rg, at)) == expected


def not_valid(result: SignatureResult | None) -> str:
    assert result is not None
    assert result.level is Level.SIGNATURE_NOT_VALID
    return result.reason


def test_a_flipped_byte_of_the_signature(release: Release) -> None:
    places = parts(release.rg)
    in_directory = flipped(release.rg, places[0] + 1000)
    assert not_valid(release.read(in_directory)) == "the signed digest is not that of the content"
    in_requirements = flipped(release.rg, places[2] + 20)
    assert not_valid(release.read(in_requirements)) == "its requirements: changed after signing"
    (length,) = struct.unpack_from(">I", release.rg, places[0x10000] + 4)
    message = release.rg[places[0x10000] : places[0x10000] + length]
    attribute = message.index(bytes.fromhex("06092a864886f70d010904")) + 20
    in_message = flipped(release.rg, places[0x10000] + attribute)
    assert not_valid(release.read(in_message)) == "the signed digest is not that of the content"


def test_a_stripped_signature(release: Release) -> None:
    start = signature_start(release.rg)
    assert not_valid(release.read(release.rg[:start])) == "its code signature is truncated or missing"


def test_an_ad_hoc_signature_in_its_place(release: Release) -> None:
    result = release.read(resigned(release.rg, AD_HOC_SIGNATURE))
    assert result is not None
    assert (result.level, result.signature.signer) == (Level.NOTHING_KNOWN, None)
    assert result.reason == "it is signed ad hoc: its hashes match, but no signer is named"


@pytest.mark.parametrize(
    "signature", [AppleSignature(), AppleSignature(by=SOMEBODY, team="ZZZZZZZZZZ")], ids=["name", "other"]
)
def test_a_signature_under_another_root_in_its_place(signature: AppleSignature, release: Release) -> None:
    result = release.read(resigned(release.rg, signature))
    assert not_valid(result) == "its certificate chain does not end in a root that is pinned here"


def test_an_appended_page(release: Release) -> None:
    expected = "4096 unsigned bytes follow its code signature"
    assert not_valid(release.read(release.rg + bytes(4096))) == expected

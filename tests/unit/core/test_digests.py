import hashlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.core.digests import Digest, DigestAlgorithm, MalformedDigest, Sha256, read_chunks

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
EMPTY_SHA512_SRI = (
    "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
)
EMPTY_SHA1_SRI = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="


def test_a_digest_is_parsed_and_written_back() -> None:
    digest = Digest.parse(f"sha256:{EMPTY_SHA256}")
    assert digest == Digest(DigestAlgorithm.SHA256, EMPTY_SHA256)
    assert str(digest) == f"sha256:{EMPTY_SHA256}"


@pytest.mark.parametrize(
    "text",
    ["", EMPTY_SHA256, f"md5:{EMPTY_SHA256[:32]}", f"sha512:{EMPTY_SHA256}", f"sha256:{EMPTY_SHA256[:-1]}z"],
)
def test_a_malformed_digest_is_refused(text: str) -> None:
    with pytest.raises(MalformedDigest):
        Digest.parse(text)


def test_the_strongest_digest_of_an_integrity_string_is_used() -> None:
    digest = Digest.parse_integrity(f"{EMPTY_SHA1_SRI} {EMPTY_SHA512_SRI}")
    assert digest.algorithm is DigestAlgorithm.SHA512
    assert digest.hex == hashlib.sha512(b"").hexdigest()


def test_the_same_digest_twice_is_one_digest() -> None:
    assert Digest.parse_integrity(f"{EMPTY_SHA512_SRI} {EMPTY_SHA512_SRI}?option").hex[:4] == "cf83"


OTHER_SHA512_SRI = "sha512-" + "A" * 86 + "=="


@pytest.mark.parametrize(
    "text",
    ["", EMPTY_SHA1_SRI, "sha512-????", "sha512-AAAA", f"{EMPTY_SHA512_SRI} {OTHER_SHA512_SRI}"],
)
def test_an_integrity_string_without_an_accepted_digest_is_refused(text: str) -> None:
    with pytest.raises(MalformedDigest):
        Digest.parse_integrity(text)


@given(st.binary(max_size=4096), st.integers(min_value=1, max_value=100))
def test_a_stream_has_the_digest_of_its_whole_content(content: bytes, chunk_bytes: int) -> None:
    assert Sha256.of(read_chunks(BytesIO(content), chunk_bytes)).hex == hashlib.sha256(content).hexdigest()


def test_a_file_has_the_digest_of_its_content(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    assert Sha256.of_file(path) == Sha256(EMPTY_SHA256)
    assert str(Sha256.of_file(path).digest) == f"sha256:{EMPTY_SHA256}"

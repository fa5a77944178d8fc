import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.build.deflate import DamagedDeflated, Deflated, deflate
from factory.build.deflate_cache import DeflateCache
from factory.build.deflate_check import REFERENCE_ANSWER
from factory.build.encoder import EncoderDiffers
from factory.core.digests import Sha256
from factory.system.lease import Lease
from tests.encoders import EQUAL, Damaging, encoder

HELLO_SHA256 = Sha256("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")


def split(content: bytes, chunk_bytes: int) -> Iterator[bytes]:
    for start in range(0, len(content), chunk_bytes):
        yield content[start : start + chunk_bytes]


def like_hatchling(content: bytes) -> bytes:
    encoder = zlib.compressobj(6, zlib.DEFLATED, -15)
    return b"".join(encoder.compress(piece) for piece in split(content, 16384)) + encoder.flush()


@pytest.fixture
def store(tmp_path: Path) -> DeflateCache:
    return DeflateCache(root=tmp_path / "deflate", answer=REFERENCE_ANSWER, lease=Lease(tmp_path))


def test_a_compressed_file_describes_its_content_and_its_stream(tmp_path: Path) -> None:
    made = deflate([b"he", b"", b"llo"], tmp_path / "hello")
    stream = like_hatchling(b"hello")
    assert made == Deflated(
        path=tmp_path / "hello",
        sha256=HELLO_SHA256,
        crc32=0x3610A686,
        size_bytes=5,
        compressed_bytes=7,
        compressed_crc32=zlib.crc32(stream),
    )
    assert b"".join(made.chunks()) == stream == b"\xcbH\xcd\xc9\xc9\x07\x00"
    assert Deflated.open(made.path) == made


@given(
    content=st.binary(max_size=2000)
    | st.integers(0, 700_000).map(lambda n: bytes(n // 2) + b"xy" * (n // 4)),
    chunk_bytes=st.sampled_from([1000, 16384, 65536, 1 << 20]),
)
def test_the_stream_does_not_depend_on_the_sizes_of_the_chunks(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, chunk_bytes: int
) -> None:
    made = deflate(split(content, chunk_bytes), tmp_path_factory.mktemp("deflated") / "content")
    assert b"".join(made.chunks()) == like_hatchling(content)


def test_a_compressed_file_is_found_again(store: DeflateCache) -> None:
    assert store.find(HELLO_SHA256) is None
    made = store.add([b"hello"])
    assert made.sha256 == HELLO_SHA256
    assert store.find(HELLO_SHA256) == made
    assert [path.name for path in store.root.rglob("*") if path.is_file()] == [HELLO_SHA256.hex]


def test_another_encoder_has_its_own_entries(store: DeflateCache) -> None:
    store.add([b"hello"])
    assert replace(store, answer=HELLO_SHA256).find(HELLO_SHA256) is None


def test_a_damaged_stream_is_detected_and_removed(store: DeflateCache) -> None:
    made = store.add([b"hello"])
    content = bytearray(made.path.read_bytes())
    content[-1] ^= 1
    made.path.write_bytes(content)
    kept = store.find(HELLO_SHA256)
    assert kept is not None
    with pytest.raises(DamagedDeflated):
        list(kept.chunks())
    assert store.find(HELLO_SHA256) is None


@pytest.mark.parametrize("damage", [b"", b"cwf-dfl3", b"x" * 200], ids=["empty", "cut", "foreign"])
def test_an_entry_with_a_damaged_header_is_not_found(store: DeflateCache, damage: bytes) -> None:
    path = store.add([b"hello"]).path
    path.write_bytes(damage)
    assert store.find(HELLO_SHA256) is None
    assert not path.exists()


def test_an_interrupted_compression_leaves_no_file(store: DeflateCache) -> None:
    def broken() -> Iterator[bytes]:
        yield b"hello"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store.add(broken())
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


def test_the_encoder_of_a_run_gets_the_content_in_chunks(tmp_path: Path) -> None:
    content = bytes(range(256)) * 300
    made = deflate(split(content, 10_000), tmp_path / "file", EQUAL)
    assert b"".join(made.chunks()) == like_hatchling(content)
    assert (made.crc32, made.size_bytes) == (zlib.crc32(content), len(content))


@pytest.mark.parametrize(
    "start",
    [
        partial(Damaging, before=b"more"),
        partial(Damaging, after=b"\0"),
        partial(Damaging, dropped=1),
        partial(Damaging, dropped=4, after=b"\xff\xff\xff\xff"),
    ],
    ids=["other content", "bytes after the end", "no end", "damaged"],
)
def test_a_stream_that_does_not_inflate_to_the_content_is_refused(
    tmp_path: Path, start: Callable[[], Damaging]
) -> None:
    content = b"".join(number.to_bytes(4, "big") for number in range(3000))
    with pytest.raises(EncoderDiffers, match="wrote a stream that does not inflate to its input"):
        deflate([content], tmp_path / "file", encoder(start))


def test_the_entries_of_an_encoder_are_separate_and_those_of_zlib_serve_all(store: DeflateCache) -> None:
    fast = replace(store, encoder=EQUAL)
    made = fast.add([b"hello"])
    assert made.path.parts[-3].endswith("-level6-2-exact_deflate-5e5e5e5e5e5e5e5e")
    assert fast.has_made(made)
    assert fast.find(HELLO_SHA256) == made
    assert store.find(HELLO_SHA256) is None
    other_source = replace(EQUAL, source_sha256="60" * 32)
    assert replace(fast, encoder=other_source).find(HELLO_SHA256) is None

    reference = store.add([b"hello"])
    assert replace(fast, encoder=other_source).find(HELLO_SHA256) == reference
    assert not fast.has_made(reference)
    assert not store.has_made(reference)

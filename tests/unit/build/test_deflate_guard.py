from pathlib import Path

import pytest

from factory.build import deflate_guard
from factory.build.deflate import DamagedDeflated, Deflated, deflate
from factory.build.deflate_check import DeflateIdentity
from factory.build.deflate_guard import require_like_zlib, require_sample_like_zlib
from factory.build.encoder import Encoder, EncoderDiffers
from factory.core.digests import Sha256
from tests.deflate_inputs import seeded
from tests.encoders import EQUAL, OTHER_BYTES

WORDS = seeded(2).randbytes(100_000).hex().encode()


def compressed(directory: Path, content: bytes, by: Encoder) -> Deflated:
    return deflate([content], directory / "file", by)


@pytest.mark.parametrize("sample_bytes", [100_000, len(WORDS), 10_000_000])
def test_equal_bytes_pass(tmp_path: Path, sample_bytes: int) -> None:
    require_like_zlib(compressed(tmp_path, WORDS, EQUAL), EQUAL, sample_bytes=sample_bytes)


@pytest.mark.parametrize("sample_bytes", [150_000, 10_000_000])
def test_other_bytes_are_found(tmp_path: Path, sample_bytes: int) -> None:
    made = compressed(tmp_path, WORDS, OTHER_BYTES)
    with pytest.raises(EncoderDiffers) as caught:
        require_like_zlib(made, OTHER_BYTES, sample_bytes=sample_bytes)
    assert str(caught.value) == (
        "exact_deflate 5e5e5e5e5e5e5e5e gives other bytes than zlib for the file "
        f"with SHA-256 {Sha256.of([WORDS])}"
    )


def test_a_damaged_file_is_not_blamed_on_the_encoder(tmp_path: Path) -> None:
    """A changed literal can give a stream that zlib would write, too; it is found when the whole is read."""
    raised = 0
    positions = range(100, 2000, 20)
    for position in positions:
        made = compressed(tmp_path, WORDS, EQUAL)
        content = bytearray(made.path.read_bytes())
        content[position] ^= 0x10
        made.path.write_bytes(content)
        try:
            require_like_zlib(made, EQUAL, sample_bytes=50_000)
        except DamagedDeflated:
            raised += 1
        made.path.unlink(missing_ok=True)
    assert raised > 0.8 * len(positions)


def test_only_large_files_are_in_the_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = compressed(tmp_path, WORDS, OTHER_BYTES)
    require_sample_like_zlib([made], OTHER_BYTES)
    require_sample_like_zlib([], OTHER_BYTES)
    monkeypatch.setattr(deflate_guard, "LARGE_BYTES", len(WORDS))
    with pytest.raises(EncoderDiffers):
        require_sample_like_zlib([made], OTHER_BYTES)


def test_another_zlib_is_nothing_to_compare_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = DeflateIdentity(name="zlib-ng", version="2.2.4", answer=Sha256("b" * 64))
    monkeypatch.setattr(deflate_guard, "LARGE_BYTES", len(WORDS))
    monkeypatch.setattr(deflate_guard, "deflate_identity", lambda: other)
    require_sample_like_zlib([compressed(tmp_path, WORDS, OTHER_BYTES)], OTHER_BYTES)

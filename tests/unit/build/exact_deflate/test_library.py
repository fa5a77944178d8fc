import gc
import zlib
from pathlib import Path

import pytest

from factory.build import exact_deflate
from factory.build.exact_deflate import Library, NotAvailable, compressobj
from factory.build.exact_deflate.compiled import CompiledLibrary
from factory.build.exact_deflate.known_answers import GROUPS, answer, probe

HELLO = b"\xcbH\xcd\xc9\xc9\x07\x00"


def test_the_module_is_used_like_zlib(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_deflate, "_default_library", lambda: library)
    encoder = compressobj(6, zlib.DEFLATED, -15)
    assert (
        encoder.compress(b"hel") + encoder.compress(memoryview(bytearray(b"lo"))) + encoder.flush() == HELLO
    )


@pytest.mark.parametrize("values", [(9,), (6, 8, 15), (6, 8, -14), (6, 8, -15, 9), (6, 8, -15, 8, 1)])
def test_other_parameters_are_refused(values: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="level 6, raw deflate, memLevel 8"):
        compressobj(*values)


def test_an_empty_stream(library: Library) -> None:
    assert library.compressobj().flush() == b"\x03\x00"


def test_a_finished_stream_is_refused(library: Library) -> None:
    encoder = library.compressobj()
    encoder.flush()
    with pytest.raises(zlib.error):
        encoder.compress(b"more")
    with pytest.raises(zlib.error):
        encoder.flush()


def test_only_finishing_is_supported(library: Library) -> None:
    encoder = library.compressobj()
    with pytest.raises(ValueError, match="Z_FINISH"):
        encoder.flush(zlib.Z_SYNC_FLUSH)
    assert encoder.compress(b"hello") + encoder.flush() == HELLO


def test_streams_are_independent_and_are_freed(library: Library) -> None:
    for _ in range(200):
        library.compressobj().compress(b"never finished")
    gc.collect()
    one, other = library.compressobj(), library.compressobj()
    first, second = one.compress(b"hel"), other.compress(b"hello")
    assert first + one.compress(b"lo") + one.flush() == second + other.flush() == HELLO


def test_a_file_that_is_no_library(tmp_path: Path) -> None:
    path = tmp_path / "library.so"
    path.write_bytes(b"not a library")
    with pytest.raises(NotAvailable, match="cannot load"):
        Library.load(CompiledLibrary(path=path, source_sha256="0" * 64))


def test_the_known_answers_are_those_of_zlib(library: Library) -> None:
    assert probe(library.compressobj) is None
    assert probe(lambda: zlib.compressobj(6, zlib.DEFLATED, -15)) is None


@pytest.mark.parametrize("group", GROUPS, ids=[name for name, _, _ in GROUPS])
def test_another_encoder_does_not_know_the_answers(group: exact_deflate.known_answers.Group) -> None:
    _name, inputs, expected = group
    assert answer(inputs(), lambda: zlib.compressobj(1, zlib.DEFLATED, -15)) != expected


def test_the_probe_names_the_group() -> None:
    assert probe(lambda: zlib.compressobj(5, zlib.DEFLATED, -15)) == "long chains"

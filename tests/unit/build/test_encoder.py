import os
import threading
from pathlib import Path

import pytest

from factory.build.encoder import ZLIB, Encoder, EncoderChoice, open_exact_deflate
from factory.build.exact_deflate import NotAvailable
from factory.system.process import SubprocessRunner
from tests.encoders import EQUAL


def test_without_a_faster_encoder_it_is_zlib() -> None:
    choice = EncoderChoice()
    assert choice.label == ""
    assert choice.current() is ZLIB
    assert choice.label == "zlib"


def test_the_faster_encoder_is_opened_once() -> None:
    opened: list[Encoder] = []

    def open_encoder() -> Encoder:
        opened.append(EQUAL)
        return EQUAL

    choice = EncoderChoice(open_encoder)
    assert choice.current() is choice.current() is EQUAL
    assert choice.label == "exact_deflate 5e5e5e5e5e5e5e5e"
    assert len(opened) == 1


def test_an_encoder_that_is_not_available_is_reported_once() -> None:
    said: list[str] = []

    def open_encoder() -> Encoder:
        raise NotAvailable("no C compiler is on PATH")

    choice = EncoderChoice(open_encoder, report=said.append)
    assert choice.current() is choice.current() is ZLIB
    assert said == ["deflate: zlib, which is slower (no C compiler is on PATH)"]
    assert choice.label == "zlib"


def test_a_refused_encoder_is_reported_and_recorded(tmp_path: Path) -> None:
    said: list[str] = []
    choice = EncoderChoice(lambda: EQUAL, directory=tmp_path, report=said.append)
    choice.current()
    choice.refuse("it gives other bytes")
    assert choice.current() is ZLIB
    assert choice.label == "zlib (it gives other bytes)"
    assert said == ["warning: it gives other bytes; this run goes on with zlib"]
    assert (tmp_path / "refused-5e5e5e5e5e5e5e5e.txt").read_text() == "it gives other bytes\n"


def test_a_record_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said: list[str] = []
    choice = EncoderChoice(lambda: EQUAL, directory=tmp_path / "file", report=said.append)
    choice.current()
    choice.refuse("it gives other bytes")
    assert choice.current() is ZLIB
    assert "the next run will try exact_deflate again" in said[1]


@pytest.mark.skipif(os.name == "nt", reason="needs a C compiler")
def test_a_refused_encoder_is_not_opened_again(tmp_path: Path) -> None:
    def opened() -> Encoder:
        return open_exact_deflate(
            directory=tmp_path / "private", search_path=os.defpath, runner=SubprocessRunner(threading.Event())
        )

    try:
        encoder = opened()
    except NotAvailable:
        pytest.skip("there is no C compiler")
    compressor = encoder.start()
    assert compressor.compress(b"hello") + compressor.flush() == b"\xcbH\xcd\xc9\xc9\x07\x00"
    assert (encoder.name, encoder.is_zlib) == ("exact_deflate", False)

    choice = EncoderChoice(lambda: encoder, directory=tmp_path / "private")
    choice.current()
    choice.refuse("it gives other bytes")
    with pytest.raises(NotAvailable, match="an earlier run found that it gives other bytes") as caught:
        opened()
    (record,) = (tmp_path / "private").glob("refused-*")
    assert caught.value.hint == f"Remove {record} to try it again."
    record.unlink()
    assert opened().source_sha256 == encoder.source_sha256

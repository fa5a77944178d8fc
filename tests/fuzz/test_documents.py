"""The forged documents: the good ones are read, so that what is changed in them matters."""

import json

import pytest

from tests.fuzz.documents import KINDS, read_documents
from tests.fuzz.forged import good_documents, main


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ranges"])
def test_the_good_document_of_each_kind_is_read(kind: str) -> None:
    KINDS[kind](json.dumps(good_documents()[kind]).encode())


def test_forged_documents_give_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "300", "--seed", "1"]) == 0
    assert "tracebacks: 0 of 300" in capsys.readouterr().out


@pytest.mark.parametrize("kind", range(6))
def test_any_bytes_can_be_given_to_the_target(kind: int) -> None:
    for rest in (b"", b"{}", b"\xff", b"[[[", b"bytes 0-1/2\n5"):
        read_documents(bytes([kind]) + rest)

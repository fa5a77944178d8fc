from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
INPUTS = [path for name in TARGETS for path in sorted((CORPUS / name).iterdir())]


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_input_in_the_corpus_crashes(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("data", [b"", b"\0", b"\xff" * 100, b"PK\x05\x06" + b"\0" * 18])
def test_empty_and_random_input_does_not_crash(name: str, data: bytes) -> None:
    TARGETS[name](data)


def test_the_corpus_stays_small() -> None:
    assert sum(path.stat().st_size for path in INPUTS) < 64_000

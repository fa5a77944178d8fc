"""Who vouches for a digest, in words."""

import pytest

from factory.audit.origin import LocalOrigin, Origin, origin_sentence, origin_word
from factory.core.digests import Sha256
from tests.origins import ASKED, listed

ONE = Sha256("1" * 64)
LISTED = f"{ASKED.address} listed this SHA-256 at 2026-11-28T09:30:00Z"


@pytest.mark.parametrize(
    ("origin", "word", "sentence"),
    [
        (listed(ONE), "index", LISTED),
        (listed(ONE, yanked=""), "index, yanked", f"{LISTED} as yanked: no reason given"),
        (listed(ONE, yanked="broken"), "index, yanked: broken", f"{LISTED} as yanked: broken"),
        (LocalOrigin(name="x"), "local file", "It is a local file; no index vouches for its SHA-256."),
    ],
)
def test_an_origin_is_a_word_and_a_sentence(origin: Origin, word: str, sentence: str) -> None:
    assert origin_word(origin) == word
    assert origin_sentence(origin) == sentence

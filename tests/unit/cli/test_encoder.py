import pytest

from factory.build.encoder import ZLIB
from factory.build.exact_deflate import NotAvailable
from factory.cli.encoder import choose_encoder, open_encoder
from factory.cli.settings import Settings
from factory.core.errors import UsageError
from tests.fake_runner import FakeRunner


def test_exact_deflate_is_the_default() -> None:
    assert Settings.from_environ({}).encoder == "exact_deflate"
    assert Settings.from_environ({"FACTORY_ENCODER": ""}).encoder == "exact_deflate"


def test_zlib_can_be_chosen() -> None:
    settings = Settings.from_environ({"FACTORY_ENCODER": "zlib"})
    with pytest.raises(NotAvailable, match="FACTORY_ENCODER is zlib"):
        open_encoder(settings, FakeRunner())
    assert choose_encoder(settings, FakeRunner()).current() is ZLIB


def test_another_name_is_refused() -> None:
    with pytest.raises(UsageError, match="FACTORY_ENCODER is 'gzip'") as caught:
        Settings.from_environ({"FACTORY_ENCODER": "gzip"})
    assert caught.value.hint == "Set it to exact_deflate or zlib, or remove it."

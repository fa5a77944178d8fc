import pytest

from factory.core.addresses import has_secrets, redacted, scrubbed, split_address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host",
        "ftp://host/",
        "http://",
        "http://[::1",
        "http://host:99999999/",
        "http://host:0/",
        "http://host:x/",
        "http://ho st/",
        "http://host/\n",
        "http://host/\u2028",
        "https://host/" + "a" * 2048,
    ],
)
def test_a_malformed_address_has_no_parts(text: str) -> None:
    assert split_address(text) is None
    assert has_secrets(text)


@pytest.mark.parametrize("text", ["http://host", "https://[::1]:8080/a", "https://user:word@host/?q"])
def test_an_address_has_parts(text: str) -> None:
    parts = split_address(text)
    assert parts is not None
    assert parts.geturl() == text


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://user:word@example.invalid/a?signature=1#x", "https://example.invalid/a"),
        ("https://a@b:word@example.invalid/", "https://example.invalid/"),
        ("http://user:word@[::1", "an invalid address"),
    ],
)
def test_credentials_and_queries_are_not_shown(address: str, shown: str) -> None:
    assert redacted(address) == shown
    assert has_secrets(address)


def test_an_address_without_secrets() -> None:
    assert not has_secrets("https://example.invalid/simple/")


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Invalid URL 'http://user:word@': No host supplied", "Invalid URL 'http://': No host supplied"),
        ("Max retries exceeded with url: /a?sig=word (x)", "Max retries exceeded with url: /a (x)"),
        ("refused by https://user:word@proxy:1/?sig=word again", "refused by https://proxy:1/ again"),
        ("Is it there?", "Is it there"),
    ],
)
def test_messages_of_libraries_are_scrubbed(message: str, shown: str) -> None:
    assert scrubbed(message) == shown

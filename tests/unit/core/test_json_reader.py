import pytest

from factory.core.json_reader import JsonObject, MalformedJson, parse_json


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe{\0}\0", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a":' * 100_000, "not JSON"),
        ('{"a": ' + "1" * 5000 + "}", "not JSON"),
        ('{"a": NaN}', "NaN is not a number in JSON"),
        ('{"a": [-1e999]}', "-1e999 is too large a number"),
        ('{"a": -Infinity}', "-Infinity is not a number"),
        ('{"a": 1, "a": 2}', "'a' occurs twice"),
        (r'{"a": "\ud800"}', "not JSON"),
        (r'{"\udfff": 1}', "not JSON"),
        ('{"a": "\ud800"}', "not JSON"),
        ("[" + "0," * 1_000_000 + "0]", "has more than 1000000 values"),
        (b"[" + b"[]," * 500_000 + b"0]", "has more than 1000000 values"),
    ],
)
def test_a_document_outside_the_limits_is_refused(text: str | bytes, reason: str) -> None:
    with pytest.raises(MalformedJson, match=reason) as caught:
        parse_json(text, where="document")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "value"),
    [(r'["\ud83d\ude00"]', ["\U0001f600"]), (r'["\\ud800"]', ["\\ud800"]), (b'["\xc3\xa9"]', ["é"])],
)
def test_what_looks_like_half_a_character_is_read(text: str | bytes, value: object) -> None:
    assert parse_json(text, where="document") == value


def test_a_list_is_no_object() -> None:
    with pytest.raises(MalformedJson, match="should be an object"):
        JsonObject.parse("[]", where="document")

"""Enumerations in the models: open if a server sends them, closed if only a client does."""

from collections.abc import Callable

import pytest

from factory.sdk.types.open_enums import with_open_enums
from tests.protocols import bundle, definitions, v2

HEAD = "from __future__ import annotations\nfrom enum import Enum\n\n\n"


def base_of(name: str, schema: object, *, sent_by: str, class_name: str | None = None) -> str:
    protocol = definitions()
    v2(protocol)[name] = schema
    user = "TurnStartParams" if sent_by == "client" else "ErrorNotification"
    v2(protocol)[user] = {"properties": {"field": {"$ref": f"#/definitions/v2/{name}"}}}
    models = f'{HEAD}class {class_name or name}(Enum):\n    a = "a"\n'
    changed = with_open_enums(models, bundle(protocol))
    return changed.rpartition("(")[2].partition(")")[0]


LISTED = {"type": "string", "enum": ["a", "b"]}


@pytest.mark.parametrize(
    ("schema", "sender", "base"),
    [
        (LISTED, "client", "Enum"),
        (LISTED, "server", "NonEmptyOpenEnum"),
        ({"type": "string"}, "server", "OpenEnum"),
        ({"type": "string", "minLength": 1}, "server", "NonEmptyOpenEnum"),
    ],
)
def test_the_sender_and_the_schema_decide(schema: object, sender: str, base: str) -> None:
    assert base_of("Kind", schema, sent_by=sender) == base


@pytest.mark.parametrize(
    ("variants", "base"),
    [
        ([LISTED, {"type": "object"}], "NonEmptyOpenEnum"),
        ([LISTED, {"type": ["string", "object"]}], "OpenEnum"),
    ],
)
def test_the_values_of_a_union_have_the_class_of_the_union(variants: list[object], base: str) -> None:
    found = base_of("Kind", {"anyOf": variants}, sent_by="server", class_name="KindValue")
    assert found == base
    assert base_of("Kind", {"anyOf": variants}, sent_by="client", class_name="KindValue") == "Enum"


def test_an_open_enumeration_accepts_other_texts_and_nothing_else() -> None:
    models = f'{HEAD}class TurnStatus(Enum):\n    a = "A"\n\n\nclass Other(OpenEnum):\n    b = "B"\n'
    scope: dict[str, Callable[[object], str]] = {}
    exec(with_open_enums(models, bundle()), scope)  # noqa: S102 - the source is above
    status, any_text = scope["TurnStatus"], scope["Other"]
    known, unknown = status("A"), status("paused")
    assert (known, getattr(known, "name", "")) == ("A", "a")
    assert [unknown, *(getattr(unknown, part, "") for part in ("name", "value"))] == ["paused"] * 3
    assert type(unknown) is status
    assert hash(unknown) == hash(status("paused"))
    assert any_text("") == ""
    for refused in ("", 3, None):
        with pytest.raises(ValueError, match="is not a valid TurnStatus"):
            status(refused)
    with pytest.raises(ValueError, match="is not a valid Other"):
        any_text(3)


def test_models_without_open_enumerations_stay_as_they_are() -> None:
    for models in (HEAD, f"{HEAD}class UserInput(Enum):\n    again = 1\n"):
        assert with_open_enums(models, bundle()) == models

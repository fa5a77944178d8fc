"""What goes into requests and comes out of messages."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from codex_factory_sdk import (
    ImageInput,
    LocalImageInput,
    MentionInput,
    Notification,
    ServerBusyError,
    SkillInput,
    TextInput,
    UnexpectedMessage,
    UnknownNotification,
    UnknownVariant,
    errors,
    retry_on_overload,
)
from codex_factory_sdk._launch import require_release
from codex_factory_sdk._notification import parse
from codex_factory_sdk._open_models import OpenModel, OpenRoot
from codex_factory_sdk._options import build
from codex_factory_sdk.config import CodexConfig
from codex_factory_sdk.errors import IncompatibleAppServer, rpc_error
from codex_factory_sdk.generated import release, v2_all
from codex_factory_sdk.generated.v2_all import OpenEnum
from codex_factory_sdk.inputs import wire_input
from codex_factory_sdk.retry import delays
from pydantic import Field, ValidationError


class Colour(OpenEnum):
    red = "red"


class Text(OpenModel):
    type: Literal["text"]
    text: str


class Image(OpenModel):
    type: Literal["image"]
    colour: Colour


class Either(OpenRoot[Text | Image]):
    pass


class Plain(OpenRoot[str | int]):
    pass


class Small(OpenModel):
    size_kind: Annotated[Literal["small"], Field(alias="sizeKind")]


class Large(OpenModel):
    size_kind: Annotated[Literal["large"], Field(alias="sizeKind")]


class Size(OpenRoot[Small | Large]):
    pass


class Word(OpenRoot[Literal["yes", "no"] | Small]):
    pass


class Nested(OpenRoot[Either | Literal["none"]]):
    pass


class Named(OpenModel):
    the_name: Annotated[str, Field(alias="theName")]


def test_an_unknown_value_survives() -> None:
    parsed = Either.model_validate({"type": "image", "colour": "blue"})
    assert parsed.model_dump(mode="json") == {"type": "image", "colour": "blue"}
    assert isinstance(parsed.root, Image)
    assert parsed.root.colour == Colour("blue")
    assert isinstance(parsed.root.colour, enum.Enum)


def test_a_value_that_is_no_text_is_an_error() -> None:
    with pytest.raises(ValidationError):
        Either.model_validate({"type": "image", "colour": 5})


def test_an_unknown_field_survives() -> None:
    parsed = Text.model_validate({"type": "text", "text": "a", "size": 3})
    assert parsed.model_dump() == {"type": "text", "text": "a", "size": 3}


def test_an_unknown_variant_survives() -> None:
    parsed = Either.model_validate({"type": "sound", "volume": 3})
    assert isinstance(parsed.root, UnknownVariant)
    assert parsed.model_dump(mode="json") == {"type": "sound", "volume": 3}


@pytest.mark.parametrize("value", [{"type": "text"}, {"type": 5}, {}, "text", None])
def test_a_known_variant_that_is_wrong_is_an_error(value: object) -> None:
    with pytest.raises(ValidationError):
        Either.model_validate(value)


def test_a_tag_can_have_any_name() -> None:
    parsed = Size.model_validate({"sizeKind": "huge", "metres": 3})
    assert parsed.model_dump(mode="json") == {"sizeKind": "huge", "metres": 3}
    with pytest.raises(ValidationError):
        Size.model_validate({"sizeKind": 3})


def test_an_unknown_word_of_a_union_survives() -> None:
    assert Word.model_validate("maybe").model_dump(mode="json") == "maybe"
    assert Word.model_validate("yes").model_dump(mode="json") == "yes"
    with pytest.raises(ValidationError):
        Either.model_validate("maybe")


def test_an_unknown_variant_of_a_nested_union_survives() -> None:
    assert Nested.model_validate({"type": "sound"}).model_dump(mode="json") == {"type": "sound"}
    with pytest.raises(ValidationError):
        Nested.model_validate({"type": "text"})


def test_a_union_without_tags_has_no_unknown_variants() -> None:
    with pytest.raises(ValidationError):
        Plain.model_validate({"type": "sound"})


def test_a_notification_is_parsed_when_it_is_used() -> None:
    params = {"threadId": "a", "turnId": "b", "itemId": "c", "delta": "d"}
    payload = Notification("item/agentMessage/delta", params).payload
    assert isinstance(payload, v2_all.AgentMessageDeltaNotification)
    assert payload.delta == "d"
    unknown = Notification("future/thing", {"news": 1}).payload
    assert isinstance(unknown, UnknownNotification)
    assert unknown.model_dump() == {"news": 1}


def test_a_notification_that_does_not_fit_is_an_error_and_keeps_what_came() -> None:
    notification = Notification("item/agentMessage/delta", {"delta": 5})
    words = r"item/agentMessage/delta does not fit AgentMessageDelta.*: delta: .* string, got 5 "
    with pytest.raises(UnexpectedMessage, match=words):
        _ = notification.payload
    with pytest.raises(UnexpectedMessage, match=r"does not fit Turn: all of it: .*, got \[1\]"):
        parse(v2_all.Turn, [1], "the turn")
    assert notification.params == {"delta": 5}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", [{"type": "text", "text": "a"}]),
        (TextInput("a"), [{"type": "text", "text": "a"}]),
        (
            [TextInput("a"), ImageInput("data:x")],
            [{"type": "text", "text": "a"}, {"type": "image", "url": "data:x"}],
        ),
        (LocalImageInput(Path("a.png")), [{"type": "localImage", "path": "a.png"}]),
        (SkillInput("s", "p"), [{"type": "skill", "name": "s", "path": "p"}]),
        (MentionInput("m", "app://x"), [{"type": "mention", "name": "m", "path": "app://x"}]),
        ([], []),
    ],
)
def test_an_input_in_the_form_of_the_wire(value: object, expected: object) -> None:
    assert wire_input(value) == expected  # type: ignore[arg-type]


def test_a_generated_input_is_accepted() -> None:
    item = v2_all.UserInput.model_validate({"type": "text", "text": "a"})
    assert wire_input(item) == [{"type": "text", "text": "a"}]


@pytest.mark.parametrize(
    "value",
    [{"type": "text", "text": "a"}, [{"type": "text", "text": "a"}], b"a", 5, None, TextInput(5), ["a", 5]],  # type: ignore[arg-type]
)
def test_another_input_is_a_type_error_with_the_right_form(value: object) -> None:
    with pytest.raises(TypeError, match=r"an input must be a string, TextInput\(\.\.\.\)"):
        wire_input(value)  # type: ignore[arg-type]


def test_keywords_become_the_names_of_the_wire() -> None:
    assert build(Named, {"the_name": "a"}, "do") == {"theName": "a"}


def test_a_path_is_accepted_for_a_text() -> None:
    assert build(v2_all.ThreadStartParams, {"cwd": Path("a")}, "thread_start") == {"cwd": "a"}


def test_none_is_sent_and_what_is_absent_is_not() -> None:
    assert build(v2_all.ThreadStartParams, {"model": None}, "thread_start") == {"model": None}
    assert build(v2_all.ThreadStartParams, {}, "thread_start") == {}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"theName": "a"}, r"do\(\) has no keyword 'theName'; it is 'the_name'"),
        ({"the_nam": "a"}, r"do\(\) has no keyword 'the_nam'; did you mean 'the_name'\?"),
        ({"other": "a"}, r"do\(\) has no keyword 'other'; it has the_name"),
        ({"the_name": 5}, r"do\(\): (theName|the_name): Input should be a valid string, got 5"),
        ({}, r"do\(\): (theName|the_name): Field required"),
    ],
)
def test_a_wrong_keyword_is_a_type_error_that_helps(options: dict[str, object], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        build(Named, options, "do")


def test_what_the_sdk_adds_is_not_a_keyword() -> None:
    with pytest.raises(TypeError, match="has no keyword 'the_name'"):
        build(Named, {"the_name": "a"}, "do", the_name="b")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-32700, errors.ParseError),
        (-32600, errors.InvalidRequestError),
        (-32601, errors.MethodNotFoundError),
        (-32602, errors.InvalidParamsError),
        (-32603, errors.InternalRpcError),
        (-32001, ServerBusyError),
        (-1, errors.CodexRpcError),
    ],
)
def test_each_code_has_a_class(code: int, kind: type[Exception]) -> None:
    error = rpc_error({"code": code, "message": "m", "data": [1]})
    assert type(error) is kind
    assert (error.code, error.message, error.data) == (code, "m", [1])
    assert str(code) in str(error)


def test_an_overload_is_known_by_its_data_too() -> None:
    data = {"codexErrorInfo": "server_overloaded"}
    assert type(rpc_error({"code": -32603, "message": "m", "data": data})) is ServerBusyError
    assert type(rpc_error({"code": -32603, "message": "m", "data": {}})) is errors.InternalRpcError


def test_a_long_message_is_cut_in_the_text_only() -> None:
    error = rpc_error({"code": -1, "message": "x" * 5000})
    assert len(str(error)) < 500
    assert len(error.message) == 5000


def attempts(*outcomes: Exception | str) -> tuple[list[str], object]:
    seen: list[str] = []

    def operation() -> str:
        outcome = outcomes[min(len(seen), len(outcomes) - 1)]
        seen.append(str(outcome))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return seen, operation


BUSY = ServerBusyError(-32001, "busy")


def test_an_overload_is_retried() -> None:
    seen, operation = attempts(BUSY, BUSY, "done")
    assert retry_on_overload(operation, initial_delay_s=0.0) == "done"  # type: ignore[arg-type]
    assert len(seen) == 3


def test_the_last_error_is_raised() -> None:
    seen, operation = attempts(BUSY)
    with pytest.raises(ServerBusyError):
        retry_on_overload(operation, max_attempts=2, initial_delay_s=0.0)  # type: ignore[arg-type]
    assert len(seen) == 2


def test_other_errors_are_not_retried() -> None:
    seen, operation = attempts(errors.InvalidParamsError(-32602, "no"), "done")
    with pytest.raises(errors.InvalidParamsError):
        retry_on_overload(operation)  # type: ignore[arg-type]
    assert len(seen) == 1


def test_the_delays_double_up_to_a_limit() -> None:
    assert list(delays(5, 1.0, 3.0, 0.0)) == [1.0, 2.0, 3.0, 3.0]
    assert list(delays(1, 1.0, 3.0, 0.0)) == []
    for delay in delays(50, 1.0, 1.0, 0.2):
        assert 0.8 <= delay <= 1.2
    with pytest.raises(ValueError, match="at least 1"):
        delays(0, 1.0, 3.0, 0.0)


HELLO = {"codexHome": "/x", "platformFamily": "unix", "platformOs": "linux"}


@pytest.mark.parametrize("agent", [f"x/{release.RELEASE} (Linux)", "x/9999.0.0-alpha.1 (Linux)", "x/9999.1"])
def test_the_release_and_newer_ones_are_accepted(agent: str) -> None:
    assert require_release({**HELLO, "userAgent": agent}, CodexConfig()).user_agent == agent


def test_an_older_release_is_accepted_on_request() -> None:
    older = {**HELLO, "userAgent": "x/0.1.0-alpha.1 (Linux)"}
    with pytest.raises(IncompatibleAppServer, match=r"is 0\.1\.0-alpha\.1, and this SDK needs"):
        require_release(older, CodexConfig())
    assert (
        require_release(older, CodexConfig(allow_other_release=True)).user_agent == "x/0.1.0-alpha.1 (Linux)"
    )


@pytest.mark.parametrize("result", [None, {}, {"userAgent": None}, {"userAgent": "fake"}, [], "x/9999.0.0"])
def test_an_app_server_without_a_name_is_refused(result: object) -> None:
    with pytest.raises(IncompatibleAppServer, match="initialize"):
        require_release(result, CodexConfig())


def test_alphas_come_before_their_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codex_factory_sdk._launch.RELEASE", "1.2.0-alpha.10")
    for agent in ("x/1.2.0-alpha.10", "x/1.2.0-alpha.11", "x/1.2.0-beta.1", "x/1.2.0", "x/1.10.0"):
        require_release({**HELLO, "userAgent": agent}, CodexConfig())
    for agent in ("x/1.2.0-alpha.9", "x/1.2.0-alpha", "x/1.1.9"):
        with pytest.raises(IncompatibleAppServer):
            require_release({**HELLO, "userAgent": agent}, CodexConfig())

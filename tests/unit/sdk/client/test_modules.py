"""The modules that the schema decides: typed methods, answers, models with open bases."""

import ast

import pytest

from factory.core.errors import BuildError
from factory.sdk.client.client_methods import client_methods_source, client_requests
from factory.sdk.client.model_source import ModelSource
from factory.sdk.client.server_answers import answers_of, server_answers_source
from factory.sdk.types.model_fields import ModelField
from tests.own_sdk import MODELS, messages, own_bundle, record, ref, values

SOURCE = ModelSource(MODELS.read_text(encoding="utf-8"))
SMALL = """\
from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import BaseModel, Field, RootModel


class Mode(Enum):
    a = "a"


class Open(NonEmptyOpenEnum):
    a = "a"


class Text(RootModel[Mode | Thing]):
    root: Mode | Thing


class Literally(RootModel[Literal["a"] | Thing]):
    root: Literal["a"] | Thing


class Either(RootModel[Thing | Text]):
    root: Thing | Text


class Only(RootModel[Thing]):
    root: Thing


class Thing(BaseModel):
    the_name: Annotated[str, Field(alias="theName")]
    mode: Mode | None = None
"""


def methods() -> str:
    return client_methods_source(client_requests(own_bundle(), SOURCE), SOURCE, "codex_factory_sdk")


def test_fields_of_a_model() -> None:
    assert ModelSource(SMALL).fields("Thing") == (
        ModelField(name="the_name", annotation="str", is_required=True),
        ModelField(name="mode", annotation="Mode | None", is_required=False),
    )
    assert ModelSource(SMALL).fields("Text") is None


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("Mode | None", "v2.Mode | str | None"),
        ("Open", "v2.Open | str"),
        ("Text", "v2.Text | str"),
        ("Literally", "v2.Literally | str"),
        ("Either", "v2.Either | str"),
        ("Only", "v2.Only"),
        ("list[Text] | None", "list[v2.Text | str] | None"),
        ("dict[str, Thing]", "dict[str, v2.Thing]"),
        ("int", "int"),
    ],
)
def test_a_keyword_can_be_a_string_where_that_can_be_parsed(annotation: str, expected: str) -> None:
    assert ModelSource(SMALL).keyword_type(annotation, "v2") == expected


def test_the_models_get_open_bases() -> None:
    opened = ModelSource(SMALL).with_open_bases("my_sdk")
    assert opened.splitlines()[:8] == [
        "from __future__ import annotations",
        "",
        "from enum import Enum",
        "from typing import Annotated",
        "",
        "from pydantic import Field",
        "from my_sdk._open_models import OpenModel as BaseModel, OpenRoot as RootModel",
        "",
    ]
    assert opened.endswith("mode: Mode | None = None\n")


@pytest.mark.parametrize("change", [("BaseModel, ", ""), (", RootModel", "")])
def test_models_of_another_form_are_refused(change: tuple[str, str]) -> None:
    with pytest.raises(BuildError, match="in the known form"):
        ModelSource(SMALL.replace(*change)).with_open_bases("my_sdk")


def test_every_request_is_a_typed_method_sync_and_async() -> None:
    tree = ast.parse(methods())
    names = ["_".join(request.wire.lower().split("/")) for request in client_requests(own_bundle(), SOURCE)]
    found = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    sync = [node.name for node in found["ClientMethods"].body if isinstance(node, ast.FunctionDef)]
    other = [node.name for node in found["AsyncClientMethods"].body if isinstance(node, ast.AsyncFunctionDef)]
    assert sync == other == ["_call", *names]
    assert len(names) == 20


@pytest.mark.parametrize(
    "line",
    [
        "    def thread_start(self, **options: Unpack[ThreadStartOptions]) -> models.ThreadStartResponse:",
        (
            '        return self._call("thread/start", build(models.ThreadStartParams, options,'
            ' "thread_start"), models.ThreadStartResponse)'
        ),
        "    async def account_logout(self) -> models.LogoutAccountResponse:",
        '        return await self._call("account/logout", None, models.LogoutAccountResponse)',
        (
            "    def account_login_start(self, params: models.LoginAccountParams)"
            " -> models.LoginAccountResponse:"
        ),
        '        return self._call("account/login/start", wire(params), models.LoginAccountResponse)',
        "    def mystery_do(self) -> UnknownResult:",
        (
            "    def config_value_write(self, **options: Unpack[ConfigValueWriteOptions])"
            " -> models.ConfigWriteResponse:"
        ),
        "class TurnStartOptions(_TurnStartOptionsRequired, total=False):",
        "    input: list[models.UserInput]",
        "    sandbox: models.SandboxMode | str | None",
        "    cwd: str | None",
        "class ThreadStartOptions(TypedDict, total=False):",
        "class TurnStartKeywords(TypedDict, total=False):",
    ],
)
def test_lines_of_the_methods(line: str) -> None:
    assert line in methods().splitlines()


def test_what_the_high_level_api_adds_is_not_among_its_keywords() -> None:
    tree = ast.parse(methods())
    (keywords,) = (
        node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "TurnStartKeywords"
    )
    fields = [ast.unparse(node.target) for node in keywords.body if isinstance(node, ast.AnnAssign)]
    assert fields == ["effort", "model", "output_schema"]


def test_two_methods_of_one_name_are_refused() -> None:
    bundle = own_bundle(ClientRequest=messages(thread__start=None, thread_start=None))
    with pytest.raises(BuildError, match="the same name in Python"):
        client_requests(bundle, SOURCE)


def test_answers_that_accept_and_decline() -> None:
    assert answers_of(own_bundle(), ("accept", "approved")) == {
        "execCommandApproval": {"decision": "approved"},
        "item/commandExecution/requestApproval": {"decision": "accept"},
    }
    assert answers_of(own_bundle(), ("decline", "denied")) == {
        "execCommandApproval": {"decision": "denied"},
        "item/commandExecution/requestApproval": {"decision": "decline"},
    }


@pytest.mark.parametrize(
    "response",
    [
        record("decision", "reason", decision=values("accept"), reason={"type": "string"}),
        record(decision=values("accept")),
        record("decision", decision=values("ok")),
        record("decision", decision={"type": "string"}),
    ],
)
def test_a_response_that_needs_more_than_a_choice_has_no_answer(response: dict[str, object]) -> None:
    bundle = own_bundle(CommandExecutionRequestApprovalResponse=response, ExecCommandApprovalResponse=None)
    assert answers_of(bundle, ("accept",)) == {}


def test_a_choice_can_be_defined_in_parts() -> None:
    split = {"anyOf": [ref("ReviewDecision"), values("accept")]}
    bundle = own_bundle(CommandExecutionRequestApprovalResponse=record("decision", decision=split))
    answers = answers_of(bundle, ("accept", "approved"))
    assert answers["item/commandExecution/requestApproval"] == {"decision": "accept"}


def test_the_answers_are_a_module() -> None:
    lines = server_answers_source(own_bundle()).splitlines()
    assert lines[2:4] == [
        "ACCEPT_ANSWERS: dict[str, dict[str, object]] = {",
        '    "execCommandApproval": {"decision": "approved"},',
    ]

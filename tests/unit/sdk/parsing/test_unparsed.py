"""The messages of a release that an SDK cannot parse."""

from pathlib import Path

import pytest

from factory.sdk.parsing.messages import Message, Parsed, messages_of
from factory.sdk.parsing.unparsed import parse_messages
from factory.sdk.sdk_files import UnusableSdk
from factory.sdk.types.runtime import TypesWorkspace
from factory.system.process import SubprocessRunner
from tests.protocols import bundle, definitions, message, v2
from tests.toolchains import running_toolchain
from tests.unit.sdk.regenerate.small_sdk import small_sdk

MODELS = """\
class Model:
    @classmethod
    def model_validate(cls, value):
        if "failed" in str(value):
            raise ValueError(f"1 error\\nturn.status\\n Input should be 'completed' [{cls.__name__}]\\n more")


class TurnCompletedNotification(Model):
    pass


class ThreadResponse(Model):
    pass
"""
REGISTRY = """\
from .v2_all import TurnCompletedNotification

NOTIFICATION_MODELS = {"turn/completed": TurnCompletedNotification}
"""


def parse(tmp_path: Path, **changed: str) -> dict[str, tuple[Parsed, str]]:
    protocol = definitions()
    turn = {"$ref": "#/definitions/v2/Turn"}
    v2(protocol)["ThreadResponse"] = {"required": ["turn"], "properties": {"turn": turn}}
    v2(protocol)["NewResponse"] = {"type": "object"}
    texts = {"v2_all": MODELS, "notification_registry": REGISTRY, "api": "", **changed}
    workspace = TypesWorkspace(scratch=tmp_path / "scratch", runner=SubprocessRunner(), env={})
    workspace.scratch.mkdir()
    sdk = small_sdk(tmp_path / "sdk", **texts)
    results = parse_messages(bundle(protocol), sdk, running_toolchain(), workspace)
    return {result.message.name: (result.outcome, result.words) for result in results}


def test_each_message_is_parsed_refused_or_unknown(tmp_path: Path) -> None:
    problem = "cannot be parsed with TurnStatus (failed): turn.status Input should be 'completed'"
    assert parse(tmp_path) == {
        "turn/completed": (
            Parsed.REFUSED,
            f"server notification turn/completed {problem} [TurnCompletedNotification]",
        ),
        "error": (Parsed.UNKNOWN, "server notification error is unknown to the SDK"),
        "ThreadResponse": (
            Parsed.REFUSED,
            f"response ThreadResponse {problem} [ThreadResponse]",
        ),
    }


def test_a_message_with_only_known_forms_is_parsed(tmp_path: Path) -> None:
    found = parse(tmp_path, v2_all=MODELS.replace('"failed"', '"other"'))
    assert found["turn/completed"] == (
        Parsed.PARSED,
        "server notification turn/completed can be parsed",
    )


@pytest.mark.parametrize("models", ["import gone_module\n", "raise SystemExit(0)\n"])
def test_types_that_cannot_be_imported_are_not_a_pass(tmp_path: Path, models: str) -> None:
    with pytest.raises(UnusableSdk, match=r"its types cannot be imported \(exit status [01]\)"):
        parse(tmp_path, v2_all=models)


def test_the_messages_are_those_that_a_server_sends() -> None:
    protocol = definitions()
    v2(protocol)["ApproveResponse"] = v2(protocol)["TurnStartResponse"] = {"type": "object"}
    listed = protocol["ServerNotification"]
    assert isinstance(listed, dict)
    listed["oneOf"].append(message("plain", None))
    assert list(messages_of(bundle(protocol))) == [
        Message(kind="server notification", name="error", model="ErrorNotification"),
        Message(kind="server notification", name="turn/completed", model="TurnCompletedNotification"),
        Message(kind="server request", name="approve", model="ApproveParams"),
        Message(kind="response", name="TurnStartResponse", model="TurnStartResponse"),
    ]


def test_the_sdk_does_not_see_the_variables_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "kept")
    leak = "import os\nif 'SECRET' in os.environ: raise RuntimeError\n"
    assert parse(tmp_path, v2_all=leak + MODELS)

"""A small protocol with everything that the SDK of our own needs, and the project that is made from it.

The models in ``tests/unit/fixtures/own_sdk/v2_all.txt`` are what the real generator makes from this schema;
``tests/integration/test_own_sdk_real.py`` compares the two.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from factory.core.tags import CodexTag
from factory.sdk.client.project import SdkNames, SdkRelease, write_project
from factory.sdk.types.registry_module import registry_source
from factory.sdk.types.schema import SchemaBundle
from factory.sdk.types.types_package import TypesPackage

TAG = CodexTag.parse("0.163.0")
MODELS = Path(__file__).parent / "unit/fixtures/own_sdk/v2_all.txt"

Schema = Mapping[str, object]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
BOOL: Schema = {"type": "boolean"}


def ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def listed(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def values(*texts: str) -> Schema:
    return {"type": "string", "enum": list(texts)}


def record(*required: str, **fields: Schema) -> Schema:
    return {"type": "object", "properties": dict(fields), "required": list(required)}


def variant(title: str, tag: str, *required: str, **fields: Schema) -> Schema:
    return {"title": title, **record(*required, "type", type=values(tag), **fields)}


def messages(**methods: str | None) -> Schema:
    variants = []
    for name, params in methods.items():
        method = {"type": "string", "enum": [name.replace("__", "/")]}
        properties = {"method": method} | ({} if params is None else {"params": ref(params)})
        variants.append({"type": "object", "properties": properties})
    return {"oneOf": variants}


OPTION = or_null(TEXT)
TURN_OPTIONS: Mapping[str, Schema] = {"model": OPTION, "outputSchema": {}, "effort": or_null(ref("Effort"))}
THREAD_OPTIONS: Mapping[str, Schema] = {
    "approvalPolicy": or_null(ref("AskForApproval")),
    "config": {"type": ["object", "null"], "additionalProperties": True},
    "cwd": OPTION,
    "model": OPTION,
    "modelProvider": OPTION,
    "sandbox": or_null(ref("SandboxMode")),
}
CLIENT_REQUESTS: Mapping[str, str | None] = {
    "account__login__cancel": "CancelLoginAccountParams",
    "account__login__start": "LoginAccountParams",
    "account__logout": None,
    "account__read": "GetAccountParams",
    "config__value__write": "ConfigValueWriteParams",
    "initialize": "InitializeParams",
    "mystery__do": None,
    "model__list": "ModelListParams",
    "thread__archive": "ThreadArchiveParams",
    "thread__compact__start": "ThreadCompactStartParams",
    "thread__fork": "ThreadForkParams",
    "thread__list": "ThreadListParams",
    "thread__name__set": "ThreadSetNameParams",
    "thread__read": "ThreadReadParams",
    "thread__resume": "ThreadResumeParams",
    "thread__start": "ThreadStartParams",
    "thread__unarchive": "ThreadUnarchiveParams",
    "turn__interrupt": "TurnInterruptParams",
    "turn__start": "TurnStartParams",
    "turn__steer": "TurnSteerParams",
}
APPROVAL = record("threadId", "turnId", "itemId", threadId=TEXT, turnId=TEXT, itemId=TEXT, command=OPTION)
ONE_THREAD = record("threadId", threadId=TEXT)
STARTED = record("thread", thread=ref("Thread"))
ITEM_NOTE = record("threadId", "turnId", "item", threadId=TEXT, turnId=TEXT, item=ref("ThreadItem"))
TURN_NOTE = record("threadId", "turn", threadId=TEXT, turn=ref("Turn"))
DEFINITIONS: Mapping[str, Schema] = {
    "ClientRequest": messages(**CLIENT_REQUESTS),
    "ClientNotification": messages(initialized=None),
    "ServerRequest": messages(
        item__commandExecution__requestApproval="CommandExecutionRequestApprovalParams",
        execCommandApproval="ExecCommandApprovalParams",
        item__tool__call="DynamicToolCallParams",
    ),
    "ServerNotification": messages(
        turn__started="TurnStartedNotification",
        turn__completed="TurnCompletedNotification",
        item__started="ItemStartedNotification",
        item__completed="ItemCompletedNotification",
        item__agentMessage__delta="AgentMessageDeltaNotification",
        account__login__completed="AccountLoginCompletedNotification",
    ),
    "AskForApproval": {
        "oneOf": [
            values("never", "on-request"),
            {"title": "GranularAskForApproval", **record("granular", granular=record(rules=BOOL))},
        ]
    },
    "SandboxMode": values("read-only", "workspace-write", "danger-full-access"),
    "Effort": values("low", "high"),
    "TurnStatus": values("completed", "interrupted", "failed", "inProgress"),
    "ApprovalDecision": {
        "oneOf": [
            values("accept"),
            {"title": "AcceptAlways", **record("acceptAlways", acceptAlways=BOOL)},
            values("decline"),
            values("cancel"),
        ]
    },
    "ReviewDecision": values("approved", "denied", "abort"),
    "UserInput": {
        "oneOf": [
            variant("TextUserInput", "text", "text", text=TEXT),
            variant("ImageUserInput", "image", "url", url=TEXT),
        ]
    },
    "ThreadItem": {
        "oneOf": [
            variant("UserMessageThreadItem", "userMessage", "id", id=TEXT),
            variant("AgentMessageThreadItem", "agentMessage", "id", "text", id=TEXT, text=TEXT),
        ]
    },
    "Account": {
        "oneOf": [variant("ApiKeyAccount", "apiKey"), variant("ChatgptAccount", "chatgpt", email=TEXT)]
    },
    "Thread": record("id", id=TEXT, preview=TEXT),
    "TurnError": record("message", message=TEXT, codexErrorInfo=OPTION),
    "Turn": record(
        "id",
        "items",
        "status",
        id=TEXT,
        items=listed(ref("ThreadItem")),
        status=ref("TurnStatus"),
        error=or_null(ref("TurnError")),
    ),
    "InitializeParams": record("clientInfo", clientInfo={"type": "object", "additionalProperties": True}),
    "InitializeResponse": record("userAgent", userAgent=TEXT),
    "GetAccountParams": record(refreshToken=BOOL),
    "GetAccountResponse": record(
        "requiresOpenaiAuth", account=or_null(ref("Account")), requiresOpenaiAuth=BOOL
    ),
    "LoginAccountParams": {
        "oneOf": [
            variant("ApiKeyLogin", "apiKey", "apiKey", apiKey=TEXT),
            variant("ChatgptLogin", "chatgpt"),
        ]
    },
    "LoginAccountResponse": {
        "oneOf": [
            variant("ApiKeyLoginResponse", "apiKey"),
            variant("ChatgptLoginResponse", "chatgpt", "loginId", "authUrl", loginId=TEXT, authUrl=TEXT),
        ]
    },
    "CancelLoginAccountParams": record("loginId", loginId=TEXT),
    "CancelLoginAccountResponse": record(),
    "LogoutAccountResponse": record(),
    "ConfigValueWriteParams": record("keyPath", keyPath=TEXT, value={}),
    "ConfigWriteResponse": record("status", status=TEXT),
    "ModelListParams": record(cursor=OPTION, includeHidden=BOOL),
    "ModelListResponse": record("data", data=listed(TEXT), nextCursor=OPTION),
    "ThreadStartParams": record(**THREAD_OPTIONS),
    "ThreadStartResponse": STARTED,
    "ThreadResumeParams": record("threadId", threadId=TEXT, **THREAD_OPTIONS),
    "ThreadResumeResponse": STARTED,
    "ThreadForkParams": record("threadId", threadId=TEXT, **THREAD_OPTIONS),
    "ThreadForkResponse": STARTED,
    "ThreadListParams": record(cursor=OPTION, limit=or_null(NUMBER)),
    "ThreadListResponse": record("data", data=listed(ref("Thread")), nextCursor=OPTION),
    "ThreadArchiveParams": ONE_THREAD,
    "ThreadArchiveResponse": record(),
    "ThreadUnarchiveParams": ONE_THREAD,
    "ThreadUnarchiveResponse": STARTED,
    "ThreadReadParams": record("threadId", threadId=TEXT, includeTurns=BOOL),
    "ThreadReadResponse": STARTED,
    "ThreadSetNameParams": record("threadId", "name", threadId=TEXT, name=TEXT),
    "ThreadSetNameResponse": record(),
    "ThreadCompactStartParams": ONE_THREAD,
    "ThreadCompactStartResponse": record(),
    "TurnStartParams": record(
        "threadId", "input", threadId=TEXT, input=listed(ref("UserInput")), **TURN_OPTIONS
    ),
    "TurnStartResponse": record("turn", turn=ref("Turn")),
    "TurnInterruptParams": record("threadId", "turnId", threadId=TEXT, turnId=TEXT),
    "TurnInterruptResponse": record(),
    "TurnSteerParams": record(
        *("threadId", "expectedTurnId", "input"),
        threadId=TEXT,
        expectedTurnId=TEXT,
        input=listed(ref("UserInput")),
    ),
    "TurnSteerResponse": record("turnId", turnId=TEXT),
    "CommandExecutionRequestApprovalParams": APPROVAL,
    "CommandExecutionRequestApprovalResponse": record("decision", decision=ref("ApprovalDecision")),
    "ExecCommandApprovalParams": APPROVAL,
    "ExecCommandApprovalResponse": record("decision", decision=ref("ReviewDecision")),
    "DynamicToolCallParams": record(tool=TEXT),
    "DynamicToolCallResponse": record("success", success=BOOL),
    "TurnStartedNotification": TURN_NOTE,
    "TurnCompletedNotification": TURN_NOTE,
    "ItemStartedNotification": ITEM_NOTE,
    "ItemCompletedNotification": ITEM_NOTE,
    "AgentMessageDeltaNotification": record("delta", threadId=TEXT, turnId=TEXT, itemId=TEXT, delta=TEXT),
    "AccountLoginCompletedNotification": record("success", loginId=OPTION, success=BOOL, error=OPTION),
}


def own_bundle(**changes: Schema | None) -> SchemaBundle:
    """Return the protocol; a definition can be replaced, or removed with None."""
    definitions = {name: schema for name, schema in {**DEFINITIONS, **changes}.items() if schema is not None}
    return SchemaBundle.parse(json.dumps({"definitions": definitions}).encode())


def own_release(bundle: SchemaBundle | None = None, *, models: str | None = None) -> SdkRelease:
    schema = own_bundle() if bundle is None else bundle
    texts = {
        "__init__.py": "",
        "notification_registry.py": registry_source(schema),
        "v2_all.py": MODELS.read_text(encoding="utf-8") if models is None else models,
    }
    files = {name: text.encode() for name, text in texts.items()}
    return SdkRelease(
        tag=TAG, version="0.163.0", schema=schema, types=TypesPackage(files=files, models=1, methods=1)
    )


def own_project(directory: Path, names: SdkNames | None = None) -> Path:
    write_project(own_release(), names or SdkNames(), directory)
    return directory

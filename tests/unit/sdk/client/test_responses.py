"""Which response belongs to which request."""

from typing import Any

import pytest

from factory.sdk.client.responses import responses_of, words_of
from factory.sdk.types.methods import MessageKind
from tests.own_sdk import messages, own_bundle, record


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mcpServer/oauth/login", ("mcp", "server", "oauth", "login")),
        ("thread/inject_items", ("thread", "inject", "items")),
        ("account/gatewayOAuth/read", ("account", "gateway", "o", "auth", "read")),
        ("GatewayOAuthReadResponse", ("gateway", "o", "auth", "read", "response")),
        ("fuzzyFileSearch", ("fuzzy", "file", "search")),
        ("GetHTTPResponse", ("get", "http", "response")),
        ("v2/run", ("v2", "run")),
    ],
)
def test_words_of_a_name(name: str, words: tuple[str, ...]) -> None:
    assert words_of(name) == words


def responses(method: str, params: str | None, *names: str) -> dict[str, str]:
    changes: dict[str, Any] = {name: record() for name in names}
    if params is not None:
        changes[params] = record()
    bundle = own_bundle(ClientRequest=messages(**{method: params}), **changes)
    free = {
        name: None for name in own_bundle().definitions if name.endswith("Response") and name not in names
    }
    return dict(
        responses_of(
            own_bundle(**{**free, "ClientRequest": bundle.definitions["ClientRequest"], **changes}),
            MessageKind.CLIENT_REQUEST,
        )
    )


@pytest.mark.parametrize(
    ("method", "params", "names", "expected"),
    [
        ("thread__start", "ThreadStartParams", ["ThreadStartResponse"], "ThreadStartResponse"),
        ("thread__name__set", "ThreadSetNameParams", ["ThreadSetNameResponse"], "ThreadSetNameResponse"),
        ("app__list", "ListAppsParams", ["AppListResponse", "ListAppsResponse"], "ListAppsResponse"),
        ("app__list", "ListAppsParams", ["AppListResponse"], "AppListResponse"),
        ("config__read", None, ["ConfigReadResponse"], "ConfigReadResponse"),
        ("account__logout", None, ["LogoutAccountResponse"], "LogoutAccountResponse"),
        ("account__rateLimits__read", None, ["GetAccountRateLimitsResponse"], "GetAccountRateLimitsResponse"),
        ("config__value__write", "ConfigValueWriteParams", ["ConfigWriteResponse"], "ConfigWriteResponse"),
        ("a__b__c", None, ["ABResponse", "ACResponse"], None),
        ("a__b__c", None, ["ABResponse", "BAResponse"], None),
        ("a__b__c", None, ["AResponse"], None),
        ("a__b", None, ["ABCResponse"], None),
    ],
)
def test_a_response_is_found_by_name(
    method: str, params: str | None, names: list[str], expected: str | None
) -> None:
    found = responses(method, params, *names)
    assert found.get(method.replace("__", "/")) == expected


def test_a_response_with_an_exact_owner_is_not_given_to_another() -> None:
    requests = messages(config__value__write="ConfigValueWriteParams", config__write=None)
    found = responses_of(own_bundle(ClientRequest=requests), MessageKind.CLIENT_REQUEST)
    assert found == {"config/write": "ConfigWriteResponse"}

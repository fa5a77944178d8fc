"""What the sync and the async API do with the messages about turns and logins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codex_factory_sdk._notification import Notification, parse
from codex_factory_sdk._options import build
from codex_factory_sdk._protocol import Subscription
from codex_factory_sdk.errors import AuthenticationRequired
from codex_factory_sdk.generated import v2_all as v2
from codex_factory_sdk.inputs import Input, wire_input

_UNAUTHORIZED = "unauthorized"


@dataclass(frozen=True)
class LoginStart:
    """The answer to ``account/login/start``, whichever variant it is."""

    login_id: str
    auth_url: str | None
    verification_url: str | None
    user_code: str | None

    @classmethod
    def of(cls, result: object) -> LoginStart:
        """Read the result of the request."""
        fields = result if isinstance(result, Mapping) else {}
        return cls(
            login_id=str(fields["loginId"]),
            auth_url=fields.get("authUrl"),
            verification_url=fields.get("verificationUrl"),
            user_code=fields.get("userCode"),
        )


def api_key_login(api_key: str) -> Mapping[str, object]:
    """Return the parameters that log in with an API key."""
    return {"type": "apiKey", "apiKey": api_key}


def uses_default_provider(params: Mapping[str, object]) -> bool:
    """Whether a thread uses the configured model provider: ``account/read`` answers for that one only."""
    return params.get("modelProvider") is None and params.get("config") is None


def steer_params(thread_id: str, turn_id: str, value: Input) -> Mapping[str, object]:
    """Return the parameters of ``turn/steer``."""
    fixed = {"thread_id": thread_id, "expected_turn_id": turn_id, "input": wire_input(value)}
    return build(v2.TurnSteerParams, {}, "steer", **fixed)


def completed_turn(notification: Notification) -> v2.Turn:
    """Return the turn of ``turn/completed``.

    Raises:
        AuthenticationRequired: It failed for want of an account.
        UnexpectedMessage: It does not fit the model.
    """
    raw = notification.params.get("turn")
    error = raw.get("error") if isinstance(raw, Mapping) else None
    if isinstance(error, Mapping) and error.get("codexErrorInfo") == _UNAUTHORIZED:
        raise AuthenticationRequired(
            f"the model provider refused the account: {error.get('message')}; log in again"
        )
    return parse(v2.Turn, raw, "the turn of turn/completed")


def completed_login(notification: Notification) -> v2.AccountLoginCompletedNotification:
    """Return the parameters of ``account/login/completed``."""
    return parse(v2.AccountLoginCompletedNotification, notification.params, notification.method)


def completed_items(subscription: Subscription) -> list[v2.ThreadItem]:
    """Return the items of a turn's ``item/completed`` notifications."""
    return [
        parse(v2.ThreadItem, params.get("item"), "the item of item/completed")
        for params in list(subscription.items)
    ]


def final_text(source: v2.Turn | Sequence[v2.ThreadItem]) -> str | None:
    """Return the text of the model's last message, if there is one.

    ``source`` is the items of a turn, ``TurnHandle.items()``, or a turn that has items: that of
    ``turn/completed`` has the last message in recent releases, and none in older ones.
    """
    items = source.items if isinstance(source, v2.Turn) else source
    for item in reversed(items):
        if getattr(item.root, "type", None) == "agentMessage":
            text = getattr(item.root, "text", None)
            return text if isinstance(text, str) else None
    return None

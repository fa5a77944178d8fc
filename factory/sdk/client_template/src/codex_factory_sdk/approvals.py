"""What the app-server asks of the client: approvals, above all."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from pydantic import BaseModel

from codex_factory_sdk._notification import ServerMessage
from codex_factory_sdk._options import wire
from codex_factory_sdk._protocol import Asked, Connection
from codex_factory_sdk.generated.notification_registry import SERVER_REQUEST_MODELS
from codex_factory_sdk.generated.server_answers import ACCEPT_ANSWERS, DECLINE_ANSWERS

LOGGER = logging.getLogger("codex_factory_sdk")
_METHOD_NOT_FOUND = -32601


class ServerRequest(ServerMessage):
    """A question of the app-server, which waits for the answer."""

    models = SERVER_REQUEST_MODELS

    def accept(self) -> Mapping[str, object]:
        """Return the answer that accepts once.

        Raises:
            TypeError: This question is not of that kind, and needs an answer of its own.
        """
        return self._known(ACCEPT_ANSWERS)

    def decline(self) -> Mapping[str, object]:
        """Return the answer that declines, after which the turn goes on; see `accept`."""
        return self._known(DECLINE_ANSWERS)

    def _known(self, answers: Mapping[str, Mapping[str, object]]) -> Mapping[str, object]:
        if self.method not in answers:
            raise TypeError(f"{self.method} cannot be accepted or declined; return the model of its response")
        return answers[self.method]


Answer = BaseModel | Mapping[str, object] | None
"""The answer to a question; None declines it."""

ApprovalHandler = Callable[[ServerRequest], Answer]
AsyncApprovalHandler = Callable[[ServerRequest], "Answer | Awaitable[Answer]"]


def reply(connection: Connection, asked: Asked, answer: Answer) -> bytes:
    """Return the bytes of an answer; without one, decline, or else say that there is no handler."""
    if answer is None:
        answer = DECLINE_ANSWERS.get(asked.method)
    if answer is None:
        return connection.refuse(asked.id, _METHOD_NOT_FOUND, f"this client does not answer {asked.method}")
    return connection.answer(asked.id, wire(answer))

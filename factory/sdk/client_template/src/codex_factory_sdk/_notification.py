"""Notifications, and the models of their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ValidationError

from codex_factory_sdk._open_models import OpenModel
from codex_factory_sdk.errors import UnexpectedMessage
from codex_factory_sdk.generated.notification_registry import NOTIFICATION_MODELS

ModelT = TypeVar("ModelT", bound=BaseModel)


class UnknownNotification(OpenModel):
    """The parameters of a notification that the release's schema does not have, as attributes."""


class ServerMessage:
    """A message that the app-server began: a notification or a question.

    Attributes:
        models: The model of each method's parameters.
        method: ``item/completed``, for example.
        params: The parameters as they came.
    """

    models: ClassVar[Mapping[str, type[BaseModel]]]

    def __init__(self, method: str, params: Mapping[str, object]) -> None:
        self.method = method
        self.params = params

    @cached_property
    def payload(self) -> BaseModel:
        """The parameters as a model of the release, parsed when they are first used.

        Raises:
            UnexpectedMessage: They do not fit the model; ``params`` still has them.
        """
        return parse(self.models.get(self.method, UnknownNotification), self.params, self.method)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.method!r}, {self.params!r})"


class Notification(ServerMessage):
    """A message that the app-server sent without being asked."""

    models = NOTIFICATION_MODELS


def parse(model: type[ModelT], value: object, what: str) -> ModelT:
    """Return a value as a model.

    Raises:
        UnexpectedMessage: It does not fit.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "all of it"
        raise UnexpectedMessage(
            f"{what} does not fit {model.__name__}: {place}: {first['msg']}, got {first['input']!r:.80} "
            f"({error.error_count()} in all)"
        ) from error

"""Notifications, and the models of their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from codex_factory_sdk._open_models import OpenModel
from codex_factory_sdk.errors import UnexpectedMessage
from codex_factory_sdk.generated.notification_registry import NOTIFICATION_MODELS

ModelT = TypeVar("ModelT", bound=BaseModel)


class UnknownNotification(OpenModel):
    """The parameters of a notification that the release's schema does not have, as attributes."""


class Notification:
    """A message that the app-server sent without being asked.

    Attributes:
        method: ``item/completed``, for example.
        params: The parameters as they came.
    """

    def __init__(self, method: str, params: Mapping[str, object]) -> None:
        self.method = method
        self.params = params

    @cached_property
    def payload(self) -> BaseModel:
        """The parameters as a model of the release, parsed when they are first used.

        Raises:
            UnexpectedMessage: They do not fit the model; ``params`` still has them.
        """
        return parse(NOTIFICATION_MODELS.get(self.method, UnknownNotification), self.params, self.method)

    def __repr__(self) -> str:
        return f"Notification({self.method!r}, {self.params!r})"


def parse(model: type[ModelT], value: object, what: str) -> ModelT:
    """Return a value as a model.

    Raises:
        UnexpectedMessage: It does not fit.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UnexpectedMessage(
            f"{what} does not fit {model.__name__}: {place}: {first['msg']} ({error.error_count()} in all)"
        ) from error

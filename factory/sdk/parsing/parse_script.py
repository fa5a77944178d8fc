"""Parse instances with an SDK's models: a program for an interpreter that has pydantic.

Its arguments are two files. The first is a JSON document with the package of the generated modules, and
the messages with their instances. It writes the results to the second.
"""

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypedDict

_MAX_CHARACTERS = 200


class Question(TypedDict):
    """A message, the model to parse it with, and labelled instances of it."""

    name: str
    model: str
    is_notification: bool
    instances: list[tuple[str, object]]


class ModelAnswer(TypedDict):
    """Whether the SDK has a model for a message, and the first instance that it refuses."""

    has_model: bool
    example: str
    problem: str


class _Model(Protocol):
    def model_validate(self, value: object) -> object: ...


def main() -> None:
    """Parse the instances."""
    request, answer = (Path(argument) for argument in sys.argv[1:])
    document = json.loads(request.read_text(encoding="utf-8"))
    results = results_of(document["package"], document["messages"])
    answer.write_text(json.dumps({"results": results}), encoding="utf-8")


def results_of(package: str, messages: Sequence[Question]) -> list[ModelAnswer]:
    """Return what the models of a package of generated modules do with the instances of each message."""
    models = importlib.import_module(f"{package}.v2_all")
    registry = importlib.import_module(f"{package}.notification_registry")
    results = []
    for message in messages:
        model = getattr(models, message["model"], None)
        if message["is_notification"]:
            model = registry.NOTIFICATION_MODELS.get(message["name"])
        results.append(_result(message, model))
    return results


def _result(message: Question, model: _Model | None) -> ModelAnswer:
    """Return the first refused example of a message."""
    if model is None:
        return {"has_model": False, "example": "", "problem": ""}
    for example, instance in message["instances"]:
        try:
            model.model_validate(instance)
        except Exception as error:  # noqa: BLE001 - a model of the SDK may raise anything
            # The first line of a validation error only counts the problems.
            words = " ".join(" ".join(str(error).splitlines()[1:3]).split())
            return {
                "has_model": True,
                "example": example,
                "problem": (words or repr(error))[:_MAX_CHARACTERS],
            }
    return {"has_model": True, "example": "", "problem": ""}


if __name__ == "__main__":
    main()

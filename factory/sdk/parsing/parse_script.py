"""The program that parses instances with an SDK's models; it runs in an interpreter that has pydantic.

Its arguments are two files. The first is a JSON document with the package of the generated modules, and
the messages with their instances. It writes the results to the second.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Protocol, TypedDict

_MAX_CHARACTERS = 200


class _Message(TypedDict):
    name: str
    model: str
    is_notification: bool
    instances: list[tuple[str, object]]


class _Result(TypedDict):
    has_model: bool
    example: str
    problem: str


class _Model(Protocol):
    def model_validate(self, value: object) -> object: ...


def main() -> None:
    """Parse the instances."""
    request, answer = (Path(argument) for argument in sys.argv[1:])
    document = json.loads(request.read_text(encoding="utf-8"))
    models = importlib.import_module(f"{document['package']}.v2_all")
    registry = importlib.import_module(f"{document['package']}.notification_registry")
    results = []
    for message in document["messages"]:
        model = getattr(models, message["model"], None)
        if message["is_notification"]:
            model = registry.NOTIFICATION_MODELS.get(message["name"])
        results.append(_result(message, model))
    answer.write_text(json.dumps({"results": results}), encoding="utf-8")


def _result(message: _Message, model: _Model | None) -> _Result:
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

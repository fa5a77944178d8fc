"""The messages of a protocol that a server sends, and what an SDK does with instances of them.

Acceptance copies this module and what it imports into clean environments: standard library only.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from factory.sdk.parsing.instances import InstanceMaker
from factory.sdk.parsing.parse_script import Question
from factory.sdk.types.directions import directions_of
from factory.sdk.types.methods import MessageKind, methods_of
from factory.sdk.types.schema import SchemaBundle

_RESPONSE: Final = "response"


class Parsed(StrEnum):
    """What an SDK does with a message."""

    PARSED = "parsed"
    UNKNOWN = "unknown"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that a server sends.

    Attributes:
        kind: ``server notification``, ``server request`` or ``response``.
        name: Its method, or the type of a response.
        model: The type of its parameters, or of the response.
    """

    kind: str
    name: str
    model: str

    @property
    def is_notification(self) -> bool:
        """Whether an SDK finds the model by the method, in its registry."""
        return self.kind == MessageKind.SERVER_NOTIFICATION.words


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMessage:
    """A message, and what an SDK does with it.

    Attributes:
        example: The first form that the SDK refuses, such as ``ThreadItem (type "plan")``.
        problem: The SDK's error.
    """

    message: Message
    outcome: Parsed
    example: str = ""
    problem: str = ""

    @property
    def words(self) -> str:
        """The result as a sentence."""
        where = f"{self.message.kind} {self.message.name}"
        match self.outcome:
            case Parsed.REFUSED:
                return f"{where} cannot be parsed with {self.example}: {self.problem}"
            case Parsed.UNKNOWN:
                return f"{where} is unknown to the SDK"
            case Parsed.PARSED:
                return f"{where} can be parsed"


def messages_of(bundle: SchemaBundle) -> Iterator[Message]:
    """Return the messages that a server sends.

    Raises:
        UnusableSchema: The schema does not list its methods in a known form.
    """
    for kind in (MessageKind.SERVER_NOTIFICATION, MessageKind.SERVER_REQUEST):
        for method in methods_of(bundle, kind):
            if method.parameters is not None:
                yield Message(kind=kind.words, name=method.name, model=method.parameters)
    for name in sorted(directions_of(bundle).server):
        if name.endswith("Response"):
            yield Message(kind=_RESPONSE, name=name, model=name)


def questions_about(messages: Sequence[Message], bundle: SchemaBundle) -> list[Question]:
    """Return the messages with their instances, as `parse_script` takes them."""
    maker = InstanceMaker(bundle)
    return [
        Question(
            name=message.name,
            model=message.model,
            is_notification=message.is_notification,
            instances=[(one.example, one.value) for one in maker.of_message(message.model)],
        )
        for message in messages
    ]


def parsed_messages(
    messages: Sequence[Message], results: Sequence[Mapping[str, object]]
) -> Iterator[ParsedMessage]:
    """Return what an SDK does with each message, from the answers of `parse_script`.

    A notification without a model is delivered to the program as it is. A server request or a response
    that the SDK has no model for is left out: the SDK cannot ask for such a response.
    """
    for message, result in zip(messages, results, strict=True):
        example, problem = str(result["example"]), str(result["problem"])
        if problem:
            outcome = Parsed.REFUSED
        elif result["has_model"]:
            outcome = Parsed.PARSED
        elif message.is_notification:
            outcome = Parsed.UNKNOWN
        else:
            continue
        yield ParsedMessage(message=message, outcome=outcome, example=example, problem=problem)

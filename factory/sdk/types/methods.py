"""List the messages of a protocol: their methods, senders and parameter types."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from factory.sdk.types.describe import without_null
from factory.sdk.types.schema import Schema, SchemaBundle, UnusableSchema, members, parts, referred, texts


class MessageKind(StrEnum):
    """The kinds of messages; the values are the names of their definitions in the schema."""

    SERVER_NOTIFICATION = "ServerNotification"
    SERVER_REQUEST = "ServerRequest"
    CLIENT_REQUEST = "ClientRequest"
    CLIENT_NOTIFICATION = "ClientNotification"

    @property
    def words(self) -> str:
        """The kind as words in a sentence, ``server notification``."""
        side, what = ("server", "client")[self.name.startswith("CLIENT")], self.name.partition("_")[2].lower()
        return f"{side} {what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A message of the protocol.

    Attributes:
        name: Its name on the wire, ``turn/completed``.
        parameters: The name of the definition of its parameters, if it has any.
    """

    name: str
    parameters: str | None


def methods_of(bundle: SchemaBundle, kind: MessageKind) -> tuple[Method, ...]:
    """Return the messages of a kind, sorted by name.

    Raises:
        UnusableSchema: The schema lists them in an unknown form.
    """
    if kind not in bundle.definitions:
        raise UnusableSchema(kind, "is not defined")
    return tuple(sorted(_methods(bundle.definitions[kind], kind), key=lambda method: method.name))


def needs_parameters(bundle: SchemaBundle, kind: MessageKind, name: str) -> bool:
    """Whether a message is invalid without parameters."""
    for variant in parts(bundle.definitions[kind], "oneOf", "anyOf"):
        properties = members(variant.get("properties"))
        method = members(properties.get("method"))
        if name in (*texts(method.get("enum")), *texts(method.get("const"))):
            nullable = without_null(members(properties.get("params")))[1]
            return "params" in texts(variant.get("required")) and not nullable
    return False


def _methods(definition: Schema, kind: MessageKind) -> Iterator[Method]:
    variants = parts(definition, "oneOf", "anyOf")
    if not variants:
        raise UnusableSchema(kind, "lists no messages")
    for variant in variants:
        properties = members(variant.get("properties"))
        method = members(properties.get("method"))
        names = texts(method.get("enum")) or texts(method.get("const"))
        if len(names) != 1:
            raise UnusableSchema(kind, "lists a message without a method")
        yield Method(name=names[0], parameters=_parameters(members(properties.get("params"))))


def _parameters(schema: Schema) -> str | None:
    """Return the definition that the parameters refer to, also if they may be null instead."""
    candidates = (schema, *parts(schema, "anyOf", "oneOf"))
    return next((name for candidate in candidates if (name := referred(candidate)) is not None), None)

"""Find which side sends a type: the server, the client, or both."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from factory.sdk.types.methods import MessageKind, methods_of
from factory.sdk.types.schema import Schema, SchemaBundle, direct_parts, referred

_CLIENT_KINDS = frozenset((MessageKind.CLIENT_REQUEST, MessageKind.CLIENT_NOTIFICATION))
_PARAMETERS, _ANSWER = "Params", "Response"


@dataclass(frozen=True, slots=True, kw_only=True)
class Directions:
    """The names of the definitions that each side sends; the sets overlap.

    Attributes:
        client: In requests, notifications, and answers to the server's requests.
        server: In everything else. The schema does not say which response belongs to which request, so
            a definition that no other one uses counts as sent by the server unless it is a client's.
    """

    client: frozenset[str]
    server: frozenset[str]


def directions_of(bundle: SchemaBundle) -> Directions:
    """Return which side sends which definitions.

    Raises:
        UnusableSchema: The schema does not list its methods in a known form.
    """
    uses = {name: frozenset(references(schema)) for name, schema in bundle.definitions.items()}
    used = {inner for name, inners in uses.items() for inner in inners if inner != name}
    roots = uses.keys() - used
    answers = _answers_of_client(bundle)
    of_client = {name for name in roots if name in _CLIENT_KINDS or name.endswith(_PARAMETERS)} | answers
    return Directions(client=_reachable(uses, of_client), server=_reachable(uses, roots - of_client))


def _answers_of_client(bundle: SchemaBundle) -> frozenset[str]:
    """Return the answers to server requests, which the schema names after the parameters."""
    requests = methods_of(bundle, MessageKind.SERVER_REQUEST)
    names = (
        method.parameters.removesuffix(_PARAMETERS) + _ANSWER for method in requests if method.parameters
    )
    return frozenset(name for name in names if name in bundle.definitions)


def _reachable(uses: Mapping[str, frozenset[str]], roots: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(uses[name])
    return frozenset(found)


def references(schema: Schema) -> Iterator[str]:
    """Return the names of the definitions that a schema refers to."""
    name = referred(schema)
    if name is not None:
        yield name
    for part in direct_parts(schema):
        yield from references(part)

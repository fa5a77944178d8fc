"""Write the module with one typed method, sync and async, for each request of a release's clients."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from factory.core.errors import BuildError
from factory.sdk.client.model_source import ModelSource
from factory.sdk.client.responses import responses_of, words_of
from factory.sdk.types.methods import MessageKind, methods_of
from factory.sdk.types.model_fields import ModelField
from factory.sdk.types.schema import SchemaBundle

_UNKNOWN = "UnknownResult"
_WITHOUT: Mapping[str, tuple[str, ...]] = {
    "thread/resume": ("thread_id",),
    "thread/fork": ("thread_id",),
    "turn/start": ("thread_id", "input"),
}
"""The keywords that the high-level API adds by itself; it needs these methods."""

_HEAD = '''\
"""One method for each request that a client may send; the keywords are the fields of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from pydantic import BaseModel

from {package}._open_models import UnknownResult
from {package}._options import build, wire
from {package}.generated import v2_all as models

if TYPE_CHECKING:
    from typing_extensions import Unpack

ModelT = TypeVar("ModelT", bound=BaseModel)
'''
_SYNC = '''\
class ClientMethods:
    """The requests of the release's protocol."""

    def _call(self, method: str, params: Mapping[str, object] | None, response: type[ModelT]) -> ModelT:
        raise NotImplementedError
'''
_ASYNC = '''\
class AsyncClientMethods:
    """The requests of the release's protocol, for async programs."""

    async def _call(self, method: str, params: Mapping[str, object] | None, response: type[ModelT]) -> ModelT:
        raise NotImplementedError
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRequest:
    """A request, and the method that sends it.

    Attributes:
        wire: ``thread/start``.
        name: ``thread_start``.
        parameters: The model of its parameters, if it has any.
        fields: The fields of that model; None if it is a union, which is passed as one argument.
        response: The model of its result.
    """

    wire: str
    name: str
    parameters: str | None
    fields: tuple[ModelField, ...] | None
    response: str

    @property
    def options(self) -> str:
        """The name of the class of its keywords."""
        return "".join(word.capitalize() for word in self.name.split("_")) + "Options"


def client_requests(bundle: SchemaBundle, source: ModelSource) -> tuple[ClientRequest, ...]:
    """Return the requests of a protocol, sorted.

    Raises:
        BuildError: Two methods have one name in Python.
        UnusableSchema: The schema lists its methods in an unknown form.
    """
    responses = responses_of(bundle, MessageKind.CLIENT_REQUEST)
    requests = tuple(
        ClientRequest(
            wire=method.name,
            name="_".join(words_of(method.name)),
            parameters=method.parameters,
            fields=None if method.parameters is None else source.fields(method.parameters),
            response=responses.get(method.name, _UNKNOWN),
        )
        for method in methods_of(bundle, MessageKind.CLIENT_REQUEST)
    )
    if len({request.name for request in requests}) != len(requests):
        raise BuildError(
            "two methods of the protocol have the same name in Python",
            hint="The schema is of a new kind; the factory needs an update for it.",
        )
    return requests


def client_methods_source(requests: Sequence[ClientRequest], source: ModelSource, package: str) -> str:
    """Return the source of the module."""
    lines = [_HEAD.format(package=package)]
    for request in requests:
        if request.fields is not None:
            lines += _options_class(request.options, request.wire, request.fields, source)
    for wire, without in _WITHOUT.items():
        request = next(request for request in requests if request.wire == wire)
        fields = tuple(field for field in request.fields or () if field.name not in without)
        name = request.options.removesuffix("Options") + "Keywords"
        lines += _options_class(name, wire, fields, source)
    for head, prefix, wait in ((_SYNC, "def", ""), (_ASYNC, "async def", "await ")):
        lines.append(f"\n{head}")
        for request in requests:
            lines += _method(request, prefix, wait)
    return "\n".join(lines)


def _options_class(name: str, wire: str, fields: Sequence[ModelField], source: ModelSource) -> Iterator[str]:
    """Write a class of keywords; required ones get a base class, since total=False is for a whole class."""
    required = [field for field in fields if field.is_required]
    if required:
        yield f"\nclass _{name}Required(TypedDict):"
        yield from (_field(field, source) for field in required)
        yield "\n"
    yield f"\nclass {name}({f'_{name}Required' if required else 'TypedDict'}, total=False):"
    yield f'    """The keywords of {json.dumps(wire)[1:-1]}."""'
    yield from (_field(field, source) for field in fields if not field.is_required)
    yield "\n"


def _field(field: ModelField, source: ModelSource) -> str:
    return f"    {field.name}: {source.keyword_type(field.annotation, 'models')}"


def _method(request: ClientRequest, prefix: str, wait: str) -> Iterator[str]:
    response = request.response if request.response == _UNKNOWN else f"models.{request.response}"
    name, method = request.name, json.dumps(request.wire)
    if request.parameters is None:
        argument, params = "", "None"
    elif request.fields is None:
        argument, params = f", params: models.{request.parameters}", "wire(params)"
    else:
        argument = f", **options: Unpack[{request.options}]"
        params = f"build(models.{request.parameters}, options, {json.dumps(name)})"
    yield f"    {prefix} {name}(self{argument}) -> {response}:"
    yield f'        """Send {method[1:-1]}."""'
    yield f"        return {wait}self._call({method}, {params}, {response})\n"

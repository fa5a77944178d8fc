"""The bases of the generated models: what a newer app-server adds survives parsing and writing.

A field that the schema does not have is kept as an extra attribute, and a union keeps a variant that it
does not know as an `UnknownVariant`. The enumerations of what the app-server sends are open by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin

import pydantic
from pydantic import (
    ConfigDict,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

RootT = TypeVar("RootT")


class OpenModel(pydantic.BaseModel):
    """A model that keeps the fields that it does not know."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)


class UnknownVariant(OpenModel):
    """A variant of a union that this release's schema does not have; its fields are attributes."""


class UnknownResult(OpenModel):
    """The result of a request for which the schema names no response; its fields are attributes."""


class OpenRoot(pydantic.RootModel[RootT]):
    """A model with a single value; if it is a union, an unknown variant is kept as it came."""

    @model_validator(mode="wrap")
    @classmethod
    def _keep_unknown(cls, value: object, handler: ModelWrapValidatorHandler[Any]) -> Any:  # noqa: ANN401 - as pydantic has it
        try:
            return handler(value)
        except ValidationError:
            unknown = _unknown_variant(cls.model_fields["root"].annotation, value)
            if unknown is None:
                raise
            return cls.model_construct(root=cast("RootT", unknown))

    @model_serializer(mode="wrap")
    def _write_unknown(self, handler: SerializerFunctionWrapHandler) -> Any:  # noqa: ANN401 - as pydantic has it
        if isinstance(self.root, UnknownVariant):
            return self.root.model_dump()
        return self.root if isinstance(self.root, str) else handler(self)


def _unknown_variant(union: object, value: object) -> UnknownVariant | str | None:
    """Return a value that no variant is meant for; one that a variant is meant for has an error."""
    variants = list(_variants(union))
    if isinstance(value, str):
        return value if any(get_origin(variant) is Literal for variant in variants) else None
    tags = [_tags(variant) for variant in variants if isinstance(variant, type)]
    tags = [each for each in tags if each]
    if not isinstance(value, dict) or not tags:
        return None
    for name in set.intersection(*(set(each) for each in tags)):
        known = {text for each in tags for text in each[name]}
        if isinstance(value.get(name), str) and value[name] not in known:
            return UnknownVariant.model_validate(value)
    return None


def _variants(union: object) -> Iterator[object]:
    """Yield the variants of a union, and of the unions in it."""
    if isinstance(union, type) and issubclass(union, pydantic.RootModel):
        yield from _variants(union.model_fields["root"].annotation)
    elif get_origin(union) in {Union, UnionType}:
        for variant in get_args(union):
            yield from _variants(variant)
    else:
        yield union


def _tags(variant: type) -> dict[str, tuple[object, ...]]:
    """Return the fields of a variant that can have listed values only, by their names on the wire."""
    if not issubclass(variant, pydantic.BaseModel):
        return {}
    return {
        field.alias or name: get_args(field.annotation)
        for name, field in variant.model_fields.items()
        if get_origin(field.annotation) is Literal
    }

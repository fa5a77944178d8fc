"""Turn the keywords of a typed method into the parameters of its request."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from typing import cast

from pydantic import BaseModel, ValidationError


def wire(params: BaseModel | Mapping[str, object] | None) -> Mapping[str, object] | None:
    """Return parameters as JSON; a field that was not set is left out, None is sent as null."""
    if isinstance(params, BaseModel):
        return cast("Mapping[str, object]", params.model_dump(mode="json", by_alias=True, exclude_unset=True))
    return params


def build(
    model: type[BaseModel], options: Mapping[str, object], method: str, **fixed: object
) -> Mapping[str, object]:
    """Return the parameters of a request from the keywords of a method, and from what the SDK adds.

    Raises:
        TypeError: A keyword is unknown or missing, or its value does not fit.
    """
    for name in options:
        if name not in model.model_fields or name in fixed:
            raise TypeError(_unknown(model, name, method, fixed))
    values = {
        name: os.fspath(value) if isinstance(value, os.PathLike) else value for name, value in options.items()
    }
    try:
        params = model.model_validate({**values, **fixed})
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}, got {each['input']!r:.80}"
            for each in error.errors(include_url=False)[:3]
        )
        raise TypeError(f"{method}(): {problems}") from error
    return wire(params) or {}


def _unknown(model: type[BaseModel], name: str, method: str, fixed: Mapping[str, object]) -> str:
    names = [field for field in model.model_fields if field not in fixed]
    new = next((field for field in names if model.model_fields[field].alias == name), None)
    if new is not None:
        return f"{method}() has no keyword {name!r}; it is {new!r}"
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; it has {', '.join(names)}"
    return f"{method}() has no keyword {name!r}{hint}"

"""Write the schema for the generator: with titles only where they become the name of a class.

The generator names a class after its title, so that the variants of a union get names instead of
numbers. But upstream's schema has titles everywhere. Some are not valid class names, such as
``v2::ApiKey`` or ``Turn/completedNotification``, and some are the name of another definition.
"""

import json
import re

from factory.sdk.types.methods import MessageKind
from factory.sdk.types.normal_form import normal_form
from factory.sdk.types.schema import Schema, SchemaBundle, elements, with_parts

_ROOT = "CodexAppServerProtocolV2"
_DRAFT = "http://json-schema.org/draft-07/schema#"
_MODULE = re.compile(r"v\d+::")
_BREAK = re.compile(r"[^A-Za-z0-9]+")


def generator_input(bundle: SchemaBundle) -> bytes:
    """Return the JSON document that the generator reads."""
    definitions = {name: _shaped(schema, name) for name, schema in normal_form(bundle).definitions.items()}
    document = {"$schema": _DRAFT, "title": _ROOT, "type": "object", "definitions": definitions}
    return json.dumps(document, sort_keys=True).encode()


def _shaped(schema: Schema, owner: str) -> Schema:
    """Remove titles, except those of a union's variants, which become valid class names."""

    def shaped(keyword: str, part: Schema) -> Schema:
        inner = dict(_shaped(part, owner))
        title = _title(part, owner) if keyword in {"oneOf", "anyOf"} else None
        return inner if title is None else inner | {"title": title}

    plain = {key: value for key, value in schema.items() if key not in {"title", "$schema"}}
    return with_parts(plain, shaped)


def _title(variant: Schema, owner: str) -> str | None:
    values = elements(variant.get("enum"))
    if values:
        return f"{owner}Value" if len(values) > 1 else None
    title = variant.get("title")
    if not isinstance(title, str):
        return None
    name = "".join(word[:1].upper() + word[1:] for word in _BREAK.split(_MODULE.sub("", title)))
    if owner == MessageKind.SERVER_NOTIFICATION:  # the notification's parameters already have this name
        name = name.removesuffix("Notification") + owner
    return name or None

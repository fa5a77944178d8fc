"""The values of enumerations that releases have listed; a later release may only say that it is text.

The file `known_values.json` records them: `python -m tests.known_values` adds those of more schemas.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from factory.core.errors import HostError
from factory.core.json_reader import JsonObject
from factory.sdk.types.describe import values_of, variants_of
from factory.sdk.types.schema import SchemaBundle, texts

KNOWN_VALUES_PATH: Final = Path(__file__).with_name("known_values.json")

KnownValues = Mapping[str, tuple[str, ...]]
"""The values by the name of their definition, in the order in which they were listed."""


def known_values() -> KnownValues:
    """Read the recorded values.

    Raises:
        HostError: The file cannot be read.
        MalformedJson: It is damaged.
    """
    try:
        content = KNOWN_VALUES_PATH.read_bytes()
    except OSError as error:
        raise HostError(
            f"cannot read {KNOWN_VALUES_PATH}: {error.strerror or error}",
            hint="Install the factory again, or run it from a complete checkout.",
        ) from error
    document = JsonObject.parse(content, where=str(KNOWN_VALUES_PATH)).members
    return {name: texts(values) for name, values in document.items()}


def listed_values(bundle: SchemaBundle) -> KnownValues:
    """Return the enumerations of texts that a schema lists."""
    found = {
        name: tuple(json.loads(value) for value in values_of(schema))
        for name, schema in bundle.definitions.items()
        if not variants_of(schema)
    }
    return {name: values for name, values in found.items() if values and values == texts(list(values))}


def merged(recorded: Iterable[KnownValues]) -> KnownValues:
    """Return the values of all records, each once."""
    found: dict[str, dict[str, None]] = {}
    for values in recorded:
        for name, own in values.items():
            found.setdefault(name, {}).update(dict.fromkeys(own))
    return {name: tuple(values) for name, values in sorted(found.items())}


def written(values: KnownValues) -> str:
    """Return the text of the file: one enumeration a line, so that a person can review a diff."""
    lines = (f"{json.dumps(name)}: {json.dumps(list(own))}" for name, own in values.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"

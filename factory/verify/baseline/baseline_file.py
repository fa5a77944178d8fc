"""Read and write the baseline's file: one entry a line, sorted, so that a person can review a diff."""

import json
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

from factory.core.codec import from_json, to_json
from factory.core.errors import HostError, IntegrityError
from factory.core.json_reader import JsonObject, MalformedJson
from factory.verify.baseline.baseline import Baseline, Shape, position

BASELINE_PATH = Path(__file__).with_name("baseline.json")
SCHEMA_VERSION = 1


@cache
def bundled_baseline() -> Baseline:
    """Read the baseline that belongs to this factory, once.

    Raises:
        HostError: The file cannot be read.
        IntegrityError: It is damaged, or of another version.
    """
    return read_baseline(BASELINE_PATH)


def read_baseline(path: Path) -> Baseline:
    """Read a baseline from a file.

    Raises:
        HostError: The file cannot be read.
        IntegrityError: It is damaged, or of another version.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise HostError(
            f"cannot read {path}: {error.strerror or error}",
            hint="Install the factory again, or run it from a complete checkout.",
        ) from error
    return parse_baseline(content, where=str(path))


def parse_baseline(content: bytes, *, where: str) -> Baseline:
    """Parse the text of a baseline.

    Raises:
        IntegrityError: It is damaged, or of another version.
    """
    try:
        document = JsonObject.parse(content, where=where)
        version = document.integer("schema_version")
        if version == SCHEMA_VERSION:
            return Baseline(published=_shape(document.child("published")), own=_shape(document.child("own")))
    except MalformedJson as error:
        raise IntegrityError(
            f"the baseline is damaged: {error}",
            hint="Restore the file from version control, or install the factory again.",
        ) from error
    raise IntegrityError(
        f"{where} has version {version}; this factory reads version {SCHEMA_VERSION}",
        hint="Use the baseline and the factory of one version.",
    )


def render_baseline(baseline: Baseline) -> str:
    """Return the text of a baseline's file; equal baselines give equal texts."""
    shapes = {"published": baseline.published, "own": baseline.own}
    rendered = ",\n".join(f'"{name}": {{\n{_render(shape)}\n}}' for name, shape in shapes.items())
    return f'{{\n"schema_version": {SCHEMA_VERSION},\n{rendered}\n}}\n'


def _render(shape: Shape) -> str:
    return ",\n".join(_members(shape))


def _members(shape: Shape) -> Iterator[str]:
    for name, value in to_json(shape).items():
        if isinstance(value, list):
            lines = ",\n".join(sorted(json.dumps(entry) for entry in value))
            yield f'"{name}": [\n{lines}\n]' if lines else f'"{name}": []'
        else:
            yield f'"{name}": {json.dumps(value)}'


def _shape(data: JsonObject) -> Shape:
    shape = from_json(Shape, data)
    for field in fields(shape):
        value = getattr(shape, field.name)
        for entry in value if isinstance(value, tuple) else ():
            if entry.last is not None and position(entry.last) < position(entry.first):
                raise MalformedJson(data.where, f"an entry of {field.name} ends before it begins: {entry}")
    return shape

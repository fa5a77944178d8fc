"""Compare the protocols of two releases by their schemas."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from factory.sdk.types.describe import describe, values_of, variants_of, without_null
from factory.sdk.types.methods import MessageKind, methods_of
from factory.sdk.types.schema import Schema, SchemaBundle, members, texts

WITHOUT: Final = "without parameters"
_NONE = "none"


class ChangeKind(StrEnum):
    """The kinds of changes."""

    METHOD_ADDED = "method-added"
    METHOD_REMOVED = "method-removed"
    PARAMETERS_CHANGED = "parameters-changed"
    TYPE_ADDED = "type-added"
    TYPE_REMOVED = "type-removed"
    TYPE_CHANGED = "type-changed"
    FIELD_ADDED = "field-added"
    FIELD_REMOVED = "field-removed"
    FIELD_REQUIRED = "field-required"
    FIELD_OPTIONAL = "field-optional"
    DEFAULT_CHANGED = "default-changed"
    VALUE_ADDED = "value-added"
    VALUE_REMOVED = "value-removed"
    VARIANT_ADDED = "variant-added"
    VARIANT_REMOVED = "variant-removed"


_SENTENCES: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.METHOD_ADDED: "{place} {name} added: {after}",
    ChangeKind.METHOD_REMOVED: "{place} {name} removed; it was {before}",
    ChangeKind.PARAMETERS_CHANGED: "{place} {name} is now {after}; it was {before}",
    ChangeKind.TYPE_ADDED: "type {place} added: {after}",
    ChangeKind.TYPE_REMOVED: "type {place} removed; it was {before}",
    ChangeKind.TYPE_CHANGED: "{place} is now {after}; it was {before}",
    ChangeKind.FIELD_ADDED: "{place}: field {name} added: {after}",
    ChangeKind.FIELD_REMOVED: "{place}: field {name} removed; it was {before}",
    ChangeKind.FIELD_REQUIRED: "{place}: field {name} became required",
    ChangeKind.FIELD_OPTIONAL: "{place}: field {name} became optional",
    ChangeKind.DEFAULT_CHANGED: "{place}: the default of {name} is now {after}; it was {before}",
    ChangeKind.VALUE_ADDED: "{place}: value {name} added",
    ChangeKind.VALUE_REMOVED: "{place}: value {name} removed",
    ChangeKind.VARIANT_ADDED: "{place}: variant {name} added",
    ChangeKind.VARIANT_REMOVED: "{place}: variant {name} removed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change.

    Attributes:
        place: The kind of message, or a type and the path in it, ``Turn.items[]``.
        name: The method, field, value or variant; empty if the place itself changed.
        before: The old definition in words, if the kind of change shows it.
        after: Likewise the new one.
        is_required: Whether an added or removed field is or was required; None for another change.
    """

    kind: ChangeKind
    place: str
    name: str = ""
    before: str = ""
    after: str = ""
    is_required: bool | None = None

    @property
    def words(self) -> str:
        """The change as a sentence."""
        return _SENTENCES[self.kind].format(
            place=self.place, name=self.name, before=self.before, after=self.after
        )


def compare(before: SchemaBundle, after: SchemaBundle) -> tuple[Change, ...]:
    """Return the changes, methods first, then types by name; titles and descriptions are ignored.

    Raises:
        UnusableSchema: A schema does not list its methods in a known form.
    """
    return (*_method_changes(before, after), *_definition_changes(before, after))


def _method_changes(before: SchemaBundle, after: SchemaBundle) -> Iterator[Change]:
    for kind in MessageKind:
        old, new = _parameters(before, kind), _parameters(after, kind)
        for name in sorted(old.keys() | new.keys()):
            if name not in old:
                yield Change(kind=ChangeKind.METHOD_ADDED, place=kind.words, name=name, after=new[name])
            elif name not in new:
                yield Change(kind=ChangeKind.METHOD_REMOVED, place=kind.words, name=name, before=old[name])
            elif old[name] != new[name]:
                yield Change(
                    kind=ChangeKind.PARAMETERS_CHANGED,
                    place=kind.words,
                    name=name,
                    before=old[name],
                    after=new[name],
                )


def _parameters(bundle: SchemaBundle, kind: MessageKind) -> Mapping[str, str]:
    return {method.name: method.parameters or WITHOUT for method in methods_of(bundle, kind)}


def _definition_changes(before: SchemaBundle, after: SchemaBundle) -> Iterator[Change]:
    old, new = before.definitions, after.definitions
    for name in sorted((old.keys() | new.keys()) - set(MessageKind)):
        if name not in old:
            yield Change(kind=ChangeKind.TYPE_ADDED, place=name, after=describe(new[name]))
        elif name not in new:
            yield Change(kind=ChangeKind.TYPE_REMOVED, place=name, before=describe(old[name]))
        else:
            yield from _changes(name, old[name], new[name])


def _changes(place: str, before: object, after: object) -> Iterator[Change]:
    """Compare the schemas at one place, and everything inside them."""
    was, is_now = describe(before), describe(after)
    if was != is_now:
        yield Change(kind=ChangeKind.TYPE_CHANGED, place=place, before=was, after=is_now)
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return
    old, new = without_null(before)[0], without_null(after)[0]
    yield from _field_changes(place, old, new)
    yield from _value_changes(place, old, new)
    yield from _variant_changes(place, old, new)
    for keyword, suffix in (("items", "[]"), ("additionalProperties", "{}")):
        # If one side is not a list or map, the change above already covers its elements.
        if isinstance(old.get(keyword), Mapping) and isinstance(new.get(keyword), Mapping):
            yield from _inner_changes(f"{place}{suffix}", old[keyword], new[keyword])


def _inner_changes(place: str, before: object, after: object) -> Iterator[Change]:
    """Compare the elements of a list or map, whose own description already names their type."""
    return (change for change in _changes(place, before, after) if change.place != place or change.name)


def _field_changes(place: str, before: Schema, after: Schema) -> Iterator[Change]:
    old, new = members(before.get("properties")), members(after.get("properties"))
    was_required, is_required = texts(before.get("required")), texts(after.get("required"))
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            needed = name in is_required
            added = f"{describe(new[name])}, {'required' if needed else 'optional'}"
            yield Change(kind=ChangeKind.FIELD_ADDED, place=place, name=name, after=added, is_required=needed)
        elif name not in new:
            yield Change(
                kind=ChangeKind.FIELD_REMOVED,
                place=place,
                name=name,
                before=describe(old[name]),
                is_required=name in was_required,
            )
        else:
            if (name in was_required) != (name in is_required):
                kind = ChangeKind.FIELD_REQUIRED if name in is_required else ChangeKind.FIELD_OPTIONAL
                yield Change(kind=kind, place=place, name=name)
            yield from _default_changes(place, name, old[name], new[name])
            yield from _changes(f"{place}.{name}", old[name], new[name])


def _default_changes(place: str, name: str, before: object, after: object) -> Iterator[Change]:
    was, is_now = _default(before), _default(after)
    if was != is_now:
        yield Change(kind=ChangeKind.DEFAULT_CHANGED, place=place, name=name, before=was, after=is_now)


def _default(schema: object) -> str:
    fields = members(schema)
    return json.dumps(fields["default"], sort_keys=True) if "default" in fields else _NONE


def _value_changes(place: str, before: Schema, after: Schema) -> Iterator[Change]:
    old, new = values_of(before), values_of(after)
    for name in old:
        if name not in new:
            yield Change(kind=ChangeKind.VALUE_REMOVED, place=place, name=name)
    for name in new:
        if name not in old:
            yield Change(kind=ChangeKind.VALUE_ADDED, place=place, name=name)


def _variant_changes(place: str, before: Schema, after: Schema) -> Iterator[Change]:
    old, new = variants_of(before), variants_of(after)
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            yield Change(kind=ChangeKind.VARIANT_ADDED, place=place, name=name)
        elif name not in new:
            yield Change(kind=ChangeKind.VARIANT_REMOVED, place=place, name=name)
        else:
            yield from _changes(f"{place} ({name})", old[name], new[name])

"""Decide which programs a change of the protocol breaks: those that read it, those that write it, or neither.

The program was made for the older release, and talks to a server of the newer one. It reads what the
server sends, and ignores fields that it does not know. It writes requests, and answers to the server.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from factory.sdk.types.directions import Directions, directions_of
from factory.sdk.types.methods import MessageKind, needs_parameters
from factory.sdk.types.protocol_changes import WITHOUT, Change, ChangeKind, compare
from factory.sdk.types.schema import SchemaBundle, without_annotations
from factory.sdk.types.side import Side

_NAME = re.compile(r"\w+")
_OR_NULL = " or null"
_LIST = "list of "
_WITH = "with "
_HARMLESS = "the older form is still valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedChange:
    """A change, whom it breaks, and why.

    Attributes:
        breaks: Empty if it breaks neither.
    """

    change: Change
    breaks: tuple[Side, ...]
    reason: str

    @property
    def words(self) -> str:
        """The change as a sentence, with whom it breaks and why."""
        sides = " and ".join(self.breaks) or "neither"
        return f"{self.change.words} [breaks {sides}: {self.reason}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Effect:
    """What a change means: why it breaks a side that has the type, or why it breaks neither."""

    reading: str | None = None
    writing: str | None = None
    harmless: str = _HARMLESS


_WIDER: Final = _Effect(reading="a reader expects the narrower type", harmless="writers may still send it")
_NARROWER: Final = _Effect(writing="the server refuses other values", harmless="readers expect more")
_EFFECTS: Final[Mapping[ChangeKind, _Effect]] = {
    ChangeKind.TYPE_ADDED: _Effect(harmless="other changes name the messages that have it"),
    ChangeKind.TYPE_REMOVED: _Effect(harmless="other changes name the messages that had it"),
    ChangeKind.TYPE_CHANGED: _Effect(
        reading="a reader expects the older type", writing="the server expects the newer type"
    ),
    ChangeKind.FIELD_REQUIRED: _Effect(
        writing="the server refuses a message without it", harmless="readers find it in every message"
    ),
    ChangeKind.FIELD_OPTIONAL: _Effect(
        reading="a reader expects it in every message", harmless="writers may still send it"
    ),
    ChangeKind.DEFAULT_CHANGED: _Effect(
        reading="a reader takes the older default for a missing field",
        writing="a message without the field means something else",
    ),
    ChangeKind.VALUE_ADDED: _Effect(
        reading="a reader with a closed enumeration refuses the value", harmless="writers need not send it"
    ),
    ChangeKind.VALUE_REMOVED: _NARROWER,
    ChangeKind.VARIANT_ADDED: _Effect(
        reading="a reader does not know the variant", harmless="writers need not send it"
    ),
    ChangeKind.VARIANT_REMOVED: _NARROWER,
}


_REQUESTED: Final = _Effect(reading="the server waits for an answer that a reader does not give")
_OLDER_PARAMETERS: Final = _Effect(reading="a reader expects the older parameters")
_NEWER_PARAMETERS: Final = _Effect(writing="the server expects the newer parameters")
_UNKNOWN_METHOD: Final = _Effect(writing="the server does not know the method")
_EFFECTS_OF_METHODS: Final[Mapping[ChangeKind, Mapping[MessageKind, _Effect]]] = {
    ChangeKind.METHOD_ADDED: {MessageKind.SERVER_REQUEST: _REQUESTED},
    ChangeKind.METHOD_REMOVED: {
        MessageKind.SERVER_NOTIFICATION: _Effect(reading="a reader that waits for it waits without end"),
        MessageKind.SERVER_REQUEST: _Effect(harmless="readers no longer get it"),
        MessageKind.CLIENT_REQUEST: _UNKNOWN_METHOD,
        MessageKind.CLIENT_NOTIFICATION: _UNKNOWN_METHOD,
    },
    ChangeKind.PARAMETERS_CHANGED: {
        MessageKind.SERVER_NOTIFICATION: _OLDER_PARAMETERS,
        MessageKind.SERVER_REQUEST: _OLDER_PARAMETERS,
        MessageKind.CLIENT_REQUEST: _NEWER_PARAMETERS,
        MessageKind.CLIENT_NOTIFICATION: _NEWER_PARAMETERS,
    },
}


def assess(before: SchemaBundle, after: SchemaBundle) -> tuple[AssessedChange, ...]:
    """Return the changes between two protocols with whom they break.

    Raises:
        UnusableSchema: A schema does not list its methods in a known form.
    """
    directions = (directions_of(before), directions_of(after))
    changes = compare(before, after)
    moved = frozenset(_fields_of_new_variants(changes))
    return tuple(
        _moved(change)
        if (change.kind, change.place, change.name) in moved
        else _assessed(change, before, after, directions)
        for change in changes
    )


def _fields_of_new_variants(changes: Iterable[Change]) -> Iterator[tuple[ChangeKind, str, str]]:
    """Return the removals of fields that an added variant at the same place has."""
    for change in changes:
        if change.kind is ChangeKind.VARIANT_ADDED and change.name.startswith(_WITH):
            for name in change.name.removeprefix(_WITH).split(", "):
                yield ChangeKind.FIELD_REMOVED, change.place, name


def _moved(change: Change) -> AssessedChange:
    return AssessedChange(change=change, breaks=(), reason="an added variant has it")


def _assessed(
    change: Change, before: SchemaBundle, after: SchemaBundle, directions: tuple[Directions, ...]
) -> AssessedChange:
    kind = next((kind for kind in MessageKind if kind.words == change.place), None)
    if kind is not None:
        effect = _effect_of_method(change, kind, after)
        return _result(change, effect, is_read=True, is_written=True)
    match = _NAME.match(change.place)
    name = change.place if match is None else match[0]
    return _result(
        change,
        _effect(change, before, after),
        is_read=any(name in each.server for each in directions),
        is_written=any(name in each.client for each in directions),
    )


def _result(change: Change, effect: _Effect, *, is_read: bool, is_written: bool) -> AssessedChange:
    reasons = {
        Side.READERS: effect.reading if is_read else None,
        Side.WRITERS: effect.writing if is_written else None,
    }
    breaks = {side: reason for side, reason in reasons.items() if reason is not None}
    return AssessedChange(
        change=change, breaks=tuple(breaks), reason="; ".join(breaks.values()) or effect.harmless
    )


def _effect_of_method(change: Change, kind: MessageKind, after: SchemaBundle) -> _Effect:
    """Return the effect of a message that was added or removed, or has other parameters."""
    if change.kind is ChangeKind.METHOD_ADDED and kind is not MessageKind.SERVER_REQUEST:
        return _Effect(harmless="programs that do not know it can ignore it")
    effect = _EFFECTS_OF_METHODS[change.kind][kind]
    if (
        effect is _NEWER_PARAMETERS
        and change.before == WITHOUT
        and not needs_parameters(after, kind, change.name)
    ):
        return _Effect(harmless="the parameters may be left out")
    return effect


def _effect(change: Change, before: SchemaBundle, after: SchemaBundle) -> _Effect:
    """Return the effect of a change inside of a type."""
    match change.kind:
        case ChangeKind.FIELD_ADDED if change.is_required:
            return _Effect(
                writing="the server refuses a message without it",
                harmless="readers ignore a field that they do not know",
            )
        case ChangeKind.FIELD_ADDED:
            return _Effect(harmless="readers ignore it, and writers may leave it out")
        case ChangeKind.FIELD_REMOVED:
            return _Effect(
                reading="a reader expects it in every message" if change.is_required else None,
                writing="the server ignores or refuses it",
                harmless="readers do not need it",
            )
        case ChangeKind.TYPE_CHANGED:
            return _effect_of_type(change, before, after)
        case _:
            return _EFFECTS[change.kind]


def _effect_of_type(change: Change, before: SchemaBundle, after: SchemaBundle) -> _Effect:
    """Return the effect of another type, which may be wider, narrower, or the same under another name."""
    was, is_now = change.before, change.after
    if _is_wider(is_now, was):
        return _WIDER
    if _is_wider(was, is_now):
        return _NARROWER
    if was.endswith(_OR_NULL) == is_now.endswith(_OR_NULL) and _has_same_form(was, is_now, before, after):
        return _Effect(harmless="both types have the same form")
    return _EFFECTS[change.kind]


def _is_wider(wide: str, narrow: str) -> bool:
    """Whether a description allows more: null, everything, other texts, or numbers without limits."""
    return (
        wide in {"anything", f"{narrow}{_OR_NULL}"}
        or (wide, narrow) in {("string", "enumeration"), ("union", "object")}
        or (narrow.startswith(f"{wide} (") and narrow.endswith(")"))
    )


def _has_same_form(was: str, is_now: str, before: SchemaBundle, after: SchemaBundle) -> bool:
    """Whether two names mean definitions that allow the same values."""
    old, new = (text.removesuffix(_OR_NULL) for text in (was, is_now))
    if old.startswith(_LIST) and new.startswith(_LIST):
        return _has_same_form(old.removeprefix(_LIST), new.removeprefix(_LIST), before, after)
    forms = (_form(old, before), _form(new, after))
    return forms[0] == forms[1]


def _form(text: str, bundle: SchemaBundle) -> object:
    definition = bundle.definitions.get(text)
    return text if definition is None else without_annotations(definition)

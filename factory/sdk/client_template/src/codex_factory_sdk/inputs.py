"""What a turn can be started or steered with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath

from pydantic import BaseModel

from codex_factory_sdk.generated.v2_all import UserInput


@dataclass(frozen=True)
class TextInput:
    """Text."""

    text: str


@dataclass(frozen=True)
class ImageInput:
    """An image by its address, which can be a ``data:`` URL."""

    url: str


@dataclass(frozen=True)
class LocalImageInput:
    """An image in a file that the app-server can read."""

    path: str | PathLike[str]


@dataclass(frozen=True)
class SkillInput:
    """A skill, by its name and the path of its SKILL.md."""

    name: str
    path: str | PathLike[str]


@dataclass(frozen=True)
class MentionInput:
    """Something that the text mentions, such as an app."""

    name: str
    path: str


InputItem = TextInput | ImageInput | LocalImageInput | SkillInput | MentionInput | UserInput
Input = str | InputItem | Sequence[InputItem]
_FORMS = (
    "a string, TextInput(...), ImageInput(...), LocalImageInput(...), SkillInput(...), "
    "MentionInput(...), or a list of these"
)


def wire_input(value: Input) -> list[dict[str, object]]:
    """Return an input as the protocol has it.

    Raises:
        TypeError: It is something else, such as a dict of the wire's form.
    """
    if isinstance(value, str):
        return [_item(TextInput(value))]
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_item(each) for each in value]
    return [_item(value)]


def _item(item: object) -> dict[str, object]:
    match item:
        case TextInput(text=str(text)):
            return {"type": "text", "text": text}
        case ImageInput(url=str(url)):
            return {"type": "image", "url": url}
        case LocalImageInput(path=path):
            return {"type": "localImage", "path": fspath(path)}
        case SkillInput(name=str(name), path=path):
            return {"type": "skill", "name": name, "path": fspath(path)}
        case MentionInput(name=str(name), path=str(path)):
            return {"type": "mention", "name": name, "path": path}
        case BaseModel():
            return item.model_dump(mode="json", by_alias=True, exclude_unset=True)
    raise TypeError(f"an input must be {_FORMS}; got {item!r}")

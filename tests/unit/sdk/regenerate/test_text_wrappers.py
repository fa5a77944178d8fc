"""Keeping an SDK's classes for texts in the models of another release."""

import pytest

from factory.sdk.regenerate.models import read_models
from factory.sdk.regenerate.text_wrappers import with_wrappers_of

WRAPPERS = """\
class Absolute(RootModel[str]):
    root: Annotated[str, Field(description="An absolute path.")]


class Legacy(RootModel[str]):
    root: str


class Limited(RootModel[str]):
    root: Annotated[str, Field(pattern="^/")]


class Count(RootModel[int]):
    root: int
"""
BEFORE = f"""{WRAPPERS}

class Action(BaseModel):
    cwd: Absolute
    files: list[Absolute] | None = None
    pair: dict[Absolute, Legacy]
    count: Count
    limited: Limited
    loose: str
    one: Absolute
"""


def after(fields: str) -> bytes:
    return f"{WRAPPERS}\n\nclass Action(BaseModel):\n    {fields}\n".encode()


@pytest.mark.parametrize(
    ("fields", "kept", "changes"),
    [
        ("cwd: Legacy", "cwd: Absolute", ("Action.cwd stays Absolute; the release has Legacy",)),
        (
            'files: Annotated[list[Legacy] | None, Field(alias="é", title="Legacy")] = None; cwd: Legacy',
            'files: Annotated[list[Absolute] | None, Field(alias="é", title="Legacy")] = None; cwd: Absolute',
            (
                "Action.files stays list[Absolute] | None; the release has list[Legacy] | None",
                "Action.cwd stays Absolute; the release has Legacy",
            ),
        ),
        (
            "pair: dict[Legacy, Absolute]",
            "pair: dict[Absolute, Legacy]",
            ("Action.pair stays dict[Absolute, Legacy]; the release has dict[Legacy, Absolute]",),
        ),
    ],
)
def test_a_field_keeps_the_class_of_the_sdk(fields: str, kept: str, changes: tuple[str, ...]) -> None:
    assert with_wrappers_of(read_models(BEFORE.encode()), after(fields)) == (after(kept), changes)


@pytest.mark.parametrize(
    "fields",
    [
        "cwd: Absolute",
        "cwd: list[Legacy]",  # another form
        "cwd: Legacy | None = None",
        "loose: Legacy",  # a plain text before
        "limited: Legacy",  # the class that would stay refuses some texts
        "count: Legacy",
        "new: Legacy",
    ],
)
def test_any_other_field_has_the_type_of_the_release(fields: str) -> None:
    assert with_wrappers_of(read_models(BEFORE.encode()), after(fields)) == (after(fields), ())


def test_a_class_that_the_release_does_not_have_cannot_stay() -> None:
    source = b"class Legacy(RootModel[str]):\n    root: str\n\n\nclass Action(BaseModel):\n    cwd: Legacy\n"
    assert with_wrappers_of(read_models(BEFORE.encode()), source) == (source, ())

"""The methods that an SDK's own script generates, with the fields of another release."""

import ast

from factory.sdk.regenerate.flat_methods import Releases, with_methods_of
from factory.sdk.regenerate.models import read_models
from tests.unit.sdk.regenerate.small_sdk import API, NEW_MODELS, OLD_MODELS

OLD, NEW = read_models(OLD_MODELS.encode()), read_models(NEW_MODELS.encode())


def functions(source: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}


def keywords(function: ast.FunctionDef) -> dict[str, str]:
    return {one.arg: ast.unparse(one.annotation) for one in function.args.kwonlyargs if one.annotation}


def test_the_keywords_are_those_of_the_newer_release() -> None:
    source, changes = with_methods_of(API, Releases(before=OLD, after=NEW))
    found = functions(source)
    assert keywords(found["start"]) == {
        "effort": "Effort | None",
        "extra": "dict[str, Any] | None",
        "model": "list[str] | None",
        "place": "Place | None",
        "title": "Title | None",  # the SDK's own type
    }
    assert "StartParams(effort=effort, model=model, title=text_of(title), extra=extra, place=place)" in source
    assert changes == (
        "Codex.run: keyword extra added: dict[str, Any] | None",
        "Codex.run: keyword place added: Place | None",
        "Codex.run: keyword depth removed; the release does not have it",
        "Codex.run: keyword model is now list[str] | None",
        "Codex.start: keyword extra added: dict[str, Any] | None",
        "Codex.start: keyword place added: Place | None",
        "Codex.start: keyword depth removed; the release does not have it",
        "Codex.start: keyword model is now list[str] | None",
    )


def test_a_method_that_passes_its_keywords_on_changes_with_the_other() -> None:
    source, _ = with_methods_of(API, Releases(before=OLD, after=NEW))
    assert keywords(functions(source)["run"]) == {
        "extra": "dict[str, Any] | None",
        "model": "list[str] | None",
        "place": "Place | None",
        "title": "Title | None",
    }
    assert "self.start(model=model, title=title, extra=extra, place=place).wait()" in source


def test_new_annotations_are_imported() -> None:
    source, _ = with_methods_of(API, Releases(before=OLD, after=NEW))
    assert "    StartParams,\n)\nfrom .generated.v2_all import Place\n" in source
    assert "\nfrom typing import Any\nfrom dataclasses import dataclass\n" in source
    assert source.startswith("from __future__ import annotations\n")
    assert '    def other(self) -> str:  # stays as it is\n        return "other"\n' in source


def test_a_module_of_the_same_release_is_not_changed() -> None:
    assert with_methods_of(API, Releases(before=OLD, after=OLD)) == (API, ())
    unmarked = API.replace("# BEGIN GENERATED", "# Begin")
    assert with_methods_of(unmarked, Releases(before=OLD, after=NEW)) == (unmarked, ())


def test_a_required_field_is_a_keyword_without_a_default() -> None:
    needed = read_models(OLD_MODELS.replace("    model: str", "    cost: int\n    model: str").encode())
    source, _ = with_methods_of(API, Releases(before=OLD, after=needed))
    start = functions(source)["start"]
    assert start.args.kwonlyargs[0].arg == "cost"
    assert [default is None for default in start.args.kw_defaults] == [True, False, False, False, False]


def test_a_keyword_that_another_field_uses_stays() -> None:
    shared = API.replace("effort=effort,", "effort=effort if depth else None,")
    source, changes = with_methods_of(shared, Releases(before=OLD, after=NEW))
    assert "depth" in keywords(functions(source)["start"])
    assert not any("depth" in change for change in changes)


def test_a_field_with_the_name_of_a_parameter_adds_no_keyword() -> None:
    positional = API.replace(
        "        self,\n        *,\n        depth: int | None = None,\n        effort",
        "        self,\n        place: str,\n        *,\n        depth: int | None = None,\n        effort",
    )
    _, changes = with_methods_of(positional, Releases(before=OLD, after=NEW))
    assert not any("place" in change for change in changes)

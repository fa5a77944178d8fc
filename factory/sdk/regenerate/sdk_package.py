"""The Python package of an SDK's project, and what its code uses of the generated modules."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from factory.core.counted import counted
from factory.sdk.regenerate.imports import generated_imports
from factory.sdk.regenerate.models import Models, read_models
from factory.sdk.sdk_files import SdkFile, UnusableSdk
from factory.sdk.types.registry_module import MODELS

MODELS_FILE = f"{MODELS}.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkPackage:
    """An SDK's code.

    Attributes:
        generated: The directory of the generated modules.
        models: The models in it.
        modules: The text of the package's other modules, by path.
    """

    generated: PurePosixPath
    models: Models
    modules: Mapping[PurePosixPath, str]

    @classmethod
    def find(cls, files: Sequence[SdkFile], source: Path) -> Self:
        """Find the package by its module of generated models.

        Raises:
            UnusableSdk: There is no such module, or more than one, or a module is not Python.
        """
        found = [file for file in files if file.path.name == MODELS_FILE and file.path.parts[0] != "tests"]
        if len(found) != 1:
            seen = counted(len(found), f"module {MODELS_FILE}", f"modules {MODELS_FILE}")
            raise UnusableSdk(source, f"it has {seen} of generated types")
        generated = found[0].path.parent
        try:
            modules = {
                file.path: file.content.decode("utf-8")
                for file in files
                if file.path.suffix == ".py"
                and file.path.is_relative_to(generated.parent)
                and not file.path.is_relative_to(generated)
            }
            for text in modules.values():
                ast.parse(text)
            return cls(generated=generated, models=read_models(found[0].content), modules=modules)
        except (SyntaxError, ValueError) as error:
            raise UnusableSdk(source, f"a module is not Python: {error}") from error


def missing_names(modules: Mapping[PurePosixPath, str], generated: Mapping[str, Models]) -> Iterator[str]:
    """Return what modules use of the generated ones that these do not have, in words."""
    models = generated[MODELS]
    for path, text in modules.items():
        for module, name in generated_imports(text):
            if module in generated and name not in generated[module].names:
                yield f"{path.name} imports {name}"
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Attribute(value=ast.Name(id=owner), attr=name) if _lacks(models, owner, name):
                    yield f"{path.name} uses {owner}.{name}"
                case ast.Call(func=ast.Name(id=model), args=[]) if model in models:
                    given = {keyword.arg for keyword in node.keywords}
                    fields = models.fields[model]
                    needed = sorted(
                        name for name, one in fields.items() if one.is_required and name not in given
                    )
                    if needed and None not in given:
                        yield f"{path.name} calls {model} without {', '.join(needed)}"
                case _:
                    pass


def dropped_fields(modules: Mapping[PurePosixPath, str], models: Models) -> Iterator[str]:
    """Return the fields that modules set and the models do not have; a model ignores such a field."""
    for path, text in modules.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in models:
                names = (
                    {keyword.arg for keyword in node.keywords} - {None} - models.fields[node.func.id].keys()
                )
                yield from (f"{path.name} sets {node.func.id}.{name}" for name in sorted(map(str, names)))


def _lacks(models: Models, owner: str, name: str) -> bool:
    """Whether a class without fields, an enumeration, lacks a member; methods are not members."""
    is_enumeration = bool(models.members.get(owner)) and not models.fields.get(owner)
    return (
        is_enumeration and name not in models.members[owner] and not name.startswith(("_", "value", "name"))
    )

"""Bring the generated methods of an SDK up to the fields of another release.

The official SDK marks the methods that its own script writes: each has a keyword for a field of the
request's parameters. Which fields are public was decided by a person, so a field that the SDK's own
release already had stays private. A field that is new in the release becomes a keyword.
"""

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from factory.sdk.regenerate.imports import with_imports
from factory.sdk.regenerate.models import Models
from factory.sdk.types.model_fields import ModelField

_BLOCK = re.compile(
    r"^(?P<indent> *)# BEGIN GENERATED: (?P<name>.+)\n"
    r"(?P<body>(?:.*\n)*?)(?P=indent)# END GENERATED: (?P=name)$",
    re.MULTILINE,
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """The models of the SDK's own release, and those of the release to regenerate for."""

    before: Models
    after: Models


@dataclass(slots=True, kw_only=True)
class _Edits:
    """The keywords of one method that were added and removed."""

    method: str
    added: dict[str, ModelField] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    changed: dict[str, ModelField] = field(default_factory=dict)


def with_methods_of(source: str, releases: Releases) -> tuple[str, tuple[str, ...]]:
    """Return a module with the methods of the newer release, and the changes in words.

    Raises:
        SyntaxError: The module, or a marked part of it, is not Python.
    """
    changes: list[str] = []
    annotations: list[str] = []

    def block(match: re.Match[str]) -> str:
        body, edits = _with_fields(textwrap.dedent(match["body"]), releases)
        changes.extend(text for edit in edits for text in _words(match["name"], edit))
        annotations.extend(
            one.annotation for edit in edits for one in (*edit.added.values(), *edit.changed.values())
        )
        start, _, end = match[0].partition(match["body"])
        return f"{start}{textwrap.indent(body, match['indent'])}{end}"

    changed = _BLOCK.sub(block, source)
    return (with_imports(changed, annotations, releases.after), tuple(changes)) if changes else (source, ())


def _words(block: str, edits: _Edits) -> Iterator[str]:
    where = f"{block.partition('.')[0]}.{edits.method}"
    yield from (f"{where}: keyword {name} added: {one.annotation}" for name, one in edits.added.items())
    yield from (f"{where}: keyword {name} removed; the release does not have it" for name in edits.removed)
    yield from (f"{where}: keyword {name} is now {one.annotation}" for name, one in edits.changed.items())


def _with_fields(body: str, releases: Releases) -> tuple[str, list[_Edits]]:
    """Change the functions of a block; those without a change keep their text."""
    lines = body.splitlines(keepends=True)
    functions = [node for node in ast.parse(body).body if isinstance(node, _Function)]
    edits = {function.name: _edited(function, releases) for function in functions}
    for function in functions:
        _pass_on(function, edits)
    for function in reversed(functions):
        done = edits[function.name]
        if done.added or done.removed or done.changed:
            first = min([function.lineno, *(node.lineno for node in function.decorator_list)]) - 1
            lines[first : function.end_lineno] = [f"{ast.unparse(function)}\n"]
    return "".join(lines), list(edits.values())


def _edited(function: _Function, releases: Releases) -> _Edits:
    """Change the keywords of a function that are fields of a request's parameters."""
    edits = _Edits(method=function.name)
    for call in _calls(function):
        model = call.func.id if isinstance(call.func, ast.Name) else ""
        if not model.endswith("Params") or model not in releases.before or model not in releases.after:
            continue
        before, after = releases.before.fields[model], releases.after.fields[model]
        for gone in [keyword for keyword in call.keywords if keyword.arg in before.keys() - after.keys()]:
            call.keywords.remove(gone)
            for name in _parameters_only_in(gone.value, function):
                _remove_parameter(function, name)
                edits.removed.append(name)
        for name in sorted(after.keys() - before.keys()):
            _add(function, call, name, after[name], edits)
        for argument in function.args.kwonlyargs:
            _retype(argument, before, after, edits)
    return edits


def _add(function: _Function, call: ast.Call, name: str, part: ModelField, edits: _Edits) -> None:
    if _add_parameter(function, name, part):
        call.keywords.append(ast.keyword(arg=name, value=ast.Name(id=name)))
        edits.added[name] = part


def _retype(
    argument: ast.arg, before: Mapping[str, ModelField], after: Mapping[str, ModelField], edits: _Edits
) -> None:
    """Give a keyword the field's new type, unless the SDK gives it a type of its own."""
    name = argument.arg
    if name not in before or name not in after or argument.annotation is None:
        return
    was, is_now = ast.unparse(argument.annotation), after[name].annotation
    if was == before[name].annotation and was != is_now:
        argument.annotation = ast.parse(is_now, mode="eval").body
        edits.changed[name] = after[name]


def _pass_on(function: _Function, edits: dict[str, _Edits]) -> None:
    """Change a function that passes its keywords on to a changed one, as ``run`` does to ``turn``."""
    for call in _calls(function):
        target = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        is_own = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "self"
        if not is_own or target == function.name or target not in edits or not call.keywords:
            continue
        for name in edits[target].removed:
            call.keywords = [keyword for keyword in call.keywords if keyword.arg != name]
            if _remove_parameter(function, name):
                edits[function.name].removed.append(name)
        for name, part in edits[target].added.items():
            _add(function, call, name, part, edits[function.name])
        for argument in function.args.kwonlyargs:
            if argument.arg in edits[target].changed:
                part = edits[target].changed[argument.arg]
                argument.annotation = ast.parse(part.annotation, mode="eval").body
                edits[function.name].changed[argument.arg] = part


def _calls(function: _Function) -> list[ast.Call]:
    return [node for node in ast.walk(function) if isinstance(node, ast.Call)]


def _parameters_only_in(value: ast.expr, function: _Function) -> list[str]:
    """Return the keywords of a function that only this expression, which is removed, used."""
    used = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
    elsewhere = {node.id for part in function.body for node in ast.walk(part) if isinstance(node, ast.Name)}
    return [argument.arg for argument in function.args.kwonlyargs if argument.arg in used - elsewhere]


def _remove_parameter(function: _Function, name: str) -> bool:
    arguments = function.args
    for index, argument in enumerate(arguments.kwonlyargs):
        if argument.arg == name:
            del arguments.kwonlyargs[index], arguments.kw_defaults[index]
            return True
    return False


def _add_parameter(function: _Function, name: str, part: ModelField) -> bool:
    """Add a keyword in alphabetical order, unless the function has a parameter of this name."""
    arguments = function.args
    taken = {argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    if name in taken:
        return False
    names = [argument.arg for argument in arguments.kwonlyargs]
    index = next((index for index, other in enumerate(names) if other > name), len(names))
    arguments.kwonlyargs.insert(
        index, ast.arg(arg=name, annotation=ast.parse(part.annotation, mode="eval").body)
    )
    arguments.kw_defaults.insert(index, None if part.is_required else ast.Constant(value=None))
    return True

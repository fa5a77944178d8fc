"""What Python source defines, read from its syntax tree; the source is never run."""

import ast
import re
import threading

# CPython's parser counts its recursion depth once for all threads, and reports the count of another
# thread as a mismatch (SystemError, "AST constructor recursion depth mismatch"; seen on 3.11.7).
_PARSER = threading.Lock()
_F_STRING = re.compile("""[fF][rR]?["']|[rR][fF]["']""")
_MOST_SEARCHED = 10**10
"""Characters that the parser may search: about two seconds."""

ANY_NAME = frozenset({"*", "__getattr__"})


def defined_names(source: str) -> frozenset[str]:
    """Return the names that a module binds at its top level; no names if the source is not valid."""
    names: set[str] = set()
    for node in parsed_source(source):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(names)


def possible_names(source: str) -> frozenset[str]:
    """Return the names that a module may bind, in any branch of its top level; none if it cannot be parsed.

    With one of `ANY_NAME`, a star import or a ``__getattr__`` of the module, it can provide every name.
    """
    names: set[str] = set()
    waiting: list[ast.AST] = list(parsed_source(source))
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Lambda():
                pass
            case ast.alias():
                names.add(node.asname or node.name.partition(".")[0])
            case ast.Name(id=bound, ctx=ast.Store()):
                names.add(bound)
            case _:
                waiting += ast.iter_child_nodes(node)
    return frozenset(names)


def parsed_source(source: str) -> list[ast.stmt]:
    """Parse Python source; return no statements if it is invalid, too deeply nested, or would take minutes.

    The parser of Python 3.11 searches a whole f-string for each field in it, and cannot be interrupted.
    """
    if source.count("{") * len(source) > _MOST_SEARCHED and _F_STRING.search(source):
        return []
    try:
        with _PARSER:
            return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []

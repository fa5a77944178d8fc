"""What Python source defines, read from its syntax tree; the source is never run."""

import ast
import threading

# CPython's parser counts its recursion depth once for all threads, and reports the count of another
# thread as a mismatch (SystemError, "AST constructor recursion depth mismatch"; seen on 3.11.7).
_PARSER = threading.Lock()


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


def may_define(source: str, name: str) -> bool:
    """Whether a module may bind a name, in any branch of its top level; True if that cannot be read.

    A star import, or a ``__getattr__`` of the module, can provide every name.
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
    return bool(names & {name, "*", "__getattr__"})


def parsed_source(source: str) -> list[ast.stmt]:
    """Parse Python source; return no statements if it is invalid or too deeply nested."""
    try:
        with _PARSER:
            return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []

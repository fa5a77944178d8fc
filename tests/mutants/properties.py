"""Write properties as methods, because mutmut does not change decorated functions."""

import ast


def as_methods(source: str) -> str:
    """Return a module in which each property is a method, made into a property by the line after it.

    Properties decide as much as methods do: the exit status of an audit is one.
    """
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            match node.decorator_list:
                case [ast.Name(id="property", lineno=line, col_offset=column)] if node.end_lineno is not None:
                    lines[line - 1] = ""
                    lines[node.end_lineno - 1] += f"{' ' * (column - 1)}{node.name} = property({node.name})\n"
    return "".join(lines)

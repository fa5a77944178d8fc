"""Read the constant in which a wheel states the npm version of its executables, without running the wheel."""

import ast
from collections.abc import Iterator

from factory.audit.audited import AuditedWheel
from factory.audit.projects.mapping import DATA, DIST_INFO, ConstantOfMember
from factory.audit.published import PublishedReader, dist_info_of
from factory.audit.wheel_file import WheelFiles
from factory.core.errors import UpstreamError

_LONGEST = 64


def stated_version(constant: ConstantOfMember, audited: AuditedWheel, files: WheelFiles) -> str:
    """Return the value of the constant; the wheel chooses it, so it leads to no yes.

    Raises:
        UnreadableWheel: The wheel has no such member, or it cannot be read.
        UpstreamError: The member has no such constant.
    """
    wheel = audited.wheel
    info = dist_info_of(wheel.name)
    name = constant.member.replace(DIST_INFO, info).replace(DATA, info.replace(".dist-info", ".data"))
    with files.open(wheel, audited.fetched) as (file, size_bytes):
        text = PublishedReader(file, size_bytes=size_bytes, name=wheel.name).text(name)
    value = constant_in(text, constant.name)
    if value is None:
        raise UpstreamError(f"{name} has no text constant {constant.name}; correct 'version' in the mapping")
    return value


def constant_in(source: bytes, name: str) -> str | None:
    """Return the text that a module assigns to a name once; None if it is not that simple."""
    found = [value for names, value in assigned_constants(source) if names == (name,)]
    value = found[0] if len(found) == 1 else None
    is_version = isinstance(value, str) and value.isprintable() and 0 < len(value) <= _LONGEST
    return value if is_version and isinstance(value, str) else None


def assigned_constants(source: bytes) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield the names to which a module assigns a constant, and its value; nothing if it cannot be parsed."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            yield tuple(one.id for one in node.targets if isinstance(one, ast.Name)), node.value.value

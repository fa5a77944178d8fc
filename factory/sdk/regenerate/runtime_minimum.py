"""Find the oldest runtime that an SDK itself accepts."""

import ast
from dataclasses import dataclass, replace

from packaging.version import InvalidVersion, Version

from factory.core.errors import UsageError
from factory.core.tags import CodexTag
from factory.sdk.regenerate.files import RegeneratedFiles, noticed
from factory.sdk.sdk_files import SdkFile

_SUBJECTS = frozenset(("RUNTIME", "CODEX", "CLI"))
_NOT_THE_PACKAGE = frozenset(("benchmarks", "docs", "examples", "scripts", "tests"))
_LIMITS = frozenset(("MIN", "MINIMUM"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeMinimum:
    """The constant of an SDK with the oldest runtime that it accepts.

    Attributes:
        line: The number of its line, from 1 on.
    """

    name: str
    version: str
    line: int

    def require(self, runtime: CodexTag, *, where: str) -> None:
        """Refuse a runtime that the SDK would refuse when it starts; a pre-release is older than its release.

        Raises:
            UsageError: The runtime is older.
        """
        if Version(runtime.pep440) < Version(self.version):
            raise UsageError(
                f"the SDK requires Codex {self.version} or newer, not {runtime.pep440}"
                f" ({self.name} in {where})",
                hint="Choose a newer release, or an SDK of an older release.",
            )

    def raised(self, source: str, runtime: CodexTag) -> str:
        """Return the module with the release as the minimum."""
        lines = source.splitlines(keepends=True)
        lines[self.line - 1] = f'{self.name} = "{runtime.pep440}"\n'
        return "".join(lines)


def with_minimum(files: tuple[SdkFile, ...], runtime: CodexTag, *, is_raised: bool) -> RegeneratedFiles:
    """Check a runtime against the oldest one that an SDK's code accepts, and raise that one on request.

    Raises:
        UsageError: The SDK does not accept the runtime, or has no minimum to raise.
    """
    found = {file.path: limit for file in files if (limit := _minimum_of(file)) is not None}
    for path, limit in found.items():
        limit.require(runtime, where=str(path))
    if not is_raised:
        return RegeneratedFiles(files=files, changes=())
    if not found:
        raise UsageError(
            "the SDK's code has no oldest runtime to raise", hint="Leave out --raise-minimum for this SDK."
        )
    changes = (f"{path.name}: {limit.name} raised from {limit.version}" for path, limit in found.items())
    return RegeneratedFiles(
        files=tuple(_with_raised(file, found.get(file.path), runtime) for file in files),
        changes=tuple(f"{change} to {runtime.pep440}" for change in changes),
    )


def _minimum_of(file: SdkFile) -> RuntimeMinimum | None:
    if file.path.suffix != ".py" or file.path.parts[0] in _NOT_THE_PACKAGE:
        return None
    try:
        return runtime_minimum(file.content.decode("utf-8"))
    except (SyntaxError, ValueError):  # such as a template: it is no module of the SDK
        return None


def _with_raised(file: SdkFile, limit: RuntimeMinimum | None, runtime: CodexTag) -> SdkFile:
    if limit is None:
        return file
    raised = limit.raised(file.content.decode("utf-8"), runtime)
    return replace(file, content=noticed(raised.encode(), runtime))


def runtime_minimum(source: str) -> RuntimeMinimum | None:
    """Return the minimum that a module defines: a constant with a name like ``MINIMUM_RUNTIME_VERSION``.

    Raises:
        SyntaxError: The source is not Python.
    """
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                if _is_minimum(name) and _is_version(text) and node.lineno == node.end_lineno:
                    return RuntimeMinimum(name=name, version=text, line=node.lineno)
            case _:
                pass
    return None


def _is_minimum(name: str) -> bool:
    words = set(name.upper().split("_"))
    return "VERSION" in words and bool(words & _SUBJECTS) and bool(words & _LIMITS)


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True

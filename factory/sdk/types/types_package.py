"""Generate the package of types: the models by the locked generator, the registry by the factory."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from factory.build.stage import require_replaceable
from factory.build.toolchain import Toolchain
from factory.core.errors import BuildError
from factory.sdk.types.generator_input import generator_input
from factory.sdk.types.open_enums import BASE_CLASSES, with_open_enums
from factory.sdk.types.registry_module import MODELS, models_named, registry_source
from factory.sdk.types.runtime import TypesWorkspace
from factory.sdk.types.schema import SchemaBundle
from factory.system.files import atomic_directory, writing
from factory.system.process import Command
from factory.verify.reading.read import cannot_read

GENERATOR: Final = "datamodel-code-generator"
GENERATOR_LOCK: Final = f"{GENERATOR}-0.89.0"
"""The lock of the generator; another version generates other models."""

_MARK = "# Made by codex-wheel-factory"
_MODELS_FILE = f"{MODELS}.py"
_REGISTRY_FILE = "notification_registry.py"
_INIT_FILE = "__init__.py"
_FILES = frozenset((_MODELS_FILE, _REGISTRY_FILE, _INIT_FILE))
_TIMEOUT_S = 300.0
_TAIL_CHARACTERS = 300
_OPTIONS = (
    *("--input-file-type", "jsonschema", "--output-model-type", "pydantic_v2.BaseModel"),
    *("--target-python-version", "3.10"),  # the oldest one that the official SDK supports
    *("--snake-case-field", "--allow-population-by-field-name", "--use-title-as-name"),
    *("--use-annotated", "--field-constraints", "--use-standard-collections", "--use-union-operator"),
    *("--enum-field-as-literal", "one", "--use-single-value-enum-as-const"),
    *("--strict-refs", "--no-allow-remote-refs", "--ignore-pyproject", "--disable-warnings"),
    *("--disable-timestamp", "--use-double-quotes", "--formatters", "builtin"),
)
_FORMAT = (
    *("ruff", "format", "--isolated", "--no-cache", "--quiet"),
    *("--line-length", "100", "--target-version", "py310"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypesPackage:
    """A generated package.

    Attributes:
        files: The content of its modules, sorted by file name.
        models: The number of classes in the models' module.
        methods: The number of models that the registry names.
    """

    files: Mapping[str, bytes]
    models: int
    methods: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDifference:
    """A module whose copy differs from the generated one; None on the side that lacks it."""

    name: str
    generated: bytes | None
    copy: bytes | None

    @property
    def state(self) -> str:
        """``missing``, ``surplus`` or ``different``."""
        if self.copy is None:
            return "missing"
        return "surplus" if self.generated is None else "different"


def make_package(
    bundle: SchemaBundle, *, origin: str, toolchain: Toolchain, workspace: TypesWorkspace
) -> TypesPackage:
    """Generate the package of a protocol's types; equal schemas give equal bytes.

    ``origin`` names the release in the header.

    Raises:
        UnusableSchema: The schema does not list its methods in a known form.
        BuildError: The generator failed.
    """
    header = f"{_MARK} from the app-server schema of {origin},\n# with {toolchain.lock.name}; do not edit.\n"
    place = workspace.scratch / "types"
    texts = {
        _INIT_FILE: f'{header}"""The types of the app-server protocol."""\n',
        _REGISTRY_FILE: f"{header}{registry_source(bundle)}",
    }
    with writing(place):
        place.mkdir()
        for name, text in texts.items():
            (place / name).write_bytes(text.encode())
    _generate(bundle, header, place / _MODELS_FILE, toolchain, workspace)
    _run_tool((*_FORMAT, str(place)), toolchain, workspace)
    files = {name: (place / name).read_bytes() for name in sorted(_FILES)}
    classes, named = _classes(files[_MODELS_FILE]), models_named(bundle)
    missing = [name for name in named if name not in classes]
    if missing:
        raise _failed(f"generated no model for {', '.join(missing)}")
    return TypesPackage(files=files, models=len(classes), methods=len(named))


def require_destination(destination: Path) -> None:
    """Refuse a destination that cannot be replaced, before the work is done.

    Raises:
        UsageError: It is neither absent, nor empty, nor an earlier package.
    """
    require_replaceable(destination, _is_generated)


def publish(package: TypesPackage, destination: Path) -> None:
    """Write a package as a whole; an earlier one is replaced.

    Raises:
        UsageError: The destination exists and is not an earlier package.
        CannotWrite: The destination cannot be written.
    """
    require_destination(destination)
    with atomic_directory(destination.absolute()) as draft:
        for name, content in package.files.items():
            (draft / name).write_bytes(content)


def differences(package: TypesPackage, directory: Path) -> tuple[FileDifference, ...]:
    """Compare a package with a copy of it, module by module; a missing directory counts as empty.

    Raises:
        UsageError: The copy cannot be read.
    """
    try:
        copy = {path.name: path.read_bytes() for path in directory.glob("*.py") if path.is_file()}
    except OSError as error:
        raise cannot_read(directory, error) from error
    return tuple(
        FileDifference(name=name, generated=package.files.get(name), copy=copy.get(name))
        for name in sorted(package.files.keys() | copy.keys())
        if package.files.get(name) != copy.get(name)
    )


def format_modules(
    modules: Mapping[str, bytes], toolchain: Toolchain, workspace: TypesWorkspace
) -> Mapping[str, bytes]:
    """Format Python modules, given by their relative paths, as the package is formatted.

    Raises:
        BuildError: The formatter failed.
    """
    place = workspace.scratch / "modules"
    with writing(place):
        for name, content in modules.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)
    if modules:
        _run_tool((*_FORMAT, str(place)), toolchain, workspace)
    return {name: (place / name).read_bytes() for name in modules}


def _is_generated(directory: Path) -> bool:
    """Whether a directory contains a generated package and no other files."""
    try:
        names = {path.name for path in directory.iterdir()} - {"__pycache__"}
        return names <= _FILES and (directory / _INIT_FILE).read_bytes().startswith(_MARK.encode())
    except OSError:
        return False


def _generate(
    bundle: SchemaBundle, header: str, place: Path, toolchain: Toolchain, workspace: TypesWorkspace
) -> None:
    source = workspace.scratch / "protocol.json"
    with writing(workspace.scratch):
        source.write_bytes(generator_input(bundle))
    files = ("--input", str(source), "--output", str(place))
    tool = ("datamodel_code_generator", *_OPTIONS, "--custom-file-header", header.rstrip(), *files)
    _run_tool(tool, toolchain, workspace)
    if not place.is_file():
        raise _failed("wrote no models")
    with writing(place):
        place.write_text(_opened(place.read_bytes(), bundle), encoding="utf-8")


def _run_tool(words: tuple[str, ...], toolchain: Toolchain, workspace: TypesWorkspace) -> None:
    completed = workspace.runner.run(
        Command(
            argv=(str(toolchain.python), "-I", "-m", *words),
            env={**workspace.env, "HOME": str(workspace.scratch), "TMPDIR": str(workspace.scratch)},
            cwd=workspace.scratch,
            timeout_s=_TIMEOUT_S,
        )
    )
    if completed.returncode != 0:
        tail = " ".join(completed.output[-_TAIL_CHARACTERS:].split())
        raise _failed(f"failed at {words[0]} ({completed.reason}): {tail}")


def _opened(models: bytes, bundle: SchemaBundle) -> str:
    try:
        return with_open_enums(models.decode(), bundle)
    except (SyntaxError, ValueError) as error:
        raise _failed(f"wrote models that are not Python: {error}") from error


def _classes(models: bytes) -> frozenset[str]:
    tree = ast.parse(models)
    return frozenset(node.name for node in tree.body if isinstance(node, ast.ClassDef)) - BASE_CLASSES


def _failed(problem: str) -> BuildError:
    return BuildError(
        f"{GENERATOR} {problem}",
        hint="The locked generator may not support this schema; report it with the name of the release.",
    )

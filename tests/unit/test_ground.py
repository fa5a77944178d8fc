"""The rules that the tree itself keeps, whoever changes it."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from factory.build.toolchain import lock_for

ROOT = Path(__file__).resolve().parents[2]
# The template of the SDK is a project of its own: it starts the app-server, without the factory.
MODULES = sorted(path for path in (ROOT / "factory").rglob("*.py") if "client_template" not in path.parts)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = [
    ROOT / "requirements.txt",
    ROOT / "requirements-dev.txt",
    ROOT / "requirements-fuzz.txt",
    ROOT / "requirements-mutants.txt",
    *sorted((ROOT / "factory/build/locks").glob("*.txt")),
]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def imports(path: Path) -> frozenset[str]:
    found: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def who_imports(module: str) -> set[str]:
    return {relative(path) for path in MODULES if module in imports(path)}


def test_one_module_starts_processes() -> None:
    assert who_imports("subprocess") == {"factory/system/process.py"}


@pytest.mark.parametrize("module", ["socket", "requests", "urllib.request", "http.client", "httpx"])
def test_one_module_opens_sockets(module: str) -> None:
    assert who_imports(module) <= {"factory/system/http.py"}


# It listens on the loopback address and connects nowhere, so the rule about clients stays whole.
def test_one_module_listens() -> None:
    assert who_imports("http.server") == {"factory/sdk/model_server.py"}
    assert who_imports("socketserver") == set()


def inside(function: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function or generator expression without those of functions inside it."""
    for child in ast.iter_child_nodes(function):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.Lambda | ast.GeneratorExp):
            yield from inside(child)


def is_bare_next(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "next"
        and len(node.args) == 1
    )


def test_no_generator_ends_because_next_finds_nothing() -> None:
    """A StopIteration inside a generator becomes a RuntimeError; give `next` a default."""
    endless = {"factory/build/deflate_probe.py"}
    found = [
        f"{relative(path)}:{node.lineno}"
        for path in MODULES
        if relative(path) not in endless
        for function in nodes(path)
        if isinstance(function, ast.FunctionDef | ast.GeneratorExp)
        for within in [list(inside(function))]
        if isinstance(function, ast.GeneratorExp)
        or any(isinstance(node, ast.Yield | ast.YieldFrom) for node in within)
        for node in within
        if isinstance(node, ast.Call) and is_bare_next(node)
    ]
    assert found == []


@cache
def calls(path: Path) -> frozenset[str]:
    found: set[str] = set()
    for node in nodes(path):
        match node:
            case ast.Call(func=ast.Name(id=name)):
                found.add(name)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                found.add(f"{owner}.{name}")
            case _:
                pass
    return frozenset(found)


@pytest.mark.parametrize("use", ["print", "os.environ", "os.getenv", "sys.exit", "exit"])
def test_only_the_command_line_prints_reads_the_environment_and_exits(use: str) -> None:
    entrances = {"factory/__main__.py"}
    users = {relative(path) for path in MODULES if use in calls(path)} - entrances
    assert {user for user in users if not user.startswith("factory/cli/")} == set()


# The backend's hooks run where PEP 517 says they run: in the project's directory, in a process of their own.
CHANGES_DIRECTORY = {"factory/build/assembler/skeleton_hooks.py"}


def test_nothing_changes_the_working_directory() -> None:
    assert {relative(path) for path in MODULES if "os.chdir" in calls(path)} <= CHANGES_DIRECTORY


@pytest.mark.parametrize("lock", LOCKS, ids=relative)
def test_a_lock_has_hashes_and_no_addresses(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    requirements = re.findall(r"^[a-z0-9][^\s]*==", text, re.MULTILINE)
    assert requirements
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    assert len(blocks) == len(requirements)


def declared() -> set[str]:
    groups = PROJECT["dependency-groups"]
    extras = PROJECT["project"]["optional-dependencies"]
    optional = [text for tables in (groups, extras) for texts in tables.values() for text in texts]
    names = {Requirement(text).name for text in (*PROJECT["project"]["dependencies"], *optional)}
    return names - {PROJECT["project"]["name"]}


def test_every_dependency_has_a_reason_and_every_reason_a_dependency() -> None:
    rows = re.findall(
        r"^\| ([a-z0-9-]+) \| (.+) \|$", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE
    )
    assert {name for name, _ in rows} - {"distribution"} == declared()
    assert all(reason.strip() for _, reason in rows)


def test_every_dependency_is_locked() -> None:
    locks = [(ROOT / f"requirements-{name}.txt").read_text() for name in ("dev", "fuzz", "mutants")]
    names = set(re.findall(r"^([a-z0-9-]+)==", "".join(locks), re.MULTILINE))
    assert {name.replace(".", "-") for name in declared()} <= names


def test_the_tests_build_with_the_locked_backend() -> None:
    versions = dict(
        re.findall(r"^([a-z0-9-]+)==([^\s]+)", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
    )
    locked = dict(lock_for("1.33.0").requirements)
    assert {name: versions[name] for name in ("hatchling", "build")} == {
        name: locked[name] for name in ("hatchling", "build")
    }

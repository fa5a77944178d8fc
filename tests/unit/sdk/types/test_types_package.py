"""The generated package: how the generator is run, and which directories are replaced."""

from collections.abc import Callable
from pathlib import Path

import pytest

from factory.core.errors import BuildError, UsageError
from factory.sdk.types.runtime import TypesWorkspace
from factory.sdk.types.types_package import (
    FileDifference,
    TypesPackage,
    differences,
    make_package,
    publish,
)
from factory.system.process import Command, Completed
from tests.fake_runner import Expected, FakeRunner
from tests.protocols import bundle
from tests.toolchains import running_toolchain

MARK = "# Made by codex-wheel-factory from the app-server schema of Codex 0.163.0,\n"
MODELS = b"""\
class ApproveParams: ...
class ErrorNotification: ...
class TurnCompletedNotification: ...
class TurnStartParams: ...
"""
PACKAGE = TypesPackage(
    files={"__init__.py": MARK.encode(), "notification_registry.py": b"B = 2\n", "v2_all.py": b"A = 1\n"},
    models=1,
    methods=1,
)


def writing(models: bytes) -> Callable[[Command], None]:
    def effect(command: Command) -> None:
        Path(command.argv[command.argv.index("--output") + 1]).write_bytes(models)

    return effect


def make(tmp_path: Path, *script: Expected) -> tuple[TypesPackage, FakeRunner]:
    runner = FakeRunner(*script)
    workspace = TypesWorkspace(scratch=tmp_path, runner=runner, env={"SYSTEMROOT": "kept"})
    package = make_package(
        bundle(), origin="Codex 0.163.0", toolchain=running_toolchain(), workspace=workspace
    )
    runner.assert_done()
    return package, runner


GENERATOR = Expected(argv=["-I", "-m", "datamodel_code_generator"], effect=writing(MODELS))
FORMATTER = Expected(argv=["-I", "-m", "ruff", "format", "--isolated"])


def test_the_package_names_its_release_and_generator(tmp_path: Path) -> None:
    package, runner = make(tmp_path, GENERATOR, FORMATTER)
    assert list(package.files) == ["__init__.py", "notification_registry.py", "v2_all.py"]
    assert (package.models, package.methods) == (4, 4)
    assert package.files["v2_all.py"] == MODELS
    assert package.files["__init__.py"].decode() == (
        f'{MARK}# with hatchling-1.33.0; do not edit.\n"""The types of the app-server protocol."""\n'
    )
    assert package.files["notification_registry.py"].decode().startswith(MARK)
    assert runner.commands[0].env == {"SYSTEMROOT": "kept", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}


@pytest.mark.parametrize(
    ("generator", "message"),
    [
        (
            Expected(argv=[], completed=Completed(returncode=1, output="No module\nnamed x\n")),
            r"failed at datamodel_code_generator \(exit status 1\): No module named x",
        ),
        (Expected(argv=[]), "wrote no models"),
    ],
)
def test_a_generator_that_fails_is_an_error(tmp_path: Path, generator: Expected, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        make(tmp_path, generator)


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (
            b"class ApproveParams: ...",
            "no model for ErrorNotification, TurnCompletedNotification, Turn",
        ),
        (b"class :", "models that are not Python"),
        (b"\0", "models that are not Python"),
    ],
)
def test_incomplete_or_invalid_models_are_an_error(tmp_path: Path, models: bytes, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        make(tmp_path, Expected(argv=[], effect=writing(models)), FORMATTER)


def test_a_package_is_created_or_replaces_an_earlier_one(tmp_path: Path) -> None:
    place = tmp_path / "src" / "types"
    publish(PACKAGE, place)
    (place / "__pycache__").mkdir()
    publish(PACKAGE, place)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == PACKAGE.files
    assert [path.name for path in place.parent.iterdir()] == ["types"]


@pytest.mark.parametrize(
    "files",
    [
        {"mine.py": b""},
        {"__init__.py": b"# Mine"},
        {"__init__.py": MARK.encode(), "mine.py": b""},
    ],
)
def test_a_directory_with_other_files_is_not_replaced(tmp_path: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match="was not created by this command"):
        publish(PACKAGE, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files


def test_a_copy_is_compared_module_by_module(tmp_path: Path) -> None:
    assert [difference.state for difference in differences(PACKAGE, tmp_path / "gone")] == ["missing"] * 3
    publish(PACKAGE, tmp_path / "copy")
    assert differences(PACKAGE, tmp_path / "copy") == ()
    (tmp_path / "copy" / "v2_all.py").write_bytes(b"A = 2\n")
    (tmp_path / "copy" / "old.py").write_bytes(b"")
    (tmp_path / "copy" / "__init__.py").unlink()
    found = differences(PACKAGE, tmp_path / "copy")
    assert [(difference.name, difference.state) for difference in found] == [
        ("__init__.py", "missing"),
        ("old.py", "surplus"),
        ("v2_all.py", "different"),
    ]
    assert found[2] == FileDifference(name="v2_all.py", generated=b"A = 1\n", copy=b"A = 2\n")

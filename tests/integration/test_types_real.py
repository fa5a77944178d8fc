"""The types of real releases: made twice, imported, and held to every definition that the runtime writes."""

import json
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from factory.build.toolchain import lock_named, make_toolchain
from factory.sdk.model_server import Say, model_server
from factory.sdk.types.methods import MessageKind, methods_of
from factory.sdk.types.schema import SchemaBundle
from factory.sdk.types.types_package import GENERATOR_LOCK
from factory.system.process import SubprocessRunner
from tests.children import Child
from tests.integration.test_real_wheels import Place, runs_linux_x86_64, succeed
from tests.schema_instances import Instances

pytestmark = [pytest.mark.network, runs_linux_x86_64]

ROUND_TRIP = """\
import enum, json, pathlib, sys
from generated import notification_registry, v2_all

failures = []
for name, instances in json.loads(pathlib.Path(sys.argv[1]).read_text()).items():
    model = getattr(v2_all, name)
    for instance in instances:
        if issubclass(model, enum.Enum):
            back = model(instance).value
        else:
            parsed = model.model_validate(instance)
            back = parsed.model_dump(mode="json", by_alias=True, exclude_unset=True)
        if back != instance:
            failures.append([name, instance, back])
registry = {method: model.__name__ for method, model in notification_registry.NOTIFICATION_MODELS.items()}
print(json.dumps({"failures": failures, "registry": registry}))
"""
TURN = """\
import sys
from openai_codex import Codex, CodexConfig
from openai_codex.generated import v2_all
assert v2_all.__file__ == sys.argv[2]
with Codex(CodexConfig(codex_bin=sys.argv[1])) as codex:
    print(codex.thread_start().run("Say it.").final_response)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("types")
    yield Place(directory=directory, cache=directory / "cache")
    shutil.rmtree(directory)


def generator_python(place: Place) -> Path:
    """Return the interpreter that has pydantic: what the command under test installed."""
    return make_toolchain(
        lock=lock_named(GENERATOR_LOCK),
        base_python=Path(sys.executable),
        cache_dir=place.cache,
        env=os.environ,
        runner=SubprocessRunner(),
    ).python


def codex_of(place: Place, version: str) -> Path:
    """Take the executable of a release out of the package that the command under test fetched."""
    codex = place.directory / f"codex-{version}"
    if not codex.exists():
        wanted = "package/vendor/x86_64-unknown-linux-musl/bin/codex"
        for asset in (place.cache / "assets").iterdir():
            unpack = ("tar", "-xzOf", str(asset), "package/package.json")
            if f'"{version}-linux-x64"' in succeed(Child(argv=unpack, cwd=place.directory)).out:
                words = ("tar", "-xzf", str(asset), "-C", str(place.directory), wanted)
                succeed(Child(argv=words, cwd=place.directory))
                (place.directory / wanted).rename(codex)
    return codex


def schema_of(place: Place, version: str) -> SchemaBundle:
    """Start the runtime by hand, as a person would."""
    out = place.directory / f"schema-{version}"
    write = (str(codex_of(place, version)), "app-server", "generate-json-schema", "--out", str(out))
    only = {"HOME": str(place.directory), "CODEX_HOME": str(place.directory)}
    succeed(Child(argv=write, environ=only, cwd=place.directory))
    return SchemaBundle.read(out)


def generate(place: Place, version: str, name: str, *more: str) -> Path:
    out = place.directory / name / "generated"
    succeed(place.factory("generate-types", "--codex-version", version, "--out", str(out), *more))
    return out


def assert_round_trips(place: Place, version: str, package: Path) -> None:
    """Hold the models to the smallest and to the fullest instance of every definition."""
    bundle = schema_of(place, version)
    for is_full in (False, True):
        instances = Instances(bundle, is_full=is_full)
        every = {name: instances.of(name) for name in bundle.definitions}
        for name, some in every.items():
            document = {"$ref": f"#/definitions/{name}", "definitions": bundle.definitions}
            assert all(Draft7Validator(document).is_valid(instance) for instance in some), name
        file = place.directory / "instances.json"
        file.write_text(json.dumps(every), encoding="utf-8")
        words = (str(generator_python(place)), "-c", ROUND_TRIP, str(file))
        ended = succeed(Child(argv=words, env={"PYTHONPATH": str(package.parent)}, cwd=place.directory))
        told = json.loads(ended.out)
        assert told["failures"] == []
        assert told["registry"] == {
            method.name: method.parameters for method in methods_of(bundle, MessageKind.SERVER_NOTIFICATION)
        }


@pytest.fixture(scope="module")
def package(place: Place) -> Path:
    return generate(place, "rust-v0.163.0", "newer")


def test_a_second_run_makes_the_same_bytes(place: Place, package: Path) -> None:
    assert sorted(path.name for path in package.iterdir()) == [
        "__init__.py",
        "notification_registry.py",
        "v2_all.py",
    ]
    assert generate(place, "0.163.0", "newer", "--check") == package


def test_the_models_hold_every_definition_of_the_release(place: Place, package: Path) -> None:
    assert_round_trips(place, "0.163.0", package)


def test_the_official_sdk_runs_a_turn_on_our_types(place: Place, package: Path, tmp_path: Path) -> None:
    download = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(tmp_path))
    succeed(Child(argv=(*download, "openai-codex==0.163.0"), cwd=tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "sdk")
    generated = tmp_path / "sdk" / "openai_codex" / "generated"
    shutil.rmtree(generated)
    shutil.copytree(package, generated)
    (tmp_path / "turn.py").write_text(TURN, encoding="utf-8")
    with model_server((Say(text="Said with our types."),)) as server:
        server.configure(tmp_path / "codex-home")
        environ = {"CODEX_HOME": str(tmp_path / "codex-home"), "HOME": str(tmp_path), "PATH": os.defpath}
        environ["PYTHONPATH"] = str(tmp_path / "sdk")
        turn = ("turn.py", str(codex_of(place, "0.163.0")), str(generated / "v2_all.py"))
        words = (str(generator_python(place)), *turn)
        ended = succeed(Child(argv=words, environ=environ, cwd=tmp_path))
    assert ended.out == "Said with our types.\n"


@pytest.mark.slow
def test_two_releases_are_compared_and_the_older_one_is_held_to_its_protocol(place: Place) -> None:
    assert_round_trips(place, "0.147.0", generate(place, "0.147.0", "older"))
    command = ("generate-types", "--compare", "0.147.0", "0.163.0", "--json")
    listed = json.loads(succeed(place.factory(*command)).out)["changes"]
    changes = [change["words"] for change in listed]
    assert len(changes) == 321
    assert sum("readers" in change["breaks"] for change in listed) == 61
    assert [change["words"] for change in listed if "writers" in change["breaks"]] == [
        "client request thread/rollback removed; it was ThreadRollbackParams"
    ]
    assert "client request thread/rollback removed; it was ThreadRollbackParams" in changes
    assert "server notification thread/reverted added: ThreadRevertedNotification" in changes
    assert "Thread: field projectId added: string or null, required" in changes
    assert 'PlanType: value "promax" added' in changes
    assert "SkillMetadata.path is now LegacyAppPathString; it was AbsolutePathBuf" in changes
    assert 'ResponseItem (type "function_call_output"): field call_id became optional' in changes


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("qemu-aarch64-static") is None, reason="qemu-aarch64-static is not installed"
)
def test_the_runtime_of_another_architecture_has_the_same_protocol(place: Place, package: Path) -> None:
    command = ("--check", "--platform", "manylinux_2_17_aarch64")
    assert generate(place, "0.163.0", "newer", *command) == package

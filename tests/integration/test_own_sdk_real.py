"""The SDK of our own, made from a real release: built, installed from a directory alone, and used."""

import json
import sys
from pathlib import Path

import pytest

from factory.build.toolchain import lock_named, make_toolchain
from factory.sdk.model_server import Say, model_server
from factory.sdk.types.methods import MessageKind, methods_of
from factory.sdk.types.runtime import TypesWorkspace
from factory.sdk.types.types_package import GENERATOR_LOCK, make_package
from factory.system.process import SubprocessRunner
from tests.children import Child
from tests.integration.test_real_wheels import Place, runs_linux_x86_64, succeed
from tests.integration.test_types_real import schema_of
from tests.own_sdk import MODELS, own_bundle
from tests.schema_instances import Instances

pytestmark = [pytest.mark.network, pytest.mark.slow, runs_linux_x86_64]
VERSION = "0.163.0"
TURN = """\
import asyncio, sys
from codex_factory_sdk import AsyncCodex, Codex, CodexConfig, RELEASE, final_text
config = CodexConfig(env={"CODEX_HOME": sys.argv[1]}, cwd=sys.argv[2])
with Codex(config) as codex:
    thread = codex.thread_start(sandbox="read-only", approval_policy="never")
    handle = thread.turn("Say it.")
    handle.run()
    print(RELEASE, final_text(handle.items()), [item.root.type for item in handle.items()])
    print([notification.method for notification in thread.turn("Again.").stream()][-1])
async def use():
    async with AsyncCodex(config) as codex:
        thread = await codex.thread_start()
        handle = await thread.turn("Say it.")
        await handle.run()
        print(final_text(await handle.items()))
asyncio.run(use())
"""
PARSE = """\
import json, pathlib, sys
from codex_factory_sdk.generated import v2_all
wrong = []
for name, instances in json.loads(pathlib.Path(sys.argv[1]).read_text()).items():
    for instance in instances:
        parsed = getattr(v2_all, name).model_validate(instance)
        if parsed.model_dump(mode="json", by_alias=True, exclude_unset=True) != instance:
            wrong.append(name)
print(json.dumps(wrong))
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    directory = tmp_path_factory.mktemp("own-sdk")
    return Place(directory=directory, cache=directory / "cache")


def test_the_models_of_the_small_protocol_are_the_generators(place: Place) -> None:
    succeed(
        place.factory(
            "generate-types", "--codex-version", VERSION, "--out", str(place.directory / "generated")
        )
    )
    runner = SubprocessRunner()
    toolchain = make_toolchain(
        lock=lock_named(GENERATOR_LOCK),
        base_python=Path(sys.executable),
        cache_dir=place.cache,
        env={},
        runner=runner,
    )
    scratch = place.directory / "scratch"
    scratch.mkdir()
    workspace = TypesWorkspace(scratch=scratch, runner=runner, env={})
    made = make_package(own_bundle(), origin=f"Codex {VERSION}", toolchain=toolchain, workspace=workspace)
    assert made.files["v2_all.py"].decode() == MODELS.read_text(encoding="utf-8")


def test_an_sdk_runs_turns_after_an_installation_from_a_directory_alone(place: Place) -> None:
    wheels = place.directory / "wheels"
    stage = str(place.directory / "sdk")
    succeed(place.factory("wheels", VERSION, "--platform", "manylinux_2_17_x86_64"))
    succeed(place.factory("stage-sdk", stage, "--codex-version", VERSION))
    python = str(place.directory / "venv/bin/python")
    here = place.directory
    for argv in (
        (sys.executable, "-m", "venv", str(here / "venv")),
        (sys.executable, "-m", "build", "--wheel", "--outdir", str(wheels), stage),
        (sys.executable, "-m", "pip", "download", "-q", "--dest", str(wheels), "pydantic>=2.12,<3"),
        (
            *(python, "-m", "pip", "install", "-q", "--no-index", "--find-links", str(wheels)),
            *("--find-links", str(here / "dist" / VERSION), f"codex-wheel-factory-sdk=={VERSION}"),
        ),
    ):
        succeed(Child(argv=argv, cwd=here))
    home = here / "codex-home"
    with model_server([Say(text="Said.")]) as server:
        server.configure(home)
        ended = succeed(Child(argv=(python, "-c", TURN, str(home), str(here)), cwd=here))
    assert ended.out.splitlines() == [
        f"{VERSION} Said. ['userMessage', 'agentMessage']",
        "turn/completed",
        "Said.",
    ]


def test_the_staged_project_passes_its_own_tests(place: Place) -> None:
    stage = place.directory / "sdk"
    tests = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    succeed(Child(argv=tests, env={"PYTHONPATH": ""}, cwd=stage))


@pytest.mark.parametrize("is_full", [False, True])
def test_the_installed_sdk_parses_every_message_of_its_release(place: Place, *, is_full: bool) -> None:
    """The smallest and the fullest instance of every parameter and response survive unchanged."""
    bundle = schema_of(place, VERSION)
    kinds = [kind for kind in MessageKind if kind is not MessageKind.CLIENT_NOTIFICATION]
    methods = [method for kind in kinds for method in methods_of(bundle, kind)]
    parameters = {method.parameters for method in methods if method.parameters is not None}
    names = sorted(parameters | {name for name in bundle.definitions if name.endswith("Response")})
    assert len(parameters) == 189
    instances = Instances(bundle, is_full=is_full)
    file = place.directory / "messages.json"
    file.write_text(json.dumps({name: instances.of(name) for name in names}), encoding="utf-8")
    python = str(place.directory / "venv/bin/python")
    ended = succeed(Child(argv=(python, "-c", PARSE, str(file)), cwd=place.directory))
    assert json.loads(ended.out) == []

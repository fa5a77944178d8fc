"""The generated types beside the official ones of every SDK on the index."""

import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from factory.core.json_reader import JsonObject
from tests.children import Child
from tests.integration.test_real_wheels import Place, runs_linux_x86_64, succeed
from tests.integration.test_types_real import generate, generator_python

pytestmark = [pytest.mark.network, runs_linux_x86_64]

SHAPES = """\
import enum, importlib.util, json, sys
from pydantic import BaseModel, RootModel

def shape(model):
    if issubclass(model, enum.Enum):
        return {"kind": "enum", "is_open": issubclass(model, str), "members": [one.value for one in model]}
    fields = {
        name: {"alias": field.alias, "is_required": field.is_required()}
        for name, field in model.model_fields.items()
    }
    return {"kind": "root" if issubclass(model, RootModel) else "model", "fields": fields}

spec = importlib.util.spec_from_file_location("v2_all", sys.argv[1])
module = sys.modules["v2_all"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(json.dumps({
    name: shape(value)
    for name, value in vars(module).items()
    if isinstance(value, type) and value.__module__ == "v2_all" and "[" not in name
    and issubclass(value, (BaseModel, enum.Enum))
}))
"""
KNOWN = frozenset(
    (
        # Required in the official class by hand; by rule, a field that may be null may be left out.
        "McpResourceReadTarget.link_id is optional",
        # Official constants that were added with 0.154.0.
        "ReasoningEffort has more values: max, ultra",
    )
)
FROM_A_LATER_SCHEMA = {
    "0.154.0": frozenset(
        (
            "FeedbackUploadResponse.prompt_hash is missing",
            *(
                f"ThreadAttachment{name} is missing"
                for name in (
                    *("", "AddOutcome", "AddParams", "AddResponse", "ListParams", "ListResponse"),
                    *("Operation", "RemoveParams", "RemoveResponse", "UpdatedNotification", "AddRequest"),
                    *("ListRequest", "RemoveRequest", "UpdatedServerNotification"),
                )
            ),
        )
    )
}
"""Official types of 0.154.0 that the runtime 0.154.0 does not have: its schema does not list them."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("official")
    yield Place(directory=directory, cache=directory / "cache")
    shutil.rmtree(directory)


def versions(place: Place) -> tuple[str, ...]:
    """Return the versions of the official SDK on the index, from 0.144.4 on."""
    words = (sys.executable, "-m", "pip", "index", "versions", "openai-codex")
    listed = succeed(Child(argv=words, cwd=place.directory)).out
    (line,) = (line for line in listed.splitlines() if line.startswith("Available versions:"))
    found = re.findall(r"0\.1[4-9]\d\.\d+", line)
    return tuple(version for version in found if tuple(map(int, version.split("."))) >= (0, 144, 4))


def shapes(place: Place, models: Path) -> JsonObject:
    words = (str(generator_python(place)), "-c", SHAPES, str(models))
    return JsonObject.parse(succeed(Child(argv=words, cwd=place.directory)).out.encode(), where=str(models))


def official_models(place: Place, version: str) -> Path:
    target = place.directory / f"sdk-{version}"
    words = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(target))
    succeed(Child(argv=(*words, f"openai-codex=={version}"), cwd=place.directory))
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return Path(archive.extract("openai_codex/generated/v2_all.py", target))


def different(official: JsonObject, ours: JsonObject) -> Iterator[str]:
    """Compare names, kinds, values, fields and required fields; a program on the official types must run."""
    for name in official.members:
        if name not in ours.members:
            yield f"{name} is missing"
            continue
        theirs, own = official.child(name).members, ours.child(name).members
        if theirs["kind"] != own["kind"]:
            yield f"{name} is {own['kind']}, officially {theirs['kind']}"
        elif theirs["kind"] == "enum":
            yield from different_values(name, official.child(name), ours.child(name))
        else:
            yield from different_fields(name, official.child(name), ours.child(name))


def different_values(name: str, theirs: JsonObject, own: JsonObject) -> Iterator[str]:
    official, ours = theirs.texts("members"), own.texts("members")
    if set(official) - set(ours):
        yield f"{name} lacks {', '.join(sorted(set(official) - set(ours)))}"
    if set(ours) - set(official):
        yield f"{name} has more values: {', '.join(sorted(set(ours) - set(official)))}"
    if theirs.members["is_open"] and not own.members["is_open"]:
        yield f"{name} is closed, officially open"


def different_fields(name: str, theirs: JsonObject, own: JsonObject) -> Iterator[str]:
    official, ours = theirs.child("fields"), own.child("fields")
    for field in official.members:
        if field not in ours.members:
            yield f"{name}.{field} is missing"
            continue
        was, is_now = official.child(field), ours.child(field)
        if was.members["alias"] != is_now.members["alias"]:
            yield f"{name}.{field} has another alias"
        if was.members["is_required"] != is_now.members["is_required"]:
            yield f"{name}.{field} is {'required' if is_now.members['is_required'] else 'optional'}"
    for field in ours.members.keys() - official.members.keys():
        yield f"{name}.{field} is not in the official class"


def assert_can_replace(place: Place, version: str) -> None:
    official = shapes(place, official_models(place, version))
    ours = shapes(place, generate(place, version, version) / "v2_all.py")
    assert len(official.members) > 800
    found = set(different(official, ours))
    assert found - KNOWN == FROM_A_LATER_SCHEMA.get(version, frozenset())


def test_the_types_can_replace_the_official_ones(place: Place) -> None:
    assert_can_replace(place, "0.163.0")
    found = shapes(place, place.directory / "0.163.0" / "generated" / "v2_all.py")
    opened = {"ReasoningEffort", "ThreadSource", "PlanType", "CodexErrorInfoValue"}
    assert {name for name in opened if found.child(name).members["is_open"]} == opened
    assert not found.child("SortDirection").members["is_open"]


@pytest.mark.slow
def test_the_types_can_replace_those_of_every_sdk_on_the_index(place: Place) -> None:
    listed = versions(place)
    assert {"0.144.4", "0.147.0", "0.154.0", "0.162.1", "0.163.0"} <= set(listed)
    for version in listed:
        assert_can_replace(place, version)


@pytest.mark.slow
def test_a_regenerated_sdk_parses_every_message_of_the_release(place: Place) -> None:
    """The official SDK of an older release cannot; its regenerated copy is built and parses all of them."""
    parse = ("generate-types", "--codex-version", "0.171.0", "--sdk")
    older = place.factory(*parse, "openai-codex==0.163.0").run()
    assert older.status == 24
    assert "openai-codex==0.163.0 and 189 messages of 0.171.0: 163 parsed, 2 unknown, 24 refused" in older.err
    assert 'response GetAccountResponse cannot be parsed with Account (type "gcp")' in older.out
    stage = place.directory / "regenerated"
    source = ("--sdk-source", "openai-codex==0.163.0", "--codex-version", "0.171.0")
    staged = succeed(place.factory("stage-sdk", str(stage), *source, "--regenerate", "--json"))
    changes = JsonObject.parse(staged.out, where="the stage").texts("changes")
    assert "api.py: Codex.thread_list: keyword included_thread_ids added: list[str] | None" in changes
    newer = succeed(place.factory(*parse, str(stage)))
    assert "206 messages of 0.171.0: 206 parsed, 0 unknown, 0 refused" in newer.err
    refused = place.factory("stage-sdk", str(stage), *source[:2], "--codex-version", "0.149.0").run()
    assert (refused.status, "requires Codex 0.151.0 or newer, not 0.149.0" in refused.err) == (20, True)

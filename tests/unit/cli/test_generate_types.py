"""``factory sdk types`` with fake runtimes and a generator that needs no index."""

import shutil
import sys
from pathlib import Path

import pytest

from factory.cli import main
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.sdk.types.schema import BUNDLE
from tests.protocols import content, definitions, message, runtime, runtimes, script
from tests.toolchains import place_generator
from tests.unit.cli.conftest import Ended, Factory
from tests.unit.sdk.regenerate.small_sdk import small_sdk

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="starts shell scripts")


@pytest.fixture(scope="session", autouse=True)
def generator(cache_with_toolchain: Path) -> None:
    place_generator(cache_with_toolchain)


@pytest.fixture
def released(tmp_path: Path) -> Path:
    return runtimes(tmp_path / "released", runtime())


@pytest.fixture(scope="module")
def generated_once(cache_with_toolchain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("generated")
    released = runtimes(root / "released", runtime())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACTORY_CACHE_DIR", str(cache_with_toolchain))
        options = ("--channel", "directory", "--directory", str(released), "--out", str(root / "types"))
        assert main(["generate-types", "--codex-version", "rust-v0.163.0", *options]) == 0
    return root / "types"


@pytest.fixture
def types(generated_once: Path, tmp_path: Path) -> Path:
    """Copy a package that was generated from the same runtime as `released` has."""
    return Path(shutil.copytree(generated_once, tmp_path / "types"))


def generate(factory: Factory, released: Path, *more: str | Path) -> Ended:
    return factory(
        *("generate-types", "--channel", "directory", "--directory", released),
        *("--codex-version", "rust-v0.163.0", *more),
    )


def left(tmp_path: Path) -> list[str]:
    """List the directory, and the scratch directories in the cache."""
    cache = [path.name for path in (tmp_path / "cache").iterdir() if path.name.startswith("types-")]
    return sorted(path.name for path in tmp_path.iterdir()) + cache


def test_two_runs_generate_equal_types(factory: Factory, released: Path, tmp_path: Path) -> None:
    first = generate(factory, released, "--out", tmp_path / "a")
    assert (first.status, first.out) == (0, "")
    assert first.err.endswith(f"generated 11 models for 4 methods in {tmp_path / 'a'}\n")
    second = generate(factory, released, "--out", tmp_path / "b", "--json")
    assert second.document == {
        "version": 1,
        "path": str(tmp_path / "b"),
        "files": ["__init__.py", "notification_registry.py", "v2_all.py"],
        "models": 11,
        "methods": 4,
    }
    a, b = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "ab")
    assert a == b
    assert a["__init__.py"].startswith(
        b"# Made by codex-wheel-factory from the app-server schema of Codex 0.163.0,\n"
        b"# with datamodel-code-generator-0.89.0; do not edit.\n"
    )
    assert left(tmp_path) == ["a", "b", "cache", "released"]


def test_check_accepts_a_current_copy(factory: Factory, released: Path, types: Path) -> None:
    ended = generate(factory, released, "--out", types, "--check")
    assert (ended.status, ended.out) == (0, "")
    assert ended.err.endswith(f"{types} is up to date\n")


def test_check_reports_an_outdated_copy_and_keeps_it(factory: Factory, released: Path, types: Path) -> None:
    registry = types / "notification_registry.py"
    edited = registry.read_text().replace('    "error": ErrorNotification,\n', "")
    registry.write_text(edited)
    (types / "v2_all.py").unlink()

    ended = generate(factory, released, "--out", types, "--check")

    assert ended.status == 24
    assert '+    "error": ErrorNotification,\n' in ended.out
    assert ended.out.endswith("missing: v2_all.py\n")
    assert ended.complaint == (
        f"factory: {types} is out of date: notification_registry.py, v2_all.py\n"
        "hint: Generate the types again: the same command without --check.\n"
    )
    assert registry.read_text() == edited
    as_json = generate(factory, released, "--out", types, "--check", "--json")
    assert (as_json.status, as_json.document) == (
        24,
        {
            "version": 1,
            "is_current": False,
            "files": [
                {"name": "notification_registry.py", "state": "different"},
                {"name": "v2_all.py", "state": "missing"},
            ],
        },
    )


def test_a_given_schema_needs_no_runtime(factory: Factory, tmp_path: Path) -> None:
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema" / BUNDLE).write_bytes(content())
    ended = factory("generate-types", "--schema-dir", tmp_path / "schema", "--out", tmp_path / "types")
    assert ended.status == 0
    header = (tmp_path / "types" / "v2_all.py").read_text().splitlines()[0]
    assert header == "# Made by codex-wheel-factory from the app-server schema of an unnamed release,"


def test_compare_prints_the_changes_of_a_protocol(factory: Factory, released: Path) -> None:
    later = definitions() | {"ClientNotification": {"oneOf": [message("goodbye", None)]}}
    runtimes(released, runtime(later), tag=CodexTag.parse("0.164.0"))
    compare = ("generate-types", "--channel", "directory", "--directory", released, "--compare")

    ended = factory(*compare, "rust-v0.163.0", "0.164.0")
    assert ended.status == 0
    assert ended.out == (
        "client notification goodbye added: without parameters"
        " [breaks neither: programs that do not know it can ignore it]\n"
        "client notification initialized removed; it was without parameters"
        " [breaks writers: the server does not know the method]\n"
    )
    assert ended.err.endswith("2 changes from 0.163.0 to 0.164.0: 0 break readers, 1 breaks writers\n")
    document = factory(*compare, "0.163.0", "0.164.0", "--json").document
    assert (document["version"], document["from"], document["to"]) == (1, "0.163.0", "0.164.0")
    assert document["changes"] == [
        {
            "kind": "method-added",
            "place": "client notification",
            "name": "goodbye",
            "before": "",
            "after": "without parameters",
            "is_required": None,
            "words": "client notification goodbye added: without parameters",
            "breaks": [],
            "reason": "programs that do not know it can ignore it",
        },
        {
            "kind": "method-removed",
            "place": "client notification",
            "name": "initialized",
            "before": "without parameters",
            "after": "",
            "is_required": None,
            "words": "client notification initialized removed; it was without parameters",
            "breaks": ["writers"],
            "reason": "the server does not know the method",
        },
    ]
    same = factory(*compare, "0.163.0", "0.163.0", "--fail-on", "any")
    assert (same.status, same.out) == (0, "")


@pytest.mark.parametrize(("side", "status"), [("readers", 0), ("writers", 24), ("any", 24)])
def test_a_change_that_breaks_a_side_fails_on_request(
    factory: Factory, released: Path, side: str, status: int
) -> None:
    later = definitions() | {"ClientNotification": {"oneOf": [message("goodbye", None)]}}
    runtimes(released, runtime(later), tag=CodexTag.parse("0.164.0"))
    compare = ("generate-types", "--channel", "directory", "--directory", released, "--compare")
    ended = factory(*compare, "0.163.0", "0.164.0", "--fail-on", side)
    assert ended.status == status
    assert "goodbye added" in ended.out
    assert ("factory: 0.164.0 breaks writers of the protocol of 0.163.0\n" in ended.err) == (status == 24)


MODELS = """\
class TurnCompletedNotification:
    @classmethod
    def model_validate(cls, value):
        if value["turn"]["status"] == "failed":
            raise ValueError("1 error\\nstatus\\nInput should be completed")
"""
REGISTRY = """\
from .v2_all import TurnCompletedNotification
NOTIFICATION_MODELS = {"turn/completed": TurnCompletedNotification, "error": TurnCompletedNotification}
"""
REFUSED = (
    "server notification error cannot be parsed with ErrorNotification: KeyError('turn')\n"
    "server notification turn/completed cannot be parsed with TurnStatus (failed):"
    " status Input should be completed\n"
)


def test_the_messages_that_an_sdk_cannot_parse_are_listed(
    factory: Factory, released: Path, tmp_path: Path
) -> None:
    sdk = small_sdk(tmp_path / "sdk", v2_all=MODELS, notification_registry=REGISTRY, api="")
    command = ("generate-types", "--channel", "directory", "--directory", released, "--sdk", sdk)
    ended = factory(*command, "--codex-version", "0.163.0")
    assert (ended.status, ended.out) == (24, REFUSED)
    assert f"{sdk} and 2 messages of 0.163.0: 0 parsed, 0 unknown, 2 refused\n" in ended.err
    assert f"factory: {sdk} cannot parse 2 of 2 messages of 0.163.0\n" in ended.err
    compared = factory(*command, "--compare", "0.163.0", "0.163.0")
    assert (compared.status, compared.out) == (24, REFUSED)
    document = factory(*command, "--compare", "0.163.0", "0.163.0", "--json").document
    assert (document["changes"], document["sdk"]) == ([], str(sdk))
    messages = document["messages"]
    assert isinstance(messages, list)
    assert messages[1] == {
        "kind": "server notification",
        "name": "turn/completed",
        "model": "TurnCompletedNotification",
        "outcome": "refused",
        "example": "TurnStatus (failed)",
        "problem": "status Input should be completed",
        "words": REFUSED.splitlines()[1],
    }


def test_an_sdk_that_parses_every_message_passes(factory: Factory, released: Path, tmp_path: Path) -> None:
    models = MODELS.replace('value["turn"]', "value.get('turn', {'status': ''})").replace("failed", "other")
    sdk = small_sdk(tmp_path / "sdk", v2_all=models, notification_registry=REGISTRY, api="")
    command = ("generate-types", "--channel", "directory", "--directory", released, "--sdk", sdk)
    ended = factory(*command, "--codex-version", "0.163.0")
    assert (ended.status, ended.out) == (0, "")
    document = factory(*command, "--codex-version", "0.163.0", "--json").document
    assert (document["to"], document["sdk"]) == ("0.163.0", str(sdk))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "no output given"),
        (("--sdk", "x", "--out", "types"), "--sdk generates no types"),
        (("--sdk", "x", "--check"), "--sdk generates no types"),
        (("--sdk", "x"), "no release given"),
        (("--out", "types"), "no release given"),
        (("--check",), "no output given"),
        (("--compare", "0.1.0", "0.2.0", "--out", "types"), "--compare generates no types"),
        (("--compare", "0.1.0", "0.2.0", "--check"), "--compare generates no types"),
        (("--compare", "0.1.0", "0.2.0", "--codex-version", "0.3.0"), "--compare generates no types"),
        (("--compare", "0.1.0", "never"), "'never' is"),
        (("--out", "types", "--codex-version", "0.1.0", "--fail-on", "any"), "--fail-on needs --compare"),
        (("--out", "types", "--codex-version", "0.1.0", "--platform", "amiga"), "'amiga' is not a platform"),
    ],
)
def test_options_that_cannot_be_combined_are_refused(
    factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = factory("generate-types", *options)
    assert (ended.status, ended.complaint.startswith(f"factory: {message}")) == (20, True)
    assert left(tmp_path) == ["cache"]


def test_a_directory_with_other_files_is_refused_before_any_download(
    factory: Factory, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").touch()
    ended = generate(factory, tmp_path / "no-such-release", "--out", tmp_path / "mine")
    assert ended.status == 20
    assert f"{tmp_path / 'mine'} exists and was not created by this command" in ended.err


@pytest.mark.parametrize(
    ("executable", "status", "message"),
    [
        (
            script("echo 'thread main panicked' >&2", "exit 101"),
            23,
            "(exit status 101); output: thread main",
        ),
        (script("kill -ABRT $$"), 23, "failed (killed by SIGABRT)"),
        (script("echo '{\"garbage\": true}'"), 23, 'wrote no schema; output: {"garbage": true}'),
        (script(f'echo garbage > "$4/{BUNDLE}"'), 22, f"{BUNDLE}: not JSON"),
        (script(f'echo "{{}}" > "$4/{BUNDLE}"'), 22, f"{BUNDLE}: definitions: should be an object"),
        (runtime({"v2": {"A": {"customTypePath": "os.system"}}}), 22, "A: has unknown keywords"),
    ],
)
def test_a_failing_runtime_leaves_the_earlier_package_unchanged(
    factory: Factory, tmp_path: Path, types: Path, executable: bytes, status: int, message: str
) -> None:
    before = {path.name: path.read_bytes() for path in types.iterdir()}

    ended = generate(factory, runtimes(tmp_path / "broken", executable), "--out", types)

    assert (ended.status, message in ended.complaint) == (status, True)
    assert "\nhint: " in ended.complaint
    assert {path.name: path.read_bytes() for path in types.iterdir()} == before
    assert left(tmp_path) == ["broken", "cache", "types"]


def test_a_release_without_a_runtime_for_this_host_is_reported(factory: Factory, tmp_path: Path) -> None:
    only = runtimes(tmp_path / "released", runtime(), targets=[Target.WINDOWS_AARCH64])
    ended = generate(factory, only, "--out", tmp_path / "types")
    assert ended.status == 21
    assert "has no package of rust-v0.163.0 for " in ended.complaint

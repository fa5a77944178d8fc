"""The project that is written: its names, its release, and what is refused."""

import tomllib
from pathlib import Path

import pytest

from factory.core.errors import UsageError
from factory.core.tags import CodexTag
from factory.sdk.client.project import SdkNames, write_project
from factory.sdk.client.stage import OwnSdkOrder
from factory.sdk.staged_sdk import SdkOrder, stage_sdk
from factory.sdk.types.schema import UnusableSchema
from tests.own_sdk import CLIENT_REQUESTS, TAG, messages, own_bundle, own_project, own_release

GENERATED = [
    *("__init__.py", "client_methods.py", "notification_registry.py"),
    *("release.py", "server_answers.py", "v2_all.py"),
]


def texts(project: Path) -> dict[str, str]:
    return {
        path.relative_to(project).as_posix(): path.read_text(encoding="utf-8")
        for path in project.rglob("*")
        if path.is_file()
    }


def test_the_project_is_complete(tmp_path: Path) -> None:
    files = texts(own_project(tmp_path / "sdk"))
    package = "src/codex_factory_sdk"
    assert {"README.md", "pyproject.toml", f"{package}/py.typed", f"{package}/codex.py"} <= files.keys()
    assert {f"tests/{name}.py" for name in ("conftest", "fake_app_server", "test_sync")} <= files.keys()
    assert sorted(Path(name).name for name in files if "/generated/" in name) == GENERATED
    assert not any("__pycache__" in name for name in files)
    assert not any("@RELEASE@" in text for text in files.values())


def test_the_project_says_that_it_is_unofficial(tmp_path: Path) -> None:
    files = texts(own_project(tmp_path / "sdk"))
    description = tomllib.loads(files["pyproject.toml"])["project"]["description"]
    assert description.startswith("Unofficial")
    assert "the official SDK is openai-codex" in description
    assert "**unofficial**" in files["README.md"].partition("\n\n")[2].partition("\n\n")[0]


def test_the_release_is_in_a_module(tmp_path: Path) -> None:
    files = texts(own_project(tmp_path / "sdk"))
    assert files["src/codex_factory_sdk/generated/release.py"].splitlines()[3:] == [
        'RELEASE = "0.163.0"',
        'RUNTIME_REQUIREMENT = "openai-codex-cli-bin==0.163.0"',
        'SDK_VERSION = "0.163.0"',
    ]


def test_other_names_are_used_everywhere(tmp_path: Path) -> None:
    names = SdkNames(distribution="my-sdk", package="my_codex")
    files = texts(own_project(tmp_path / "sdk", names))
    assert tomllib.loads(files["pyproject.toml"])["project"]["name"] == "my-sdk"
    assert "src/my_codex/codex.py" in files
    assert not any(
        "codex_factory_sdk" in text or "codex-wheel-factory-sdk" in text for text in files.values()
    )


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (SdkNames(distribution="-x"), "'-x' is not a valid name"),
        (SdkNames(distribution="a b"), "'a b' is not a valid name"),
        (SdkNames(distribution="openai.codex"), "the name of an official package"),
        (SdkNames(distribution="OpenAI_Codex_cli-bin"), "the name of an official package"),
        (SdkNames(package="a-b"), "'a-b' is not a valid name for a package"),
        (SdkNames(package="class"), "'class' is not a valid name for a package"),
        (SdkNames(package="été"), "is not a valid name for a package"),
        (SdkNames(package="json"), "the name json belongs to another package"),
        (SdkNames(package="openai_codex"), "belongs to another package"),
        (SdkNames(package="codex_cli_bin"), "belongs to another package"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(names: SdkNames, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        own_project(tmp_path / "sdk", names)
    assert not (tmp_path / "sdk").exists()


@pytest.mark.parametrize("missing", ["turn__steer", "thread__start"])
def test_a_release_without_what_the_sdk_needs_is_refused(missing: str, tmp_path: Path) -> None:
    rest = {name: params for name, params in CLIENT_REQUESTS.items() if name != missing}
    release = own_release(own_bundle(ClientRequest=messages(**rest)))
    with pytest.raises(UnusableSchema, match=missing.replace("__", "/")):
        write_project(release, SdkNames(), tmp_path / "sdk")
    assert not (tmp_path / "sdk").exists()


def test_the_stage_pins_the_runtime(tmp_path: Path) -> None:
    project = own_project(tmp_path / "sdk")
    staged = stage_sdk(SdkOrder(source=project, destination=tmp_path / "out", runtime=TAG, version="1.2"))
    assert (staged.name, staged.version) == ("codex-wheel-factory-sdk", "1.2")
    stamped = tomllib.loads((tmp_path / "out/pyproject.toml").read_text(encoding="utf-8"))
    assert stamped["project"]["dependencies"] == ["openai-codex-cli-bin==0.163.0", "pydantic>=2.12,<3"]
    assert stamped["project"]["requires-python"] == ">=3.10"


def order(tmp_path: Path, *, version: str = "1.0", names: SdkNames | None = None) -> OwnSdkOrder:
    return OwnSdkOrder(
        destination=tmp_path / "out",
        runtime=CodexTag.parse("0.163.0"),
        version=version,
        names=names or SdkNames(),
    )


def test_an_order_is_checked_before_the_work(tmp_path: Path) -> None:
    order(tmp_path).require_usable()
    with pytest.raises(UsageError, match="'x' is not a version"):
        order(tmp_path, version="x").require_usable()
    with pytest.raises(UsageError, match="not a valid name"):
        order(tmp_path, names=SdkNames(package="a-b")).require_usable()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/precious.txt").touch()
    with pytest.raises(UsageError):
        order(tmp_path).require_usable()

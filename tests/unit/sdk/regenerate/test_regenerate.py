"""Staging an SDK for a release that it was not made for."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.errors import UsageError
from factory.core.tags import CodexTag
from factory.sdk.regenerate.regenerate import Regeneration
from factory.sdk.sdk_files import requested_sdk
from factory.sdk.stage_record import changed_stage, recorded_in
from factory.sdk.staged_sdk import SdkOrder, require_stageable, stage_sdk
from tests.unit.sdk.regenerate.small_sdk import NEW_MODELS, OLD_MODELS, new_types, small_sdk

NEWER = CodexTag.parse("0.171.0")


def formatted(modules: Mapping[str, bytes]) -> Mapping[str, bytes]:
    return {name: text + b"# formatted\n" for name, text in modules.items()}


def order(source: Path, tmp_path: Path) -> SdkOrder:
    return SdkOrder(
        source=source,
        destination=tmp_path / "stage",
        runtime=NEWER,
        version="0.171.0",
        regeneration=Regeneration(types=new_types(), format_modules=formatted),
        raises_minimum=True,
    )


def test_the_types_are_replaced_and_the_changes_are_listed(tmp_path: Path) -> None:
    staged = stage_sdk(order(small_sdk(tmp_path / "sdk"), tmp_path))
    package = staged.path / "src" / "small_sdk"
    generated = sorted(path.name for path in (package / "generated").iterdir())
    assert generated == ["__init__.py", "notification_registry.py", "v2_all.py"]
    assert (package / "generated" / "v2_all.py").read_text() == NEW_MODELS
    api = (package / "api.py").read_text()
    assert api.startswith("# Changed by codex-wheel-factory for Codex 0.171.0.\nfrom __future__")
    assert api.endswith("# formatted\n")
    assert (staged.path / "tests" / "limits.py").read_text() == 'MIN_CLI_VERSION = "9.0.0"\n'
    assert staged.changes[0] == (
        "src/small_sdk/generated: types and registry of Codex 0.171.0; 1 of 4 classes are new, and 0 are gone"
    )
    assert staged.changes[1] == "api.py: Codex.run: keyword extra added: dict[str, Any] | None"
    assert staged.changes[-1] == "limits.py: MINIMUM_RUNTIME_VERSION raised from 0.151.0 to 0.171.0"
    page = (staged.path / "REGENERATED.md").read_text()
    assert [line[2:] for line in page.splitlines() if line.startswith("- ")] == list(staged.changes)


def test_the_source_is_recorded_in_the_project_and_the_readme(tmp_path: Path) -> None:
    source = small_sdk(tmp_path / "sdk")
    staged = stage_sdk(order(source, tmp_path))
    project = tomllib.loads((staged.path / "pyproject.toml").read_text())
    digest = str(requested_sdk(source).sha256)
    assert project["project"]["dependencies"] == ["openai-codex-cli-bin==0.171.0"]
    assert project["tool"]["codex-wheel-factory"] == {
        "runtime": "0.171.0",
        "source": {"name": "small-sdk", "version": "0.163.0", "sha256": digest},
        "repinned": True,
        "regenerated": True,
    }
    notice = "This is small-sdk 0.163.0, regenerated for Codex 0.171.0 by codex-wheel-factory."
    assert (staged.path / "README.md").read_text().startswith(f"> {notice}")
    assert f"Source: small-sdk 0.163.0, SHA-256 {digest}" in (staged.path / "REGENERATED.md").read_text()
    assert changed_stage(staged.path) == staged.record
    assert changed_stage(source) is None


def test_a_stage_of_a_stage_names_the_first_source(tmp_path: Path) -> None:
    first = stage_sdk(order(small_sdk(tmp_path / "sdk"), tmp_path))
    again = SdkOrder(source=first.path, destination=tmp_path / "again", runtime=NEWER, version="0.171.1")
    staged = stage_sdk(again)
    assert staged.record == first.record
    assert (staged.path / "README.md").read_text() == (first.path / "README.md").read_text()


def test_a_stage_with_the_same_pin_is_not_repinned(tmp_path: Path) -> None:
    source = small_sdk(tmp_path / "sdk")
    same = SdkOrder(
        source=source, destination=tmp_path / "stage", runtime=CodexTag.parse("0.163.0"), version="0.163.0"
    )
    staged = stage_sdk(same)
    assert staged.record is not None
    assert (staged.record.repinned, staged.record.regenerated, staged.changes) == (False, False, ())
    assert recorded_in((staged.path / "pyproject.toml").read_bytes()) == staged.record
    assert changed_stage(staged.path) is None
    assert not (staged.path / "REGENERATED.md").exists()
    assert (staged.path / "README.md").read_text() == "# Small\n"


def test_code_that_does_not_fit_the_release_is_refused(tmp_path: Path) -> None:
    uses = "".join(f"from .generated.v2_all import Gone{number}\n" for number in range(9))
    source = small_sdk(tmp_path / "sdk", limits=f'{uses}MIN_CODEX_VERSION = "0.1.0"\n')
    with pytest.raises(
        UsageError, match=r"does not fit the protocol of 0.171.0: limits.py imports Gone0;"
    ) as refused:
        stage_sdk(order(source, tmp_path))
    assert str(refused.value).endswith("limits.py imports Gone7 and 1 more")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sdk"]


def test_fields_that_the_release_ignores_are_listed(tmp_path: Path) -> None:
    source = small_sdk(tmp_path / "sdk", limits='MIN_CLI_VERSION = "0.1.0"\nP = StartParams(depth=1)\n')
    staged = stage_sdk(order(source, tmp_path))
    assert "limits.py sets StartParams.depth, which the release does not have" in staged.changes


def test_an_order_that_must_fail_is_refused_before_types_are_made(tmp_path: Path) -> None:
    source = small_sdk(tmp_path / "sdk")
    older = replace(order(source, tmp_path), runtime=CodexTag.parse("0.149.0"), raises_minimum=False)
    with pytest.raises(UsageError, match=r"requires Codex 0\.151\.0 or newer"):
        require_stageable(older)
    (source / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(UsageError, match="no list of dependencies"):
        require_stageable(order(source, tmp_path))


@pytest.mark.parametrize(
    "project", [b"", b"\xff", b"tool = 3", b"[tool.codex-wheel-factory]\nruntime = '0.163.0'\n"]
)
def test_a_project_file_without_a_record_has_none(project: bytes) -> None:
    assert recorded_in(project) is None


def test_an_sdk_of_our_own_has_no_origin(tmp_path: Path) -> None:
    own = replace(order(small_sdk(tmp_path / "sdk"), tmp_path), regeneration=None, is_own=True)
    staged = stage_sdk(own)
    project = tomllib.loads((staged.path / "pyproject.toml").read_text())
    assert staged.record is None
    assert project["tool"]["codex-wheel-factory"] == {"runtime": "0.171.0"}
    assert (staged.path / "README.md").read_text() == "# Small\n"


def test_classes_of_texts_stay_where_the_form_is_the_same(tmp_path: Path) -> None:
    texts = "\n\nclass Path(RootModel[str]):\n    root: str\n\n\nclass Text(RootModel[str]):\n    root: str\n"
    field = "\n\nclass At(BaseModel):\n    path: {}\n"
    source = small_sdk(tmp_path / "sdk", v2_all=OLD_MODELS + texts + field.format("Path"))
    newer = NEW_MODELS + texts + field.format("Text")
    types = replace(new_types(), files={**new_types().files, "v2_all.py": newer.encode()})
    regeneration = Regeneration(types=types, format_modules=formatted)
    staged = stage_sdk(replace(order(source, tmp_path), regeneration=regeneration))
    models = (staged.path / "src" / "small_sdk" / "generated" / "v2_all.py").read_text()
    assert models == NEW_MODELS + texts + field.format("Path") + "# formatted\n"
    assert "At.path stays Path; the release has Text" in staged.changes

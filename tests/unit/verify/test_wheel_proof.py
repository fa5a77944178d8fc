"""The proof of a manifest. Each case forges one thing in the manifest of a real wheel, consistently."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from factory.core.json_reader import MalformedJson
from factory.core.targets import PLATFORMS
from factory.verify.proof import NotProven, Terms, prove
from tests.packages import release_directory
from tests.runs import run_factory

WHEEL = "openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl"
PART = Terms(accepts_waivers=True, without=PLATFORMS)
Document = dict[str, object]
Change = Callable[[Document], None]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("proof")
    packages = release_directory(root / "packages")
    run_factory(packages, root, cache=root / "cache", platforms=("win_amd64",))
    return root / "0.163.0"


@pytest.fixture
def part(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "part"))


def items(document: Document, name: str) -> list[Document]:
    values = document[name]
    assert isinstance(values, list)
    return values


def refusals(part: Path, change: Change) -> tuple[str, ...]:
    path = part / "manifest.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(NotProven) as caught:
        prove(part, PART)
    return caught.value.refusals


def payload(document: Document, name: str) -> Document:
    (wheel,) = items(document, "wheels")
    return next(entry for entry in items(wheel, "payload") if str(entry["path"]).endswith(name))


def exchange_executables(document: Document) -> None:
    one, other = (
        payload(document, "codex-command-runner.exe"),
        payload(document, "codex-windows-sandbox-setup.exe"),
    )
    for key in ("sha256", "size_bytes", "source"):
        one[key], other[key] = other[key], one[key]


def remove_executable(document: Document) -> None:
    (wheel,) = items(document, "wheels")
    wheel["payload"] = [entry for entry in items(wheel, "payload") if "sandbox" not in str(entry["path"])]


def leave_out(document: Document) -> None:
    (wheel,) = items(document, "wheels")
    entry: Document = {"source": "codex-resources/extra", "sha256": "0" * 64, "reason": "not needed"}
    items(wheel, "left_out").append(entry)


def double(document: Document) -> None:
    document["wheels"] = [*items(document, "wheels"), *items(document, "wheels")]


def edit_wheel(**values: object) -> Change:
    return lambda document: items(document, "wheels")[0].update(values)


def edit_payload(**values: object) -> Change:
    return lambda document: payload(document, "bin/codex.exe").update(values)


def edit_asset(**values: object) -> Change:
    return lambda document: items(document, "assets")[0].update(values)


FORGERIES: dict[str, tuple[Change, str]] = {
    "digest of a file": (edit_payload(sha256="0" * 64), "payload-bytes at codex_cli_bin/bin/codex.exe"),
    "size of a file": (edit_payload(size_bytes=1), "other bytes at codex_cli_bin/bin/codex.exe"),
    "mode of a file": (edit_payload(mode="0o644"), "has mode"),
    "source of a file": (edit_payload(source="bin/other.exe"), "does not follow this factory's recipe"),
    "two files exchanged": (exchange_executables, "payload-bytes"),
    "a file that is not listed": (remove_executable, "payload-foreign"),
    "a left-out file that the recipe takes": (leave_out, "it leaves out codex-resources/extra"),
    "recipe": (edit_wheel(recipe="0" * 64), "was not built with this factory's recipe"),
    "asset of the wheel": (edit_wheel(asset="sha256:" + "0" * 64), "that the manifest does not list once"),
    "asset of another target": (edit_asset(target="aarch64-pc-windows-msvc"), "does not list once"),
    "asset of another release": (
        edit_asset(purl="pkg:npm/%40openai/codex@0.162.0-win32-x64"),
        "is from pkg:npm/%40openai/codex@0.162.0-win32-x64, not from a package of rust-v0.163.0",
    ),
    "an address that is not a purl": (edit_asset(purl="codex"), "is from codex, not from a package"),
    "checks that did not run": (edit_wheel(checks=[]), "was not checked by"),
    "a wheel twice": (double, f"the manifest has {WHEEL} 2 times"),
    "another platform": (edit_wheel(platform="win_arm64"), "is not a wheel of openai-codex-cli-bin"),
    "size of the wheel": (edit_wheel(size_bytes=1), "is not the verified file"),
}


@pytest.mark.parametrize(("change", "refusal"), FORGERIES.values(), ids=FORGERIES)
def test_a_forged_field_is_a_refusal(part: Path, change: Change, refusal: str) -> None:
    found = refusals(part, change)
    assert any(refusal in line for line in found), found


def test_the_manifest_of_a_run_is_proven(part: Path) -> None:
    (wheel,) = prove(part, PART).wheels
    assert wheel.name == WHEEL


@pytest.mark.parametrize("name", ["project", "version"])
def test_a_field_that_contradicts_the_release_is_a_damaged_manifest(part: Path, name: str) -> None:
    path = part / "manifest.json"
    document = json.loads(path.read_text())
    document[name] = "0.162.0"
    path.write_text(json.dumps(document))
    with pytest.raises(MalformedJson, match=f"'{name}' is '0.162.0'"):
        prove(part, PART)

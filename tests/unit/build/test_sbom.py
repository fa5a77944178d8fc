import json
from pathlib import PurePosixPath

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st

from factory.build.recipe import lay_out, our_recipe
from factory.build.sbom import render_sbom
from factory.build.template import bundled_template
from factory.core.digests import Sha256
from factory.core.model import FileKind, Payload, PayloadFile
from factory.core.tags import CodexTag
from factory.core.targets import PLATFORMS, Platform, Target

TAG = CodexTag.parse("rust-v0.163.0")
ONE = Sha256("6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b")
TWO = Sha256("d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35")


def file(path: str, kind: FileKind = FileKind.ELF, sha256: Sha256 = ONE) -> PayloadFile:
    return PayloadFile(path=PurePosixPath(path), mode=0o755, size_bytes=1, sha256=sha256, kind=kind)


def payload(target: Target, *more: PayloadFile) -> Payload:
    suffix = target.executable_suffix
    files = (
        file(f"bin/codex{suffix}"),
        file("codex-package.json", FileKind.DATA, TWO),
        file(f"codex-path/rg{suffix}"),
        *more,
    )
    return Payload(target=target, files=files)


def rendered(platform: Platform, whole: Payload) -> bytes:
    recipe = our_recipe(platform, template=bundled_template())
    return render_sbom(recipe, lay_out(recipe, whole), tag=TAG)


LINUX = Platform.parse("manylinux_2_17_x86_64")


def test_each_file_is_listed_with_what_is_known_about_it() -> None:
    whole = payload(
        LINUX.target,
        file("codex-resources/bwrap"),
        file("codex-resources/libodd.so.1"),
        file("codex-resources/run", FileKind.SCRIPT),
        file("odd"),
    )

    document = json.loads(rendered(LINUX, whole))

    listed = [
        (
            component["type"],
            component["bom-ref"],
            component.get("version"),
            component.get("purl"),
            [licence["expression"] for licence in component.get("licenses", [])],
        )
        for component in document["components"]
    ]
    codex = "pkg:github/openai/codex@rust-v0.163.0"
    assert listed == [
        ("application", "codex_cli_bin/bin/codex", "0.163.0", codex, ["Apache-2.0"]),
        ("file", "codex_cli_bin/codex-package.json", None, None, []),
        (
            "application",
            "codex_cli_bin/codex-path/rg",
            None,
            "pkg:github/burntsushi/ripgrep",
            ["MIT OR Unlicense"],
        ),
        (
            "application",
            "codex_cli_bin/codex-resources/bwrap",
            None,
            "pkg:github/containers/bubblewrap",
            ["LGPL-2.0-or-later"],
        ),
        ("library", "codex_cli_bin/codex-resources/libodd.so.1", None, None, []),
        ("application", "codex_cli_bin/codex-resources/run", None, None, []),
        ("application", "codex_cli_bin/odd", None, None, []),
    ]
    assert document["components"][1]["hashes"] == [{"alg": "SHA-256", "content": TWO.hex}]
    assert document["metadata"]["timestamp"] == "2020-02-02T00:00:00Z"


def test_a_left_out_file_is_not_listed() -> None:
    whole = payload(LINUX.target, file("codex-resources/voice/bin/codex-voice-host"))
    assert b"voice" not in rendered(LINUX, whole)


def test_different_documents_have_different_serial_numbers() -> None:
    windows = Platform.parse("win_amd64")
    documents = [
        rendered(LINUX, payload(LINUX.target)),
        rendered(LINUX, payload(LINUX.target)),
        rendered(LINUX, payload(LINUX.target, file("more"))),
        rendered(Platform.parse("musllinux_1_1_x86_64"), payload(LINUX.target)),
        rendered(windows, payload(windows.target)),
    ]

    assert documents[0] == documents[1]
    assert len({json.loads(document)["serialNumber"] for document in documents}) == 4


@pytest.mark.parametrize("platform", PLATFORMS, ids=str)
def test_the_document_is_valid_by_the_schema_of_cyclonedx(platform: Platform) -> None:
    assert errors_of(rendered(platform, payload(platform.target))) is None


@given(st.lists(st.text("abc .-+é\\\"'", min_size=1, max_size=8), unique_by=str.casefold, max_size=5))
def test_any_file_name_gives_a_valid_document(names: list[str]) -> None:
    more = tuple(file(f"codex-resources/{name}x") for name in names)
    document = rendered(LINUX, payload(LINUX.target, *more))
    assert errors_of(document) is None
    listed = {component["name"] for component in json.loads(document)["components"]}
    assert listed == {"codex", "codex-package.json", "rg", *(f"{name}x" for name in names)}


def errors_of(document: bytes) -> object:
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(document.decode())

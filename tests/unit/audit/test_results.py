"""Verdicts of earlier audits, and reports as documents."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from factory import __version__
from factory.audit.answer import Answer, Status
from factory.audit.index import Listing
from factory.audit.results import Results, identity_of, parse_report, report_json
from factory.audit.verdict import Accepted, AcceptedThing, MappingRef, ProvenanceState, Verdict
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import ChannelName
from tests.origins import ASKED
from tests.statements import IDENTICAL, NAME, ONE, report

IDENTITY = {"rules": "1", "index": "https://index.example.invalid/simple/"}
LISTING = Listing(project="openai-codex-cli-bin", asked=ASKED, wheels=(), unexpected=())


def test_a_verdict_depends_on_index_project_channel_and_rules() -> None:
    identity = identity_of(listing=LISTING, channel=ChannelName.NPM)
    assert list(identity) == ["rules", "project", "index", "channel", "factory_version"]
    assert identity["project"] == "openai-codex-cli-bin"
    assert identity["index"] == ASKED.address
    assert identity["channel"] == "npm"
    assert len(identity["rules"]) == 64
    without = identity_of(listing=replace(LISTING, asked=None), channel=ChannelName.NPM)
    assert without == {**identity, "index": ""}
    mapping = MappingRef(name="deno", sha256=IDENTICAL.sha256, is_bundled=True)
    mapped = identity_of(listing=LISTING, channel=ChannelName.NPM, mapping=mapping)
    assert mapped == {**identity, "mapping": f"the reviewed mapping of deno, sha256:{IDENTICAL.sha256}"}


def test_a_kept_verdict_is_recalled(tmp_path: Path) -> None:
    results = Results(tmp_path, identity=IDENTITY)
    results.keep(IDENTICAL)
    assert results.recall(NAME, IDENTICAL.sha256) == IDENTICAL
    text = (tmp_path / "wheels" / f"{NAME}.json").read_text("utf-8")
    assert json.loads(text)["identity"] == IDENTITY
    assert text.startswith('{\n "identity": {\n')


def test_a_verdict_keeps_texts_that_are_not_valid_unicode(tmp_path: Path) -> None:
    odd = replace(IDENTICAL, reason="caf\u00e9 \udcff")
    Results(tmp_path, identity=IDENTITY).keep(odd)
    text = (tmp_path / "wheels" / f"{NAME}.json").read_bytes().decode("utf-8")
    assert "caf\u00e9 \\udcff" in text


@pytest.mark.parametrize(
    "verdict",
    [
        replace(IDENTICAL, status=Status.NOT_DECIDED, answer=Answer.UNDECIDED),
        replace(IDENTICAL, status=Status.NOTHING_TO_COMPARE),
        replace(IDENTICAL, provenance=replace(IDENTICAL.provenance, state=ProvenanceState.NOT_SEEN)),
        replace(IDENTICAL, accepted=(Accepted(thing=AcceptedThing.TEXT, place="x", reason="read"),)),
    ],
    ids=["undecided", "no-payload", "provenance", "accepted"],
)
def test_a_verdict_that_may_change_is_not_recalled(verdict: Verdict, tmp_path: Path) -> None:
    results = Results(tmp_path, identity=IDENTITY)
    results.keep(verdict)
    assert results.recall(NAME, verdict.sha256) is None


def test_other_bytes_and_another_identity_are_audited_again(tmp_path: Path) -> None:
    Results(tmp_path, identity=IDENTITY).keep(IDENTICAL)
    assert Results(tmp_path, identity=IDENTITY).recall(NAME, ONE) is None
    other = Results(tmp_path, identity={**IDENTITY, "rules": "2"})
    assert other.recall(NAME, IDENTICAL.sha256) is None
    assert Results(tmp_path / "absent", identity=IDENTITY).recall(NAME, IDENTICAL.sha256) is None


def test_a_damaged_verdict_is_audited_again(tmp_path: Path) -> None:
    results = Results(tmp_path, identity=IDENTITY)
    results.keep(IDENTICAL)
    (tmp_path / "wheels" / f"{NAME}.json").write_text("{")
    assert results.recall(NAME, IDENTICAL.sha256) is None


def test_a_report_names_its_schema_and_the_factory() -> None:
    document = report_json(report(IDENTICAL))
    assert list(document)[:3] == ["schema_version", "factory_version", "project"]
    assert (document["schema_version"], document["factory_version"]) == (2, __version__)


def test_a_report_comes_back_from_json() -> None:
    document = json.loads(json.dumps(report_json(report(IDENTICAL))))
    assert parse_report(JsonObject.of(document, "a report")) == report(IDENTICAL)


def test_a_report_of_another_schema_is_refused() -> None:
    document = report_json(report(IDENTICAL)) | {"schema_version": 1}
    with pytest.raises(MalformedJson) as caught:
        parse_report(JsonObject.of(document, "audit.json"))
    assert str(caught.value) == (
        "audit.json: it has schema version 1, and this factory reads version 2: run the audit again"
    )

"""The provenance that an index serves (PEP 740): verified, not valid, none, or not seen.

A real attestation is verified in tests/integration/test_statements_real.py, because only sigstore's
own services can make one.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypi_attestations import Attestation, Distribution, GitHubPublisher

from factory.audit.answer import Status
from factory.audit.index import PublishedWheel, read_page
from factory.audit.provenance import look_up, provenance_causes, verify_provenance
from factory.audit.report.html import render_html
from factory.audit.report.table import provenance_word, summary
from factory.audit.results import Results
from factory.audit.verdict import NOT_LOOKED_UP, ProvenanceState, ServedProvenance
from factory.core.digests import Sha256
from factory.core.errors import HostError
from factory.core.model import Remote, Severity
from factory.statements.audit_statement import meets_policy
from factory.verify.output.page_template import require_renderer
from tests.extras import take_away
from tests.fakes import Answer, FakeHttpClient
from tests.origins import ASKED, listed
from tests.statements import IDENTICAL, NAME, WHEEL, report

URL = "https://index.example.invalid/provenance/7"
LISTED = PublishedWheel(
    name=NAME,
    version="0.163.0",
    platforms=("win_amd64",),
    size_bytes=None,
    sha256=WHEEL,
    location=Remote(url="https://index.example.invalid/x.whl"),
    origin=listed(WHEEL),
    provenance=Remote(url=URL),
    no_provenance="",
)
VALID = ServedProvenance(
    state=ProvenanceState.VERIFIED, reason="", publishers=("GitHub openai/codex release.yml",)
)
INVALID = ServedProvenance(state=ProvenanceState.NOT_VALID, reason="Verification failed")


def page(api_version: str, *, provenance: str | None) -> PublishedWheel:
    file = {"filename": NAME, "url": "https://index.example.invalid/x.whl", "hashes": {"sha256": str(WHEEL)}}
    document = {
        "meta": {"api-version": api_version},
        "name": "openai-codex-cli-bin",
        "versions": [],
        "files": [file | ({} if provenance is None else {"provenance": provenance})],
    }
    (wheel,) = read_page(
        json.dumps(document).encode(), project="openai-codex-cli-bin", base_url=URL, asked=ASKED
    ).wheels
    return wheel


def test_a_json_page_links_provenance() -> None:
    assert page("1.3", provenance=URL) == LISTED


def test_an_html_page_links_provenance() -> None:
    html = f'<a href="x.whl#sha256={WHEEL}" data-provenance="{URL}">{NAME}</a>'

    (wheel,) = read_page(html.encode(), project="openai-codex-cli-bin", base_url=URL, asked=ASKED).wheels
    assert wheel.provenance == Remote(url=URL)


@pytest.mark.parametrize(
    ("api_version", "reason"),
    [
        ("1.3", "the index names none"),
        (
            "1.1",
            "the index states version 1.1 of the simple API; provenance needs 1.3",
        ),
    ],
)
def test_without_provenance_no_request_is_sent(api_version: str, reason: str) -> None:
    wheel = page(api_version, provenance=None)

    assert look_up(wheel, FakeHttpClient({})) == ServedProvenance(state=ProvenanceState.NONE, reason=reason)


def test_provenance_is_verified_against_the_wheel() -> None:
    client = FakeHttpClient({URL: (Answer(body=(b"a document",)),)})
    asked = []

    def verify(document: bytes, name: str, sha256: Sha256) -> ServedProvenance:
        asked.append((document, name, sha256))
        return VALID

    assert look_up(LISTED, client, verify=verify) == VALID
    assert asked == [(b"a document", NAME, WHEEL)]
    assert client.requests[0].headers == {"Accept": "application/vnd.pypi.integrity.v1+json"}


def test_provenance_that_cannot_be_downloaded_is_not_seen() -> None:
    served = look_up(LISTED, FakeHttpClient({URL: (Answer(status=404),)}))

    assert served.state is ProvenanceState.NOT_SEEN
    assert served.reason.endswith("answered with status 404")


PUBLISHER = {"kind": "GitHub", "repository": "openai/codex", "workflow": "release.yml"}
ATTESTATION = {
    "version": 1,
    "verification_material": {"certificate": "AAAA", "transparency_entries": [{}]},
    "envelope": {"statement": "AAAA", "signature": "AAAA"},
}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b'{"version": 2, "attestation_bundles": []}',
        b'{"version": 1, "attestation_bundles": []}',
        json.dumps({"attestation_bundles": [{"publisher": PUBLISHER, "attestations": []}]}).encode(),
        json.dumps(
            {"attestation_bundles": [{"publisher": PUBLISHER, "attestations": [ATTESTATION]}]}
        ).encode(),
        json.dumps({"attestation_bundles": [{"publisher": {"kind": "Me"}, "attestations": []}]}).encode(),
    ],
)
def test_a_malformed_or_unproved_document_is_not_valid(document: bytes) -> None:
    served = verify_provenance(document, NAME, WHEEL)

    assert served.state is ProvenanceState.NOT_VALID
    assert served.reason
    assert served.publishers == ()


def provenance(*bundles: tuple[dict[str, str], int]) -> bytes:
    """Return a document with a number of attestations by each publisher."""
    return json.dumps(
        {
            "attestation_bundles": [
                {"publisher": publisher, "attestations": [ATTESTATION] * count}
                for publisher, count in bundles
            ]
        }
    ).encode()


class FakeVerification:
    """Verifies attestations in place of sigstore, which would need one that its services made."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[tuple[str, str, str, bool]] = []
        self._error = error

    def __call__(self, publisher: GitHubPublisher, distribution: Distribution, *, offline: bool) -> None:
        self.asked.append((publisher.repository, distribution.name, distribution.digest, offline))
        if self._error is not None:
            raise self._error


def test_every_attestation_is_verified_for_the_wheel_and_its_publisher(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verify = FakeVerification()
    monkeypatch.setattr(Attestation, "verify", lambda _, *args, **options: verify(*args, **options))
    other = {**PUBLISHER, "repository": "openai/other", "environment": "release"}

    served = verify_provenance(provenance((PUBLISHER, 2), (other, 1)), NAME, WHEEL)

    assert served == ServedProvenance(
        state=ProvenanceState.VERIFIED,
        reason="",
        publishers=("GitHub openai/codex release.yml", "GitHub openai/other release.yml release"),
    )
    codex = ("openai/codex", NAME, str(WHEEL), True)
    assert verify.asked == [codex, codex, ("openai/other", NAME, str(WHEEL), True)]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (provenance(), "it has no attestation"),
        (
            provenance((PUBLISHER, 1), (PUBLISHER, 0)),
            "the index names the publisher GitHub without an attestation",
        ),
    ],
)
def test_a_publisher_without_an_attestation_is_not_proved(
    document: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = FakeVerification()
    monkeypatch.setattr(Attestation, "verify", lambda _, *args, **options: verify(*args, **options))

    served = verify_provenance(document, NAME, WHEEL)

    assert served == ServedProvenance(state=ProvenanceState.NOT_VALID, reason=reason)


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (
            ValueError("Verification failed\nat length"),
            ProvenanceState.NOT_VALID,
            "Verification failed",
        ),
        (
            OSError("no trusted root"),
            ProvenanceState.NOT_SEEN,
            "it cannot be verified here: no trusted root",
        ),
    ],
)
def test_a_failed_verification_is_no_proof_and_a_missing_root_is_no_failure(
    error: Exception, state: ProvenanceState, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = FakeVerification(error)
    monkeypatch.setattr(Attestation, "verify", lambda _, *args, **options: verify(*args, **options))

    served = verify_provenance(provenance((PUBLISHER, 1)), NAME, WHEEL)

    assert served == ServedProvenance(state=state, reason=reason)


@given(document=st.binary(max_size=200))
def test_random_bytes_are_not_valid(document: bytes) -> None:
    assert verify_provenance(document, NAME, WHEEL).state is ProvenanceState.NOT_VALID


def test_invalid_provenance_is_an_error_and_prevents_a_summary() -> None:
    (cause,) = provenance_causes(NAME, INVALID)

    assert (cause.id, cause.severity, cause.place) == ("provenance-not-valid", Severity.ERROR, NAME)
    assert cause.sentence == "The index serves a provenance for this file that is not valid."
    assert provenance_causes(NAME, VALID) == ()
    assert meets_policy(replace(IDENTICAL, provenance=VALID))
    assert not meets_policy(replace(IDENTICAL, provenance=INVALID))
    assert not meets_policy(replace(IDENTICAL, provenance=NOT_LOOKED_UP))


@pytest.mark.parametrize(
    ("served", "word"),
    [
        (VALID, "published by GitHub openai/codex release.yml"),
        (INVALID, "not valid"),
        (ServedProvenance(state=ProvenanceState.NONE, reason="the index names none"), "none"),
    ],
)
def test_the_page_shows_the_provenance(served: ServedProvenance, word: str) -> None:
    verdict = replace(IDENTICAL, provenance=served)

    assert provenance_word(verdict) == word
    assert f"<dt>Provenance</dt><dd>{word}" in render_html(report(verdict))


@pytest.mark.parametrize(("served", "is_kept"), [(VALID, True), (INVALID, True), (NOT_LOOKED_UP, False)])
def test_a_verdict_without_seen_provenance_is_not_recalled(
    tmp_path: Path, served: ServedProvenance, *, is_kept: bool
) -> None:
    results = Results(tmp_path, identity={})
    results.keep(replace(IDENTICAL, provenance=served))

    assert (results.recall(NAME, WHEEL) is not None) == is_kept


def test_provenance_without_its_extra_is_not_judged_and_decides_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    take_away(monkeypatch, "pypi_attestations", "sigstore")
    served = look_up(LISTED, FakeHttpClient({URL: (Answer(body=(b"{}",)),)}))
    assert served.state is ProvenanceState.NOT_JUDGED
    assert served.reason.endswith("Install it: python -m pip install 'codex-wheel-factory[sign]'")
    verdict = replace(IDENTICAL, provenance=served)
    assert (IDENTICAL.exit_status, verdict.exit_status) == (0, 11)
    assert not meets_policy(verdict)
    assert f"NOT JUDGED: the provenance of 1 wheel: {served.reason}" in summary(report(verdict))
    results = Results(tmp_path, identity={"index": "x"})
    results.keep(verdict)
    assert results.recall(verdict.name, verdict.sha256) is None


def test_what_is_wrong_remains_wrong_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    take_away(monkeypatch, "pypi_attestations", "sigstore")
    served = look_up(LISTED, FakeHttpClient({URL: (Answer(body=(b"{}",)),)}))
    different = replace(IDENTICAL, status=Status.DIFFERENT, provenance=served)
    assert different.exit_status == 10


def test_a_page_without_its_renderer_is_refused_before_the_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    take_away(monkeypatch, "jinja2")
    with pytest.raises(HostError, match=r"^the HTML page needs the Python package jinja2") as caught:
        require_renderer()
    assert caught.value.hint == "Install it: python -m pip install 'codex-wheel-factory[report]'"

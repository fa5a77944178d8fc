"""Real signatures, made by sigstore's services for others: the tests of pypi-attestations carry some."""

import os
import sys
import tarfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from factory.audit.index import default_index, fetch_listing
from factory.audit.provenance import look_up, verify_provenance
from factory.audit.verdict import ProvenanceState
from factory.core.digests import Sha256
from factory.core.errors import IntegrityError
from factory.statements.check_statement import TrustedIdentity, check_statement
from factory.statements.claims import StatementAnswer
from factory.system.http import RequestsClient
from factory.system.process import Command, SubprocessRunner

pytestmark = pytest.mark.network

VERSION = "0.0.30"
WHEEL = "circleci_sign_publish_example-0.0.1.dev137-py3-none-any.whl"
SIGNED = "gcb_attestation_test-0.0.0.tar.gz"
IDENTITY = TrustedIdentity(
    identity="919436158236-compute@developer.gserviceaccount.com", issuer="https://accounts.google.com"
)
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sdist")
    pip = (
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-binary",
        "pypi-attestations",
    )
    command = Command(
        argv=(*pip, "--dest", str(place), f"pypi-attestations=={VERSION}"),
        env=dict(os.environ),
        timeout_s=300.0,
    )
    assert SubprocessRunner().run(command).returncode == 0
    with tarfile.open(place / f"pypi_attestations-{VERSION}.tar.gz") as archive:
        archive.extractall(place, filter="data")
    return place / f"pypi_attestations-{VERSION}/test/assets"


def test_a_real_provenance_holds_for_its_file_and_for_no_other(assets: Path) -> None:
    document = (assets / f"{WHEEL}.provenance").read_bytes()
    sha256 = Sha256.of_file(assets / WHEEL)

    served = verify_provenance(document, WHEEL, sha256)
    assert served.state is ProvenanceState.VERIFIED
    (publisher,) = served.publishers
    assert publisher.startswith("CircleCI fdd9283f-e619-46af-8f9c-851f7d3e8b2b ")

    for name, content in ((WHEEL, Sha256("0" * 64)), (WHEEL.replace("any", "win_amd64"), sha256)):
        other = verify_provenance(document, name, content)
        assert other.state is ProvenanceState.NOT_VALID
        assert "subject does not match distribution" in other.reason


def test_a_real_provenance_by_another_publisher_does_not_hold(assets: Path) -> None:
    document = (assets / f"{WHEEL}.provenance").read_bytes()
    claimed = document.replace(b"fdd9283f-e619", b"fdd9283f-e610")
    assert claimed != document

    served = verify_provenance(claimed, WHEEL, Sha256.of_file(assets / WHEEL))
    assert served.state is ProvenanceState.NOT_VALID


def bundle_of(assets: Path, directory: Path) -> Path:
    from pypi_attestations import Provenance  # noqa: PLC0415 - only here

    provenance = Provenance.model_validate_json((assets / f"{SIGNED}.provenance").read_bytes())
    path = directory / "bundle.sigstore.json"
    path.write_text(provenance.attestation_bundles[0].attestations[0].to_bundle().to_json())
    return path


def test_a_real_bundle_is_checked_offline(assets: Path, tmp_path: Path) -> None:
    checked = check_statement(bundle_of(assets, tmp_path), assets / SIGNED, trust=IDENTITY, now=NOW)

    assert checked.signer == (
        "919436158236-compute@developer.gserviceaccount.com, verified by https://accounts.google.com"
    )
    assert checked.answer is StatementAnswer.UNDECIDED  # a publisher's own type


@pytest.mark.parametrize(
    "trust",
    [
        replace(IDENTITY, identity="other@example.invalid"),
        replace(IDENTITY, issuer="https://example.invalid"),
    ],
)
def test_a_real_bundle_by_another_identity_is_refused(
    assets: Path, tmp_path: Path, trust: TrustedIdentity
) -> None:
    with pytest.raises(IntegrityError, match="the signature is not valid"):
        check_statement(bundle_of(assets, tmp_path), assets / SIGNED, trust=trust, now=NOW)


def test_a_real_bundle_with_a_changed_payload_is_refused(assets: Path, tmp_path: Path) -> None:
    path = bundle_of(assets, tmp_path)
    text = path.read_text()
    changed = text.replace("eyJfdHlwZSI6", "eyJfdHlwZSI7")
    assert changed != text
    path.write_text(changed)

    with pytest.raises(IntegrityError, match="the signature is not valid"):
        check_statement(path, assets / SIGNED, trust=IDENTITY, now=NOW)


def test_the_index_serves_no_provenance_of_the_runtime() -> None:
    with RequestsClient() as client:
        listing = fetch_listing(client, index=default_index(), project="openai-codex-cli-bin", asked_at=NOW)
        wheels = [wheel for wheel in listing.wheels if wheel.version == "0.163.0"]
        states = [look_up(wheel, client).state for wheel in wheels]

    assert states == [ProvenanceState.NONE] * 8

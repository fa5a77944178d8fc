"""Sigstore bundles of statements, signed and checked without sigstore's services."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sigstore.dsse import Statement as SigstoreStatement
from sigstore.errors import Error
from sigstore.models import Bundle, ClientTrustConfig, TrustedRoot
from sigstore.oidc import IdentityError, IdentityToken
from sigstore.sign import SigningContext
from sigstore.verify import Verifier

from factory.core.errors import HostError, IntegrityError, UpstreamError
from factory.core.extras import NotDecided
from factory.statements.build_statement import build_statement
from factory.statements.check_statement import TrustedIdentity, open_statement
from factory.statements.keyless import KeylessSigner, open_bundle
from factory.statements.statement import PAYLOAD_TYPE
from tests.extras import take_away
from tests.sigstore_instance import GITHUB, WORKFLOW, Instance
from tests.statements import BY, MANIFEST

INSTANCE = Instance()
STATEMENT = build_statement(MANIFEST, MANIFEST.wheels[0], by=BY).render()
ME = "https://example.invalid/me"
ISSUER = "https://example.invalid/issuer"


def bundle(payload_type: str = PAYLOAD_TYPE) -> bytes:
    return json.dumps(INSTANCE.envelope(STATEMENT, payload_type)).encode()


@pytest.fixture(autouse=True)
def verifier(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Trust the test instance in place of sigstore's."""
    root = TrustedRoot.from_file(str(INSTANCE.trusted_root(tmp_path)))

    def production(*, offline: bool) -> Verifier:
        assert offline is True, "checking must not need the network"
        return Verifier(trusted_root=root)

    monkeypatch.setattr(Verifier, "production", production)


def test_a_statement_of_the_trusted_identity_is_returned() -> None:
    assert open_bundle(bundle(), identity=WORKFLOW, issuer=GITHUB, where="x") == STATEMENT
    assert open_statement(bundle(), TrustedIdentity(identity=WORKFLOW, issuer=GITHUB), where="x") == (
        STATEMENT,
        f"{WORKFLOW}, verified by {GITHUB}",
    )


@pytest.mark.parametrize(("identity", "issuer"), [(ME, GITHUB), (WORKFLOW, ISSUER)])
def test_another_identity_or_issuer_is_refused(identity: str, issuer: str) -> None:
    with pytest.raises(IntegrityError, match=r"^x: the signature is not valid: Certificate's") as caught:
        open_bundle(bundle(), identity=identity, issuer=issuer, where="x")
    assert caught.value.hint == "Do not trust the statement: it is damaged, or another identity signed it."


def test_a_changed_statement_is_refused() -> None:
    document = json.loads(bundle())
    document["dsseEnvelope"]["payload"] = base64.b64encode(STATEMENT + b" ").decode()
    with pytest.raises(IntegrityError, match="the signature is not valid"):
        open_bundle(json.dumps(document).encode(), identity=WORKFLOW, issuer=GITHUB, where="x")


def test_a_payload_that_is_no_statement_is_refused() -> None:
    with pytest.raises(IntegrityError, match=r"^x: .*: it signs text/plain, which is not a statement$"):
        open_bundle(bundle("text/plain"), identity=WORKFLOW, issuer=GITHUB, where="x")


def test_a_file_that_is_no_bundle_is_refused_with_the_reason() -> None:
    with pytest.raises(IntegrityError, match=r"^x: .*: the file is not a bundle \((?!None).+\)$"):
        open_bundle(b"{", identity=WORKFLOW, issuer=GITHUB, where="x")


def token() -> str:
    """Return an OIDC token; only its issuer could check the signature."""
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": ME, "aud": "sigstore", "iat": now, "exp": now + 600}
    parts = (json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "AAAA"])


class FakeSigningContext:
    """Signs with the test instance what sigstore's services would sign."""

    def __init__(self, error: Error | None = None) -> None:
        self._error = error
        self._identity: IdentityToken | None = None

    @contextmanager
    def signer(self, identity: IdentityToken) -> Iterator["FakeSigningContext"]:
        self._identity = identity
        yield self

    def sign_dsse(self, statement: SigstoreStatement) -> Bundle:
        if self._error is not None:
            raise self._error
        assert self._identity is not None
        payload, who = statement._contents, self._identity  # noqa: SLF001 - the library does the same
        document = INSTANCE.envelope(payload, PAYLOAD_TYPE, identity=who.identity, issuer=who.issuer)
        return Bundle.from_json(json.dumps(document))


def sign_in_ci(monkeypatch: pytest.MonkeyPatch, context: FakeSigningContext) -> bytes:
    configuration = object()

    def from_trust_config(given: object) -> FakeSigningContext:
        assert given is configuration
        return context

    monkeypatch.setattr("sigstore.oidc.detect_credential", token)
    monkeypatch.setattr(ClientTrustConfig, "production", lambda: configuration)
    monkeypatch.setattr(SigningContext, "from_trust_config", from_trust_config)
    return KeylessSigner().sign(STATEMENT)


def test_a_ci_job_signs_with_its_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    signed = sign_in_ci(monkeypatch, FakeSigningContext())
    assert open_bundle(signed, identity=ME, issuer=ISSUER, where="x") == STATEMENT
    assert signed.endswith(b"}\n")


def test_a_failure_of_the_services_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UpstreamError, match=r"^sigstore did not sign: the log is down$") as caught:
        sign_in_ci(monkeypatch, FakeSigningContext(Error("the log is down")))
    assert caught.value.hint == "Run again; see sigstore's status page if its services are down."


def test_a_machine_without_identity_cannot_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sigstore.oidc.detect_credential", lambda: None)
    with pytest.raises(HostError, match=r"^no OIDC identity to sign with: this is not a CI job") as caught:
        KeylessSigner().sign(STATEMENT)
    assert caught.value.hint == (
        "Sign in a CI job with an OIDC identity (GitHub Actions: permissions: id-token: write),"
        " or with a key: --key FILE."
    )


def test_a_job_that_may_not_have_an_identity_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise IdentityError("the job lacks id-token: write")

    monkeypatch.setattr("sigstore.oidc.detect_credential", refuse)
    with pytest.raises(HostError, match=r"^no OIDC identity to sign with: the job lacks id-token: write$"):
        KeylessSigner().sign(STATEMENT)


def test_without_sigstore_a_bundle_is_not_decided_and_nothing_is_signed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take_away(monkeypatch, "sigstore")
    with pytest.raises(NotDecided, match=r"^a sigstore bundle needs the Python package sigstore"):
        open_bundle(b"{}", identity=ME, issuer=ISSUER, where="x.json")
    with pytest.raises(HostError, match=r"^signing with sigstore needs the Python package sigstore"):
        KeylessSigner().sign(b"{}")

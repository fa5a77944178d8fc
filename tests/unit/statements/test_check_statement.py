"""Checking statements: signature, subject, time and claims, by us and by another library."""

import base64
import json
import stat
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as OtherEnvelope
from securesystemslib.exceptions import Error as OtherError
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

from factory.core.errors import FactoryError, IntegrityError, UsageError
from factory.core.json_reader import MalformedJson
from factory.statements.audit_statement import audit_statement
from factory.statements.build_statement import build_statement
from factory.statements.check_statement import (
    CheckedStatement,
    Trust,
    TrustedIdentity,
    check_statement,
    open_statement,
)
from factory.statements.claims import StatementAnswer
from factory.statements.keys import MAX_PEM_BYTES, PrivateKey, PublicKey, make_key
from factory.statements.signing import KeySigner, Unsigned
from factory.statements.statement import Author, Statement, Subject
from factory.system.files import CannotWrite
from tests.statements import BY, CONTENT, DIFFERENT, IDENTICAL, KEY, MANIFEST, NAME, OTHER_KEY, WHEEL, report

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
AUDITOR = Author(uri=BY, factory_version="1.2.3")
BUILD = build_statement(MANIFEST, MANIFEST.wheels[0], by=BY)
AUDIT_YES = audit_statement(report(IDENTICAL), IDENTICAL, auditor=AUDITOR)
AUDIT_NO = audit_statement(report(DIFFERENT), DIFFERENT, auditor=AUDITOR)
SIGNER = KeySigner(key=KEY)
Document = dict[str, object]


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / NAME
    path.write_bytes(CONTENT)
    return path


def checked(
    wheel: Path, content: bytes, *, trust: Trust = KEY.public, now: datetime = NOW
) -> CheckedStatement:
    path = wheel.with_name("statement.json")
    path.write_bytes(content)
    return check_statement(path, wheel, trust=trust, now=now)


def with_predicate(predicate: Mapping[str, object], kind: str = "https://example.invalid/v1") -> Statement:
    return Statement(subjects=(Subject(name=NAME, sha256=WHEEL),), predicate_type=kind, predicate=predicate)


@pytest.mark.parametrize(
    ("statement", "answer"),
    [(BUILD, StatementAnswer.YES), (AUDIT_YES, StatementAnswer.YES), (AUDIT_NO, StatementAnswer.NO)],
    ids=["build", "identical", "different"],
)
def test_a_signed_statement_is_accepted_by_us_and_by_another_library(
    wheel: Path, statement: Statement, answer: StatementAnswer
) -> None:
    content = SIGNER.sign(statement.render())

    mine = checked(wheel, content)
    assert mine.statement == statement
    assert mine.answer is answer
    assert mine.signer == f"the Ed25519 key {KEY.public.key_id}"

    envelope = OtherEnvelope.from_dict(json.loads(content))
    key = SSlibKey.from_crypto(KEY.public.key, keyid=KEY.public.key_id)
    assert envelope.verify([key], threshold=1) == {KEY.public.key_id: key}
    assert envelope.payload == statement.render()


def test_the_other_library_refuses_the_other_key() -> None:
    envelope = OtherEnvelope.from_dict(json.loads(SIGNER.sign(BUILD.render())))
    other = SSlibKey.from_crypto(OTHER_KEY.public.key, keyid=KEY.public.key_id)

    with pytest.raises(OtherError):
        envelope.verify([other], threshold=1)


def test_signing_twice_gives_equal_envelopes() -> None:
    assert SIGNER.sign(BUILD.render()) == SIGNER.sign(BUILD.render())
    assert SIGNER.sign(BUILD.render()).startswith(b'{\n  "payload": "')


def test_another_key_is_refused(wheel: Path) -> None:
    with pytest.raises(IntegrityError, match="no signature was made with the key") as caught:
        checked(wheel, SIGNER.sign(BUILD.render()), trust=OTHER_KEY.public)
    assert str(caught.value).endswith(f"the signatures name {KEY.public.key_id}")
    assert caught.value.hint == "Do not trust it: it was changed after signing, or signed with another key."
    assert caught.value.exit_code == 22


def edited(change: Callable[[Document], None]) -> bytes:
    document = json.loads(SIGNER.sign(AUDIT_NO.render()))
    change(document)
    return json.dumps(document).encode()


def altered_payload(document: Document) -> None:
    document["payload"] = base64.b64encode(AUDIT_YES.render()).decode()


def altered_signature(document: Document) -> None:
    document["signatures"] = [{"keyid": KEY.public.key_id, "sig": base64.b64encode(bytes(64)).decode()}]


def short_signature(document: Document) -> None:
    document["signatures"] = [{"sig": "AAAA"}]


@pytest.mark.parametrize("change", [altered_payload, altered_signature, short_signature])
def test_a_changed_envelope_is_refused(wheel: Path, change: Callable[[Document], None]) -> None:
    with pytest.raises(IntegrityError, match="no signature was made with the key"):
        checked(wheel, edited(change))


def test_a_signature_without_a_key_id_is_reported(wheel: Path) -> None:
    with pytest.raises(IntegrityError, match=r"^statement\.json: .*; the signatures name no key$"):
        checked(wheel, edited(short_signature))


def another_type(document: Document) -> None:
    document["payloadType"] = "application/octet-stream"


def no_signature(document: Document) -> None:
    document["signatures"] = []


def no_base64(document: Document) -> None:
    document["payload"] = "a statement"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (another_type, "'payloadType' should be application/vnd.in-toto+json"),
        (no_signature, "it has no signature"),
        (no_base64, "'payload' should be base64"),
    ],
)
def test_a_malformed_envelope_is_refused_with_a_reason(
    wheel: Path, change: Callable[[Document], None], reason: str
) -> None:
    with pytest.raises(MalformedJson) as caught:
        checked(wheel, edited(change))
    assert str(caught.value) == f"statement.json: {reason}"


def test_one_good_signature_among_others_is_enough(wheel: Path) -> None:
    def add(document: Document) -> None:
        signatures = document["signatures"]
        assert isinstance(signatures, list)
        signatures.insert(0, {"keyid": "other", "sig": "AAAA"})

    assert checked(wheel, edited(add)).answer is StatementAnswer.NO


def test_url_safe_base64_is_read(wheel: Path) -> None:
    def spell(document: Document) -> None:
        document["payload"] = str(document["payload"]).replace("+", "-").replace("/", "_")

    assert checked(wheel, edited(spell)).answer is StatementAnswer.NO


def test_a_statement_about_another_wheel_is_refused(wheel: Path) -> None:
    other = Statement(subjects=(Subject(name=NAME, sha256=KEY_DIGEST),), predicate_type="x", predicate={})

    with pytest.raises(IntegrityError, match="not about openai_codex_cli_bin") as caught:
        checked(wheel, SIGNER.sign(other.render()))
    assert caught.value.hint == "Use the statement for this file, or the wheel that the statement is about."


KEY_DIGEST = MANIFEST.toolchain.lock


def test_a_wheel_under_another_name_is_another_wheel(wheel: Path) -> None:
    renamed = wheel.rename(wheel.with_name(NAME.replace("win_amd64", "win_arm64")))

    with pytest.raises(IntegrityError, match="not about openai_codex_cli_bin"):
        checked(renamed, SIGNER.sign(BUILD.render()))


def test_names_in_an_error_are_escaped(wheel: Path) -> None:
    other = Statement(subjects=(Subject(name="x\x1b[2J\ny", sha256=WHEEL),), predicate_type="x", predicate={})

    with pytest.raises(IntegrityError, match="not about openai_codex_cli_bin") as caught:
        checked(wheel, SIGNER.sign(other.render()))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "predicate",
    [
        {"timeVerified": "2026-11-24T12:06:00Z"},
        {"timeCreated": "2026-11-24T12:06:00"},
        {"runDetails": {"metadata": {"startedOn": "2026-11-24T14:06:00+02:00"}}},
        {"runDetails": {"metadata": {"finishedOn": "9999-12-31T00:00:00Z"}}},
    ],
)
def test_a_time_in_the_future_is_refused(wheel: Path, predicate: Document) -> None:
    with pytest.raises(IntegrityError, match=r"^statement\.json has a time in the future, ") as caught:
        checked(wheel, SIGNER.sign(with_predicate(predicate).render()))
    assert caught.value.hint == "Correct the clock of this machine, or do not trust the statement."


def test_a_clock_may_differ_by_five_minutes(wheel: Path) -> None:
    content = SIGNER.sign(with_predicate({"timeVerified": "2026-11-24T12:05:00Z"}).render())

    assert checked(wheel, content).answer is StatementAnswer.UNDECIDED
    with pytest.raises(IntegrityError, match="has a time in the future"):
        checked(wheel, content, now=NOW - timedelta(seconds=1))


@pytest.mark.parametrize("time", ["", "yesterday", "2026-13-01", "9" * 5000])
def test_a_malformed_time_is_refused(wheel: Path, time: str) -> None:
    with pytest.raises(MalformedJson, match=r"^statement\.json: predicate: '.*' is not a time$"):
        checked(wheel, SIGNER.sign(with_predicate({"timeVerified": time}).render()))


def test_an_unsigned_statement_is_shown_but_undecided(wheel: Path) -> None:
    shown = checked(wheel, Unsigned().sign(AUDIT_NO.render()), trust=None)

    assert shown.claims.answer is StatementAnswer.NO
    assert shown.answer is StatementAnswer.UNDECIDED
    assert shown.signer == ""


@pytest.mark.parametrize("trust", [KEY.public, TrustedIdentity(identity="a", issuer="b")])
def test_an_unsigned_statement_is_refused_if_a_signer_was_given(wheel: Path, trust: Trust) -> None:
    with pytest.raises(IntegrityError, match="is not signed") as caught:
        checked(wheel, Unsigned().sign(BUILD.render()), trust=trust)
    assert caught.value.hint == (
        "Get the signed statement from its author, or show it without --public-key and --identity."
    )


WITH_A_KEY = "It is signed with a key: name the public key with --public-key FILE."
BY_AN_IDENTITY = "It is signed by an identity: name it with --identity and --issuer."
BUNDLE = b'{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}'


@pytest.mark.parametrize(
    ("content", "trust", "hint"),
    [
        (SIGNER.sign(BUILD.render()), None, WITH_A_KEY),
        (SIGNER.sign(BUILD.render()), TrustedIdentity(identity="a", issuer="b"), WITH_A_KEY),
        (BUNDLE, None, BY_AN_IDENTITY),
        (BUNDLE, KEY.public, BY_AN_IDENTITY),
    ],
)
def test_a_signed_statement_needs_a_trusted_signer(
    wheel: Path, content: bytes, trust: Trust, hint: str
) -> None:
    with pytest.raises(UsageError, match="no signer to trust was given") as caught:
        checked(wheel, content, trust=trust)
    assert caught.value.hint == hint


@pytest.mark.parametrize("content", [BUNDLE, b'{"mediaType": 1}', b'{"mediaType": "", "dsseEnvelope": {}}'])
def test_a_malformed_bundle_is_refused(wheel: Path, content: bytes) -> None:
    with pytest.raises(IntegrityError, match="the file is not a bundle"):
        checked(wheel, content, trust=TrustedIdentity(identity="a", issuer="b"))


HALF_A_CHARACTER = with_predicate({"x": "\ud800"}).render()
NO_NUMBER = with_predicate({"x": float("nan")}).render()


IN_TOTO = '"_type": "https://in-toto.io/Statement/v1"'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", r": not JSON \("),
        (b"[]", ": should be an object$"),
        (b"{}", ": '_type' should be a string$"),
        (b"\xff\xfe", r": not JSON \("),
        (b"[" * 100_000, r": not JSON \("),
        (f'{{{IN_TOTO}, "subject": [], "predicateType": ""}}'.encode(), ": it has no subject$"),
        (
            b'{"_type": "https://in-toto.io/Statement/v0.1"}',
            ": '_type' should be https://in-toto.io/Statement/v1$",
        ),
        (HALF_A_CHARACTER, r": not JSON \(.*surrogates not allowed"),
        (NO_NUMBER, r": not JSON \(NaN is not a number in JSON"),
        (b'{"a": 1e999}', r": not JSON \(1e999 is too large a number"),
        (
            f'{{{IN_TOTO}, "subject": [{{"name": "", "digest": {{"sha256": "1"}}}}]}}'.encode(),
            r": subject\[0\]: digest: 'sha256' should be a SHA-256$",
        ),
    ],
)
def test_malformed_statements_are_refused_with_a_reason(wheel: Path, content: bytes, reason: str) -> None:
    with pytest.raises(MalformedJson, match=rf"^statement\.json{reason}"):
        checked(wheel, content, trust=None)


@pytest.mark.parametrize(
    ("kind", "predicate"),
    [
        ("https://slsa.dev/provenance/v1", {}),
        ("https://slsa.dev/verification_summary/v1", {"verificationResult": "MAYBE"}),
        (AUDIT_NO.predicate_type, {"auditor": {"id": "x"}, "verdict": {"outcome": "FINE"}}),
        (AUDIT_NO.predicate_type, {"verdict": []}),
    ],
)
def test_a_predicate_of_another_form_than_its_type_is_refused(
    wheel: Path, kind: str, predicate: Document
) -> None:
    with pytest.raises(MalformedJson):
        checked(wheel, SIGNER.sign(with_predicate(predicate, kind).render()))


@given(content=st.binary(max_size=300) | st.text().map(str.encode))
def test_random_input_gives_an_error_of_the_factory(content: bytes) -> None:
    with pytest.raises(FactoryError):
        Statement.parse(open_statement(content, None, where="x")[0], where="x")


def test_a_missing_file_is_reported(wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^cannot read .*/none: No such file or directory$"):
        check_statement(tmp_path / "none", wheel, trust=None, now=NOW)
    with pytest.raises(UsageError, match=r"^cannot read .*/none\.whl: No such file or directory$"):
        checked(tmp_path / "none.whl", SIGNER.sign(BUILD.render()))


def test_a_statement_that_is_too_large_is_refused(wheel: Path) -> None:
    with pytest.raises(
        UsageError, match=r"^cannot read .*/statement\.json: it is larger than 16777216 bytes$"
    ):
        checked(wheel, b" " * ((16 << 20) + 1))


def test_a_new_key_signs_and_is_readable_only_by_its_owner(tmp_path: Path) -> None:
    public = make_key(tmp_path / "key")

    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    private = PrivateKey.load(tmp_path / "key")
    assert PublicKey.load(tmp_path / "key.pub").key_id == private.public.key_id == public.key_id
    assert public.is_signature(private.sign(b"x"), b"x")


@pytest.mark.parametrize("name", ["key", "key.pub"])
def test_a_new_key_does_not_replace_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")

    with pytest.raises(UsageError, match=f"^{tmp_path}/{name} already exists$") as caught:
        make_key(tmp_path / "key")
    assert caught.value.hint == "Name another file; a lost private key cannot be recovered."
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"mine"


def test_a_key_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="none/key"):
        make_key(tmp_path / "none" / "key")


ENCRYPTED = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgcp3sPbl1yzwICCAAw
-----END ENCRYPTED PRIVATE KEY-----
"""


@pytest.mark.parametrize(
    "text", ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", ENCRYPTED]
)
def test_malformed_keys_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)

    unusable = f"^{path} is not a usable key:"
    with pytest.raises(UsageError, match=unusable) as caught:
        PrivateKey.load(path)
    assert caught.value.hint == (
        "Create one: 'factory statement create --new-key FILE'. FILE is private, FILE.pub is public."
    )
    with pytest.raises(UsageError, match=f"{unusable} it is not a public key in PEM$"):
        PublicKey.load(path)


def test_a_key_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"\n" * MAX_PEM_BYTES + KEY.public.pem)
    with pytest.raises(UsageError, match="it is not a public key in PEM"):
        PublicKey.load(path)
    with pytest.raises(UsageError, match=f"^{path} is not a usable key: it is not a private key in PEM$"):
        PrivateKey.load(path)
    path.unlink()
    with pytest.raises(UsageError, match=f"^{path} is not a usable key: No such file or directory$"):
        PublicKey.load(path)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - only here
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    path = tmp_path / "key"
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    unusable = f"^{path} is not a usable key: it is"
    with pytest.raises(UsageError, match=f"{unusable} not an Ed25519 key$"):
        PrivateKey.load(path)
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(UsageError, match=f"{unusable} not an Ed25519 key$"):
        PublicKey.load(path)
    path.write_bytes(KEY.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))
    with pytest.raises(UsageError, match=f"{unusable} encrypted, and passphrases are not supported$"):
        PrivateKey.load(path)

"""Check a statement: who signed it, whether it is about this wheel, and what it says."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from factory.core.digests import Sha256
from factory.core.errors import IntegrityError, UsageError
from factory.core.json_reader import JsonObject, MalformedJson
from factory.statements.claims import Answer, Claims, claims_of
from factory.statements.envelope import Envelope, signed_bytes
from factory.statements.keyless import open_bundle
from factory.statements.keys import PublicKey
from factory.statements.statement import Statement, Subject
from factory.verify.checks.registry import escaped

MAX_STATEMENT_BYTES = 16 << 20
_CLOCK_SKEW = timedelta(minutes=5)
_TIMES = (
    ("timeVerified",),
    ("timeCreated",),
    ("runDetails", "metadata", "startedOn"),
    ("runDetails", "metadata", "finishedOn"),
)
"""Where the predicates in common use have a time; ours have none."""


class UnreadableStatement(UsageError):
    """There is no file to read a statement from."""

    hint = "Name a file that 'factory attest' wrote, or a sigstore bundle."

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot read {path}: {reason}")


class NobodyTrusted(UsageError):
    """A statement is signed, and nothing says whose signature counts."""

    def __init__(self, where: str, *, hint: str) -> None:
        super().__init__(f"{where} is signed, and nothing says whose signature to accept", hint=hint)


class NotSigned(IntegrityError):
    """A signature is asked for and there is none."""

    hint = "Ask its author for the signed statement; without --public-key or --identity it is shown as it is."

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} is not signed")


class WrongSignature(IntegrityError):
    """No signature of an envelope is by the key."""

    hint = "Do not rely on it: it was changed after signing, or another key signed it."

    def __init__(self, where: str, key: PublicKey, named: tuple[str, ...]) -> None:
        names = escaped(", ".join(named)) or "no key"
        super().__init__(
            f"{where}: no signature is by the key {key.key_id}; the signatures there name {names}"
        )


class OtherWheel(IntegrityError):
    """A statement is about another file."""

    hint = "Take the statement of this very file, or the wheel that it is about."

    def __init__(self, where: str, subjects: tuple[Subject, ...], wheel: Subject) -> None:
        about = ", ".join(f"{escaped(subject.name)} (sha256:{subject.sha256})" for subject in subjects)
        super().__init__(f"{where} is about {about}, not about {wheel.name} (sha256:{wheel.sha256})")


class FutureTime(IntegrityError):
    """A statement tells of a time that has not come."""

    hint = "Correct this machine's clock, or do not rely on the statement."

    def __init__(self, where: str, time: datetime) -> None:
        super().__init__(f"{where} says that it is of {time.isoformat()}, which is in the future")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIdentity:
    """Whose sigstore signature counts, and who must have vouched for the identity."""

    identity: str
    issuer: str


Trust = PublicKey | TrustedIdentity | None
"""Whose signature counts; None where an unsigned statement is to be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedStatement:
    """A statement that is about the wheel, by whoever is trusted; only `check_statement` makes one.

    Attributes:
        statement: What was signed.
        wheel: The wheel that it is about.
        signer: Who signed it; empty where nobody did.
        claims: What it says.
    """

    statement: Statement
    wheel: Subject
    signer: str
    claims: Claims

    @property
    def answer(self) -> Answer:
        """Whether somebody vouches for the wheel: what nobody signed decides nothing."""
        return self.claims.answer if self.signer else Answer.UNDECIDED


def check_statement(path: Path, wheel: Path, *, trust: Trust, now: datetime) -> CheckedStatement:
    """Check a statement against a wheel.

    Args:
        path: An envelope, a sigstore bundle, or a bare statement.
        wheel: The file that it should be about.
        trust: Whose signature counts.
        now: The current time, with a zone.

    Raises:
        UnreadableStatement: There is no such file, or no such wheel.
        NobodyTrusted: It is signed, and nobody is named to be trusted.
        NotSigned: Somebody is, and it is not signed.
        WrongSignature: The signature is not by the key.
        WrongBundle: The signature is not by the identity.
        MalformedJson: It is no statement.
        OtherWheel: It is about another file.
        FutureTime: It is of a time that has not come.
    """
    payload, signer = open_statement(_read(path), trust, where=path.name)
    statement = Statement.parse(payload, where=path.name)
    subject = _subject(wheel)
    if subject not in statement.subjects:
        raise OtherWheel(path.name, statement.subjects, subject)
    refuse_future(statement, now, where=path.name)
    return CheckedStatement(statement=statement, wheel=subject, signer=signer, claims=claims_of(statement))


def open_statement(content: bytes, trust: Trust, *, where: str) -> tuple[bytes, str]:
    """Check a statement's signature, whatever form it has.

    Returns:
        The statement's bytes, and who signed them; nobody where it is a bare statement.
    """
    data = JsonObject.parse(content, where=where)
    if "payloadType" in data.members:
        return _open_envelope(Envelope.from_json(data), trust, where)
    if "mediaType" in data.members:
        return _open_bundle(content, trust, where)
    if trust is not None:
        raise NotSigned(where)
    return content, ""


def refuse_future(statement: Statement, now: datetime, *, where: str) -> None:
    """Refuse a statement of a time that has not come.

    Raises:
        FutureTime: It is one.
        MalformedJson: A time in it is none.
    """
    for time in _times(JsonObject.of(dict(statement.predicate), f"{where}: predicate")):
        if time > now + _CLOCK_SKEW:
            raise FutureTime(where, time)


def _open_envelope(envelope: Envelope, trust: Trust, where: str) -> tuple[bytes, str]:
    if not isinstance(trust, PublicKey):
        raise NobodyTrusted(where, hint="A key signed it: name the public key with --public-key FILE.")
    signed = signed_bytes(envelope.payload)
    if not any(trust.is_signature(signature.value, signed) for signature in envelope.signatures):
        raise WrongSignature(where, trust, tuple(signature.key_id for signature in envelope.signatures))
    return envelope.payload, f"the Ed25519 key {trust.key_id}"


def _open_bundle(content: bytes, trust: Trust, where: str) -> tuple[bytes, str]:
    if not isinstance(trust, TrustedIdentity):
        raise NobodyTrusted(where, hint="An identity signed it: name it with --identity and --issuer.")
    payload = open_bundle(content, identity=trust.identity, issuer=trust.issuer, where=where)
    return payload, f"{trust.identity}, vouched for by {trust.issuer}"


def _times(predicate: JsonObject) -> Iterator[datetime]:
    for *parents, name in _TIMES:
        place = predicate
        for parent in parents:
            if parent not in place.members:
                break
            place = place.child(parent)
        else:
            text = place.text_or_none(name)
            if text is not None:
                yield _time(text, place.where)


def _time(text: str, where: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedJson(where, f"{text!r} is no time") from error
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_STATEMENT_BYTES + 1)
    except OSError as error:
        raise UnreadableStatement(path, error.strerror or str(error)) from error
    if len(content) > MAX_STATEMENT_BYTES:
        raise UnreadableStatement(path, "it is larger than any statement")
    return content


def _subject(wheel: Path) -> Subject:
    try:
        return Subject(name=wheel.name, sha256=Sha256.of_file(wheel))
    except OSError as error:
        raise UnreadableStatement(wheel, error.strerror or str(error)) from error

"""Check a statement: who signed it, whether it is about a given wheel, and what it claims."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from factory.core.digests import Sha256
from factory.core.errors import IntegrityError, UsageError
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.printable import escaped
from factory.statements.claims import Claims, StatementAnswer, claims_of
from factory.statements.envelope import Envelope, signed_bytes
from factory.statements.keyless import open_bundle
from factory.statements.keys import PublicKey
from factory.statements.statement import Statement, Subject

MAX_STATEMENT_BYTES = 16 << 20
_CLOCK_SKEW = timedelta(minutes=5)
_TIMES = (
    ("timeVerified",),
    ("timeCreated",),
    ("runDetails", "metadata", "startedOn"),
    ("runDetails", "metadata", "finishedOn"),
)
"""The places of times in common predicates; ours have no times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIdentity:
    """A trusted sigstore identity, and the issuer that must have verified it."""

    identity: str
    issuer: str


Trust = PublicKey | TrustedIdentity | None
"""Whose signature is trusted; None to show an unsigned statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedStatement:
    """A statement that is about the wheel and signed as required; only `check_statement` makes one.

    Attributes:
        signer: The key or identity that signed it; empty if it is unsigned.
    """

    statement: Statement
    wheel: Subject
    signer: str
    claims: Claims

    @property
    def answer(self) -> StatementAnswer:
        """Whether a signer vouches for the wheel; an unsigned statement proves nothing."""
        return self.claims.answer if self.signer else StatementAnswer.UNDECIDED


def check_statement(path: Path, wheel: Path, *, trust: Trust, now: datetime) -> CheckedStatement:
    """Check a statement against a wheel.

    Args:
        path: An envelope, a sigstore bundle, or an unsigned statement.
        wheel: The file that the statement must be about.
        trust: Whose signature is trusted.
        now: The current time, with a time zone.

    Raises:
        UsageError: A file cannot be read, or the statement is signed and no signer is trusted.
        MalformedJson: It is not a statement.
        IntegrityError: It is unsigned although a signer was given, not signed by that signer, about
            another file, or has a time in the future.
    """
    payload, signer = open_statement(_read(path), trust, where=path.name)
    statement = Statement.parse(payload, where=path.name)
    subject = _subject(wheel)
    if subject not in statement.subjects:
        subjects = ", ".join(_described(other) for other in statement.subjects)
        raise IntegrityError(
            f"{path.name} is about {subjects}, not about {_described(subject)}",
            hint="Use the statement for this file, or the wheel that the statement is about.",
        )
    refuse_future(statement, now, where=path.name)
    return CheckedStatement(statement=statement, wheel=subject, signer=signer, claims=claims_of(statement))


def open_statement(content: bytes, trust: Trust, *, where: str) -> tuple[bytes, str]:
    """Check the signature of an envelope or a bundle; take an unsigned statement as it is.

    Returns:
        The statement's bytes, and the signer, which is empty for an unsigned statement.
    """
    data = JsonObject.parse(content, where=where)
    if "payloadType" in data.members:
        return _open_envelope(Envelope.from_json(data), trust, where)
    if "mediaType" in data.members:
        return _open_bundle(content, trust, where)
    if trust is not None:
        raise IntegrityError(
            f"{where} is not signed",
            hint="Get the signed statement from its author, or show it without --public-key and --identity.",
        )
    return content, ""


def refuse_future(statement: Statement, now: datetime, *, where: str) -> None:
    """Refuse a statement with a time in the future.

    Raises:
        IntegrityError: A time is in the future.
        MalformedJson: A time is malformed.
    """
    for time in _times(JsonObject.of(dict(statement.predicate), f"{where}: predicate")):
        if time > now + _CLOCK_SKEW:
            raise IntegrityError(
                f"{where} has a time in the future, {time.isoformat()}",
                hint="Correct the clock of this machine, or do not trust the statement.",
            )


def _open_envelope(envelope: Envelope, trust: Trust, where: str) -> tuple[bytes, str]:
    if not isinstance(trust, PublicKey):
        raise _untrusted(where, hint="It is signed with a key: name the public key with --public-key FILE.")
    signed = signed_bytes(envelope.payload)
    if not any(trust.is_signature(signature.value, signed) for signature in envelope.signatures):
        named = escaped(", ".join(signature.key_id for signature in envelope.signatures)) or "no key"
        raise IntegrityError(
            f"{where}: no signature was made with the key {trust.key_id}; the signatures name {named}",
            hint="Do not trust it: it was changed after signing, or signed with another key.",
        )
    return envelope.payload, f"the Ed25519 key {trust.key_id}"


def _open_bundle(content: bytes, trust: Trust, where: str) -> tuple[bytes, str]:
    if not isinstance(trust, TrustedIdentity):
        raise _untrusted(where, hint="It is signed by an identity: name it with --identity and --issuer.")
    payload = open_bundle(content, identity=trust.identity, issuer=trust.issuer, where=where)
    return payload, f"{trust.identity}, verified by {trust.issuer}"


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
        raise MalformedJson(where, f"{text!r} is not a time") from error
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_STATEMENT_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if len(content) > MAX_STATEMENT_BYTES:
        raise _unreadable(path, f"it is larger than {MAX_STATEMENT_BYTES} bytes")
    return content


def _subject(wheel: Path) -> Subject:
    try:
        return Subject(name=wheel.name, sha256=Sha256.of_file(wheel))
    except OSError as error:
        raise _unreadable(wheel, error.strerror or str(error)) from error


def _described(subject: Subject) -> str:
    return f"{escaped(subject.name)} (sha256:{subject.sha256})"


def _unreadable(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"cannot read {path}: {reason}",
        hint="Name a wheel, and a file of 'factory statement create' or a sigstore bundle.",
    )


def _untrusted(where: str, *, hint: str) -> UsageError:
    return UsageError(f"{where} is signed, but no signer to trust was given", hint=hint)

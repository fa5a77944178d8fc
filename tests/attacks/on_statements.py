"""Attacks on a signed statement about a good wheel; the reader trusts one key."""

import base64
import json
from collections.abc import Callable

from factory.statements.signing import KeySigner
from factory.statements.statement import Statement
from tests.attacks.attack import Document, StatementAttack
from tests.statements import KEY, OTHER_KEY

_OTHER_SIGNER = KeySigner(key=OTHER_KEY)


def _payload(envelope: bytes) -> Document:
    document = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    assert isinstance(document, dict)
    return document


def _with_payload(envelope: bytes, payload: bytes) -> bytes:
    """Put another statement under the old signature."""
    document = json.loads(envelope)
    return json.dumps({**document, "payload": base64.b64encode(payload).decode()}).encode()


def _edited(change: Callable[[Document], None]) -> Callable[[bytes], bytes]:
    def make(envelope: bytes) -> bytes:
        statement = _payload(envelope)
        change(statement)
        return _with_payload(envelope, json.dumps(statement).encode())

    return make


def _signed_by_another(change: Callable[[Document], None]) -> Callable[[bytes], bytes]:
    def make(envelope: bytes) -> bytes:
        statement = _payload(envelope)
        change(statement)
        return _OTHER_SIGNER.sign(json.dumps(statement).encode())

    return make


def _outer(change: Callable[[Document], None]) -> Callable[[bytes], bytes]:
    def make(envelope: bytes) -> bytes:
        document = json.loads(envelope)
        change(document)
        return json.dumps(document).encode()

    return make


def _nothing(_: Document) -> None:
    """Change nothing."""


def _subject_digest(statement: Document) -> None:
    statement["subject"] = [{"name": "other.whl", "digest": {"sha256": "0" * 64}}]


def _second_subject(statement: Document) -> None:
    subjects = statement["subject"]
    assert isinstance(subjects, list)
    subjects.append({"name": "evil.whl", "digest": {"sha256": "0" * 64}})


def _verdict(**values: object) -> Callable[[Document], None]:
    def change(statement: Document) -> None:
        predicate = statement["predicate"]
        assert isinstance(predicate, dict)
        predicate["verdict"].update(values)

    return change


def _old_type(statement: Document) -> None:
    statement["predicateType"] = str(statement["predicateType"]).replace("/v2", "/v1")


def _claimed_key(envelope: bytes) -> bytes:
    document = json.loads(_signed_by_another(_verdict(answer="passed"))(envelope))
    document["signatures"][0]["keyid"] = KEY.public.key_id
    return json.dumps(document).encode()


def _two_signatures(envelope: bytes) -> bytes:
    """Sign a changed statement with another key, and add the old signature."""
    forged = json.loads(_signed_by_another(_verdict(answer="passed", outcome="IDENTICAL"))(envelope))
    forged["signatures"] += json.loads(envelope)["signatures"]
    return json.dumps(forged).encode()


def _unsigned(envelope: bytes) -> bytes:
    return Statement.parse(base64.b64decode(json.loads(envelope)["payload"]), where="a statement").render()


_TABLE: dict[str, Callable[[bytes], bytes]] = {
    "a verdict changed under the old signature": _edited(_verdict(answer="passed", outcome="IDENTICAL")),
    "findings removed under the old signature": _edited(_verdict(findings=[], causes=[])),
    "another subject under the old signature": _edited(_subject_digest),
    "a second subject under the old signature": _edited(_second_subject),
    "the same statement, signed by another key": _signed_by_another(_nothing),
    "a changed statement, signed by another key": _signed_by_another(_verdict(answer="passed")),
    "another key that names the trusted key": _claimed_key,
    "a forged statement with an old signature beside its own": _two_signatures,
    "no signature in the envelope": _outer(lambda document: document.update(signatures=[])),
    "a signature of zeros": _outer(
        lambda document: document.update(
            signatures=[{"keyid": KEY.public.key_id, "sig": base64.b64encode(bytes(64)).decode()}]
        )
    ),
    "another payload type": _outer(lambda document: document.update(payloadType="text/plain")),
    "the statement without an envelope": _unsigned,
    "an older type under the old signature": _edited(_old_type),
    "half of the envelope": lambda envelope: envelope[: len(envelope) // 2],
    "an envelope with bytes after it": lambda envelope: envelope + b"{}",
    "a member twice": lambda envelope: envelope.replace(b'"payloadType"', b'"payload": "", "payloadType"', 1),
}

STATEMENT_ATTACKS: tuple[StatementAttack, ...] = tuple(
    StatementAttack(name=f"statement: {name}", make=make) for name, make in _TABLE.items()
)

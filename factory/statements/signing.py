"""Seal statements: with a key, by an identity, or not at all, which their names then say."""

from dataclasses import dataclass
from typing import Protocol

from factory.statements.envelope import Envelope, EnvelopeSignature, signed_bytes
from factory.statements.keys import PrivateKey


class StatementSigner(Protocol):
    """What turns a statement's bytes into a file."""

    @property
    def suffix(self) -> str:
        """How the file's name ends, which tells what it holds."""

    def sign(self, statement: bytes) -> bytes:
        """Return the file's content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySigner:
    """Signs with a local key."""

    key: PrivateKey
    suffix: str = "dsse.json"

    def sign(self, statement: bytes) -> bytes:
        """Sign a statement and return its envelope."""
        value = self.key.sign(signed_bytes(statement))
        signature = EnvelopeSignature(key_id=self.key.public.key_id, value=value)
        return Envelope(payload=statement, signatures=(signature,)).render()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """Signs nothing: an envelope without a signature is none, so the bare statement is the file."""

    suffix: str = "unsigned.json"

    def sign(self, statement: bytes) -> bytes:
        """Return the statement itself."""
        return statement + b"\n"

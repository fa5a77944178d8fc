"""Sign statements with a key or an identity, or leave them unsigned; the file names show which."""

from dataclasses import dataclass
from typing import Protocol

from factory.statements.envelope import Envelope, EnvelopeSignature, signed_bytes
from factory.statements.keys import PrivateKey


class StatementSigner(Protocol):
    """Turns a statement into the content of its file."""

    @property
    def suffix(self) -> str:
        """The end of the file's name, which shows how it is signed."""

    def sign(self, statement: bytes) -> bytes:
        """Return the content of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySigner:
    """Signs with a local key."""

    key: PrivateKey
    suffix: str = "dsse.json"

    def sign(self, statement: bytes) -> bytes:
        """Return the signed envelope of a statement."""
        value = self.key.sign(signed_bytes(statement))
        signature = EnvelopeSignature(key_id=self.key.public.key_id, value=value)
        return Envelope(payload=statement, signatures=(signature,)).render()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """Writes the plain statement, because an envelope must have a signature."""

    suffix: str = "unsigned.json"

    def sign(self, statement: bytes) -> bytes:
        """Return the statement itself."""
        return statement + b"\n"

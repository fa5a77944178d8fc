"""Read and write the envelope of a signed statement: DSSE (https://github.com/secure-systems-lab/dsse)."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Self

from factory.core.json_reader import JsonObject, MalformedJson
from factory.statements.statement import PAYLOAD_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeSignature:
    """One signature; the key id is only a hint and proves nothing."""

    key_id: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The bytes of a statement, and their signatures."""

    payload: bytes
    signatures: tuple[EnvelopeSignature, ...]

    @classmethod
    def from_json(cls, data: JsonObject) -> Self:
        """Read an envelope.

        Raises:
            MalformedJson: It is malformed, contains no statement, or has no signature.
        """
        if data.text("payloadType") != PAYLOAD_TYPE:
            raise MalformedJson(data.where, f"'payloadType' should be {PAYLOAD_TYPE}")
        signatures = tuple(
            EnvelopeSignature(key_id=item.text_or_none("keyid") or "", value=_bytes(item, "sig"))
            for item in data.objects("signatures")
        )
        if not signatures:
            raise MalformedJson(data.where, "it has no signature")
        return cls(payload=_bytes(data, "payload"), signatures=signatures)

    def render(self) -> bytes:
        """Return the envelope as JSON."""
        document = {
            "payload": base64.b64encode(self.payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [
                {"keyid": signature.key_id, "sig": base64.b64encode(signature.value).decode()}
                for signature in self.signatures
            ],
        }
        return json.dumps(document, indent=2).encode() + b"\n"


def signed_bytes(payload: bytes) -> bytes:
    """Return the bytes to sign: the payload with its type (DSSE's pre-authentication encoding)."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _bytes(data: JsonObject, key: str) -> bytes:
    """Decode base64 in the standard or URL-safe alphabet, as the specification requires."""
    text = data.text(key).translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedJson(data.where, f"{key!r} should be base64") from error

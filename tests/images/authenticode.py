"""Authenticode signatures for fabricated PE files, by a test authority or by whomever a test names."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from asn1crypto import cms

from tests.authority import (
    CODE_SIGNING,
    COUNTERSIGNATURE,
    ISSUER,
    SIGNED_AT,
    TIME_AUTHORITY,
    Identity,
    Message,
    Subject,
    attribute,
    authority,
    countersignature,
    digest_algorithm,
    issued,
    octets,
    oid,
    sequence,
    signed_data,
    signer_info,
    tagged,
    timestamp_token,
)
from tests.images.filler import aligned
from tests.images.pe import Pe

SPC_INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4"
_SPC_PE_IMAGE_DATA = "1.3.6.1.4.1.311.2.1.15"
_TIMESTAMP = "1.3.6.1.4.1.311.3.3.1"
_NESTED = "1.3.6.1.4.1.311.2.4.1"
_SECURITY_AT = 64 + 24 + 112 + 8 * 4
_CHECKSUM_AT = 64 + 24 + 64

OPENAI_IDENTITY = "1.3.6.1.4.1.311.97.34411380.685553541.718322805.135574919"
OPENAI = issued(
    Subject(name="OpenAI OpCo, LLC", organization="OpenAI OpCo, LLC", usages=(CODE_SIGNING, OPENAI_IDENTITY)),
    ISSUER,
)
"""Upstream's name and lasting identity, under the test root."""

LEAKED = issued(
    Subject(
        name="OpenAI OpCo, LLC",
        organization="OpenAI OpCo, LLC",
        usages=(CODE_SIGNING, OPENAI_IDENTITY),
        serial=2,
    ),
    ISSUER,
)
"""A certificate of upstream that `tests.authority.TRUST` lists as revoked."""

SOMEBODY = issued(Subject(name="Somebody", organization="Somebody", usages=(CODE_SIGNING,)), ISSUER)

ELSEWHERE = issued(
    Subject(name="OpenAI OpCo, LLC", organization="OpenAI OpCo, LLC", usages=(CODE_SIGNING, OPENAI_IDENTITY)),
    authority("Foreign Issuer", authority("Foreign Root")),
)
"""Upstream's name and identity under a root that is not trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticode:
    """How a PE file is signed.

    Attributes:
        by: Who signs.
        at: The countersigned time; None for no countersignature.
        time_by: Who vouches for the time.
        is_old_style: Whether the countersignature is PKCS #9's instead of a token.
        digest: Of the file and of the message.
        certificates: Those in the message; the signer's chain when None.
        nested: Signatures in an unsigned attribute.
    """

    by: Identity = OPENAI
    at: datetime | None = SIGNED_AT
    time_by: Identity = TIME_AUTHORITY
    is_old_style: bool = False
    digest: str = "sha256"
    certificates: Sequence[bytes] | None = None
    nested: tuple["Authenticode", ...] = ()

    def over(self, content: bytes) -> bytes:
        """Sign an unsigned file; return the DER of the signature."""
        return self.message_over(_covered(content))

    def message_over(self, covered: bytes) -> bytes:
        """Sign the digest of the covered bytes of a file; return the DER of the signature."""
        file_digest = hashlib.new(self.digest, covered).digest()
        info = _indirect_data(file_digest, self.digest)
        message = Message(
            content_type=SPC_INDIRECT_DATA, content=info, covered=_content_of(info), digest=self.digest
        )
        first = signer_info(message, self.by)
        nested = [one.message_over(covered) for one in self.nested]
        unsigned = [*self._times(first), *([attribute(_NESTED, *nested)] if nested else [])]
        signer = signer_info(message, self.by, unsigned=unsigned)
        return signed_data(message, [signer], self._certificates())

    def _certificates(self) -> Sequence[bytes]:
        if self.certificates is not None:
            return self.certificates
        times = self.time_by.certificates if self.is_old_style else ()
        return tuple(dict.fromkeys((*self.by.certificates, *times)))

    def _times(self, signer: bytes) -> list[bytes]:
        if self.at is None:
            return []
        signature = _signature_of(signer)
        if self.is_old_style:
            return [attribute(COUNTERSIGNATURE, countersignature(signature, at=self.at, by=self.time_by))]
        return [attribute(_TIMESTAMP, timestamp_token(signature, at=self.at, by=self.time_by))]


def signed(pe: Pe, *signatures: Authenticode, pad: bytes = b"") -> bytes:
    """Return a PE file with these signatures, one entry of the certificate table each.

    Args:
        pe: The file; its own `security` is not looked at.
        signatures: How it is signed; upstream's way when none is given.
        pad: Bytes that follow the signature inside the last entry.
    """
    content = replace(pe, security=None).content()
    return with_table(content, [one.over(content) for one in signatures or (Authenticode(),)], pad=pad)


def with_table(content: bytes, messages: Sequence[bytes], *, pad: bytes = b"") -> bytes:
    """Append a certificate table to an unsigned file and point its header there."""
    *front, last = messages
    table = b"".join(map(_entry, (*front, last + pad)))
    changed = bytearray(content)
    struct.pack_into("<II", changed, _SECURITY_AT, len(content), len(table))
    return bytes(changed) + table


def without_table(content: bytes) -> bytes:
    """Strip all signatures off a file."""
    (start,) = struct.unpack_from("<I", content, _SECURITY_AT)
    changed = bytearray(content[:start])
    struct.pack_into("<II", changed, _SECURITY_AT, 0, 0)
    return bytes(changed)


def _entry(message: bytes) -> bytes:
    size = aligned(8 + len(message), 8)
    return struct.pack("<IHH", size, 0x200, 2) + message.ljust(size - 8, b"\0")


def _covered(content: bytes) -> bytes:
    changed = bytearray(content)
    del changed[_SECURITY_AT : _SECURITY_AT + 8]
    del changed[_CHECKSUM_AT : _CHECKSUM_AT + 4]
    return bytes(changed)


def _indirect_data(file_digest: bytes, digest: str) -> bytes:
    obsolete = "<<<Obsolete>>>".encode("utf-16-be")
    image = sequence(tagged(0x03, b"\0"), tagged(0xA0, tagged(0xA2, tagged(0x80, obsolete))))
    return sequence(
        sequence(oid(_SPC_PE_IMAGE_DATA), image), sequence(digest_algorithm(digest), octets(file_digest))
    )


def _content_of(der: bytes) -> bytes:
    head = 2 if der[1] < 0x80 else 2 + (der[1] & 0x7F)
    return der[head:]


def _signature_of(signer: bytes) -> bytes:
    return bytes(cms.SignerInfo.load(signer)["signature"])

"""Apple code signatures for fabricated Mach-O files (cs_blobs.h), by a test authority or whomever else."""

import hashlib
import plistlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from asn1crypto import cms, core

from tests.authority import (
    CODE_SIGNING,
    ROOT,
    SIGNED_AT,
    SIGNING_TIME,
    TIME_AUTHORITY,
    Identity,
    Message,
    Subject,
    attribute,
    issued,
    octets,
    oid,
    sequence,
    signed_data,
    signer_info,
    timestamp_token,
)
from tests.images.macho import MachO

TEAM = "2DC432GLL2"
DEVELOPER_ID = "1.2.840.113635.100.6.1.13"
DEVELOPER_ID_ISSUER = "1.2.840.113635.100.6.2.6"
AREA_BYTES = 1 << 14
"""How much of a file is set aside for its signature."""

DATA = "1.2.840.113549.1.7.1"
_CDHASHES_PLIST = "1.2.840.113635.100.9.1"
_CDHASHES = "1.2.840.113635.100.9.2"
_TIMESTAMP = "1.2.840.113549.1.9.16.2.14"
_HASHES = {
    "sha1": (1, "sha1", 20),
    "sha256": (2, "sha256", 32),
    "sha256-truncated": (3, "sha256", 20),
    "sha384": (4, "sha384", 48),
}
_IDENTIFIERS = {
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
}
_REQUIREMENTS, _ENTITLEMENTS, _DER_ENTITLEMENTS, _CMS = 2, 5, 7, 0x10000


def developer_id(organization: str, team: str, issuer: Identity, *, serial: int = 1) -> Identity:
    """Issue a certificate as Apple does to those who sign programs outside of its store."""
    return issued(
        Subject(
            name=f"Developer ID Application: {organization} ({team})",
            organization=organization,
            unit=team,
            usages=(CODE_SIGNING,),
            marks=(DEVELOPER_ID,),
            serial=serial,
        ),
        issuer,
    )


APPLE_ISSUER = issued(
    Subject(
        name="Test Developer ID",
        marks=(DEVELOPER_ID_ISSUER,),
        is_authority=True,
        path_length=0,
        not_before=ROOT.certificate.not_valid_before_utc,
        not_after=ROOT.certificate.not_valid_after_utc,
    ),
    ROOT,
)
OPENAI = developer_id("OpenAI OpCo, LLC", TEAM, APPLE_ISSUER)
"""Upstream's name and team, under the test root."""

LEAKED = developer_id("OpenAI OpCo, LLC", TEAM, APPLE_ISSUER, serial=2)
"""A certificate of upstream that `tests.authority.TRUST` lists as revoked."""

SOMEBODY = developer_id("Somebody", "ZZZZZZZZZZ", APPLE_ISSUER)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppleSignature:
    """How a Mach-O file is signed.

    Attributes:
        by: Who signs; None makes an ad hoc signature.
        at: The timestamp; None for none.
        time_by: Who vouches for the time.
        identifier: What the program is called.
        team: The Team ID that the CodeDirectories say.
        flags: Theirs.
        version: Theirs.
        hashes: One CodeDirectory for each, the primary one first.
        page_shift: The power of two that is a page.
        sealed: Blobs by special slot; entitlements and the like.
        seals: Hashed contents by special slot, instead of those of `sealed`.
        is_bound: Whether the signed attributes name the CodeDirectories.
        digest: Of the message.
        claimed_at: When the signer says that it signed.
    """

    by: Identity | None = OPENAI
    at: datetime | None = SIGNED_AT
    time_by: Identity = TIME_AUTHORITY
    identifier: str = "codex"
    team: str | None = TEAM
    flags: int = 0x10000
    version: int = 0x20500
    hashes: tuple[str, ...] = ("sha256",)
    page_shift: int = 12
    sealed: Mapping[int, bytes] | None = None
    seals: Mapping[int, bytes] | None = None
    is_bound: bool = True
    digest: str = "sha256"
    claimed_at: datetime | None = None

    def over(self, code: bytes) -> bytes:
        """Sign what comes before the signature; return the embedded signature."""
        blobs = self.blobs(code)
        return super_blob(tuple(blobs.items()))

    def blobs(self, code: bytes) -> dict[int, bytes]:
        """Return the parts of the embedded signature by slot."""
        directories = [self._directory(code, name) for name in self.hashes]
        blobs = {(0x1000 + number - 1 if number else 0): each for number, each in enumerate(directories)}
        blobs |= self._sealed()
        blobs[_CMS] = blob(0xFADE0B01, b"" if self.by is None else self._message(directories, self.by))
        return blobs

    def _sealed(self) -> Mapping[int, bytes]:
        if self.sealed is not None:
            return self.sealed
        return {
            _REQUIREMENTS: blob(0xFADE0C01, bytes(4)),
            _ENTITLEMENTS: blob(0xFADE7171, b"<plist/>"),
            _DER_ENTITLEMENTS: blob(0xFADE7172, b"\x70\x00"),
        }

    def _directory(self, code: bytes, hash_name: str) -> bytes:
        kind, algorithm, size = _HASHES[hash_name]
        page_bytes = 1 << self.page_shift
        pages = [code[at : at + page_bytes] for at in range(0, len(code), page_bytes)]
        seals = self._sealed() if self.seals is None else self.seals
        slots = [
            hashlib.new(algorithm, seals[number]).digest()[:size] if number in seals else bytes(size)
            for number in range(max(seals, default=0), 0, -1)
        ]
        slots += [hashlib.new(algorithm, page).digest()[:size] for page in pages]
        fixed = _fixed_bytes(self.version)
        names = self.identifier.encode() + b"\0"
        team_at = 0 if self.team is None else fixed + len(names)
        names += b"" if self.team is None else self.team.encode() + b"\0"
        special = len(slots) - len(pages)
        fields = struct.pack(
            ">7I4BIII IQ QQQ II",
            self.version, self.flags, fixed + len(names) + special * size, fixed, special, len(pages),
            len(code), size, kind, 0, self.page_shift, 0, 0, team_at, 0, 0, 0, 0, 1, 0, 0,
        )[: fixed - 8]  # fmt: skip
        return blob(0xFADE0C02, fields + names + b"".join(slots))

    def _message(self, directories: Sequence[bytes], by: Identity) -> bytes:
        message = Message(content_type=DATA, content=b"", covered=directories[0], digest=self.digest)
        attributes = self._attributes(directories)
        unsigned = []
        if self.at is not None:
            first = cms.SignerInfo.load(signer_info(message, by, attributes=attributes))
            token = timestamp_token(bytes(first["signature"]), at=self.at, by=self.time_by)
            unsigned.append(attribute(_TIMESTAMP, token))
        signer = signer_info(message, by, attributes=attributes, unsigned=unsigned)
        return signed_data(message, [signer], by.certificates)

    def _attributes(self, directories: Sequence[bytes]) -> list[bytes]:
        claim = [] if self.claimed_at is None else [core.UTCTime(self.claimed_at).dump()]
        return [*(attribute(SIGNING_TIME, each) for each in claim), *self._bindings(directories)]

    def _bindings(self, directories: Sequence[bytes]) -> list[bytes]:
        if not self.is_bound:
            return []
        algorithms = [_HASHES[name][1] for name in self.hashes]
        digests = [
            hashlib.new(algorithm, directory).digest()
            for algorithm, directory in zip(algorithms, directories, strict=True)
        ]
        document = plistlib.dumps({"cdhashes": [digest[:20] for digest in digests]})
        named = [
            sequence(oid(_IDENTIFIERS[algorithm]), octets(digest))
            for algorithm, digest in zip(algorithms, digests, strict=True)
        ]
        return [attribute(_CDHASHES_PLIST, octets(document)), attribute(_CDHASHES, *named)]


AD_HOC_SIGNATURE = AppleSignature(by=None, team=None, flags=0x2)


def signed(macho: MachO, signature: AppleSignature = AppleSignature()) -> MachO:
    """Return the file with this signature, in a space of fixed size."""
    return replace(macho, signature=area(signature.over(code_of(macho))))


def code_of(macho: MachO) -> bytes:
    """Return what a signature in a space of fixed size signs."""
    return replace(macho, signature=bytes(AREA_BYTES)).content()[:-AREA_BYTES]


def area(embedded: bytes) -> bytes:
    """Fill up an embedded signature to the space that it has."""
    return embedded.ljust(AREA_BYTES, b"\0")


def blob(magic: int, content: bytes) -> bytes:
    """Make one part of an embedded signature."""
    return struct.pack(">II", magic, 8 + len(content)) + content


def super_blob(blobs: Sequence[tuple[int, bytes]]) -> bytes:
    """Put parts together, one after the other."""
    at, index = 12 + 8 * len(blobs), b""
    for slot, content in blobs:
        index += struct.pack(">II", slot, at)
        at += len(content)
    contents = b"".join(content for _, content in blobs)
    return struct.pack(">III", 0xFADE0CC0, at, len(blobs)) + index + contents


def _fixed_bytes(version: int) -> int:
    sizes = {0x20001: 44, 0x20100: 48, 0x20200: 52, 0x20300: 64, 0x20400: 88, 0x20500: 96}
    return max(size for since, size in sizes.items() if since <= version)

"""A sigstore instance for tests: an authority, two logs, and their signatures."""

import hashlib
import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.authority import SIGNED_AT, key_of

WORKFLOW = "https://github.com/openai/codex/.github/workflows/rust-release.yml@refs/tags/rust-v0.163.0"
GITHUB = "https://token.actions.githubusercontent.com"
_FIRST_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_TIMESTAMPS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_LONG = timedelta(days=3000)
_MINUTES = timedelta(minutes=10)


def _spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _text(content: bytes) -> str:
    return b64encode(content).decode()


def _sign(key: ec.EllipticCurvePrivateKey, content: bytes) -> bytes:
    return key.sign(content, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


@dataclass(frozen=True, kw_only=True)  # no slots: cached_property needs a __dict__
class Instance:
    """A sigstore instance; its keys are derived from its name."""

    name: str = "Test Sigstore"

    @property
    def ca(self) -> ec.EllipticCurvePrivateKey:
        """The key that signs certificates."""
        return key_of(f"{self.name} authority")

    @property
    def log(self) -> ec.EllipticCurvePrivateKey:
        """The transparency log's key."""
        return key_of(f"{self.name} log")

    @property
    def certificate_log(self) -> ec.EllipticCurvePrivateKey:
        """The certificate log's key."""
        return key_of(f"{self.name} certificate log")

    @cached_property
    def root(self) -> x509.Certificate:
        """The authority's own certificate."""
        return self._issue(
            x509.CertificateBuilder()
            .subject_name(self._name)
            .public_key(self.ca.public_key())
            .not_valid_before(SIGNED_AT - _LONG)
            .not_valid_after(SIGNED_AT + _LONG)
            .serial_number(1)
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(_key_usage(is_authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.ca.public_key()), critical=False)
        )

    def trusted_root(self, directory: Path) -> Path:
        """Write the instance's trust root."""
        since = {"start": f"{SIGNED_AT - _LONG:%Y-%m-%dT%H:%M:%SZ}"}
        document = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self._described(self.log, since)],
            "ctlogs": [self._described(self.certificate_log, since)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "example.invalid", "commonName": self.name},
                    "uri": "https://example.invalid",
                    "certChain": {
                        "certificates": [{"rawBytes": _text(self.root.public_bytes(Encoding.DER))}]
                    },
                    "validFor": since,
                }
            ],
            "timestampAuthorities": [],
        }
        path = directory / "trusted_root.json"
        path.write_text(json.dumps(document))
        return path

    def certificate(
        self, identity: str = WORKFLOW, *, issuer: str = GITHUB, at: datetime = SIGNED_AT
    ) -> x509.Certificate:
        """Issue a certificate that is valid for minutes, with a signed certificate timestamp."""
        key = key_of(identity)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .public_key(key.public_key())
            .not_valid_before(at)
            .not_valid_after(at + _MINUTES)
            .serial_number(2)
            .add_extension(_key_usage(is_authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.ca.public_key()), critical=False
            )
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)]), critical=True
            )
            .add_extension(x509.UnrecognizedExtension(_FIRST_ISSUER, issuer.encode()), critical=False)
            .add_extension(
                x509.UnrecognizedExtension(_ISSUER, core.UTF8String(issuer).dump()), critical=False
            )
        )
        logged = self._logged(self._issue(builder).tbs_certificate_bytes, at)
        return self._issue(
            builder.add_extension(
                x509.UnrecognizedExtension(_TIMESTAMPS, core.OctetString(logged).dump()), critical=False
            )
        )

    def cosign(
        self, content: bytes, *, identity: str = WORKFLOW, issuer: str = GITHUB, at: datetime = SIGNED_AT
    ) -> dict[str, object]:
        """Sign a file in cosign's older bundle format."""
        certificate = self.certificate(identity, issuer=issuer, at=at)
        signature, pem = _signed(content, identity), certificate.public_bytes(Encoding.PEM)
        payload = self._payload(content, signature, pem, at + timedelta(seconds=5))
        return {
            "base64Signature": _text(signature),
            "cert": _text(pem),
            "rekorBundle": {"SignedEntryTimestamp": _text(self._promise(payload)), "Payload": payload},
        }

    def bundle(
        self, content: bytes, *, identity: str = WORKFLOW, issuer: str = GITHUB, at: datetime = SIGNED_AT
    ) -> dict[str, object]:
        """Sign a file in sigstore's own bundle format."""
        certificate = self.certificate(identity, issuer=issuer, at=at)
        signature, pem = _signed(content, identity), certificate.public_bytes(Encoding.PEM)
        payload = self._payload(content, signature, pem, at + timedelta(seconds=5))
        digest = _text(hashlib.sha256(content).digest())
        return {
            **self._verification(certificate, payload, "hashedrekord"),
            "messageSignature": {
                "messageDigest": {"algorithm": "SHA2_256", "digest": digest},
                "signature": _text(signature),
            },
        }

    def envelope(
        self,
        payload: bytes,
        payload_type: str,
        *,
        identity: str = WORKFLOW,
        issuer: str = GITHUB,
        at: datetime = SIGNED_AT,
    ) -> dict[str, object]:
        """Sign a statement, or another payload of some type, in sigstore's own bundle format."""
        certificate = self.certificate(identity, issuer=issuer, at=at)
        kind = payload_type.encode()
        signature = _signed(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload), identity)
        envelope = {
            "payload": _text(payload),
            "payloadType": payload_type,
            "signatures": [{"sig": _text(signature)}],
        }
        pem = certificate.public_bytes(Encoding.PEM)
        spec = {
            "envelopeHash": _hash(_canonical(envelope)),
            "payloadHash": _hash(payload),
            "signatures": [{"signature": _text(signature), "verifier": _text(pem)}],
        }
        entry = self._entry("dsse", spec, at + timedelta(seconds=5))
        return {**self._verification(certificate, entry, "dsse"), "dsseEnvelope": envelope}

    def _verification(
        self, certificate: x509.Certificate, entry: Mapping[str, object], kind: str
    ) -> dict[str, object]:
        body = str(entry["body"])
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": _text(certificate.public_bytes(Encoding.DER))},
                "tlogEntries": [
                    {
                        "logIndex": "0",
                        "logId": {"keyId": _text(hashlib.sha256(_spki(self.log)).digest())},
                        "kindVersion": {"kind": kind, "version": "0.0.1"},
                        "integratedTime": str(entry["integratedTime"]),
                        "inclusionPromise": {"signedEntryTimestamp": _text(self._promise(entry))},
                        "inclusionProof": self._proof(body),
                        "canonicalizedBody": body,
                    }
                ],
            },
        }

    @property
    def _name(self) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "example.invalid"),
                x509.NameAttribute(NameOID.COMMON_NAME, self.name),
            ]
        )

    def _issue(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        return builder.issuer_name(self._name).sign(self.ca, hashes.SHA256(), ecdsa_deterministic=True)

    def _described(self, key: ec.EllipticCurvePrivateKey, since: Mapping[str, str]) -> dict[str, object]:
        return {
            "baseUrl": "https://example.invalid",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": _text(_spki(key)),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": since,
            },
            "logId": {"keyId": _text(hashlib.sha256(_spki(key)).digest())},
        }

    def _logged(self, precertificate: bytes, at: datetime) -> bytes:
        """Return a list with one signed certificate timestamp (RFC 6962, 3.2 and 3.3)."""
        milliseconds = int(at.timestamp() * 1000)
        issuer = hashlib.sha256(_spki(self.ca)).digest()
        signed = struct.pack(">BBQH", 0, 0, milliseconds, 1) + issuer
        signed += len(precertificate).to_bytes(3, "big") + precertificate + bytes(2)
        signature = _sign(self.certificate_log, signed)
        identifier = hashlib.sha256(_spki(self.certificate_log)).digest()
        stamp = b"\0" + identifier + struct.pack(">QHBBH", milliseconds, 0, 4, 3, len(signature)) + signature
        return struct.pack(">HH", len(stamp) + 2, len(stamp)) + stamp

    def _payload(self, content: bytes, signature: bytes, pem: bytes, at: datetime) -> dict[str, object]:
        spec = {
            "data": {"hash": _hash(content)},
            "signature": {"content": _text(signature), "publicKey": {"content": _text(pem)}},
        }
        return self._entry("hashedrekord", spec, at)

    def _entry(self, kind: str, spec: Mapping[str, object], at: datetime) -> dict[str, object]:
        body = {"apiVersion": "0.0.1", "kind": kind, "spec": spec}
        return {
            "body": _text(_canonical(body)),
            "integratedTime": int(at.timestamp()),
            "logIndex": 0,
            "logID": hashlib.sha256(_spki(self.log)).hexdigest(),
        }

    def _promise(self, payload: Mapping[str, object]) -> bytes:
        return _sign(self.log, _canonical(payload))

    def _proof(self, body: str) -> dict[str, object]:
        """Prove that an entry is the only one in the log."""
        root = hashlib.sha256(b"\0" + b64decode(body)).digest()
        note = f"example.invalid - 1\n1\n{_text(root)}\n"
        hint = hashlib.sha256(_spki(self.log)).digest()[:4]
        signature = _text(hint + _sign(self.log, note.encode()))
        return {
            "logIndex": "0",
            "treeSize": "1",
            "hashes": [],
            "rootHash": _text(root),
            "checkpoint": {"envelope": f"{note}\n\u2014 example.invalid {signature}\n"},
        }


def _signed(content: bytes, identity: str) -> bytes:
    digest = utils.Prehashed(hashes.SHA256())
    return key_of(identity).sign(
        hashlib.sha256(content).digest(), ec.ECDSA(digest, deterministic_signing=True)
    )


def _hash(content: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(content).hexdigest()}


def _canonical(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )

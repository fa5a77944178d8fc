"""Verify sigstore bundles beside an executable: the signer's identity, its issuer, and the time.

Two formats are supported, both offline, with the trust root in the sigstore package. That package
verifies sigstore's own format. cosign's older format, which it does not support, has the same parts
without the proof of inclusion: certificate, signature, and the log's signed promise with the time
(https://docs.sigstore.dev/about/bundle/).
"""

import json
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from asn1crypto import core
from cryptography import x509
from cryptography.exceptions import InvalidSignature as WrongSignature
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from factory.core.counted import counted
from factory.core.digests import Sha256
from factory.core.extras import Extra, needs
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.trust_level import Level, Scheme, Signature, Signer
from factory.executables.signatures.asn1 import decoding, load_certificate
from factory.executables.signatures.certificates import Chain, ChainRules, find_chain
from factory.executables.signatures.result import InvalidSignature, SignatureResult
from factory.executables.signatures.sigstore_root import SigstoreRoot, read_sigstore_root

if TYPE_CHECKING:
    from sigstore.models import Bundle

MAX_BUNDLE_BYTES = 1 << 18
_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_UNREADABLE = (
    MalformedJson,
    RecursionError,
    UnsupportedAlgorithm,
    ValueError,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""The errors of the decoders of JSON and certificates, which have no common base class."""

_UNDERSTOOD = frozenset({ExtensionOID.SUBJECT_ALTERNATIVE_NAME})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verified:
    """A verified bundle."""

    chain: Chain
    signed_at: datetime
    details: tuple[str, ...]


def read_sigstore_bundle(bundle: bytes, *, sha256: Sha256, root: Path, now: datetime) -> SignatureResult:
    """Verify a bundle for a file.

    Args:
        bundle: The bundle, in either format.
        sha256: The digest of the file.
        root: A sigstore trust root (``trusted_root.json``).
        now: Signatures from the future are rejected.
    """
    try:
        verified = _verify(bundle, sha256=sha256, root=root)
        _require_past(verified.signed_at, now)
        signer = _signer(verified.chain)
    except InvalidSignature as error:
        return SignatureResult(
            level=Level.SIGNATURE_NOT_VALID,
            reason=f"its sigstore bundle: {error.reason}",
            signature=Signature(scheme=Scheme.SIGSTORE, signer=None, signed_at=None),
        )
    return SignatureResult(
        level=Level.AUTHORSHIP_VERIFIED,
        reason="its sigstore bundle, the identity's chain to a trusted root and the log's entry are valid",
        signature=Signature(
            scheme=Scheme.SIGSTORE,
            signer=signer,
            signed_at=verified.signed_at,
            details=verified.details,
            serials=(verified.chain.serial,),
        ),
    )


def _require_past(at: datetime, now: datetime) -> None:
    if at > now:
        raise InvalidSignature(f"the log's time is in the future: {at:%Y-%m-%dT%H:%M:%SZ}")


def _verify(bundle: bytes, *, sha256: Sha256, root: Path) -> _Verified:
    if len(bundle) > MAX_BUNDLE_BYTES:
        raise InvalidSignature(f"it has {counted(len(bundle), 'byte')}; the limit is {MAX_BUNDLE_BYTES}")
    try:
        document = JsonObject.parse(bundle, where="the bundle")
        if "base64Signature" in document.members:
            return _cosign(document, sha256, read_sigstore_root(root))
        return _bundle(bundle, document, sha256, root)
    except _UNREADABLE as error:
        raise InvalidSignature(f"it is not a bundle: {error}") from error


class _AnyIdentity:
    """A policy for the sigstore package that accepts any identity; `signers` checks the identity."""

    def verify(self, cert: x509.Certificate) -> None:
        """Accept any certificate."""


def _bundle(bundle: bytes, document: JsonObject, sha256: Sha256, root: Path) -> _Verified:
    """Verify sigstore's own format with its package, and look up what the package does not return."""
    with needs(Extra.SIGN, "a sigstore bundle"):
        from sigstore.errors import Error  # noqa: PLC0415 - slow to import, and few runs have a bundle
        from sigstore.hashes import Hashed  # noqa: PLC0415
        from sigstore.models import Bundle, TrustedRoot  # noqa: PLC0415
        from sigstore.verify import Verifier  # noqa: PLC0415
        from sigstore_models.common.v1 import HashAlgorithm  # noqa: PLC0415

    try:
        parsed = Bundle.from_json(bundle)
        verifier = Verifier(trusted_root=TrustedRoot.from_file(str(root)))
        hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(sha256.hex))
        verifier.verify_artifact(hashed, parsed, _AnyIdentity())
    except (Error, ValueError) as error:
        raise InvalidSignature(str(error)) from error
    at = _bundle_time(parsed, document)
    return _Verified(
        chain=_chain(parsed.signing_certificate, read_sigstore_root(root), at),
        signed_at=at,
        details=("proof of inclusion in the transparency log",),
    )


def _bundle_time(bundle: "Bundle", document: JsonObject) -> datetime:
    """Return the time for which the verifier checked the certificate: a timestamp's, or the log's."""
    stamped = bundle.verification_material.timestamp_verification_data
    if stamped is not None and stamped.rfc3161_timestamps:
        return min(stamp.tst_info.gen_time for stamp in stamped.rfc3161_timestamps)
    (entry,) = document.child("verificationMaterial").objects("tlogEntries")
    return _moment(int(entry.text("integratedTime")))


def _cosign(document: JsonObject, sha256: Sha256, root: SigstoreRoot) -> _Verified:
    """Verify cosign's older format: certificate, signature, and the log's signed promise of an entry."""
    signature = b64decode(document.text("base64Signature"), validate=True)
    encoded = b64decode(document.text("cert"), validate=True)
    leaf = _from_pem(encoded)
    promise = document.child("rekorBundle")
    payload = promise.child("Payload")
    at = _moment(payload.integer("integratedTime"))
    _check_promise(promise, payload, root, at)
    _check_entry(payload, sha256=sha256, signature=signature, encoded=encoded)
    _check_signature(leaf, signature, sha256)
    return _Verified(
        chain=_chain(leaf, root, at),
        signed_at=at,
        details=(
            "promise of inclusion in the transparency log",
            "cosign's older bundle format, without proof of inclusion",
        ),
    )


def _from_pem(encoded: bytes) -> x509.Certificate:
    """Decode the one certificate of a PEM file."""
    found = x509.load_pem_x509_certificates(encoded)
    if len(found) != 1:
        raise InvalidSignature(f"it includes {counted(len(found), 'certificate')} instead of one")
    return load_certificate(found[0].public_bytes(Encoding.DER))


def _check_promise(promise: JsonObject, payload: JsonObject, root: SigstoreRoot, at: datetime) -> None:
    """Check the log's signature over the entry and its time, in canonical JSON (RFC 8785)."""
    signed = json.dumps(payload.members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    key = root.log_key(payload.text("logID"), at)
    signature = b64decode(promise.text("SignedEntryTimestamp"), validate=True)
    try:
        key.verify(signature, signed.encode(), ec.ECDSA(hashes.SHA256()))
    except WrongSignature as error:
        raise InvalidSignature("the log's promise was not signed with the log's key") from error


def _check_entry(payload: JsonObject, *, sha256: Sha256, signature: bytes, encoded: bytes) -> None:
    """Check that the log's entry is for this file, this signature and this certificate."""
    body = JsonObject.parse(b64decode(payload.text("body"), validate=True), where="the log's entry")
    if body.text("kind") != "hashedrekord":
        raise InvalidSignature(f"the log's entry is a {body.text('kind')}, not a hashedrekord")
    spec = body.child("spec")
    digest = spec.child("data").child("hash")
    if (digest.text("algorithm"), digest.text("value")) != ("sha256", sha256.hex):
        raise InvalidSignature("it is for another file")
    logged = spec.child("signature")
    key = logged.child("publicKey").text("content")
    if (b64decode(logged.text("content")), b64decode(key)) != (signature, encoded):
        raise InvalidSignature("the log's entry is for another signature")


def _check_signature(leaf: x509.Certificate, signature: bytes, sha256: Sha256) -> None:
    key = leaf.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise InvalidSignature("its certificate has a kind of key that sigstore does not support")
    try:
        key.verify(signature, bytes.fromhex(sha256.hex), ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except WrongSignature as error:
        raise InvalidSignature("the signature was not made by the certificate's key for this file") from error


def _chain(leaf: x509.Certificate, root: SigstoreRoot, at: datetime) -> Chain:
    rules = ChainRules(roots=root.roots, understood=_UNDERSTOOD)
    return find_chain(leaf, included=root.intermediates, rules=rules, at=at)


def _signer(chain: Chain) -> Signer:
    """Return the identity in the certificate, and the issuer that authenticated it."""
    try:
        names = chain.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        issuer = chain.leaf.extensions.get_extension_for_oid(_ISSUER).value
    except x509.ExtensionNotFound as error:
        raise InvalidSignature("its certificate names no identity or no issuer") from error
    identities = [
        *names.get_values_for_type(x509.UniformResourceIdentifier),
        *names.get_values_for_type(x509.RFC822Name),
    ]
    if len(identities) != 1 or not isinstance(issuer, x509.UnrecognizedExtension):
        raise InvalidSignature("its certificate names several identities, or no issuer")
    with decoding("the identity's issuer"):
        return Signer(
            name=identities[0],
            identifier=str(core.UTF8String.load(issuer.value, strict=True).native),
            root=chain.root.name,
        )


def _moment(seconds: int) -> datetime:
    """Return the time for a number of seconds since the epoch."""
    try:
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (OverflowError, OSError) as error:
        raise InvalidSignature("its time is not valid") from error

"""Verify Authenticode signatures of Windows executables (Microsoft's specification of 2008, PKCS #7).

The signer's certificate is valid for three days, so a signature needs a countersigned time: without
it, there is no evidence that the certificate was valid. These checks are stricter than Windows is by
default, and as strict as EnableCertPaddingCheck: bytes that are not signed and that no signing tool
writes are rejected.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from asn1crypto import algos, core, parser
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from factory.core.counted import counted
from factory.core.trust_level import Level, Scheme, Signature
from factory.executables.image_bytes import MalformedImage
from factory.executables.signatures.asn1 import decoding
from factory.executables.signatures.certificates import Chain, ChainRules, TrustedRoot, find_chain
from factory.executables.signatures.cms import (
    STRONG,
    HashName,
    SignedData,
    SignerInfo,
    check_signer,
    parse_signed_data,
)
from factory.executables.signatures.pe_certificates import CertificateTable, authentihash, read_certificates
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.result import InvalidSignature, SignatureResult, UnknownRoot
from factory.executables.signatures.timestamps import COUNTERSIGNATURE, TOKEN, countersigned_at

_INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4"
_PE_IMAGE = "1.3.6.1.4.1.311.2.1.15"
_NESTED = "1.3.6.1.4.1.311.2.4.1"
_IDENTITY = "1.3.6.1.4.1.311.97."
_IDENTITY_KINDS = "1.3.6.1.4.1.311.97.1."
_MAX_SIGNATURES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    """A valid signature, or one under an unknown root, with the digest that the file must have.

    Attributes:
        distrust: Why the signer is not known; empty for a signer under a pinned root.
    """

    algorithm: HashName
    digest: bytes
    signature: Signature
    distrust: str = ""


def read_authenticode(path: Path, policy: TrustPolicy) -> SignatureResult | None:
    """Verify the signatures of a PE file; None if it has no signature.

    All signatures must be valid, because other tools may look at another one than the first. The exception
    is a signature with a weak digest that has a strong one nested in it, as files for old systems have: it
    proves nothing and is not needed. If the chain of any signature ends in an unknown root, that decides the
    level of the file, because another tool may show the name in that one.
    """
    try:
        table = read_certificates(path)
        if table is None:
            return None
        signed = tuple(_each(table, policy))
    except (InvalidSignature, MalformedImage) as error:
        return SignatureResult(
            level=Level.SIGNATURE_NOT_VALID,
            reason=error.reason,
            signature=Signature(scheme=Scheme.AUTHENTICODE, signer=None, signed_at=None),
        )
    first = _with_others(signed)
    digests = {name: authentihash(path, table, name.value) for name in {one.algorithm for one in signed}}
    for one in signed:
        if digests[one.algorithm] != one.digest:
            reason = f"its {one.algorithm} digest is not the signed one: the file was changed after signing"
            return SignatureResult(level=Level.SIGNATURE_NOT_VALID, reason=reason, signature=first)
    for one in signed:
        if one.distrust:
            return SignatureResult(level=Level.ROOT_UNKNOWN, reason=one.distrust, signature=first)
    return SignatureResult(
        level=Level.AUTHORSHIP_VERIFIED,
        reason="its digest, the signer's chain to a pinned root and the countersigned time are valid",
        signature=first,
    )


def _with_others(signed: tuple[_Signed, ...]) -> Signature:
    first, *others = (one.signature for one in signed)
    other_signers = (f"also signed by {one.signer.name}" for one in others if one.signer is not None)
    serials = tuple(dict.fromkeys(serial for one in signed for serial in one.signature.serials))
    return replace(first, details=(*first.details, *other_signers), serials=serials)


def _each(table: CertificateTable, policy: TrustPolicy) -> Iterator[_Signed]:
    """Check every signature in the table, and the nested ones.

    Raises:
        InvalidSignature: One is not valid, or none is strong.
    """
    waiting = list(table.signatures)
    for number in range(1, _MAX_SIGNATURES + 1):
        if not waiting:
            return
        try:
            data = parse_signed_data(waiting.pop(0))
            nested = data.signer.unsigned_attributes.get(_NESTED, ())
            if not (nested and _is_weak(data)):
                signed = _check(data, policy)
                numbered = f"signature {number}: {signed.distrust}"
                yield replace(signed, distrust=numbered) if signed.distrust and number > 1 else signed
        except InvalidSignature as error:
            if number == 1:
                raise
            raise InvalidSignature(f"signature {number}: {error.reason}") from error
        waiting += nested
    raise InvalidSignature(f"it has more than {_MAX_SIGNATURES} signatures")


def _check(data: SignedData, policy: TrustPolicy) -> _Signed:
    if data.content_type != _INDIRECT_DATA or data.content is None:
        raise InvalidSignature("it does not sign the digest of a file")
    algorithm, digest = _file_digest(data.content)
    signer = data.signer
    leaf = check_signer(signer, content=data.content, content_type=_INDIRECT_DATA)
    details = (f"{algorithm} digest", *_unknown_attributes(signer))
    unknown = Signature(scheme=Scheme.AUTHENTICODE, signer=None, signed_at=None, details=details)
    try:
        at, chain = _chain(data, leaf, policy)
    except UnknownRoot as error:
        return _Signed(algorithm=algorithm, digest=digest, signature=unknown, distrust=error.reason)
    signature = replace(
        unknown, signer=chain.signer(identifier=_identity(leaf)), signed_at=at, serials=(chain.serial,)
    )
    return _Signed(algorithm=algorithm, digest=digest, signature=signature)


def _chain(data: SignedData, leaf: x509.Certificate, policy: TrustPolicy) -> tuple[datetime, Chain]:
    """Return the countersigned time, and the chain of the signer's certificate at that time."""
    roots = _roots_with_certificates(policy.microsoft_roots, data.certificates)
    at = countersigned_at(data.signer, data.certificates, roots=roots, now=policy.now)
    if at is None:
        raise InvalidSignature("it has no countersigned time, which its short-lived certificate needs")
    return at, find_chain(leaf, included=data.certificates, rules=ChainRules(roots=roots), at=at)


def _is_weak(data: SignedData) -> bool:
    """Whether a signature signs a weak digest of the file, or signs with one."""
    if data.content_type != _INDIRECT_DATA or data.content is None:
        return False
    return _named_digest(data.content)[0] not in STRONG or data.signer.digest not in STRONG


def _file_digest(content: bytes) -> tuple[HashName, bytes]:
    """Return the signed digest of the file, which must be strong."""
    algorithm, digest = _named_digest(content)
    if algorithm not in STRONG:
        raise InvalidSignature(f"the file's digest is {algorithm}, which is too weak")
    return algorithm, digest


def _named_digest(content: bytes) -> tuple[HashName, bytes]:
    """Return the signed digest of the file; PKCS #7 signs the content without its tag and length."""
    with decoding("the signed file digest"):
        data = core.Sequence.load(parser.emit(0, 1, core.Sequence.tag, content), strict=True)
        kind = data[0][0].dotted
        info = algos.DigestInfo.load(data[1].dump(), strict=True)
        name = info["digest_algorithm"]["algorithm"].native
        digest = bytes(info["digest"])
    if kind != _PE_IMAGE:
        raise InvalidSignature("it does not sign a PE file")
    return HashName.parse(name), digest


def _roots_with_certificates(
    roots: tuple[TrustedRoot, ...], included: tuple[x509.Certificate, ...]
) -> tuple[TrustedRoot, ...]:
    """Add certificates from the signature to the pinned roots, for tokens that do not include them."""
    found = {certificate.fingerprint(hashes.SHA256()).hex(): certificate for certificate in included}
    return tuple(replace(root, certificate=found.get(root.sha256.hex, root.certificate)) for root in roots)


def _identity(leaf: x509.Certificate) -> str | None:
    """Return the subscriber's durable identity, which Trusted Signing writes as an extended key usage."""
    usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    dotted = (usage.dotted_string for usage in usages)
    return next(
        (oid for oid in dotted if oid.startswith(_IDENTITY) and not oid.startswith(_IDENTITY_KINDS)), None
    )


def _unknown_attributes(signer: SignerInfo) -> Iterator[str]:
    """List the unsigned attributes that are not countersignatures: a known place for hidden data."""
    known = {_NESTED, COUNTERSIGNATURE, TOKEN}
    for dotted, values in signer.unsigned_attributes.items():
        if dotted not in known:
            yield f"unsigned attribute {dotted} of {counted(sum(map(len, values)), 'byte')}"

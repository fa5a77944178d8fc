"""Authenticode: who signed a Windows executable, and when (Microsoft's specification of 2008, PKCS #7).

The signer's certificate lives three days, so a signature is worth what its countersigned
time is: without one nobody can say that the certificate was valid. Stricter than Windows
by default, and as strict as its EnableCertPaddingCheck: bytes that no signature covers
and no signing tool writes are refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from asn1crypto import algos, core, parser
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from factory.core.trust_level import Level, Scheme, Signature
from factory.executables.image_bytes import MalformedImage
from factory.executables.signatures.asn1 import decoding
from factory.executables.signatures.certificates import ChainRules, TrustedRoot, find_chain
from factory.executables.signatures.cms import (
    STRONG,
    HashName,
    SignedData,
    SignerInfo,
    check_signer,
    parse_signed_data,
)
from factory.executables.signatures.countersignatures import COUNTERSIGNATURE, TOKEN, counter_signed_at
from factory.executables.signatures.invalid import InvalidSignature
from factory.executables.signatures.pe_certificates import CertificateTable, authentihash, read_certificates
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.reading import Reading

_INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4"
_PE_IMAGE = "1.3.6.1.4.1.311.2.1.15"
_NESTED = "1.3.6.1.4.1.311.2.4.1"
_IDENTITY = "1.3.6.1.4.1.311.97."
_IDENTITY_KINDS = "1.3.6.1.4.1.311.97.1."
_MAX_SIGNATURES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    """One signature that holds, over a digest that the file must have."""

    algorithm: HashName
    digest: bytes
    signature: Signature


def read_authenticode(path: Path, policy: TrustPolicy) -> Reading | None:
    """Judge the signatures of a PE file; None when it has none.

    All signatures must hold: whoever looks at another one than the first must not meet another answer.
    """
    try:
        table = read_certificates(path)
        if table is None:
            return None
        signed = tuple(_each(table, policy))
    except (InvalidSignature, MalformedImage) as error:
        return Reading(
            level=Level.SIGNATURE_NOT_VALID,
            reason=error.reason,
            signature=Signature(scheme=Scheme.AUTHENTICODE, signer=None, signed_at=None),
        )
    first = _with_others(signed)
    digests = {name: authentihash(path, table, name.value) for name in {one.algorithm for one in signed}}
    for one in signed:
        if digests[one.algorithm] != one.digest:
            reason = (
                f"its {one.algorithm} digest is another than the signed one: it was changed after signing"
            )
            return Reading(level=Level.SIGNATURE_NOT_VALID, reason=reason, signature=first)
    return Reading(
        level=Level.AUTHORSHIP_VERIFIED,
        reason="its digest, the signer's chain to a pinned root and the countersigned time hold",
        signature=first,
    )


def _with_others(signed: tuple[_Signed, ...]) -> Signature:
    first, *others = (one.signature for one in signed)
    told = (f"also signed by {one.signer.name}" for one in others if one.signer is not None)
    return replace(first, details=(*first.details, *told))


def _each(table: CertificateTable, policy: TrustPolicy) -> Iterator[_Signed]:
    """Check every signature of the table, and those nested in them."""
    waiting = list(table.signatures)
    for number in range(1, _MAX_SIGNATURES + 1):
        if not waiting:
            return
        try:
            data = parse_signed_data(waiting.pop(0))
            yield _check(data, policy)
        except InvalidSignature as error:
            if number == 1:
                raise
            raise InvalidSignature(f"signature {number}: {error.reason}") from error
        waiting += data.signer.unsigned_attributes.get(_NESTED, ())
    raise InvalidSignature(f"it has more than {_MAX_SIGNATURES} signatures")


def _check(data: SignedData, policy: TrustPolicy) -> _Signed:
    if data.content_type != _INDIRECT_DATA or data.content is None:
        raise InvalidSignature("it signs something else than a file's digest")
    algorithm, digest = _file_digest(data.content)
    signer = data.signer
    leaf = check_signer(signer, content=data.content, content_type=_INDIRECT_DATA)
    roots = _carried_roots(policy.microsoft_roots, data.certificates)
    at = counter_signed_at(signer, data.certificates, roots=roots, now=policy.now)
    if at is None:
        raise InvalidSignature("nobody countersigned its time, and its certificate was valid for days only")
    chain = find_chain(leaf, carried=data.certificates, rules=ChainRules(roots=roots), at=at)
    return _Signed(
        algorithm=algorithm,
        digest=digest,
        signature=Signature(
            scheme=Scheme.AUTHENTICODE,
            signer=chain.signer(identifier=_identity(leaf)),
            signed_at=at,
            details=(f"{algorithm} digest", *_unknown_attributes(signer)),
        ),
    )


def _file_digest(content: bytes) -> tuple[HashName, bytes]:
    """Return the file's digest that is signed; PKCS #7 signs the content without its tag and length."""
    with decoding("the signed file digest"):
        data = core.Sequence.load(parser.emit(0, 1, core.Sequence.tag, content), strict=True)
        kind = data[0][0].dotted
        info = algos.DigestInfo.load(data[1].dump(), strict=True)
        name = info["digest_algorithm"]["algorithm"].native
        digest = bytes(info["digest"])
    if kind != _PE_IMAGE:
        raise InvalidSignature("it signs something else than a PE file")
    algorithm = HashName.parse(name)
    if algorithm not in STRONG:
        raise InvalidSignature(f"the file's digest is {algorithm}, which is too weak")
    return algorithm, digest


def _carried_roots(
    roots: tuple[TrustedRoot, ...], carried: tuple[x509.Certificate, ...]
) -> tuple[TrustedRoot, ...]:
    """Complete the pinned roots with their certificates from the signature, for the token that lacks them."""
    found = {certificate.fingerprint(hashes.SHA256()).hex(): certificate for certificate in carried}
    return tuple(replace(root, certificate=found.get(root.sha256.hex, root.certificate)) for root in roots)


def _identity(leaf: x509.Certificate) -> str | None:
    """Return the subscriber's lasting identity, which Trusted Signing writes as an extended key usage."""
    usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    dotted = (usage.dotted_string for usage in usages)
    return next(
        (oid for oid in dotted if oid.startswith(_IDENTITY) and not oid.startswith(_IDENTITY_KINDS)), None
    )


def _unknown_attributes(signer: SignerInfo) -> Iterator[str]:
    """Tell of unsigned attributes that are no countersignature: a known place to leave a mark in."""
    known = {_NESTED, COUNTERSIGNATURE, TOKEN}
    for dotted, values in signer.unsigned_attributes.items():
        if dotted not in known:
            yield f"unsigned attribute {dotted} of {sum(map(len, values))} bytes"

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from factory.core.trust_level import Signer
from factory.executables.signatures.certificates import Chain, ChainRules, TrustedRoot, find_chain
from factory.executables.signatures.result import InvalidSignature
from tests.authority import (
    CODE_SIGNING,
    ISSUER,
    ROOT,
    SIGNED_AT,
    TIME_STAMPING,
    Identity,
    Subject,
    authority,
    issued,
    key_of,
    signature_over,
)

DAYS = timedelta(days=1)
YEARS = timedelta(days=3000)
TRUSTED = TrustedRoot(name="Test Root", sha256=ROOT.fingerprint)
RULES = ChainRules(roots=(TRUSTED,))
LEAF = Subject(name="Signer", organization="Somebody", usages=(CODE_SIGNING,))
NO_ROOT = "its certificate chain does not end in a root that is pinned here"


def find(identity: Identity, rules: ChainRules = RULES, *included: x509.Certificate) -> Chain:
    return find_chain(identity.certificate, included=included or identity.chain, rules=rules, at=SIGNED_AT)


def reject(identity: Identity, reason: str, rules: ChainRules = RULES, *included: x509.Certificate) -> None:
    with pytest.raises(InvalidSignature, match=f"^{re.escape(reason)}$"):
        find(identity, rules, *included)


def middle(name: str, issuer: Identity = ROOT, *, path_length: int | None = None) -> Identity:
    subject = Subject(
        name=name,
        is_authority=True,
        path_length=path_length,
        not_before=SIGNED_AT - YEARS,
        not_after=SIGNED_AT + YEARS,
    )
    return issued(subject, issuer)


def test_a_chain_to_an_included_root() -> None:
    leaf = issued(LEAF, ISSUER)
    chain = find(leaf)
    assert chain.certificates == (leaf.certificate, ISSUER.certificate, ROOT.certificate)
    assert chain.root is TRUSTED
    assert chain.signer(identifier="TEAM") == Signer(
        name="Signer", organization="Somebody", identifier="TEAM", root="Test Root"
    )


def test_a_chain_to_a_root_that_is_not_included() -> None:
    rules = ChainRules(roots=(replace(TRUSTED, certificate=ROOT.certificate),))
    assert find(issued(LEAF, ISSUER), rules, ISSUER.certificate).certificates[-1] == ROOT.certificate
    reject(issued(LEAF, ISSUER), NO_ROOT, RULES, ISSUER.certificate)


def test_the_order_of_included_certificates_does_not_matter() -> None:
    leaf = issued(LEAF, ISSUER)
    included = (ROOT.certificate, leaf.certificate, ISSUER.certificate)
    assert len(find(leaf, RULES, *included).certificates) == 3


def test_a_root_with_the_same_name_is_another_root() -> None:
    impostor = issued(
        Subject(
            name="Test Root",
            serial=2,
            is_authority=True,
            not_before=SIGNED_AT - YEARS,
            not_after=SIGNED_AT + YEARS,
        )
    )
    assert impostor.certificate.subject == ROOT.certificate.subject
    assert impostor.fingerprint != ROOT.fingerprint
    leaf = issued(LEAF, impostor)
    reject(leaf, NO_ROOT)


def test_the_root_is_not_a_signer() -> None:
    reject(ROOT, NO_ROOT)


def test_an_issuer_with_the_right_name_but_another_key() -> None:
    forged = issued(replace(LEAF, name="Forged"), middle("Forger", authority("Other Root")))
    renamed = x509.CertificateBuilder(
        ISSUER.certificate.subject,
        forged.certificate.subject,
        key_of("Forged").public_key(),
        1,
        SIGNED_AT,
        SIGNED_AT,
    ).sign(key_of("Forger"), hashes.SHA256())
    with pytest.raises(InvalidSignature, match=NO_ROOT):
        find_chain(renamed, included=(ISSUER.certificate, ROOT.certificate), rules=RULES, at=SIGNED_AT)


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        (
            replace(LEAF, not_after=SIGNED_AT - timedelta(hours=1)),
            "the certificate of 'Signer' expired on 2026-10-15",
        ),
        (
            replace(LEAF, not_before=SIGNED_AT + DAYS),
            "the certificate of 'Signer' is not valid before 2026-10-16",
        ),
        (replace(LEAF, usages=()), "the certificate of 'Signer' is not issued for this purpose"),
        (
            replace(LEAF, usages=(TIME_STAMPING,)),
            "the certificate of 'Signer' is not issued for this purpose",
        ),
        (
            replace(LEAF, marks=("1.2.3.4",)),
            "the certificate of 'Signer' has the critical extension 1.2.3.4",
        ),
    ],
    ids=["expired", "not yet", "no purpose", "another purpose", "critical"],
)
def test_a_rejected_leaf(subject: Subject, reason: str) -> None:
    reject(issued(subject, ISSUER), reason)


def test_a_critical_extension_that_the_caller_understands() -> None:
    leaf = issued(replace(LEAF, marks=("1.2.3.4",)), ISSUER)
    understood = frozenset({x509.ObjectIdentifier("1.2.3.4")})
    assert find(leaf, replace(RULES, understood=understood)).leaf == leaf.certificate


def test_another_purpose() -> None:
    leaf = issued(replace(LEAF, usages=(TIME_STAMPING,)), ISSUER)
    assert find(leaf, replace(RULES, purpose=ExtendedKeyUsageOID.TIME_STAMPING)).leaf == leaf.certificate


def test_a_signer_must_not_issue_certificates() -> None:
    signer = issued(LEAF, ISSUER)
    reject(
        issued(replace(LEAF, name="Below"), signer), "the certificate of 'Signer' must not issue certificates"
    )


def test_an_expired_authority() -> None:
    old = issued(Subject(name="Old", is_authority=True, not_after=SIGNED_AT - timedelta(hours=1)), ROOT)
    reject(issued(LEAF, old), "the certificate of 'Old' expired on 2026-10-15")


def test_an_authority_for_other_purposes() -> None:
    other = issued(Subject(name="Other", is_authority=True, usages=(TIME_STAMPING,)), ROOT)
    reject(issued(LEAF, other), "the certificate of 'Other' issues certificates for other purposes")
    right = issued(Subject(name="Right", is_authority=True, usages=(CODE_SIGNING,)), ROOT)
    assert len(find(issued(LEAF, right)).certificates) == 3


def test_the_path_length_constraint() -> None:
    short = middle("Short", path_length=0)
    assert len(find(issued(LEAF, short)).certificates) == 3
    below = middle("Below", short)
    reject(issued(LEAF, below), "the certificate of 'Short' does not allow a chain of this length")


def test_a_chain_that_is_too_long() -> None:
    last = ROOT
    for number in range(5):
        last = middle(f"Middle {number}", last)
    reject(issued(LEAF, last), NO_ROOT)


def certified(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Return a leaf with this key."""
    builder = x509.CertificateBuilder(
        ISSUER.certificate.subject,
        ISSUER.certificate.subject,
        key.public_key(),
        5,
        SIGNED_AT - DAYS,
        SIGNED_AT + DAYS,
    ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=True)
    return builder.sign(ISSUER.key, hashes.SHA256())


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505 - must be rejected
        ec.generate_private_key(ec.SECP224R1()),
    ],
    ids=["rsa 1024", "p224"],
)
def test_weak_keys(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    included = (ISSUER.certificate, ROOT.certificate)
    with pytest.raises(InvalidSignature, match=r"has a key of an unsupported kind or size$"):
        find_chain(certified(key), included=included, rules=RULES, at=SIGNED_AT)


def test_a_certificate_signed_with_sha1() -> None:
    fields = asn1_x509.Certificate.load(issued(LEAF, ISSUER).certificates[0])
    fields["tbs_certificate"]["signature"] = fields["signature_algorithm"] = {"algorithm": "sha1_ecdsa"}
    signed = fields["tbs_certificate"].dump(force=True)
    fields["signature_value"] = signature_over(signed, ISSUER, digest="sha1")
    leaf = x509.load_der_x509_certificate(fields.dump(force=True))
    with pytest.raises(InvalidSignature, match=NO_ROOT):
        find_chain(leaf, included=(ISSUER.certificate, *ISSUER.chain), rules=RULES, at=SIGNED_AT)


def test_the_number_of_signature_checks_is_limited() -> None:
    bomb = tuple(
        issued(
            Subject(
                name="Bomb",
                serial=number,
                is_authority=True,
                not_before=SIGNED_AT - YEARS,
                not_after=SIGNED_AT + YEARS,
            )
        ).certificate
        for number in range(1, 25)
    )
    leaf = issued(
        LEAF, issued(Subject(name="Bomb", is_authority=True, serial=99, not_after=SIGNED_AT + YEARS))
    )
    reject(leaf, "its certificates need more than 48 signature checks", RULES, *bomb)
    reject(leaf, "it includes 72 certificates", RULES, *bomb * 3)

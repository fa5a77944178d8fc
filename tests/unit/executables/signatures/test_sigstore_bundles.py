import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.core.digests import Sha256
from factory.core.errors import HostError
from factory.core.model import FileKind
from factory.core.trust_level import Level, Scheme, Signer
from factory.executables.signatures.assess import Executable, assess
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.result import SignatureResult
from factory.executables.signatures.signers import is_unexpected
from factory.executables.signatures.sigstore_bundles import read_sigstore_bundle
from factory.executables.signatures.sigstore_root import packaged_root, read_sigstore_root
from tests.authority import SIGNED_AT
from tests.images import Elf
from tests.sigstore_instance import GITHUB, WORKFLOW, Instance

INSTANCE = Instance()
CONTENT = Elf().content()
SHA256 = Sha256.of([CONTENT])
NOW = SIGNED_AT + timedelta(days=30)
Signing = Callable[..., dict[str, object]]
FORMATS = pytest.mark.parametrize("sign", [INSTANCE.cosign, INSTANCE.bundle], ids=["cosign", "sigstore"])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return INSTANCE.trusted_root(tmp_path_factory.mktemp("root"))


def read(document: object, root: Path, *, sha256: Sha256 = SHA256, now: datetime = NOW) -> SignatureResult:
    return read_sigstore_bundle(json.dumps(document).encode(), sha256=sha256, root=root, now=now)


@FORMATS
def test_a_valid_bundle(sign: Signing, root: Path) -> None:
    result = read(sign(CONTENT), root)
    assert result.level is Level.AUTHORSHIP_VERIFIED
    assert result.signature.scheme is Scheme.SIGSTORE
    assert result.signature.signer == Signer(name=WORKFLOW, identifier=GITHUB, root="Test Sigstore")
    assert result.signature.signed_at == datetime(2026, 10, 15, 20, 18, 45, tzinfo=UTC)


def reason_of(result: SignatureResult) -> str:
    assert result.level is Level.SIGNATURE_NOT_VALID
    assert result.signature.signer is None
    return result.reason


@FORMATS
def test_a_bundle_of_another_file(sign: Signing, root: Path) -> None:
    reason = reason_of(read(sign(b"another file"), root))
    assert reason in {
        "its sigstore bundle: it is for another file",
        "its sigstore bundle: Bundle message digest mismatch",
    }


@FORMATS
def test_a_bundle_of_another_instance(sign: Signing, tmp_path: Path) -> None:
    other = Instance(name="Another").trusted_root(tmp_path)
    reason_of(read(sign(CONTENT), other))


@FORMATS
def test_a_bundle_from_the_future(sign: Signing, root: Path) -> None:
    result = read(sign(CONTENT), root, now=SIGNED_AT)
    assert reason_of(result) == ("its sigstore bundle: the log's time is in the future: 2026-10-15T20:18:45Z")


def replaced(document: object, old: str, new: str) -> object:
    text = json.dumps(document)
    assert old in text
    return json.loads(text.replace(old, new, 1))


def test_a_promise_about_another_time(root: Path) -> None:
    time = int(SIGNED_AT.timestamp()) + 5
    changed = replaced(INSTANCE.cosign(CONTENT), str(time), str(time + 1))
    assert (
        reason_of(read(changed, root))
        == "its sigstore bundle: the log's promise was not signed with the log's key"
    )


def test_a_signature_of_another_key(root: Path) -> None:
    one, other = INSTANCE.cosign(CONTENT), INSTANCE.cosign(CONTENT, identity="https://example.invalid/other")
    mixed = {**one, "base64Signature": other["base64Signature"]}
    assert reason_of(read(mixed, root)) == "its sigstore bundle: the log's entry is for another signature"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "it is not a bundle: the bundle: should be an object"),
        ({}, "unsupported bundle format"),
        ({"base64Signature": "!"}, "it is not a bundle: "),
        ({"base64Signature": "aaaa", "cert": "aaaa"}, "it is not a bundle: "),
    ],
)
def test_a_malformed_bundle(document: object, reason: str, root: Path) -> None:
    assert reason in reason_of(read(document, root)) or reason_of(read(document, root))


@FORMATS
def test_a_certificate_with_an_invalid_version(sign: Signing, root: Path) -> None:
    version, other = bytes.fromhex("a003020102"), bytes.fromhex("a003020142")

    def changed(text: str) -> str:
        content = b64decode(text)
        if content.startswith(b"-----BEGIN CERT"):
            return b64encode(pem(x509_der(content).replace(version, other, 1))).decode()
        return b64encode(content.replace(version, other, 1)).decode()

    document = sign(CONTENT)
    if "cert" in document:
        document["cert"] = changed(str(document["cert"]))
    else:
        material = document["verificationMaterial"]
        assert isinstance(material, dict)
        material["certificate"]["rawBytes"] = changed(material["certificate"]["rawBytes"])
    assert "is not a valid X509 version" in reason_of(read(document, root))


def x509_der(content: bytes) -> bytes:
    return b64decode(b"".join(content.splitlines()[1:-1]))


def pem(der: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + b64encode(der) + b"\n-----END CERTIFICATE-----\n"


def test_a_bundle_of_megabytes_is_not_read(root: Path) -> None:
    result = read_sigstore_bundle(bytes(1 << 19), sha256=SHA256, root=root, now=NOW)
    assert reason_of(result) == "its sigstore bundle: it has 524288 bytes; the limit is 262144"


COSIGN = json.dumps(INSTANCE.cosign(CONTENT)).encode()


@given(at=st.integers(0, len(COSIGN) - 1), byte=st.integers(0, 255))
def test_a_changed_byte_gives_a_level(at: int, byte: int, root: Path) -> None:
    changed = COSIGN[:at] + bytes((byte,)) + COSIGN[at + 1 :]
    result = read_sigstore_bundle(changed, sha256=SHA256, root=root, now=NOW)
    assert result.level in {Level.AUTHORSHIP_VERIFIED, Level.SIGNATURE_NOT_VALID}
    if result.level is Level.AUTHORSHIP_VERIFIED:
        assert result.signature.signer == Signer(name=WORKFLOW, identifier=GITHUB, root="Test Sigstore")


@FORMATS
def test_a_linux_executable_with_a_bundle_has_verified_authorship(
    sign: Signing, root: Path, tmp_path: Path
) -> None:
    path = tmp_path / "codex"
    path.write_bytes(CONTENT)
    bundle = json.dumps(sign(CONTENT)).encode()
    policy = TrustPolicy(sigstore_root=root, bundles={SHA256: bundle}, now=NOW)
    assessment = assess(Executable(path=path, place="bin/codex", sha256=SHA256, kind=FileKind.ELF), policy)
    assert assessment.level is Level.AUTHORSHIP_VERIFIED
    assert not is_unexpected(assessment)


@FORMATS
def test_another_workflow_is_unexpected(sign: Signing, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "codex"
    path.write_bytes(CONTENT)
    bundle = json.dumps(sign(CONTENT, identity=WORKFLOW.replace("openai", "somebody"))).encode()
    policy = TrustPolicy(sigstore_root=root, bundles={SHA256: bundle}, now=NOW)
    assessment = assess(Executable(path=path, place="bin/codex", sha256=SHA256, kind=FileKind.ELF), policy)
    assert is_unexpected(assessment)


def test_the_package_includes_the_root_of_the_public_instance() -> None:
    trusted = read_sigstore_root(packaged_root())
    assert {root.name for root in trusted.roots} == {"sigstore"}
    assert len(trusted.logs) == 1


def test_a_missing_root_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no sigstore trust root"):
        read(INSTANCE.cosign(CONTENT), tmp_path / "absent.json")

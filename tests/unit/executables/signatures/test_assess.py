from datetime import UTC, datetime
from pathlib import Path

import pytest

from factory.core.codec import from_json, to_json
from factory.core.digests import Sha256
from factory.core.errors import UsageError
from factory.core.json_reader import JsonObject
from factory.core.model import FileKind
from factory.core.trust_level import Level, Scheme, Signature, Signer, TrustAssessment
from factory.executables.signatures.assess import Executable, assess
from factory.executables.signatures.policy import TrustPolicy
from factory.executables.signatures.requirement import Requirement
from factory.executables.signatures.signers import is_unexpected, without_authorship
from tests.authority import TRUST
from tests.images import Elf, Pe
from tests.images.authenticode import LEAKED, OPENAI_IDENTITY, SOMEBODY, Authenticode, signed

ONE = Sha256("1" * 64)
PROMISE = "pkg:npm/%40openai/codex@0.163.0-linux-x64"


def assessed(content: bytes, kind: FileKind, directory: Path, *, name: str = "bin/codex") -> TrustAssessment:
    path = directory / "file"
    path.write_bytes(content)
    executable = Executable(path=path, place=name, sha256=Sha256.of([content]), kind=kind)
    return assess(executable, TRUST)


def test_an_unsigned_file_in_no_package_is_unknown(tmp_path: Path) -> None:
    assessment = assessed(Elf().content(), FileKind.ELF, tmp_path)
    assert (assessment.level, assessment.reason, assessment.signature) == (
        Level.NOTHING_KNOWN,
        "elf files have no embedded signature, and no release package was given that has it",
        None,
    )


def test_a_revoked_certificate_is_not_verified_authorship(tmp_path: Path) -> None:
    assessment = assessed(signed(Pe(), Authenticode(by=LEAKED)), FileKind.PE, tmp_path)
    assert assessment.level is Level.SIGNER_REVOKED
    assert assessment.reason == (
        "the signature fits the file, but the certificate 0x3f49220643f9d48b of"
        " 1.3.6.1.4.1.311.97.34411380.685553541.718322805.135574919 is revoked (known since 2026-11-01)"
    )
    assert assessment.signature is not None
    assert assessment.signature.serials == ("0x3f49220643f9d48b",)
    assert without_authorship([assessment]) == (assessment,)


def test_a_second_signature_with_a_revoked_certificate_counts_too(tmp_path: Path) -> None:
    content = signed(Pe(), Authenticode(nested=(Authenticode(by=LEAKED),)))
    assert assessed(content, FileKind.PE, tmp_path).level is Level.SIGNER_REVOKED


def test_a_changed_file_with_a_revoked_certificate_is_not_valid(tmp_path: Path) -> None:
    content = bytearray(signed(Pe(), Authenticode(by=LEAKED)))
    content[2] ^= 1
    assert assessed(bytes(content), FileKind.PE, tmp_path).level is Level.SIGNATURE_NOT_VALID


def test_the_revoked_certificate_of_upstream_is_listed() -> None:
    (entry,) = TrustPolicy().revoked
    assert (entry.scheme, entry.serial) == (Scheme.APPLE, "0x76838837c6ef31e567f3ed81cd2fcfe5")


def test_an_unsigned_file_in_a_package_has_integrity_only(tmp_path: Path) -> None:
    path = tmp_path / "codex"
    path.write_bytes(b"content")
    executable = Executable(path=path, place="bin/codex", sha256=ONE, kind=FileKind.ELF)
    assert assess(executable, TrustPolicy(promises={ONE: PROMISE})) == TrustAssessment(
        place="bin/codex",
        sha256=ONE,
        level=Level.INTEGRITY_ONLY,
        reason=f"elf files have no embedded signature; it is in {PROMISE}, whose digest the channel promises",
    )


def test_a_release_package_does_not_outweigh_an_invalid_signature(tmp_path: Path) -> None:
    content = signed(Pe(), Authenticode(at=None))
    path = tmp_path / "codex.exe"
    path.write_bytes(content)
    executable = Executable(path=path, place="codex.exe", sha256=ONE, kind=FileKind.PE)
    assessment = assess(
        executable, TrustPolicy(microsoft_roots=TRUST.microsoft_roots, promises={ONE: PROMISE})
    )
    assert assessment.level is Level.SIGNATURE_NOT_VALID


def test_an_unsigned_companion_is_reported_as_such(tmp_path: Path) -> None:
    assessment = assessed(Pe().content(), FileKind.PE, tmp_path, name="codex-path/rg.exe")
    assert assessment.reason == (
        "it has no signature (ripgrep's own releases for Windows are unsigned, and upstream bundles them as"
        " they are), and no release package was given that has it"
    )


def test_the_default_policy_does_not_trust_the_test_root(tmp_path: Path) -> None:
    path = tmp_path / "codex.exe"
    path.write_bytes(signed(Pe()))
    executable = Executable(path=path, place="codex.exe", sha256=ONE, kind=FileKind.PE)
    assert assess(executable, TrustPolicy()).level is Level.ROOT_UNKNOWN


OPENAI = Signer(
    name="OpenAI OpCo, LLC", organization="OpenAI OpCo, LLC", identifier=OPENAI_IDENTITY, root="a root"
)


def by(signer: Signer | None, scheme: Scheme, *, level: Level = Level.AUTHORSHIP_VERIFIED) -> TrustAssessment:
    moment = datetime(2026, 10, 15, 20, 18, 40, tzinfo=UTC)
    signature = Signature(scheme=scheme, signer=signer, signed_at=moment, details=("one", "two"))
    return TrustAssessment(
        place="bin/codex.exe", sha256=ONE, level=level, reason="a reason", signature=signature
    )


WORKFLOW = "https://github.com/openai/codex/.github/workflows/rust-release.yml@refs/tags/"
ISSUER = "https://token.actions.githubusercontent.com"


@pytest.mark.parametrize(
    ("scheme", "signer", "is_other"),
    [
        (Scheme.AUTHENTICODE, OPENAI, False),
        (
            Scheme.AUTHENTICODE,
            Signer(name="OpenAI OpCo, LLC", organization="OpenAI OpCo, LLC", identifier=None, root="a root"),
            True,
        ),
        (Scheme.AUTHENTICODE, Signer(name="OpenAI", identifier=OPENAI_IDENTITY, root="a root"), True),
        (Scheme.APPLE, Signer(name="Developer ID Application: X", identifier="2DC432GLL2", root="r"), False),
        (Scheme.APPLE, Signer(name="Apple Development: X", identifier="2DC432GLL2", root="r"), True),
        (Scheme.APPLE, Signer(name="Developer ID Application: X", identifier="2DC432GLL3", root="r"), True),
        (Scheme.SIGSTORE, Signer(name=f"{WORKFLOW}rust-v0.163.0", identifier=ISSUER, root="r"), False),
        (Scheme.SIGSTORE, Signer(name=f"{WORKFLOW}rust-v0.163.0", identifier="another", root="r"), True),
        (Scheme.SIGSTORE, Signer(name=f"{WORKFLOW}rust-v0.163.0/../x", identifier=ISSUER, root="r"), True),
        (
            Scheme.SIGSTORE,
            Signer(name=WORKFLOW.replace("openai", "other") + "rust-v0.163.0", identifier=ISSUER, root="r"),
            True,
        ),
    ],
)
def test_expected_signers(scheme: Scheme, signer: Signer, is_other: bool) -> None:  # noqa: FBT001 - a table
    assert is_unexpected(by(signer, scheme)) is is_other


def test_an_invalid_signature_has_no_unexpected_signer() -> None:
    assert not is_unexpected(by(None, Scheme.AUTHENTICODE, level=Level.SIGNATURE_NOT_VALID))


def test_executables_without_the_expected_author() -> None:
    fine = by(OPENAI, Scheme.AUTHENTICODE)
    other = by(Signer(name="Somebody", root="a root"), Scheme.AUTHENTICODE)
    bare = TrustAssessment(place="bin/codex", sha256=ONE, level=Level.INTEGRITY_ONLY, reason="none")
    companion = TrustAssessment(
        place="codex-path/rg.exe", sha256=ONE, level=Level.NOTHING_KNOWN, reason="none"
    )
    broken = TrustAssessment(
        place="codex-path/rg.exe",
        sha256=ONE,
        level=Level.SIGNATURE_NOT_VALID,
        reason="broken",
        signature=Signature(scheme=Scheme.AUTHENTICODE, signer=None, signed_at=None),
    )
    assert without_authorship([fine, other, bare, companion, broken]) == (other, bare, broken)


@pytest.mark.parametrize(
    ("text", "platforms", "is_covered"),
    [
        ("", "win_amd64", False),
        ("all", "manylinux_2_17_x86_64", True),
        ("windows", "win_arm64", True),
        ("windows", "macosx_11_0_arm64", False),
        ("macos, win_amd64", "win_amd64", True),
        ("macos,win_amd64", "win_arm64", False),
        ("macosx_10_9_x86_64", "macosx_10_9_x86_64", True),
    ],
)
def test_a_requirement_names_platforms(text: str, platforms: str, is_covered: bool) -> None:  # noqa: FBT001
    assert Requirement.parse(text).covers((platforms,)) is is_covered


def test_a_requirement_covers_a_single_executable_by_its_format() -> None:
    required = Requirement.parse("windows,macosx_11_0_arm64")
    assert [kind for kind in FileKind if required.covers_kind(kind)] == [FileKind.PE]


def test_a_misspelled_requirement_is_rejected() -> None:
    with pytest.raises(UsageError, match="--require-authorship: 'widnows' is not a platform"):
        Requirement.parse("macos,widnows")


@pytest.mark.parametrize(
    "assessment",
    [
        by(OPENAI, Scheme.AUTHENTICODE),
        by(None, Scheme.APPLE, level=Level.SIGNATURE_NOT_VALID),
        TrustAssessment(place="bin/codex", sha256=ONE, level=Level.INTEGRITY_ONLY, reason="none"),
    ],
)
def test_an_assessment_survives_a_round_trip_through_json(assessment: TrustAssessment) -> None:
    entry = JsonObject.of(to_json(assessment), "a test")
    assert from_json(TrustAssessment, entry) == assessment


def test_another_signer_is_unexpected(tmp_path: Path) -> None:
    assessment = assessed(signed(Pe(), Authenticode(by=SOMEBODY)), FileKind.PE, tmp_path)
    assert is_unexpected(assessment)

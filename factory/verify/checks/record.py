"""Checks of RECORD: it lists exactly the members, with the hashes and sizes that they have."""

import base64
from collections import Counter
from collections.abc import Iterator

from factory.core.model import Severity
from factory.verify.checks.check import Check, Fault
from factory.verify.checks.dist_info_files import (
    RecordLine,
    dist_info_directories,
    dist_info_member,
    record_lines,
)
from factory.verify.reading.contents import Member, WheelContents

_STANDARD = "packaging.python.org: recording installed projects; binary distribution format"
_UNHASHED = ("RECORD", "RECORD.jws", "RECORD.p7s")


def _find_missing(wheel: WheelContents) -> Iterator[Fault]:
    if len(dist_info_directories(wheel)) == 1 and dist_info_member(wheel, "RECORD") is None:
        yield Fault(place=wheel.name, evidence="there is no RECORD")


def _find_malformed(wheel: WheelContents) -> Iterator[Fault]:
    record = dist_info_member(wheel, "RECORD")
    if record is not None and record.sha256 is not None and record_lines(wheel) is None:
        yield Fault(place=record.name, evidence="it is no UTF-8 CSV of three columns, or is over 1 MiB")


def _find_unlisted(wheel: WheelContents) -> Iterator[Fault]:
    lines = record_lines(wheel)
    if lines is None:
        return
    listed = {line.path for line in lines}
    for name, member in wheel.by_name.items():
        if name not in listed and not member.is_directory:
            yield Fault(place=name, evidence="RECORD does not list it")


def _find_ghosts(wheel: WheelContents) -> Iterator[Fault]:
    for line in record_lines(wheel) or ():
        if wheel.member(line.path) is None:
            yield Fault(place=line.path, evidence="RECORD lists it, and there is no such member")


def _find_doubled(wheel: WheelContents) -> Iterator[Fault]:
    for path, count in Counter(line.path for line in record_lines(wheel) or ()).items():
        if count > 1:
            yield Fault(place=path, evidence=f"RECORD lists it {count} times")


def _find_wrong_hashes(wheel: WheelContents) -> Iterator[Fault]:
    for line, member in _listed(wheel):
        algorithm, _, value = line.hash.partition("=")
        if algorithm == "sha256" and member.sha256 is not None and not _is_unhashed(member.name):
            real = base64.urlsafe_b64encode(bytes.fromhex(member.sha256.hex)).rstrip(b"=").decode()
            if value != real:
                yield Fault(
                    place=member.name, evidence=f"RECORD has sha256={value}, its content sha256={real}"
                )


def _find_other_hashes(wheel: WheelContents) -> Iterator[Fault]:
    for line, member in _listed(wheel):
        if _is_unhashed(member.name):
            continue
        if not line.hash:
            yield Fault(place=member.name, evidence="RECORD has no hash of it")
        elif not line.hash.startswith("sha256="):
            yield Fault(place=member.name, evidence=f"RECORD's hash of it is no SHA-256: {line.hash[:24]}")


def _find_wrong_sizes(wheel: WheelContents) -> Iterator[Fault]:
    for line, member in _listed(wheel):
        if member.sha256 is None or _is_unhashed(member.name):
            continue
        if line.size != str(member.size_bytes):
            evidence = f"RECORD has size {line.size or 'nothing'}, it has {member.size_bytes} bytes"
            yield Fault(place=member.name, evidence=evidence)


def _find_self_hash(wheel: WheelContents) -> Iterator[Fault]:
    for line, member in _listed(wheel):
        if _is_unhashed(member.name) and (line.hash or line.size):
            yield Fault(
                place=member.name, evidence="RECORD gives a hash or size of itself or of its signature"
            )


def _listed(wheel: WheelContents) -> Iterator[tuple[RecordLine, Member]]:
    for line in record_lines(wheel) or ():
        member = wheel.member(line.path)
        if member is not None:
            yield line, member


def _is_unhashed(name: str) -> bool:
    directory, _, file = name.rpartition("/")
    return directory.endswith(".dist-info") and "/" not in directory and file in _UNHASHED


CHECKS: tuple[Check[WheelContents], ...] = (
    Check(
        id="record-present",
        title="There is a RECORD",
        severity=Severity.ERROR,
        protects="Users: installers refuse the wheel.",
        standard=_STANDARD,
        remedy="Build the wheel again.",
        find=_find_missing,
    ),
    Check(
        id="record-format",
        title="RECORD can be parsed",
        severity=Severity.ERROR,
        protects="Users: installers refuse the wheel, or uninstall the wrong files.",
        standard=_STANDARD,
        remedy="Build the wheel again.",
        find=_find_malformed,
    ),
    Check(
        id="record-complete",
        title="RECORD lists every member",
        severity=Severity.ERROR,
        protects="Users: a file that nobody vouches for, and that stays behind on uninstalling.",
        standard=_STANDARD,
        remedy="Build the wheel again; it was edited.",
        find=_find_unlisted,
    ),
    Check(
        id="record-ghost",
        title="RECORD lists nothing else",
        severity=Severity.ERROR,
        protects="Users: uninstalling would delete a file that this wheel never brought.",
        standard=_STANDARD,
        remedy="Build the wheel again; it was edited.",
        find=_find_ghosts,
    ),
    Check(
        id="record-duplicate",
        title="RECORD lists every member once",
        severity=Severity.ERROR,
        protects="Users: which of two hashes holds depends on the installer.",
        standard=_STANDARD,
        remedy="Build the wheel again; it was edited.",
        find=_find_doubled,
    ),
    Check(
        id="record-hash",
        title="RECORD's hashes are those of the members",
        severity=Severity.ERROR,
        protects="Users: the file is not the one that was built; pip does not look.",
        standard=_STANDARD,
        remedy="Fetch or build the wheel again; it was edited.",
        find=_find_wrong_hashes,
    ),
    Check(
        id="record-algorithm",
        title="RECORD has a SHA-256 of every member",
        severity=Severity.ERROR,
        protects="Users: without it nobody can say that the file is the one that was built.",
        standard=_STANDARD,
        remedy="Build the wheel with a backend that writes SHA-256, as all known ones do.",
        find=_find_other_hashes,
    ),
    Check(
        id="record-size",
        title="RECORD's sizes are those of the members",
        severity=Severity.ERROR,
        protects="Users: the file is not the one that was built.",
        standard=_STANDARD,
        remedy="Fetch or build the wheel again; it was edited.",
        find=_find_wrong_sizes,
    ),
    Check(
        id="record-self",
        title="RECORD has no hash of itself",
        severity=Severity.ERROR,
        protects="Users: no file can hold its own hash, so the value is made up.",
        standard=_STANDARD,
        remedy="Build the wheel again.",
        find=_find_self_hash,
    ),
)

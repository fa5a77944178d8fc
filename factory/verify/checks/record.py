"""Checks of RECORD: it lists exactly the members, with their hashes and sizes."""

import base64
from collections import Counter
from collections.abc import Iterator

from factory.core.counted import counted
from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info_files import (
    RecordLine,
    dist_info_directories,
    dist_info_member,
    record_lines,
)
from factory.verify.reading.contents import Member, WheelContents
from factory.verify.reading.read import content_digest

_ALGORITHMS = ("sha256", "sha384", "sha512")
"""The format allows SHA-256 or better."""
_UNHASHED = ("RECORD", "RECORD.jws", "RECORD.p7s")

check = Checks[WheelContents](
    standard="packaging.python.org: recording installed projects; binary distribution format"
)


@check(
    "record-present",
    Severity.ERROR,
    title="There is a RECORD file",
    protects="Users: installers refuse the wheel.",
    remedy="Build the wheel again.",
)
def _find_missing(wheel: WheelContents) -> Iterator[Fault]:
    if len(dist_info_directories(wheel)) == 1 and dist_info_member(wheel, "RECORD") is None:
        yield Fault(wheel.name, "RECORD is missing")


@check(
    "record-format",
    Severity.ERROR,
    title="RECORD can be parsed",
    protects="Users: installers refuse the wheel, or uninstall the wrong files.",
    remedy="Build the wheel again.",
)
def _find_malformed(wheel: WheelContents) -> Iterator[Fault]:
    record = dist_info_member(wheel, "RECORD")
    if record is not None and record.data is not None and record_lines(wheel) is None:
        yield Fault(record.name, "it is not a UTF-8 CSV file of three columns")


@check(
    "record-complete",
    Severity.ERROR,
    title="RECORD lists every member",
    protects="Users: the file has no hash to check, and uninstalling leaves it behind.",
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
    title="RECORD lists only members",
    protects="Users: uninstalling would delete a file that the wheel did not install.",
    remedy="Build the wheel again; it was edited.",
)
def _find_ghosts(wheel: WheelContents) -> Iterator[Fault]:
    for line in record_lines(wheel) or ():
        if wheel.member(line.path) is None:
            yield Fault(line.path, "RECORD lists it, but the wheel has no such member")


@check(
    "record-duplicate",
    Severity.ERROR,
    title="RECORD lists every member once",
    protects="Users: installers differ in which of the two hashes they use.",
    remedy="Build the wheel again; it was edited.",
)
def _find_repeated(wheel: WheelContents) -> Iterator[Fault]:
    for path, count in Counter(line.path for line in record_lines(wheel) or ()).items():
        if count > 1:
            yield Fault(path, f"RECORD lists it {counted(count, 'time')}")


@check(
    "record-hash",
    Severity.ERROR,
    title="The hashes in RECORD are those of the members",
    protects="Users: the file is not the one that was built, and pip does not check.",
    remedy="Download or build the wheel again; it was edited.",
)
def _find_wrong_hashes(wheel: WheelContents) -> Iterator[Fault]:
    for line, member in _hashed(wheel):
        algorithm, _, value = line.hash.partition("=")
        digest = _digest(wheel, member, algorithm) if algorithm in _ALGORITHMS else None
        if digest is not None:
            real = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if value.rstrip("=") != real:
                evidence = f"RECORD has {algorithm}={value}, the content has {algorithm}={real}"
                yield Fault(member.name, evidence)


def _digest(wheel: WheelContents, member: Member, algorithm: str) -> bytes | None:
    """Return a member's digest, or None if it could not be read.

    One that nearly no wheel has is computed from the wheel again.
    """
    if member.sha256 is None:
        return None
    if algorithm == "sha256":
        return bytes.fromhex(member.sha256.hex)
    return content_digest(wheel.path, member, algorithm)


@check(
    "record-algorithm",
    Severity.ERROR,
    title="RECORD has a SHA-256, or a stronger hash, for every member",
    protects="Users: without it, tools cannot check that the file is the one that was built.",
    remedy="Build the wheel with a backend that writes SHA-256, as all known ones do.",
)
def _find_other_hashes(wheel: WheelContents) -> Iterator[Fault]:
    for line, member in _hashed(wheel):
        if not line.hash:
            yield Fault(member.name, "RECORD has no hash for it")
        elif line.hash.partition("=")[0] not in _ALGORITHMS:
            yield Fault(member.name, f"RECORD has {line.hash[:24]}, not one of {', '.join(_ALGORITHMS)}")


@check(
    "record-size",
    Severity.ERROR,
    title="The sizes in RECORD are those of the members",
    protects="Users: the file is not the one that was built.",
    remedy="Download or build the wheel again; it was edited.",
)
def _find_wrong_sizes(wheel: WheelContents) -> Iterator[Fault]:
    for line, member in _hashed(wheel):
        # The format allows an empty size.
        if member.sha256 is not None and line.size not in {"", str(member.size_bytes)}:
            yield Fault(
                member.name,
                f"RECORD has size {line.size}, the content has {counted(member.size_bytes, 'byte')}",
            )


@check(
    "record-self",
    Severity.ERROR,
    title="RECORD has no hash of itself",
    protects="Users: a file cannot contain its own hash, so the value is made up.",
    remedy="Build the wheel again.",
)
def _find_self_hash(wheel: WheelContents) -> Iterator[Fault]:
    for line, member in _listed(wheel):
        if _is_unhashed(member.name) and (line.hash or line.size):
            yield Fault(member.name, "RECORD has a hash or a size for itself or for its signature")


def _hashed(wheel: WheelContents) -> Iterator[tuple[RecordLine, Member]]:
    """Yield the lines that must have a hash and a size."""
    return ((line, member) for line, member in _listed(wheel) if not _is_unhashed(member.name))


def _listed(wheel: WheelContents) -> Iterator[tuple[RecordLine, Member]]:
    for line in record_lines(wheel) or ():
        member = wheel.member(line.path)
        if member is not None:
            yield line, member


def _is_unhashed(name: str) -> bool:
    directory, _, file = name.rpartition("/")
    return directory.endswith(".dist-info") and "/" not in directory and file in _UNHASHED


CHECKS = check.registered()

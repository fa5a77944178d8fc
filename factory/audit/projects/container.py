"""Write a wheel again from the files on npm and its reviewed texts, and compare the SHA-256.

The container values that no recipe explains are taken from the wheel and listed. No content is: the
executables come from the package, and a text is the one that a person reviewed.
"""

import stat
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from factory.audit.audited import Failure
from factory.audit.projects.hatchling import BuiltAgain
from factory.audit.projects.npm_release import below_top
from factory.audit.read_package import ReadPackage
from factory.audit.replay import written_digest
from factory.audit.verdict import Cause
from factory.build.deflate_check import deflate_identity
from factory.build.encoder import ZLIB, Encoder, EncoderChoice
from factory.core.counted import counted
from factory.core.digests import CHUNK_BYTES, Sha256
from factory.core.model import PayloadFile, Severity
from factory.core.zip_records import DEFLATED, STORED, CentralHeader
from factory.system.files import writing
from factory.verify.reading.contents import Member, WheelContents
from factory.verify.reading.unpack import content_chunks

_DANGEROUS_BITS = 0o7022
"""Set-user-id, set-group-id and sticky; writable by the group or by everybody."""
_BY_PYTHON = (20, 0)
"""The version and the internal attributes that Python's zipfile writes into the directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenWheel:
    """A wheel that was written again.

    Attributes:
        sha256: Its digest; None if it could not be written.
        problem: Why not.
    """

    sha256: Sha256 | None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packed:
    """A member's content in the scratch file, compressed as the wheel's header says."""

    start: int
    compressed_bytes: int
    size_bytes: int
    crc32: int

    def header(self, published: CentralHeader) -> CentralHeader:
        return replace(
            published, crc32=self.crc32, compressed_bytes=self.compressed_bytes, size_bytes=self.size_bytes
        )


def write_again(
    contents: WheelContents,
    files: Mapping[str, PayloadFile],
    package: ReadPackage,
    *,
    encoders: EncoderChoice,
    promised: Sha256,
    scratch: Path,
) -> WrittenWheel:
    """Write a wheel again with the encoder of the run, and with zlib if the digest is another one.

    Args:
        contents: The published wheel; each member is a file of the package or a reviewed text.
        files: The file of the package for each member that is one, by its name.
        package: The npm package.
        encoders: The encoder that gives zlib's bytes.
        promised: The digest of the published wheel.
        scratch: An existing directory; the packed file in it is as large as the wheel.
    """
    problem = _why_not(contents)
    if problem:
        return WrittenWheel(sha256=None, problem=problem)
    encoder = encoders.current()
    has_zlib = deflate_identity().is_reference
    if encoder.is_zlib and not has_zlib:
        return WrittenWheel(sha256=None, problem="this machine has another zlib than the reference one")
    sha256 = _write(contents, files, package, encoder, scratch / "packed")
    if sha256 != promised and not encoder.is_zlib and has_zlib:
        sha256 = _write(contents, files, package, ZLIB, scratch / "packed-again")
    return WrittenWheel(sha256=sha256)


def taken_values(contents: WheelContents) -> tuple[Cause, ...]:
    """Return a note for each kind of container value that was taken from the wheel."""
    headers = [member.central for member in contents.members]
    moments = sorted({header.moment for header in headers})
    modes = sorted({f"{member.mode & 0o7777:o}" for member in contents.members})
    hosts = sorted({str(header.create_system) for header in headers})
    values = [
        ("order", "the order of its members", counted(len(headers), "member")),
        ("time", "the times of its members", " to ".join(dict.fromkeys((moments[0], moments[-1])))),
        ("mode", "the modes of its members", ", ".join(modes)),
        ("zip-host", "the zip host of its members", f"create_system {', '.join(hosts)}"),
    ]
    if any(header.extra or header.comment for header in headers) or contents.archive.comment:
        values.append(("header", "comments or extra fields", repr(contents.archive.comment[:32])))
    makers = sorted({(header.create_version, header.internal_attributes) for header in headers})
    if makers != [_BY_PYTHON]:
        evidence = ", ".join(f"create_version {version} with attributes {value}" for version, value in makers)
        values.append(("zip-writer", "what its members say of the program that wrote them", evidence))
    return tuple(
        _note(id_, contents, f"The wheel is equal with {what} taken from it.", evidence)
        for id_, what, evidence in values
    )


def odd_modes(contents: WheelContents, allowed: frozenset[int]) -> tuple[Cause, ...]:
    """Return a cause for each member with a mode that installers apply and that no reviewed wheel has.

    The wheel chooses the modes: those that let others write, set a user id or make a link are not taken over.
    """
    return tuple(
        Cause(
            id="mode",
            severity=Severity.ERROR,
            place=member.name,
            sentence="Its mode is not that of reviewed wheels: installers apply this mode.",
            evidence=f"published {member.mode:o}",
        )
        for member in contents.members
        if not _is_usual(member, allowed)
    )


def permissions_of_others(contents: WheelContents) -> tuple[str, ...]:
    """Return the permissions of members that let others write, as a mapping would allow them."""
    permissions = {member.mode & 0o777 for member in contents.members}
    return tuple(f"{one:o}" for one in sorted(permissions) if one & _DANGEROUS_BITS)


def _is_usual(member: Member, allowed: frozenset[int]) -> bool:
    kind, permissions = stat.S_IFMT(member.mode), stat.S_IMODE(member.mode)
    is_expected = kind in ({0, stat.S_IFDIR} if member.is_directory else {0, stat.S_IFREG})
    return is_expected and (not permissions & _DANGEROUS_BITS or permissions in allowed)


def encoder_note(contents: WheelContents, evidence: str) -> Cause:
    """Return the note on a wheel that was not written again bit for bit."""
    methods = Counter(member.central.method for member in contents.members)
    counts = f"{methods[DEFLATED]} deflated and {methods[STORED]} stored members"
    sentence = "The contents are equal; the file was not written again bit for bit."
    return _note("encoder", contents, sentence, f"{counts}; {evidence}")


def backend_note(contents: WheelContents, backend: str, built: BuiltAgain | Failure) -> Cause:
    """Return the note on a wheel that its backend did not build again bit for bit."""
    evidence = built.reason if isinstance(built, Failure) else f"it gives SHA-256 {built.sha256}"
    sentence = f"{backend} did not build this file again, so that less is known of the container."
    return _note("backend", contents, sentence, evidence)


def _note(id_: str, contents: WheelContents, sentence: str, evidence: str) -> Cause:
    return Cause(id=id_, severity=Severity.NOTE, place=contents.name, sentence=sentence, evidence=evidence)


def _why_not(contents: WheelContents) -> str:
    if contents.archive.zip64 or any(member.central.zip64 for member in contents.members):
        return "it has zip64 records"
    if any(member.local is None or member.central.has_descriptor for member in contents.members):
        return "it has data descriptors"
    if any(member.central.method not in {STORED, DEFLATED} for member in contents.members):
        return "a member has another compression method"
    return "a part of it cannot be read" if contents.problems else ""


def _write(
    contents: WheelContents,
    files: Mapping[str, PayloadFile],
    package: ReadPackage,
    encoder: Encoder,
    place: Path,
) -> Sha256:
    with writing(place), place.open("w+b") as scratch, contents.path.open("rb") as wheel:
        packed = _pack_released(contents, files, package, encoder, scratch)
        for member in contents.members:
            if member.name not in packed:
                start = member.end - member.central.compressed_bytes
                chunks = content_chunks(wheel, start, member.central)
                packed[member.name] = _pack(chunks, member.central.method, encoder, scratch)
        digest = written_digest(
            contents,
            source=lambda member: packed[member.name].header(member.central),
            content=lambda member: _stored(scratch, packed[member.name]),
            central=lambda header: header,
        )
    place.unlink()
    return digest


def _pack_released(
    contents: WheelContents,
    files: Mapping[str, PayloadFile],
    package: ReadPackage,
    encoder: Encoder,
    scratch: BinaryIO,
) -> dict[str, _Packed]:
    """Pack the files of the package, which is read once more and checked against its digest."""
    wanted = {file.path: contents.by_name[name] for name, file in files.items()}
    packed: dict[str, _Packed] = {}
    with package.source.walk(None) as entries:
        for entry in entries:
            member = wanted.get(below_top(entry.path) or entry.path)
            if member is not None:
                packed[member.name] = _pack(entry.chunks(), member.central.method, encoder, scratch)
    return packed


def _pack(chunks: Iterable[bytes], method: int, encoder: Encoder, scratch: BinaryIO) -> _Packed:
    start, crc32, size_bytes = scratch.tell(), 0, 0
    compressor = encoder.start() if method == DEFLATED else None
    for chunk in chunks:
        crc32, size_bytes = zlib.crc32(chunk, crc32), size_bytes + len(chunk)
        scratch.write(chunk if compressor is None else compressor.compress(chunk))
    if compressor is not None:
        scratch.write(compressor.flush())
    return _Packed(start=start, compressed_bytes=scratch.tell() - start, size_bytes=size_bytes, crc32=crc32)


def _stored(scratch: BinaryIO, packed: _Packed) -> Iterator[bytes]:
    scratch.seek(packed.start)
    left = packed.compressed_bytes
    while left and (chunk := scratch.read(min(CHUNK_BYTES, left))):
        left -= len(chunk)
        yield chunk

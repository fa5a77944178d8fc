"""Read a wheel in one bounded, streaming pass over each member.

Any file is accepted: what is wrong with its content becomes a `Problem`. Only a file that
the operating system does not let us read raises an error.
"""

import hashlib
import shutil
import stat
import tempfile
import threading
from bisect import bisect, insort
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from packaging.utils import parse_wheel_filename

from factory.core.counted import counted
from factory.core.errors import UsageError
from factory.core.model import FileKind
from factory.core.zip_records import UTF8_FLAG, CentralHeader
from factory.executables.signatures.policy import TrustPolicy
from factory.release.archives.inflate import Codec
from factory.verify.reading.contents import (
    Archive,
    ExpectedWheel,
    Member,
    ParsedName,
    Problem,
    ProblemKind,
    WheelContents,
)
from factory.verify.reading.unpack import (
    DEFAULT_LIMITS,
    ZLIB_DEFLATE,
    Content,
    Stop,
    UnpackLimits,
    cannot_write,
    content_chunks,
)
from factory.verify.reading.watch import Watch
from factory.verify.reading.zip_directory import (
    ArchiveEnd,
    Directory,
    descriptor_bytes,
    read_directory,
    read_local_header,
)


def cannot_read(path: Path, error: OSError) -> UsageError:
    """Return the error for a file that cannot be read."""
    return UsageError(
        f"cannot read {path}: {error.strerror or error}", hint="Name a file that exists and is readable."
    )


def read_wheel(
    path: Path,
    *,
    scratch: Path,
    expected: ExpectedWheel | None = None,
    limits: UnpackLimits = DEFAULT_LIMITS,
    trust: TrustPolicy | None = None,
    stop: threading.Event | None = None,
) -> WheelContents:
    """Read everything that the checks need to know about a wheel.

    Args:
        path: Any file.
        scratch: An existing directory for the extracted executables. Their file names there are
            numbers, never names of members.
        expected: The expected release and payload, if the factory built the wheel.
        limits: When to stop.
        trust: The policy that its executables are assessed by; only the pinned roots by default.
        stop: Set to end the reading, and the checks of the returned contents.

    Raises:
        UsageError: The file does not exist or is not readable.
        HostError: An executable cannot be written to scratch.
        TimedOut: The time limit was reached.
        Stopped: `stop` was set.
    """
    watch = Watch.begin(limits.seconds, stop=stop)
    contents = _read(path, scratch=scratch, limits=limits, watch=watch, codec=ZLIB_DEFLATE)
    return replace(contents, expected=expected, trust=trust or TrustPolicy())


def read_own_wheel(path: Path, *, scratch: Path, codec: Codec) -> WheelContents:
    """Read a wheel whose streams our encoder wrote, and which were inflated when they were written.

    Only zlib refuses exactly the streams that installers refuse. Here that question does not arise, so a
    faster codec may read them.

    Raises:
        UsageError: The file does not exist or is not readable.
        HostError: An executable cannot be written to scratch.
        TimedOut: The time limit was reached.
    """
    watch = Watch.begin(DEFAULT_LIMITS.seconds)
    return _read(path, scratch=scratch, limits=DEFAULT_LIMITS, watch=watch, codec=codec)


def _read(path: Path, *, scratch: Path, limits: UnpackLimits, watch: Watch, codec: Codec) -> WheelContents:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return _contents(path, evidence="not a regular file")
        with path.open("rb") as file:
            size = file.seek(0, 2)
            directory = read_directory(file, size_bytes=size, place=_display_name(path))
            if isinstance(directory, Problem):
                return _contents(path, evidence=directory.evidence)
            own = fresh_directory(scratch, prefix="wheel-")
            reader = _Reader(file=file, scratch=own, limits=limits, watch=watch, codec=codec)
            members = tuple(reader.members(directory, place=_display_name(path)))
    except OSError as error:
        raise cannot_read(path, error) from error
    return replace(
        _contents(path),
        watch=watch,
        members=members,
        archive=_lay_out(directory.archive, directory.end, members),
        problems=(*directory.problems, *reader.problems),
    )


def parse_name(name: str) -> ParsedName | None:
    """Parse the file name of a wheel; None if it is not valid."""
    try:
        _, version, _, tags = parse_wheel_filename(name)
    except ValueError:  # InvalidWheelFilename, or a version of thousands of digits
        return None
    parts = name.removesuffix(".whl").split("-")
    return ParsedName(
        distribution=parts[0],
        version_text=parts[1],
        version=version,
        build=parts[2] if len(parts) == 6 else "",  # noqa: PLR2004 - with a build tag there are six parts
        tags=tags,
        platforms=tuple(parts[-1].split(".")),
    )


def content_digest(path: Path, member: Member, algorithm: str) -> bytes:
    """Return another digest of a member that was read to its end.

    Raises:
        UsageError: The wheel cannot be read any more.
    """
    try:
        with path.open("rb") as file:
            found = read_local_header(file, member.start)
            hasher = hashlib.new(algorithm)
            for chunk in content_chunks(file, found[1] if found else member.start, member.central):
                hasher.update(chunk)
    except OSError as error:
        raise cannot_read(path, error) from error
    return hasher.digest()


def decode_name(header: CentralHeader) -> str:
    """Decode a member's name as installers do: UTF-8 where flagged, else code page 437."""
    encoding = "utf-8" if header.flags & UTF8_FLAG else "cp437"
    return header.name.decode(encoding, "backslashreplace")


def _contents(path: Path, *, evidence: str = "") -> WheelContents:
    """Return contents without members; with evidence, the wheel counts as unreadable."""
    name = _display_name(path)
    problem = Problem(kind=ProblemKind.UNREADABLE, place=name, evidence=evidence)
    return WheelContents(
        path=path,
        name=name,
        parsed=parse_name(name),
        members=(),
        archive=Archive(),
        problems=(problem,) if evidence else (),
    )


def _display_name(path: Path) -> str:
    """Return the name of a file with undecodable bytes escaped."""
    return path.name.encode("utf-8", "backslashreplace").decode()


def fresh_directory(scratch: Path, *, prefix: str) -> Path:
    """Make a directory for one wheel, so that several wheels can share a scratch directory.

    Raises:
        HostError: Scratch is not writable.
    """
    try:
        return Path(tempfile.mkdtemp(prefix=prefix, dir=scratch))
    except OSError as error:
        raise cannot_write(scratch, error) from error


@contextmanager
def own_scratch(scratch: Path, *, prefix: str) -> Iterator[Path]:
    """Make a directory for one wheel, and remove it before the next wheel.

    The executables of all wheels of a release together would need another gigabyte.

    Raises:
        HostError: Scratch is not writable.
    """
    directory = fresh_directory(scratch, prefix=prefix)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class _Reader:
    """Reads the members of one archive within the limits, and notes problems."""

    def __init__(
        self, *, file: BinaryIO, scratch: Path, limits: UnpackLimits, watch: Watch, codec: Codec
    ) -> None:
        self._file = file
        self._scratch = scratch
        self._limits = limits
        self._watch = watch
        self._codec = codec
        self._unpacked_bytes = 0
        self._kept_bytes: Counter[str] = Counter()
        self._claimed: list[tuple[int, int]] = []
        self.problems: list[Problem] = []

    def members(self, directory: Directory, *, place: str) -> Iterator[Member]:
        """Read the members in the order of the central directory; if there are too many, read no member."""
        headers = directory.headers
        if len(headers) > self._limits.members:
            evidence = f"{counted(len(headers), 'member')}: {self._limits.hint('members')}"
            self._note(ProblemKind.LIMIT, place, evidence)
            return
        # .dist-info is read first, so that no other content uses up what may be unpacked.
        order = sorted(range(len(headers)), key=lambda index: not _is_dist_info(headers[index]))
        stop = directory.end.directory_start
        members = {index: self._member(index, headers[index], stop) for index in order}
        yield from (members[index] for index in range(len(headers)))

    def _member(self, index: int, header: CentralHeader, stop: int) -> Member:
        self._watch.poll()
        name = decode_name(header)
        found = read_local_header(self._file, header.offset) if header.offset < stop else None
        member = Member(
            name=name,
            central=header,
            local=found[0] if found else None,
            start=header.offset,
            end=header.offset,
            size_bytes=0,
            crc32=0,
            sha256=None,
            kind=FileKind.DATA,
        )
        if found is None:
            evidence = f"no local header at offset {header.offset}, where the central directory points"
            self._note(ProblemKind.LOCAL_HEADER, name, evidence)
            return member
        return self._with_content(member, index, content_start=found[1], stop=stop)

    def _with_content(self, member: Member, index: int, *, content_start: int, stop: int) -> Member:
        is_info = _is_dist_info(member.central)
        kept_bytes = self._limits.dist_info_bytes if is_info else self._limits.kept_member_bytes
        content = Content(
            limits=self._limits,
            header=member.central,
            kept_bytes=kept_bytes,
            watch=self._watch,
            codec=self._codec,
        )
        target = self._scratch / f"{index:05}.image"
        try:
            self._claim(member.central, content_start, stop)
            content.run(self._file, content_start, target, self._limits.total_bytes - self._unpacked_bytes)
        except Stop as error:
            self._note(error.kind, member.name, error.evidence)
        finally:
            content.close()
        if content.sha256 is None:
            target.unlink(missing_ok=True)  # a partial image is useless and may be large
        self._unpacked_bytes += content.size_bytes
        end = content_start + member.central.compressed_bytes
        if member.central.has_descriptor and content.sha256 is not None:
            end += self._descriptor(member, min(end, stop), content.crc32)
        return replace(
            member,
            end=end,
            size_bytes=content.size_bytes,
            crc32=content.crc32,
            sha256=content.sha256,
            kind=content.kind,
            data=self._keep(content, member.name, is_info=is_info),
            extracted=target if content.extracted and content.sha256 else None,
        )

    def _descriptor(self, member: Member, offset: int, crc32: int) -> int:
        """Return the length of the data descriptor at an offset."""
        is_wide = member.local is not None and member.local.zip64
        header = replace(member.central, extra=member.local.extra if member.local and is_wide else b"")
        length = descriptor_bytes(self._file, offset, crc32=crc32, header=header)
        if length is None:
            evidence = "its data descriptor is missing, or states another CRC or other sizes"
            self._note(ProblemKind.CONTENT, member.name, evidence)
        return length or 0

    def _claim(self, header: CentralHeader, start: int, stop: int) -> None:
        """Record the byte range of the content, and reject one that overlaps another or leaves the file.

        A zip bomb reuses the same bytes for many members
        (https://www.bamsoftware.com/hacks/zipbomb/).
        """
        end = start + header.compressed_bytes
        if end > stop:
            raise Stop(
                ProblemKind.CONTENT,
                f"its content ends at {end}, after the start of the central directory at {stop}",
            )
        index = bisect(self._claimed, (start, end))
        before, after = self._claimed[max(0, index - 1) : index], self._claimed[index : index + 1]
        if any(other_end > start for _, other_end in before) or any(other < end for other, _ in after):
            raise Stop(ProblemKind.OVERLAP, "its content overlaps another member's")
        insort(self._claimed, (start, end))

    def _keep(self, content: Content, name: str, *, is_info: bool) -> bytes | None:
        """Return the content if it is within the limits of what is kept; a file of ``.dist-info`` must be."""
        if content.sha256 is None:
            return None
        source = "python_bytes" if name.endswith(".py") else "kept_bytes"
        limit = "dist_info_bytes" if is_info else source
        kept = content.kept
        if kept is None or self._kept_bytes[limit] + len(kept) > getattr(self._limits, limit):
            if is_info:
                self._note(ProblemKind.LIMIT, name, f"it is not kept: {self._limits.hint('dist_info_bytes')}")
            return None
        self._kept_bytes[limit] += len(kept)
        return kept

    def _note(self, kind: ProblemKind, place: str, evidence: str) -> None:
        self.problems.append(Problem(kind=kind, place=place, evidence=evidence))


def _is_dist_info(header: CentralHeader) -> bool:
    return header.name.partition(b"/")[0].endswith(b".dist-info")


def _lay_out(archive: Archive, end: ArchiveEnd, members: tuple[Member, ...]) -> Archive:
    """Find prefix, gaps and overlaps between the start of the file and the central directory."""
    position = 0
    gaps: list[tuple[int, int]] = []
    overlapping: list[str] = []
    located = (member for member in members if member.local is not None)
    for member in sorted(located, key=lambda member: member.start):
        if member.start > position:
            gaps.append((position, member.start - position))
        elif member.start < position:
            overlapping.append(member.name)
        position = max(position, member.end)
    if end.directory_start > position:
        gaps.append((position, end.directory_start - position))
    prefix = gaps.pop(0)[1] if gaps and gaps[0][0] == 0 else 0
    return replace(archive, prefix_bytes=prefix, gaps=tuple(gaps), overlapping=tuple(overlapping))

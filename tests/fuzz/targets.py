"""What is fuzzed: functions of bytes that return for any input and raise for none but a bug."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

from factory.image_bytes import MalformedImage
from factory.verify.contents import WheelContents
from factory.verify.elf_facts import read_elf
from factory.verify.macho_facts import headers_without_segments, read_macho
from factory.verify.pe_facts import read_pe
from factory.verify.read import read_wheel
from factory.verify.registry import CRASHED, find_all
from factory.verify.unpack import Limits
from tests.wheels import Wheel, good_wheel
from tests.zip_writer import ZipMember

MEMORY_FILES = Path("/dev/shm")  # noqa: S108 - a fresh directory is made in it
LIMITS = Limits(total_bytes=8 << 20, members=1000)
PLATFORMS = ("manylinux_2_17_x86_64", "macosx_11_0_arm64", "win_amd64", "musllinux_1_1_aarch64")


class CheckCrashed(AssertionError):
    """A check met a wheel that it was not written for."""


def judge_archive(data: bytes) -> None:
    """Judge bytes that should be a wheel, by all checks."""
    with _scratch() as scratch:
        path = scratch / good_wheel().name
        path.write_bytes(data)
        _judge(read_wheel(path, scratch=scratch, limits=LIMITS))


def judge_member(data: bytes) -> None:
    """Judge a wheel that is sound but for the content of one member.

    The first byte chooses the platform and the member, so that the zip around the
    content stays right and the checks of contents are reached.
    """
    if not data:
        return
    wheel = _with_content(data[0], data[1:])
    with _scratch() as scratch:
        _judge(read_wheel(wheel.write(scratch), scratch=scratch, limits=LIMITS))


def read_images(data: bytes) -> None:
    """Read bytes as an executable of every format."""
    with _scratch() as scratch:
        path = scratch / "image"
        path.write_bytes(data)
        for read in (read_elf, read_macho, read_pe, headers_without_segments):
            with suppress(MalformedImage):
                read(path)


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "archive": judge_archive,
    "members": judge_member,
    "images": read_images,
}


def _judge(contents: WheelContents) -> None:
    for finding in find_all(contents):
        if finding.check == CRASHED.id:
            raise CheckCrashed(finding.evidence)


@cache
def _wheel(platform: str) -> Wheel:
    return good_wheel(platform)


def _with_content(choice: int, content: bytes) -> Wheel:
    wheel = _wheel(PLATFORMS[choice % len(PLATFORMS)])
    index = choice // len(PLATFORMS) % (len(wheel.archive.members) + 1)
    if index == len(wheel.archive.members):
        return replace(wheel, edit_record_member=lambda member: replace(member, content=content))
    name = wheel.archive.members[index].name.decode()

    def edit(member: ZipMember) -> ZipMember:
        return replace(member, content=content)

    return wheel.edited(name, edit)


@contextmanager
def _scratch() -> Iterator[Path]:
    parent = MEMORY_FILES if MEMORY_FILES.is_dir() else None
    directory = Path(tempfile.mkdtemp(dir=parent))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)

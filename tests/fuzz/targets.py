"""What is fuzzed: functions of bytes that return for any input and raise for none but a bug."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from factory.core.digests import Sha256
from factory.core.errors import FactoryError
from factory.core.json_reader import JsonObject
from factory.executables.elf import read_elf
from factory.executables.image_bytes import MalformedImage
from factory.executables.macho import headers_without_segments, read_macho
from factory.executables.pe import read_pe
from factory.executables.signatures.apple import read_apple_signature
from factory.executables.signatures.authenticode import read_authenticode
from factory.executables.signatures.certificates import ChainRules, TrustedRoot, find_chain
from factory.executables.signatures.cms import HashName, check_signer, parse_signed_data
from factory.executables.signatures.invalid import InvalidSignature
from factory.executables.signatures.sigstore_bundles import read_sigstore_bundle
from factory.executables.signatures.timestamps import check_timestamp
from factory.statements.check_statement import open_statement, refuse_future
from factory.statements.claims import claims_of
from factory.statements.envelope import Envelope
from factory.statements.statement import Statement
from factory.verify.checks.registry import CRASHED, escaped, find_all
from factory.verify.reading.contents import WheelContents
from factory.verify.reading.read import read_wheel
from factory.verify.reading.unpack import UnpackLimits
from tests.authority import ROOT, SIGNED_AT, TRUST
from tests.images import MachO, Pe
from tests.images.authenticode import with_table
from tests.sigstore_instance import Instance
from tests.wheels import Wheel, good_wheel
from tests.zip_writer import ZipMember

MEMORY_FILES = Path("/dev/shm")  # noqa: S108 - a fresh directory is made in it
LIMITS = UnpackLimits(total_bytes=8 << 20, members=1000)
PLATFORMS = ("manylinux_2_17_x86_64", "macosx_11_0_arm64", "win_amd64", "musllinux_1_1_aarch64")

ROOTS = (TrustedRoot(name="Test Root", sha256=ROOT.fingerprint),)
ANY_HASH = frozenset(HashName)


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


def read_apple_signatures(data: bytes) -> None:
    """Judge bytes as a signed Mach-O file, and as the embedded signature of a sound one.

    The first byte chooses: put behind code and its load commands, bytes reach the readers
    of signatures that a whole file would seldom reach.
    """
    with _scratch() as scratch:
        path = scratch / "program"
        path.write_bytes(data[1:] if data[:1] == b"\0" else _with_signature(data[1:]))
        read_apple_signature(path, now=SIGNED_AT, roots=ROOTS)


def read_authenticode_signatures(data: bytes) -> None:
    """Judge bytes as a signed PE file, or as the certificate of a sound one; the first byte chooses."""
    with _scratch() as scratch:
        path = scratch / "program.exe"
        path.write_bytes(data[1:] if data[:1] == b"\0" else with_table(Pe().content(), [data[1:]]))
        read_authenticode(path, TRUST)


def read_bundles(data: bytes) -> None:
    """Judge bytes as a sigstore bundle of either format, over an executable of no bytes."""
    with _scratch() as scratch:
        root = Instance().trusted_root(scratch)
        read_sigstore_bundle(data, sha256=Sha256.of([b""]), root=root, now=TRUST.now)


def read_messages(data: bytes) -> None:
    """Check bytes as a CMS message whose content and chain are right, and as a timestamp."""
    with suppress(InvalidSignature):
        message = parse_signed_data(data)
        leaf = check_signer(message.signer, content=b"", content_type=message.content_type, accepted=ANY_HASH)
        find_chain(leaf, carried=message.certificates, rules=ChainRules(roots=ROOTS), at=SIGNED_AT)
    with suppress(InvalidSignature):
        check_timestamp(data, signature=b"", roots=ROOTS, now=SIGNED_AT)


def read_statements(data: bytes) -> None:
    """Read bytes as a statement in any of its forms, and as an envelope alone."""
    with suppress(FactoryError):
        payload, _ = open_statement(data, None, where="input")
        _tell(payload)
    with suppress(FactoryError):
        Envelope.from_json(JsonObject.parse(data, where="input"))


def _tell(payload: bytes) -> None:
    statement = Statement.parse(payload, where="input")
    refuse_future(statement, datetime(2026, 11, 24, tzinfo=UTC), where="input")
    for sentence in claims_of(statement).sentences:
        escaped(sentence).encode()


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "archive": judge_archive,
    "members": judge_member,
    "images": read_images,
    "apple": read_apple_signatures,
    "authenticode": read_authenticode_signatures,
    "bundles": read_bundles,
    "messages": read_messages,
    "statements": read_statements,
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


def _with_signature(embedded: bytes) -> bytes:
    return replace(MachO(), signature=embedded).content()


@contextmanager
def _scratch() -> Iterator[Path]:
    parent = MEMORY_FILES if MEMORY_FILES.is_dir() else None
    directory = Path(tempfile.mkdtemp(dir=parent))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)

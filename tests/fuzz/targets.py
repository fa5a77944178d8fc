"""The fuzz targets: functions that accept any bytes and raise only if there is a bug."""

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
from factory.core.printable import escaped
from factory.executables.elf import read_elf
from factory.executables.image_bytes import MalformedImage
from factory.executables.macho import headers_without_segments, read_macho
from factory.executables.pe import read_pe
from factory.executables.signatures.apple import read_apple_signature
from factory.executables.signatures.authenticode import read_authenticode
from factory.executables.signatures.certificates import ChainRules, TrustedRoot, find_chain
from factory.executables.signatures.cms import HashName, check_signer, parse_signed_data
from factory.executables.signatures.result import InvalidSignature
from factory.executables.signatures.sigstore_bundles import read_sigstore_bundle
from factory.executables.signatures.timestamps import check_timestamp
from factory.statements.check_statement import open_statement, refuse_future
from factory.statements.claims import claims_of
from factory.statements.envelope import Envelope
from factory.statements.statement import Statement
from factory.verify.checks.registry import CRASHED, find_all
from factory.verify.reading.contents import WheelContents
from factory.verify.reading.read import read_wheel
from factory.verify.reading.unpack import UnpackLimits
from tests.authority import ROOT, SIGNED_AT, TRUST
from tests.fuzz.documents import read_documents
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
    """A check raised an exception."""


def check_archive(data: bytes) -> None:
    """Run all checks on bytes as a wheel."""
    with _scratch() as scratch:
        path = scratch / good_wheel().name
        path.write_bytes(data)
        _check(read_wheel(path, scratch=scratch, limits=LIMITS))


def check_member(data: bytes) -> None:
    """Run all checks on a good wheel with another content of one member.

    The first byte selects the platform and the member. The zip file around the content stays valid,
    so that the checks of contents are reached.
    """
    if not data:
        return
    wheel = _with_content(data[0], data[1:])
    with _scratch() as scratch:
        _check(read_wheel(wheel.write(scratch), scratch=scratch, limits=LIMITS))


def read_images(data: bytes) -> None:
    """Read bytes as an executable in every format."""
    with _scratch() as scratch:
        path = scratch / "image"
        path.write_bytes(data)
        for read in (read_elf, read_macho, read_pe, headers_without_segments):
            with suppress(MalformedImage):
                read(path)


def read_apple_signatures(data: bytes) -> None:
    """Verify bytes as a signed Mach-O file, or as the signature in a good one; the first byte selects.

    As the signature in a good file, bytes reach code that random files would seldom reach.
    """
    with _scratch() as scratch:
        path = scratch / "program"
        path.write_bytes(data[1:] if data[:1] == b"\0" else _with_signature(data[1:]))
        read_apple_signature(path, now=SIGNED_AT, roots=ROOTS)


def read_authenticode_signatures(data: bytes) -> None:
    """Verify bytes as a signed PE file, or as the certificate in a good one; the first byte selects."""
    with _scratch() as scratch:
        path = scratch / "program.exe"
        path.write_bytes(data[1:] if data[:1] == b"\0" else with_table(Pe().content(), [data[1:]]))
        read_authenticode(path, TRUST)


def read_bundles(data: bytes) -> None:
    """Verify bytes as a sigstore bundle for an empty file."""
    with _scratch() as scratch:
        root = Instance().trusted_root(scratch)
        read_sigstore_bundle(data, sha256=Sha256.of([b""]), root=root, now=TRUST.now)


def read_messages(data: bytes) -> None:
    """Verify bytes as a CMS message with its chain, and as a timestamp."""
    with suppress(InvalidSignature):
        message = parse_signed_data(data)
        leaf = check_signer(message.signer, content=b"", content_type=message.content_type, accepted=ANY_HASH)
        find_chain(leaf, included=message.certificates, rules=ChainRules(roots=ROOTS), at=SIGNED_AT)
    with suppress(InvalidSignature):
        check_timestamp(data, signature=b"", roots=ROOTS, now=SIGNED_AT)


def read_statements(data: bytes) -> None:
    """Read bytes as a statement in any of its forms, and as an envelope."""
    with suppress(FactoryError):
        payload, _ = open_statement(data, None, where="input")
        _read_claims(payload)
    with suppress(FactoryError):
        Envelope.from_json(JsonObject.parse(data, where="input"))


def _read_claims(payload: bytes) -> None:
    statement = Statement.parse(payload, where="input")
    refuse_future(statement, datetime(2026, 11, 24, tzinfo=UTC), where="input")
    for sentence in claims_of(statement).sentences:
        escaped(sentence).encode()


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "archive": check_archive,
    "members": check_member,
    "images": read_images,
    "apple": read_apple_signatures,
    "authenticode": read_authenticode_signatures,
    "bundles": read_bundles,
    "messages": read_messages,
    "statements": read_statements,
    "documents": read_documents,
}


def _check(contents: WheelContents) -> None:
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

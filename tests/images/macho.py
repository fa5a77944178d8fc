"""Fabricated Mach-O files (mach-o/loader.h, mach-o/fat.h and cs_blobs.h of Apple's published sources)."""

import hashlib
import struct
from dataclasses import dataclass
from enum import Enum, IntEnum

from tests.images.filler import aligned, filler


class MachOCpu(IntEnum):
    """Cputype."""

    I386 = 7
    X86_64 = 0x01000007
    ARM64 = 0x0100000C


class MachOType(IntEnum):
    """Filetype."""

    OBJECT = 1
    EXECUTE = 2
    DYLIB = 6
    BUNDLE = 8


class VersionCommand(IntEnum):
    """Which load command tells the minimum macOS."""

    VERSION_MIN_MACOSX = 0x24
    BUILD_VERSION = 0x32


class _AdHoc(Enum):
    AD_HOC = "ad hoc"


AD_HOC = _AdHoc.AD_HOC
"""Sign with a CodeDirectory whose page hashes hold, and no certificate."""

_PAGE = 4096
_TEXT_BYTES = 0x4000
_INFO_PLIST_AT = 0x3000


@dataclass(frozen=True, slots=True, kw_only=True)
class MachO:
    """A thin 64-bit Mach-O file to be made; the default is an ad hoc signed arm64 program.

    Attributes:
        cpu: cputype.
        subtype: cpusubtype; None for all processors of its kind.
        type: filetype.
        minimum_macos: Major, minor and patch of the deployment target.
        version_command: The load command that holds it; None makes none.
        platform: LC_BUILD_VERSION's platform; 1 is macOS, 2 iOS.
        dylibs: LC_LOAD_DYLIB, in order.
        weak_dylibs: LC_LOAD_WEAK_DYLIB, in order.
        rpaths: LC_RPATH, in order.
        install_name: LC_ID_DYLIB.
        signature: LC_CODE_SIGNATURE's blob; AD_HOC makes a valid one, None makes no command.
        info_plist: What the section of that name has.
        size_bytes: Grow the file with filler, inside what is signed, to this size.
        seed: What the filler is made of.
        is_compressible: Whether the filler deflates.
    """

    cpu: int = MachOCpu.ARM64
    subtype: int | None = None
    type: int = MachOType.EXECUTE
    minimum_macos: tuple[int, int, int] = (11, 0, 0)
    version_command: VersionCommand | None = VersionCommand.BUILD_VERSION
    platform: int = 1
    dylibs: tuple[str, ...] = ("/usr/lib/libSystem.B.dylib",)
    weak_dylibs: tuple[str, ...] = ()
    rpaths: tuple[str, ...] = ()
    install_name: str | None = None
    signature: bytes | _AdHoc | None = AD_HOC
    info_plist: bytes | None = None
    size_bytes: int = 0
    seed: str = "mach-o"
    is_compressible: bool = True

    @property
    def cpu_subtype(self) -> int:
        """The cpusubtype as it is written."""
        if self.subtype is not None:
            return self.subtype
        return 3 if self.cpu == MachOCpu.X86_64 else 0

    def content(self) -> bytes:
        """Return the file's bytes."""
        padding = filler(
            max(0, self.size_bytes - _TEXT_BYTES), seed=self.seed, is_compressible=self.is_compressible
        )
        limit = aligned(_TEXT_BYTES + len(padding), 16)
        size = self._signature_bytes(limit)
        front = self._front(limit, size).ljust(_INFO_PLIST_AT, b"\0") + (self.info_plist or b"")
        body = (front.ljust(_TEXT_BYTES, b"\0") + padding).ljust(limit, b"\0")
        match self.signature:
            case None:
                return body
            case bytes() as blob:
                return body + blob
            case _AdHoc.AD_HOC:
                return body + code_signature(body)

    def _signature_bytes(self, limit: int) -> int:
        match self.signature:
            case None:
                return 0
            case bytes() as blob:
                return len(blob)
            case _AdHoc.AD_HOC:
                return len(code_signature(bytes(limit)))

    def _front(self, limit: int, signature_bytes: int) -> bytes:
        commands = self._commands(limit, signature_bytes)
        size = sum(map(len, commands))
        flags = 0x200085 if self.type == MachOType.EXECUTE else 0x100085
        header = struct.pack(
            "<8I", 0xFEEDFACF, self.cpu, self.cpu_subtype, self.type, len(commands), size, flags, 0
        )
        return header + b"".join(commands)

    def _commands(self, limit: int, signature_bytes: int) -> list[bytes]:
        commands = [
            _segment(b"__TEXT", 0, _TEXT_BYTES, protection=5, sections=self._sections()),
            _segment(b"__LINKEDIT", _TEXT_BYTES, limit - _TEXT_BYTES + signature_bytes, protection=1),
        ]
        if self.install_name is not None:
            commands.append(_dylib(0xD, self.install_name))
        if self.type == MachOType.EXECUTE:
            commands.append(_text(0xE, struct.pack("<I", 12), "/usr/lib/dyld"))
            commands.append(struct.pack("<IIQQ", 0x80000028, 24, 0x1000, 0))
        commands += self._version()
        commands += [_dylib(0xC, name) for name in self.dylibs]
        commands += [_dylib(0x80000018, name) for name in self.weak_dylibs]
        commands += [_text(0x8000001C, struct.pack("<I", 12), path) for path in self.rpaths]
        if self.signature is not None:
            commands.append(struct.pack("<IIII", 0x1D, 16, limit, signature_bytes))
        return commands

    def _sections(self) -> tuple[bytes, ...]:
        if self.info_plist is None:
            return ()
        place = struct.pack(
            "<QQ8I", 0x100000000 + _INFO_PLIST_AT, len(self.info_plist), _INFO_PLIST_AT, *(0,) * 7
        )
        return (struct.pack("16s16s", b"__info_plist", b"__TEXT") + place,)

    def _version(self) -> list[bytes]:
        major, minor, patch = self.minimum_macos
        version = major << 16 | minor << 8 | patch
        match self.version_command:
            case None:
                return []
            case VersionCommand.BUILD_VERSION:
                return [struct.pack("<6I", 0x32, 24, self.platform, version, 14 << 16, 0)]
            case VersionCommand.VERSION_MIN_MACOSX:
                return [struct.pack("<4I", 0x24, 16, version, 14 << 16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FatMachO:
    """A fat file: several architectures, each a thin file at an aligned offset."""

    slices: tuple[MachO, ...]

    def content(self) -> bytes:
        """Return the file's bytes."""
        out, entries = bytes(_TEXT_BYTES), []
        for part in self.slices:
            body = part.content()
            out = out.ljust(aligned(len(out), _TEXT_BYTES), b"\0")
            entries.append(struct.pack(">5I", part.cpu, part.cpu_subtype, len(out), len(body), 14))
            out += body
        head = struct.pack(">II", 0xCAFEBABE, len(entries)) + b"".join(entries)
        return head + out[len(head) :]


def code_signature(signed: bytes, *, identifier: str = "codex", flags: int = 0x2) -> bytes:
    """Return an embedded signature with one SHA-256 CodeDirectory over these bytes.

    Args:
        signed: The file up to its signature.
        identifier: The name in the CodeDirectory.
        flags: 0x2 is ad hoc, 0x10000 the hardened runtime.
    """
    name = identifier.encode() + b"\0"
    pages = [signed[at : at + _PAGE] for at in range(0, len(signed), _PAGE)]
    hashes = b"".join(hashlib.sha256(page).digest() for page in pages)
    hashes_at = 44 + len(name)
    directory = struct.pack(
        ">9I4BI", 0xFADE0C02, hashes_at + len(hashes), 0x20001, flags, hashes_at, 44, 0, len(pages),
        len(signed), 32, 2, 0, 12, 0,
    )  # fmt: skip
    directory += name + hashes
    return struct.pack(">5I", 0xFADE0CC0, 20 + len(directory), 1, 0, 20) + directory


def _segment(
    name: bytes, offset: int, size: int, *, protection: int, sections: tuple[bytes, ...] = ()
) -> bytes:
    rest = b"".join(sections)
    return struct.pack(
        "<II16sQQQQIIII", 0x19, 72 + len(rest), name, 0x100000000 + offset, aligned(size, _TEXT_BYTES),
        offset, size, protection, protection, len(sections), 0,
    ) + rest  # fmt: skip


def _dylib(command: int, name: str) -> bytes:
    return _text(command, struct.pack("<4I", 24, 2, 0x10000, 0x10000), name)


def _text(command: int, fields: bytes, text: str) -> bytes:
    """Encode a load command that ends with a text, padded as the loader asks."""
    body = fields + text.encode() + b"\0"
    size = aligned(8 + len(body), 8)
    return struct.pack("<II", command, size) + body.ljust(size - 8, b"\0")

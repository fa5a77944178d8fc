"""Fabricated PE32+ files (https://learn.microsoft.com/windows/win32/debug/pe-format)."""

import struct
from dataclasses import dataclass
from enum import IntEnum

from tests.images.filler import aligned, filler


class PeMachine(IntEnum):
    """IMAGE_FILE_HEADER.Machine."""

    I386 = 0x14C
    AMD64 = 0x8664
    ARM64 = 0xAA64


class PeSubsystem(IntEnum):
    """IMAGE_OPTIONAL_HEADER.Subsystem."""

    NATIVE = 1
    WINDOWS_GUI = 2
    WINDOWS_CUI = 3


_RVA = 0x1000
_HEADERS = 0x400
_LOAD_CONFIGURATION_BYTES = 0x140


@dataclass(frozen=True, slots=True, kw_only=True)
class Pe:
    """A PE32+ file to be made; the default is an amd64 console program.

    Attributes:
        machine: The header's machine.
        imports: Names of DLLs of which one function each is imported.
        delay_imports: The same, loaded at first use.
        subsystem: Console or windowed.
        dll_characteristics: 0x0160 is high-entropy ASLR, dynamic base and NX.
        is_dll: IMAGE_FILE_DLL.
        has_arm64ec: Add a load configuration that points to metadata of hybrid code.
        security: A certificate (the content of a WIN_CERTIFICATE); None leaves the directory empty.
        size_bytes: Grow the file with filler, in a section, to this size.
        seed: What the filler is made of.
        is_compressible: Whether the filler deflates.
    """

    machine: int = PeMachine.AMD64
    imports: tuple[str, ...] = ("KERNEL32.dll",)
    delay_imports: tuple[str, ...] = ()
    subsystem: int = PeSubsystem.WINDOWS_CUI
    dll_characteristics: int = 0x8160
    is_dll: bool = False
    has_arm64ec: bool = False
    security: bytes | None = None
    size_bytes: int = 0
    seed: str = "pe"
    is_compressible: bool = True

    def content(self) -> bytes:
        """Return the file's bytes."""
        tables, delayed_at = self._tables()
        configuration_at = len(tables)
        tables += self._load_configuration()
        missing = max(0, self.size_bytes - _HEADERS - len(tables))
        body = tables + filler(missing, seed=self.seed, is_compressible=self.is_compressible)
        virtual = len(body)
        body = body.ljust(aligned(virtual, 512), b"\0")
        certificate = _certificate(self.security)
        directories = [(0, 0)] * 16
        if self.imports:
            directories[1] = (_RVA, 20 * (len(self.imports) + 1))
        if certificate:
            directories[4] = (_HEADERS + len(body), len(certificate))
        if self.has_arm64ec:
            directories[10] = (_RVA + configuration_at, _LOAD_CONFIGURATION_BYTES)
        if self.delay_imports:
            directories[13] = (_RVA + delayed_at, 32 * (len(self.delay_imports) + 1))
        return self._headers(virtual, len(body), directories).ljust(_HEADERS, b"\0") + body + certificate

    def _headers(self, virtual: int, raw: int, directories: list[tuple[int, int]]) -> bytes:
        dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
        characteristics = 0x2022 if self.is_dll else 0x22
        coff = struct.pack("<4sHHIIIHH", b"PE\0\0", self.machine, 1, 0, 0, 0, 240, characteristics)
        optional = struct.pack(
            "<HBBIIIIIQIIHHHHHHIIIIHHQQQQII",
            0x20B, 14, 0, raw, 0, 0, _RVA, _RVA, 0x140000000, 0x1000, 512, 6, 0, 0, 0, 6, 0, 0,
            aligned(_RVA + virtual, 0x1000), _HEADERS, 0, self.subsystem, self.dll_characteristics,
            0x100000, 0x1000, 0x100000, 0x1000, 0, 16,
        )  # fmt: skip
        optional += b"".join(struct.pack("<II", *entry) for entry in directories)
        section = struct.pack("<8sIIIIIIHHI", b".text", virtual, _RVA, raw, _HEADERS, 0, 0, 0, 0, 0x60000020)
        return dos + coff + optional + section

    def _load_configuration(self) -> bytes:
        """Return IMAGE_LOAD_CONFIG_DIRECTORY64 with a CHPEMetadataPointer, or nothing."""
        if not self.has_arm64ec:
            return b""
        fields = struct.pack("<I196xQ", _LOAD_CONFIGURATION_BYTES, 0x140000000 + _RVA)
        return fields.ljust(_LOAD_CONFIGURATION_BYTES, b"\0")

    def _tables(self) -> tuple[bytes, int]:
        """Return imports, delay imports and what they point to, and where the delay imports begin."""
        delayed_at = 20 * (len(self.imports) + 1)
        at = delayed_at + 32 * (len(self.delay_imports) + 1)
        rows, delayed, things = b"", b"", b""
        for library in (*self.imports, *self.delay_imports):
            thing = _thunks(library, _RVA + at + len(things))
            lookup, address, name = (_RVA + at + len(things) + offset for offset in (0, 16, 48))
            things += thing
            if len(rows) < 20 * len(self.imports):
                rows += struct.pack("<IIIII", lookup, 0, 0, name, address)
            else:
                delayed += struct.pack("<8I", 1, name, 0, address, lookup, 0, 0, 0)
        return rows + bytes(20) + delayed + bytes(32) + things, delayed_at


def _thunks(library: str, at: int) -> bytes:
    """Return lookup table, address table, one imported name and the library's name, at this RVA."""
    table = struct.pack("<QQ", at + 32, 0)
    function = struct.pack("<H", 0) + b"ExitProcess\0"
    name = library.encode() + b"\0"
    return table + table + function.ljust(16, b"\0") + name.ljust(aligned(len(name), 8), b"\0")


def _certificate(content: bytes | None) -> bytes:
    """Wrap a certificate: length, revision 2.0, type PKCS#7 signed data, 8-byte aligned."""
    if content is None:
        return b""
    size = aligned(8 + len(content), 8)
    return struct.pack("<IHH", size, 0x200, 2) + content.ljust(size - 8, b"\0")

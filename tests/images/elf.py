"""Fabricated ELF files (https://gabi.xinuos.com/ and the Linux Standard Base for symbol versions)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from tests.images.filler import aligned, filler


class ElfMachine(IntEnum):
    """e_machine."""

    I386 = 3
    ARM = 40
    X86_64 = 62
    AARCH64 = 183


class ElfType(IntEnum):
    """e_type."""

    RELOCATABLE = 1
    EXECUTABLE = 2
    SHARED = 3
    CORE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Elf:
    """An ELF file to be made; the default is a static x86-64 program, as codex is.

    Attributes:
        machine: e_machine.
        type: e_type.
        bits: 64 or 32: its class.
        is_big_endian: Its byte order.
        os_abi: EI_OSABI; 0 is System V, 3 is Linux.
        interpreter: PT_INTERP; None makes none.
        needed: DT_NEEDED, in order.
        versions: Symbol versions that are needed: pairs of a library and its versions,
            ``(("libc.so.6", ("GLIBC_2.17", "GLIBC_2.34")),)``.
        symbols: Undefined symbols: pairs of a name and one of the versions.
        soname: DT_SONAME.
        rpath: DT_RPATH.
        runpath: DT_RUNPATH.
        is_stack_executable: The X flag of PT_GNU_STACK; None leaves the header out.
        alignment: p_align of PT_LOAD; None gives the processor's largest page.
        has_text_relocations: DT_TEXTREL and DF_TEXTREL.
        output: What a 64-bit x86-64 or AArch64 program writes to stdout before it exits
            with 0: such a static program really runs.
        size_bytes: Grow the file with filler to this size.
        seed: What the filler is made of.
        is_compressible: Whether the filler deflates.
    """

    machine: int = ElfMachine.X86_64
    type: int = ElfType.EXECUTABLE
    bits: int = 64
    is_big_endian: bool = False
    os_abi: int = 0
    interpreter: str | None = None
    needed: tuple[str, ...] = ()
    versions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    symbols: tuple[tuple[str, str], ...] = ()
    soname: str | None = None
    rpath: str | None = None
    runpath: str | None = None
    is_stack_executable: bool | None = False
    alignment: int | None = None
    has_text_relocations: bool = False
    output: bytes = b""
    size_bytes: int = 0
    seed: str = "elf"
    is_compressible: bool = True

    @property
    def is_dynamic(self) -> bool:
        """Whether it gets a dynamic section."""
        names = (self.interpreter, self.soname, self.rpath, self.runpath)
        return (
            any(name is not None for name in names)
            or bool(self.needed or self.versions)
            or self.has_text_relocations
        )

    def content(self) -> bytes:
        """Return the file's bytes."""
        return _Layout(self).content()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    name: str
    kind: int
    body: bytes
    flags: int = 0
    link: int = 0
    info: int = 0
    entry_size: int = 0


class _Strings:
    """A string table under construction."""

    def __init__(self) -> None:
        self.table = b"\0"

    def at(self, text: str) -> int:
        """Return a text's offset, adding it first if it is new."""
        entry = text.encode() + b"\0"
        found = self.table.find(b"\0" + entry)
        if found >= 0:
            return found + 1
        self.table += entry
        return len(self.table) - len(entry)


_PROGBITS, _STRTAB, _HASH, _DYNAMIC, _DYNSYM = 1, 3, 5, 6, 11
_VERNEED, _VERSYM = 0x6FFFFFFE, 0x6FFFFFFF
_ALIGN = 16


class _Layout:
    """Places the parts of one file: headers, code, sections, filler, section headers."""

    def __init__(self, elf: Elf) -> None:
        self._elf = elf
        self._order = ">" if elf.is_big_endian else "<"
        self._word = "Q" if elf.bits == 64 else "I"
        self._header_bytes, self._segment_bytes = (64, 56) if elf.bits == 64 else (52, 32)
        self._base = 0x400000 if elf.type == ElfType.EXECUTABLE else 0
        self._strings = _Strings()

    def pack(self, codes: str, *values: int) -> bytes:
        """Pack integers; W in a code stands for a word of the class."""
        return struct.pack(self._order + codes.replace("W", self._word), *values)

    def content(self) -> bytes:
        sections = self._sections()
        kinds = self._segment_kinds(sections)
        start = aligned(self._header_bytes + self._segment_bytes * len(kinds), _ALIGN)
        code = _program(self._elf.machine, self._elf.output) if self._elf.bits == 64 else bytes(4)
        offsets, at = {}, aligned(start + len(code), _ALIGN)
        for section in sections:
            offsets[section.name] = at
            at = aligned(at + len(section.body), _ALIGN)
        bodies = [self._dynamic(offsets) if part.name == ".dynamic" else part.body for part in sections]
        image = b"".join(body + bytes(aligned(len(body), _ALIGN) - len(body)) for body in bodies)
        headers = self._section_headers(sections, offsets)
        missing = max(0, self._elf.size_bytes - at - len(headers))
        padding = filler(missing, seed=self._elf.seed, is_compressible=self._elf.is_compressible)
        table_at = at + len(padding)
        head = self._header(len(kinds), table_at, len(sections) + 1, start)
        segments = b"".join(self._segment(kind, sections, offsets, at) for kind in kinds)
        front = (head + segments).ljust(start, b"\0") + code
        return front.ljust(aligned(len(front), _ALIGN), b"\0") + image + padding + headers

    def _sections(self) -> list[_Section]:
        """Return the sections; index 0, the null section, is not among them."""
        elf, parts = self._elf, []
        if elf.is_dynamic:
            count = len(self._dynamic_entries({}))
            versions = self._needed_versions()
            for name, _ in elf.symbols:
                self._strings.at(name)
            symbol_bytes = 24 if elf.bits == 64 else 16
            symbols = bytes(symbol_bytes) + b"".join(
                self.pack("I", self._strings.at(name)).ljust(symbol_bytes, b"\0") for name, _ in elf.symbols
            )
            size = 16 if elf.bits == 64 else 8
            parts = [
                _Section(name=".dynstr", kind=_STRTAB, body=self._strings.table, flags=2),
                _Section(
                    name=".dynsym",
                    kind=_DYNSYM,
                    body=symbols,
                    flags=2,
                    link=1,
                    info=1,
                    entry_size=symbol_bytes,
                ),
                _Section(
                    name=".dynamic", kind=_DYNAMIC, body=bytes(count * size), flags=3, link=1, entry_size=size
                ),
            ]
            if elf.versions:
                parts.append(
                    _Section(
                        name=".gnu.version_r",
                        kind=_VERNEED,
                        body=versions,
                        flags=2,
                        link=1,
                        info=len(elf.versions),
                    )
                )
                parts.append(
                    _Section(
                        name=".gnu.version",
                        kind=_VERSYM,
                        body=self._symbol_versions(),
                        flags=2,
                        link=2,
                        entry_size=2,
                    )
                )
                count = 1 + len(elf.symbols)
                hashes = self.pack(f"{3 + count}I", 1, count, *(0,) * (1 + count))
                parts.append(_Section(name=".hash", kind=_HASH, body=hashes, flags=2, link=2, entry_size=4))
        if elf.interpreter is not None:
            parts.append(
                _Section(name=".interp", kind=_PROGBITS, body=elf.interpreter.encode() + b"\0", flags=2)
            )
        names = b"\0" + b"".join(part.name.encode() + b"\0" for part in parts) + b".shstrtab\0"
        return [*parts, _Section(name=".shstrtab", kind=_STRTAB, body=names)]

    def _needed_versions(self) -> bytes:
        """Encode .gnu.version_r: per library an Elf_Verneed and its Elf_Vernaux."""
        out, index = b"", 2
        for number, (library, versions) in enumerate(self._elf.versions, 1):
            is_last = number == len(self._elf.versions)
            step = 0 if is_last else 16 * (1 + len(versions))
            out += self.pack("HHIII", 1, len(versions), self._strings.at(library), 16, step)
            for place, version in enumerate(versions, 1):
                following = 0 if place == len(versions) else 16
                out += self.pack("IHHII", _elf_hash(version), 0, index, self._strings.at(version), following)
                index += 1
        return out

    def _symbol_versions(self) -> bytes:
        """Encode .gnu.version: the index of the version of each symbol."""
        order = [version for _, versions in self._elf.versions for version in versions]
        return self.pack("H", 0) + b"".join(
            self.pack("H", 2 + order.index(version)) for _, version in self._elf.symbols
        )

    def _dynamic_entries(self, offsets: dict[str, int]) -> list[tuple[int, int]]:
        elf, at = self._elf, self._strings.at
        entries = [(1, at(name)) for name in elf.needed]
        named = ((14, elf.soname), (15, elf.rpath), (29, elf.runpath))
        entries += [(tag, at(name)) for tag, name in named if name is not None]
        if elf.has_text_relocations:
            entries += [(22, 0), (30, 4)]
        for tag, name in ((5, ".dynstr"), (6, ".dynsym")):
            entries.append((tag, self._base + offsets.get(name, 0)))
        entries += [(10, len(self._strings.table)), (11, 24 if elf.bits == 64 else 16)]
        if elf.versions:
            entries.append((0x6FFFFFFE, self._base + offsets.get(".gnu.version_r", 0)))
            entries.append((0x6FFFFFFF, len(elf.versions)))
            entries.append((0x6FFFFFF0, self._base + offsets.get(".gnu.version", 0)))
            entries.append((4, self._base + offsets.get(".hash", 0)))
        return [*entries, (0, 0)]

    def _dynamic(self, offsets: dict[str, int]) -> bytes:
        return b"".join(self.pack("WW", tag, value) for tag, value in self._dynamic_entries(offsets))

    def _segment_kinds(self, sections: Sequence[_Section]) -> list[int]:
        names = {section.name for section in sections}
        kinds = [3] if ".interp" in names else []
        kinds.append(1)
        if ".dynamic" in names:
            kinds.append(2)
        if self._elf.is_stack_executable is not None:
            kinds.append(0x6474E551)
        return kinds

    def _segment(
        self, kind: int, sections: Sequence[_Section], offsets: dict[str, int], loaded_bytes: int
    ) -> bytes:
        sizes = {section.name: len(section.body) for section in sections}
        match kind:
            case 1:
                flags, offset, size = 5, 0, loaded_bytes
            case 2:
                flags, offset, size = 6, offsets[".dynamic"], sizes[".dynamic"]
            case 3:
                flags, offset, size = 4, offsets[".interp"], sizes[".interp"]
            case _:
                flags, offset, size = 7 if self._elf.is_stack_executable else 6, 0, 0
        address = self._base + offset if size else 0
        pages = 0x10000 if self._elf.machine == ElfMachine.AARCH64 else 0x1000
        align = (self._elf.alignment or pages) if kind == 1 else 8
        if self._elf.bits == 64:
            return self.pack("IIQQQQQQ", kind, flags, offset, address, address, size, size, align)
        return self.pack("IIIIIIII", kind, offset, address, address, size, size, flags, align)

    def _section_headers(self, sections: Sequence[_Section], offsets: dict[str, int]) -> bytes:
        names = sections[-1].body
        rows = [self.pack("IIWWWWIIWW", *([0] * 10))]
        for part in sections:
            at = offsets[part.name]
            address = self._base + at if part.flags else 0
            name = names.index(part.name.encode() + b"\0")
            rows.append(
                self.pack(
                    "IIWWWWIIWW",
                    name,
                    part.kind,
                    part.flags,
                    address,
                    at,
                    len(part.body),
                    part.link,
                    part.info,
                    4,
                    part.entry_size,
                )
            )
        return b"".join(rows)

    def _header(self, segments: int, table_at: int, sections: int, entry: int) -> bytes:
        elf = self._elf
        ident = b"\x7fELF" + bytes((2 if elf.bits == 64 else 1, 2 if elf.is_big_endian else 1, 1, elf.os_abi))
        return ident.ljust(16, b"\0") + self.pack(
            "HHIWWWIHHHHHH", elf.type, elf.machine, 1, self._base + entry, self._header_bytes,
            table_at, 0, self._header_bytes, self._segment_bytes, segments,
            64 if elf.bits == 64 else 40, sections, sections - 1,
        )  # fmt: skip


def _elf_hash(name: str) -> int:
    """Hash a version's name as the System V ABI does."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high
    return value


def _program(machine: int, output: bytes) -> bytes:
    """Return code that writes the output to stdout and exits with 0, followed by the output."""
    if machine == ElfMachine.X86_64:
        code = b"".join(
            (
                b"\xb8\x01\x00\x00\x00\xbf\x01\x00\x00\x00",  # mov eax, 1 (write); mov edi, 1
                b"\x48\x8d\x35\x10\x00\x00\x00",  # lea rsi, [rip + 16]: the output
                b"\xba" + struct.pack("<I", len(output)) + b"\x0f\x05",  # mov edx, length; syscall
                b"\xb8\x3c\x00\x00\x00\x31\xff\x0f\x05",  # mov eax, 60 (exit); xor edi, edi; syscall
            )
        )
        return code + output
    if machine == ElfMachine.AARCH64:
        words = (
            0xD2800020,  # mov x0, 1
            0x100000E1,  # adr x1, 28 bytes on: the output
            0xD2800002 | len(output) << 5,  # mov x2, length
            0xD2800808,  # mov x8, 64 (write)
            0xD4000001,  # svc 0
            0xD2800000,  # mov x0, 0
            0xD2800BA8,  # mov x8, 93 (exit)
            0xD4000001,  # svc 0
        )
        return struct.pack("<8I", *words) + output
    return bytes(4)

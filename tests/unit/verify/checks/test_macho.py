import contextlib
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.executables.image_bytes import ImageBytes, MalformedImage
from factory.executables.macho import MachoSlice, headers_without_segments, read_macho
from factory.executables.macho_frame import MachoFrame
from factory.verify.checks.macho import promised_macos
from tests.images import FatMachO, MachO, MachOType
from tests.unit.verify.checks.image_wheels import CODEX, GOOD, GOOD_ARM64, GOOD_X86_64, RG, contents_of, found

ARM64 = "macosx_11_0_arm64"
X86_64 = "macosx_10_12_x86_64"
ABSENT = "neither part of macOS nor in the wheel"
LIBRARY = "codex_cli_bin/lib/libown.1.dylib"


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "image"
    path.write_bytes(content)
    return path


def test_facts_of_a_program(tmp_path: Path) -> None:
    image = MachO(
        minimum_macos=(13, 4, 1),
        dylibs=("/usr/lib/libSystem.B.dylib", "@rpath/libown.dylib"),
        weak_dylibs=("/usr/lib/libnew.dylib",),
        rpaths=("@loader_path/../lib",),
    )
    assert read_macho(written(tmp_path, image.content())).slices == (
        MachoSlice(
            architecture="arm64",
            type=2,
            platforms=(1,),
            minimum_macos=(13, 4),
            dylibs=("/usr/lib/libSystem.B.dylib", "@rpath/libown.dylib"),
            optional_dylibs=("/usr/lib/libnew.dylib",),
            rpaths=("@loader_path/../lib",),
            is_signed=True,
        ),
    )


def test_facts_of_an_unsigned_library_with_the_old_version_command(tmp_path: Path) -> None:
    image = replace(GOOD_X86_64, type=MachOType.DYLIB, install_name="@rpath/libown.dylib", signature=None)
    (part,) = read_macho(written(tmp_path, image.content())).slices
    assert (part.architecture, part.type, part.minimum_macos, part.is_signed) == (
        "x86_64",
        6,
        (10, 12),
        False,
    )


def test_a_universal_file_has_one_slice_per_architecture(tmp_path: Path) -> None:
    parts = read_macho(written(tmp_path, FatMachO(slices=(GOOD_X86_64, GOOD_ARM64)).content())).slices
    assert [(part.architecture, part.minimum_macos) for part in parts] == [
        ("x86_64", (10, 12)),
        ("arm64", (11, 0)),
    ]


def test_arm64e_is_not_arm64(tmp_path: Path) -> None:
    content = bytearray(GOOD_ARM64.content())
    struct.pack_into("<I", content, 8, 0x80000002)
    (part,) = read_macho(written(tmp_path, bytes(content))).slices
    assert part.architecture == "arm64e"


def test_the_reader_does_not_check_the_signature(tmp_path: Path) -> None:
    (part,) = read_macho(written(tmp_path, MachO(signature=b"no code signature").content())).slices
    assert part.is_signed


def test_headers_without_segments_have_the_other_load_commands_and_are_small(tmp_path: Path) -> None:
    path = written(tmp_path, replace(GOOD_ARM64, size_bytes=1 << 20).content())
    (header,) = headers_without_segments(path)
    assert len(header) < 1024
    assert header[:16] == GOOD_ARM64.content()[:16]
    with ImageBytes.open(written(tmp_path, header)) as image:
        frame = MachoFrame.read(image)
        kinds = [command.kind for command in frame.commands()]
        assert frame.commands_end == len(header)
    # LC_LOAD_DYLINKER, LC_MAIN, LC_BUILD_VERSION, LC_LOAD_DYLIB, LC_CODE_SIGNATURE
    assert kinds == [0xE, 0x80000028, 0x32, 0xC, 0x1D]


@settings(max_examples=300, deadline=None)
@given(data=st.data(), is_fat=st.booleans())
def test_damaged_files_are_read_or_reported_as_malformed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, *, is_fat: bool
) -> None:
    image = FatMachO(slices=(GOOD_X86_64, GOOD_ARM64)) if is_fat else replace(GOOD_ARM64, rpaths=("/x",))
    content = bytearray(image.content())
    for _ in range(data.draw(st.integers(0, 8))):
        content[data.draw(st.integers(0, 1023))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.integers(0, 1024), st.integers(0, len(content))))
    path = written(tmp_path_factory.getbasetemp(), bytes(content[:cut]))
    with contextlib.suppress(MalformedImage):
        read_macho(path)
        headers_without_segments(path)


@pytest.mark.parametrize("platform", [ARM64, X86_64])
def test_good_wheels_have_no_findings(tmp_path: Path, platform: str) -> None:
    assert found(contents_of(tmp_path, platform, GOOD[platform])) == []


def test_a_universal_file_fits_every_tag(tmp_path: Path) -> None:
    files = {CODEX: FatMachO(slices=(GOOD_X86_64, GOOD_ARM64)).content()}
    for platform in (ARM64, X86_64, "macosx_10_12_universal2"):
        assert found(contents_of(tmp_path, platform, files)) == []


def test_libraries_in_the_wheel_are_found_by_loader_path_and_rpath(tmp_path: Path) -> None:
    library = replace(GOOD_ARM64, type=MachOType.DYLIB, install_name="@rpath/libown.1.dylib")
    program = replace(
        GOOD_ARM64,
        dylibs=("@rpath/libown.1.dylib", "@loader_path/../lib/libown.1.dylib"),
        rpaths=("@loader_path/../lib", "/usr/lib/swift"),
    )
    files = {CODEX: program.content(), LIBRARY: library.content()}
    assert found(contents_of(tmp_path, ARM64, files)) == []


def test_a_weak_library_may_be_missing(tmp_path: Path) -> None:
    files = {CODEX: replace(GOOD_ARM64, weak_dylibs=("/opt/homebrew/lib/libx.dylib",)).content()}
    assert found(contents_of(tmp_path, ARM64, files)) == []


BROKEN = {
    "wrong architecture": (
        ARM64,
        GOOD_X86_64,
        ("macho-architecture", RG, "has code for x86_64, not for arm64"),
    ),
    "one of two architectures": (
        "macosx_10_12_universal2",
        GOOD_ARM64,
        ("macho-architecture", RG, "has code for arm64, not for x86_64"),
    ),
    "newer macOS": (
        ARM64,
        replace(GOOD_ARM64, minimum_macos=(14, 0, 0)),
        ("macho-minimum-macos", RG, "arm64 code needs macOS 14.0; the tag promises 11.0"),
    ),
    "newer minor version": (
        ARM64,
        replace(GOOD_ARM64, minimum_macos=(11, 3, 0)),
        ("macho-minimum-macos", RG, "arm64 code needs macOS 11.3; the tag promises 11.0"),
    ),
    "the published tag": (
        "macosx_10_9_x86_64",
        GOOD_X86_64,
        ("macho-minimum-macos", RG, "x86_64 code needs macOS 10.12; the tag promises 10.9"),
    ),
    "no minimum": (
        ARM64,
        replace(GOOD_ARM64, version_command=None),
        ("macho-no-minimum", RG, "LC_BUILD_VERSION and LC_VERSION_MIN_MACOSX are both missing"),
    ),
    "iOS": (
        ARM64,
        replace(GOOD_ARM64, platform=2),
        ("macho-platform", RG, "the platform is 2; macOS is 1"),
    ),
    "object file": (
        ARM64,
        replace(GOOD_ARM64, type=MachOType.OBJECT),
        ("macho-type-program", RG, "file type is 1; dyld loads 2, 6 and 8"),
    ),
    "a Homebrew library": (
        ARM64,
        replace(GOOD_ARM64, dylibs=("/opt/homebrew/lib/libssl.3.dylib",)),
        (
            "macho-dependency",
            RG,
            f"needs /opt/homebrew/lib/libssl.3.dylib: {ABSENT}",
        ),
    ),
    "a path that leaves the system's directory": (
        ARM64,
        replace(GOOD_ARM64, dylibs=("/usr/lib/../local/lib/libx.dylib",)),
        (
            "macho-dependency",
            RG,
            f"needs /usr/lib/../local/lib/libx.dylib: {ABSENT}",
        ),
    ),
    "a library that is not in the wheel": (
        ARM64,
        replace(GOOD_ARM64, dylibs=("@rpath/libown.1.dylib", "@loader_path/libown.1.dylib")),
        (
            "macho-dependency",
            RG,
            f"needs @rpath/libown.1.dylib, @loader_path/libown.1.dylib: {ABSENT}",
        ),
    ),
    "a build machine's directory": (
        ARM64,
        replace(GOOD_ARM64, rpaths=("/Users/runner/lib",)),
        ("macho-search-path", RG, "searches /Users/runner/lib: not a directory of the wheel"),
    ),
    "a directory that is not there": (
        ARM64,
        replace(GOOD_ARM64, rpaths=("@loader_path/../../_solib",)),
        ("macho-search-path", RG, "searches @loader_path/../../_solib: not a directory of the wheel"),
    ),
    "unsigned arm64": (
        ARM64,
        replace(GOOD_ARM64, signature=None),
        ("macho-signature", RG, "the arm64 code has no LC_CODE_SIGNATURE"),
    ),
    "unsigned x86-64": (
        X86_64,
        replace(GOOD_X86_64, signature=None),
        ("macho-signature-x86-64", RG, "the x86_64 code has no LC_CODE_SIGNATURE"),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_breakage_has_only_its_own_finding(tmp_path: Path, name: str) -> None:
    platform, image, expected = BROKEN[name]
    codex = FatMachO(slices=(replace(GOOD_X86_64, minimum_macos=(10, 9, 0)), GOOD_ARM64))
    files = {CODEX: codex.content(), RG: image.content()}
    assert found(contents_of(tmp_path, platform, files)) == [expected]


def test_promised_macos() -> None:
    assert promised_macos(("macosx_10_9_universal2", "macosx_10_12_x86_64", "win_amd64")) == {
        "x86_64": (10, 9),
        "arm64": (11, 0),
    }

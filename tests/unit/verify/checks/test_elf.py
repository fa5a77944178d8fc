import contextlib
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.core.platform_tags import glibc_of_tag
from factory.executables.elf import ElfFacts, read_elf
from factory.executables.image_bytes import MalformedImage
from tests.images import Elf, ElfMachine, ElfType
from tests.unit.verify.checks.image_wheels import CODEX, DYNAMIC_ELF, GOOD, MUSL_LOADER, contents_of, found

MANYLINUX = "manylinux_2_17_x86_64"
MUSLLINUX = "musllinux_1_1_x86_64"
GLIBC_NEEDS = "needs libc.so.6, which musl does not have; needs glibc 2.17"
LIBRARY = "codex_cli_bin/codex-resources/lib/libown.so.1"


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "image"
    path.write_bytes(content)
    return path


def test_facts_of_a_static_program(tmp_path: Path) -> None:
    facts = read_elf(written(tmp_path, Elf(os_abi=3).content()))
    assert facts == ElfFacts(
        machine=62,
        is_64_bit=True,
        is_little_endian=True,
        os_abi=3,
        abi_version=0,
        type=2,
        interpreter=None,
        needed=(),
        soname=None,
        rpaths=(),
        runpaths=(),
        versions=(),
        alignments=(4096,),
        stack_flags=6,
        is_pie=False,
        has_text_relocations=False,
    )
    assert facts.is_static
    assert facts.glibc_floor is None


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("is_big_endian", [False, True])
def test_facts_of_a_dynamic_library_in_every_class_and_order(
    tmp_path: Path, bits: int, *, is_big_endian: bool
) -> None:
    image = Elf(
        type=ElfType.SHARED,
        machine=ElfMachine.AARCH64,
        bits=bits,
        is_big_endian=is_big_endian,
        interpreter="/lib/ld-linux-aarch64.so.1",
        needed=("libm.so.6", "libc.so.6"),
        versions=(("libm.so.6", ("GLIBC_2.29",)), ("libc.so.6", ("GLIBC_2.2.5", "GLIBC_PRIVATE"))),
        soname="libown.so.1",
        rpath="/opt/a:$ORIGIN",
        runpath="$ORIGIN/../lib",
        is_stack_executable=True,
        has_text_relocations=True,
    )
    facts = read_elf(written(tmp_path, image.content()))
    assert facts == ElfFacts(
        machine=183,
        is_64_bit=bits == 64,
        is_little_endian=not is_big_endian,
        os_abi=0,
        abi_version=0,
        type=3,
        interpreter="/lib/ld-linux-aarch64.so.1",
        needed=("libm.so.6", "libc.so.6"),
        soname="libown.so.1",
        rpaths=("/opt/a", "$ORIGIN"),
        runpaths=("$ORIGIN/../lib",),
        versions=(("libm.so.6", "GLIBC_2.29"), ("libc.so.6", "GLIBC_2.2.5"), ("libc.so.6", "GLIBC_PRIVATE")),
        alignments=(65536,),
        stack_flags=7,
        is_pie=False,
        has_text_relocations=True,
    )
    assert facts.has_executable_stack
    assert facts.glibc_floor == (2, 29)
    assert not facts.is_static


def test_symbol_versions_are_found_without_section_headers(tmp_path: Path) -> None:
    content = bytearray(DYNAMIC_ELF.content())
    struct.pack_into("<Q", content, 40, 0)  # e_shoff
    struct.pack_into("<HHH", content, 58, 0, 0, 0)  # e_shentsize, e_shnum, e_shstrndx
    assert read_elf(written(tmp_path, bytes(content))).glibc_floor == (2, 17)


def test_packed_relative_relocations_need_the_glibc_that_supports_them(tmp_path: Path) -> None:
    image = Elf(needed=("libc.so.6",), versions=(("libc.so.6", ("GLIBC_2.5", "GLIBC_ABI_DT_RELR")),))
    assert read_elf(written(tmp_path, image.content())).glibc_floor == (2, 36)


def test_a_weak_version_is_not_a_requirement(tmp_path: Path) -> None:
    content = bytearray(replace(DYNAMIC_ELF, versions=(("libc.so.6", ("GLIBC_2.34",)),)).content())
    at = content.index(struct.pack("<HHIII", 1, 1, 1, 16, 0)) + 16
    struct.pack_into("<H", content, at + 4, 2)  # vna_flags
    assert read_elf(written(tmp_path, bytes(content))).versions == ()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_files_are_read_or_reported_as_malformed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(DYNAMIC_ELF.content())
    for _ in range(data.draw(st.integers(0, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    path = written(tmp_path_factory.getbasetemp(), bytes(content[:cut]))
    with contextlib.suppress(MalformedImage):
        read_elf(path)


def test_an_excessively_long_version_list_is_malformed(tmp_path: Path) -> None:
    content = bytearray(
        Elf(needed=("libc.so.6",), versions=(("libc.so.6", ("GLIBC_2.5",)),)).content(),
    )
    at = content.index(struct.pack("<HHIII", 1, 1, 1, 16, 0))
    struct.pack_into("<H", content, at + 2, 0xFFFF)
    with pytest.raises(MalformedImage) as caught:
        read_elf(written(tmp_path, bytes(content)))
    assert caught.value.reason == "it needs more than 4096 symbol versions"


@pytest.mark.parametrize("platform", [name for name in GOOD if "linux" in name])
def test_good_wheels_have_no_findings(tmp_path: Path, platform: str) -> None:
    assert found(contents_of(tmp_path, platform, GOOD[platform])) == []


ORIGIN_LIBRARY = Elf(type=ElfType.SHARED, soname="libown.so.1")


def test_a_needed_library_may_be_in_the_wheel(tmp_path: Path) -> None:
    program = Elf(needed=("libown.so.1", "libc.so.6"), runpath="$ORIGIN/../codex-resources/lib")
    files = {CODEX: program.content(), LIBRARY: ORIGIN_LIBRARY.content()}
    assert found(contents_of(tmp_path, MANYLINUX, files)) == []


BROKEN = {
    "wrong machine": (
        MANYLINUX,
        Elf(machine=ElfMachine.AARCH64),
        ("elf-machine", CODEX, "machine is AArch64, not x86-64"),
    ),
    "32 bits": (MANYLINUX, Elf(bits=32), ("elf-class", CODEX, "a 32-bit little-endian file")),
    "big endian": (MANYLINUX, Elf(is_big_endian=True), ("elf-class", CODEX, "a 64-bit big-endian file")),
    "object file": (
        MANYLINUX,
        Elf(type=ElfType.RELOCATABLE),
        ("elf-type-program", CODEX, "it is an object file (e_type 1)"),
    ),
    "another system": (
        MANYLINUX,
        Elf(os_abi=9),
        ("image-not-judged", CODEX, "not judged: the OS ABI 9 is not known; Linux has 0 and 3"),
    ),
    "new glibc": (
        MANYLINUX,
        replace(DYNAMIC_ELF, versions=(("libc.so.6", ("GLIBC_2.17", "GLIBC_2.34")),)),
        ("elf-glibc-floor", CODEX, "needs GLIBC_2.34; the tag promises glibc 2.17"),
    ),
    "a version that auditwheel's policy allows": (
        "manylinux_2_17_aarch64",
        Elf(
            machine=ElfMachine.AARCH64,
            needed=("libc.so.6",),
            versions=(("libc.so.6", ("GLIBC_2.17", "GLIBC_2.18")),),
        ),
        ("elf-glibc-backport", CODEX, "needs GLIBC_2.18, which the policy for glibc 2.17 allows"),
    ),
    "musl loader in manylinux": (
        MANYLINUX,
        Elf(interpreter=MUSL_LOADER),
        ("elf-interpreter", CODEX, f"interpreter is {MUSL_LOADER}, not /lib64/ld-linux-x86-64.so.2"),
    ),
    "a build machine's loader": (
        MANYLINUX,
        Elf(interpreter="/nix/store/glibc/ld.so"),
        ("elf-interpreter", CODEX, "interpreter is /nix/store/glibc/ld.so, not /lib64/ld-linux-x86-64.so.2"),
    ),
    "a library outside the policy": (
        MANYLINUX,
        Elf(needed=("libc.so.6", "libssl.so.3")),
        ("elf-needed", CODEX, "needs libssl.so.3: neither in the manylinux policy nor in the wheel"),
    ),
    "glibc in musllinux": (
        MUSLLINUX,
        DYNAMIC_ELF,
        (
            "elf-musl",
            CODEX,
            f"interpreter is /lib64/ld-linux-x86-64.so.2, not {MUSL_LOADER}; {GLIBC_NEEDS}",
        ),
    ),
    "a glibc library in musllinux": (
        MUSLLINUX,
        Elf(type=ElfType.SHARED, needed=("libc.so.6",)),
        ("elf-musl", CODEX, "needs libc.so.6, which musl does not have"),
    ),
    "a build machine's directory": (
        MANYLINUX,
        Elf(runpath="/home/runner/lib"),
        ("elf-search-path", CODEX, "searches /home/runner/lib: not a directory of the wheel"),
    ),
    "a directory that is not there": (
        MANYLINUX,
        Elf(rpath="$ORIGIN/../_solib_k8"),
        ("elf-search-path", CODEX, "searches $ORIGIN/../_solib_k8: not a directory of the wheel"),
    ),
    "the working directory": (
        MANYLINUX,
        Elf(runpath="$ORIGIN:"),
        (
            "elf-search-path",
            CODEX,
            "searches the working directory (an empty path): not a directory of the wheel",
        ),
    ),
    "a path out of the wheel": (
        MANYLINUX,
        Elf(runpath="${ORIGIN}/../../.."),
        ("elf-search-path", CODEX, "searches ${ORIGIN}/../../..: not a directory of the wheel"),
    ),
    "executable stack": (
        MANYLINUX,
        Elf(is_stack_executable=True),
        ("elf-executable-stack", CODEX, "PT_GNU_STACK is executable"),
    ),
    "text relocations": (
        MANYLINUX,
        Elf(has_text_relocations=True),
        ("elf-text-relocations", CODEX, "the dynamic section has DT_TEXTREL"),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_breakage_has_only_its_own_finding(tmp_path: Path, name: str) -> None:
    platform, image, expected = BROKEN[name]
    files = {CODEX: image.content()}
    assert found(contents_of(tmp_path, platform, files)) == [expected]


def test_a_wheel_for_both_libcs_must_follow_both_rules(tmp_path: Path) -> None:
    contents = contents_of(tmp_path, f"manylinux2014_x86_64.{MUSLLINUX}", {CODEX: DYNAMIC_ELF.content()})
    assert [check for check, _, _ in found(contents)] == ["elf-musl"]


@pytest.mark.parametrize(
    ("tag", "glibc"),
    [
        ("manylinux_2_17_x86_64", (2, 17)),
        ("manylinux2014_aarch64", (2, 17)),
        ("manylinux2010_x86_64", (2, 12)),
        ("manylinux1_x86_64", (2, 5)),
        ("musllinux_1_2_x86_64", None),
        ("win_amd64", None),
    ],
)
def test_glibc_of_tag(tag: str, glibc: tuple[int, int] | None) -> None:
    assert glibc_of_tag(tag) == glibc


def test_a_needed_version_is_named_with_its_symbols(tmp_path: Path) -> None:
    versions = (("libc.so.6", ("GLIBC_2.17", "GLIBC_2.34")),)
    names = ("dlsym", "dlopen", "dlclose", "dladdr")
    symbols = (("read", "GLIBC_2.17"), *((name, "GLIBC_2.34") for name in names))
    program = Elf(needed=("libc.so.6",), versions=versions, symbols=symbols)
    evidence = "needs GLIBC_2.34 (dlsym, dlopen, dlclose and 1 more); the tag promises glibc 2.17"
    assert found(contents_of(tmp_path, MANYLINUX, {CODEX: program.content()})) == [
        ("elf-glibc-floor", CODEX, evidence)
    ]


def test_a_newer_libstdcxx_is_named_with_its_library_and_symbol(tmp_path: Path) -> None:
    versions = (("libstdc++.so.6", ("GLIBCXX_3.4.30",)),)
    program = Elf(needed=("libstdc++.so.6",), versions=versions, symbols=(("_Znwm", "GLIBCXX_3.4.30"),))
    evidence = "needs GLIBCXX_3.4.30 (_Znwm) of libstdc++.so.6; the policy for glibc 2.17 lacks it"
    assert found(contents_of(tmp_path, MANYLINUX, {CODEX: program.content()})) == [
        ("elf-symbol-version", CODEX, evidence)
    ]


def test_a_libstdcxx_in_the_wheel_may_be_newer(tmp_path: Path) -> None:
    program = Elf(
        needed=("libstdc++.so.6",),
        versions=(("libstdc++.so.6", ("GLIBCXX_3.4.30",)),),
        runpath="$ORIGIN/../codex-resources/lib",
    )
    library = "codex_cli_bin/codex-resources/lib/libstdc++.so.6"
    files = {CODEX: program.content(), library: ORIGIN_LIBRARY.content()}
    assert found(contents_of(tmp_path, MANYLINUX, files)) == []


def test_a_library_may_inherit_the_search_path_of_its_program(tmp_path: Path) -> None:
    program = Elf(needed=("libuser.so",), rpath="$ORIGIN/../codex-resources/lib:$ORIGIN/../codex-resources")
    user = Elf(type=ElfType.SHARED, soname="libuser.so", needed=("libown.so.1",))
    files = {
        CODEX: program.content(),
        "codex_cli_bin/codex-resources/libuser.so": user.content(),
        LIBRARY: ORIGIN_LIBRARY.content(),
    }
    assert found(contents_of(tmp_path, MANYLINUX, files)) == []

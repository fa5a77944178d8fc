"""The ELF files of a Linux wheel, and what its tags promise about the system that loads them."""

from collections.abc import Iterator

from factory.core.platform_tags import glibc_of_tag
from factory.core.targets import Architecture
from factory.executables.elf import ElfFacts
from factory.verify.checks.images import readable
from factory.verify.checks.manylinux import ManylinuxPolicy, manylinux_policy
from factory.verify.reading.contents import Member, WheelContents

GLIBC_LOADERS = {
    Architecture.X86_64: "/lib64/ld-linux-x86-64.so.2",
    Architecture.AARCH64: "/lib/ld-linux-aarch64.so.1",
}


def elf_files(wheel: WheelContents) -> Iterator[tuple[Member, ElfFacts]]:
    """Yield the readable ELF files of a Linux wheel."""
    return readable(wheel, ElfFacts)


def oldest_glibc(wheel: WheelContents) -> tuple[int, int] | None:
    """Return the oldest glibc that the tags promise to run with; None if no tag is for glibc."""
    return min((floor for tag in wheel.platforms if (floor := glibc_of_tag(tag))), default=None)


def provided_libraries(wheel: WheelContents) -> frozenset[str]:
    """Return the library names that the wheel itself provides."""
    return frozenset(wheel.image_names | {facts.soname for _, facts in elf_files(wheel) if facts.soname})


def policy_of(wheel: WheelContents) -> tuple[tuple[int, int], ManylinuxPolicy] | None:
    """Return the glibc version and the policy of a manylinux wheel's tag; None for another wheel."""
    promised = oldest_glibc(wheel)
    if promised is None or wheel.architecture is None:
        return None
    return promised, manylinux_policy(promised, wheel.architecture)


def promises(
    wheel: WheelContents,
) -> Iterator[tuple[Member, ElfFacts, tuple[int, int], ManylinuxPolicy]]:
    """Yield the files of a manylinux wheel with the glibc version and the policy of its tag."""
    if (promise := policy_of(wheel)) is not None:
        for member, facts in elf_files(wheel):
            yield member, facts, *promise

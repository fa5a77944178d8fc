"""Wheels of any number of members, of shapes that once took quadratic time or could."""

from collections.abc import Callable, Mapping

from tests.images import Elf, ElfType, Pe
from tests.wheels import PACKAGE, Wheel, good_wheel
from tests.zip_writer import ZipMember
from tests.zoo.package import of_another_project

Shape = Callable[[int], tuple[str, bytes]]
"""Returns the name, below the package, and the content of the member with a number."""


def _pe(number: int) -> tuple[str, bytes]:
    imports = ("KERNEL32.dll", f"lib{max(0, number - 1)}.dll")
    return f"bin/lib{number}.dll", Pe(imports=imports, is_dll=True).content()


def _elf(number: int) -> tuple[str, bytes]:
    needed = (f"lib{max(0, number - 1)}.so",)
    library = Elf(type=ElfType.SHARED, soname=f"lib{number}.so", needed=needed, runpath="$ORIGIN")
    return f"lib/lib{number}.so", library.content()


SHAPES: Mapping[str, Shape] = {
    "texts in one directory": lambda number: (f"data/{number}.txt", b"text\n"),
    "texts in directories of their own": lambda number: (f"data/{number}/a/b/text.txt", b"text\n"),
    "Python modules": lambda number: (f"module_{number}.py", b"x = 1\n"),
    "names that differ by case": lambda number: (f"data/{'Aa'[number % 2]}{number // 2}", b"x\n"),
    "PE libraries": _pe,
    "ELF libraries": _elf,
}


def grown(shape: Shape, number: int) -> Wheel:
    """Return a wheel of another project with a number of added members."""
    files = map(shape, range(number))
    added = [
        ZipMember(
            name=f"{PACKAGE}/{name}".encode(),
            content=content,
            mode=0o100755 if content[:1] in b"\x7fM" else 0o100644,
        )
        for name, content in files
    ]
    platform = "win_amd64" if added and added[0].content.startswith(b"MZ") else "manylinux_2_17_x86_64"
    return of_another_project(good_wheel(platform).with_first(*added))

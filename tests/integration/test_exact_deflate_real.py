"""exact_deflate under sanitizers, and on another processor: the same bytes as zlib here."""

import os
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from factory.build.deflate_check import deflate_identity
from factory.system.process import Command, SubprocessRunner
from tests.deflate_inputs import generate
from tests.fuzz.exact_deflate import HARNESS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not deflate_identity().is_reference, reason="this Python has another zlib"),
]

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def need(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"there is no {', '.join(missing)}")


def need_sanitizers(compiler: str, directory: Path) -> None:
    """Skip the test if the compiler cannot link the sanitizers, which Debian packages apart from clang."""
    source = directory / "empty.c"
    source.write_text("int main(void) { return 0; }\n")
    argv = (compiler, *SANITIZERS, str(source), "-o", str(directory / "empty"))
    if SubprocessRunner().run(Command(argv=argv, env={"PATH": os.defpath})).returncode:
        pytest.skip(f"{compiler} has no sanitizers")


def compiled(compiler: str, directory: Path, *flags: str) -> Path:
    program = directory / "compress"
    run(compiler, "-std=gnu11", "-g", *flags, str(HARNESS), "-o", str(program))
    return program


def run(*argv: str) -> None:
    ended = SubprocessRunner().run(Command(argv=argv, env={"PATH": os.defpath}))
    assert ended.returncode == 0, ended.output


def compare(program: tuple[str, ...], directory: Path, seed: int) -> None:
    content = generate(seed)
    encoder = zlib.compressobj(6, zlib.DEFLATED, -15)
    expected = encoder.compress(content) + encoder.flush()
    path = directory / "content"
    path.write_bytes(content)
    sizes = (str(max(1, len(content) // 100) + seed % 5000), str(600 + seed * 977 % 70_000))
    run(*program, *sizes, str(path), str(directory / "streams"))
    assert (directory / "streams").read_bytes() == expected * 2, f"seed {seed}"


@pytest.fixture
def checked(tmp_path: Path) -> Callable[[tuple[str, ...], int], None]:
    def check(program: tuple[str, ...], count: int) -> None:
        for seed in range(50_000, 50_000 + count):
            compare(program, tmp_path, seed)

    return check


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_sanitizers_find_nothing(
    checked: Callable[[tuple[str, ...], int], None], tmp_path: Path, compiler: str
) -> None:
    need(compiler)
    need_sanitizers(compiler, tmp_path)
    checked((str(compiled(compiler, tmp_path, "-O1", *SANITIZERS)),), 150)


def test_aarch64_gives_the_same_bytes(
    checked: Callable[[tuple[str, ...], int], None], tmp_path: Path
) -> None:
    need("aarch64-linux-gnu-gcc", "qemu-aarch64-static")
    program = compiled("aarch64-linux-gnu-gcc", tmp_path, "-O3", "-static")
    checked(("qemu-aarch64-static", str(program)), 100)

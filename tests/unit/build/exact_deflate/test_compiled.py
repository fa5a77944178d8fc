import os
import re
import shutil
import sysconfig
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from factory.build.exact_deflate import NotAvailable, compiled, default_directory, open_library
from factory.build.exact_deflate.compiled import compile_library, ship
from factory.build.exact_deflate.library import Library
from factory.system.process import CannotStart, Command, Completed, SubprocessRunner

pytestmark = pytest.mark.skipif(os.name == "nt", reason="modes and owners")


@dataclass(slots=True)
class FakeCompiler:
    """Writes a library, and counts."""

    library: bytes = b"a library"
    returncode: int = 0
    output: str = ""
    commands: list[Command] = field(default_factory=list)

    def run(self, command: Command) -> Completed:
        self.commands.append(command)
        if self.returncode == 0 and self.library:
            Path(command.argv[command.argv.index("-o") + 1]).write_bytes(self.library)
        return Completed(returncode=self.returncode, output=self.output)


class NoStart:
    def run(self, command: Command) -> Completed:
        raise CannotStart(command.argv[0], "no such file")


@pytest.fixture
def search_path(tmp_path: Path) -> str:
    program = tmp_path / "bin" / "gcc"
    program.parent.mkdir()
    program.touch(mode=0o755)
    return str(program.parent)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "made" / "private"


def test_the_first_use_compiles(directory: Path, search_path: str) -> None:
    compiler = FakeCompiler()
    made = compile_library(directory=directory, search_path=search_path, runner=compiler)
    assert made.path.read_bytes() == b"a library"
    assert made.path.stat().st_mode & 0o777 == 0o700
    assert directory.stat().st_mode & 0o777 == 0o700
    assert [command.argv[0] for command in compiler.commands] == [f"{search_path}/gcc"]
    assert compiler.commands[0].env == {"PATH": search_path}
    assert list(directory.iterdir()) == [made.path]


def test_the_second_use_finds_it(directory: Path, search_path: str) -> None:
    compiler = FakeCompiler()
    first = compile_library(directory=directory, search_path=search_path, runner=compiler)
    second = compile_library(directory=directory, search_path="", runner=compiler)
    assert first == second
    assert len(compiler.commands) == 1


def damage(path: Path) -> None:
    path.write_bytes(b"a librarx")


def open_to_the_group(path: Path) -> None:
    path.chmod(0o770)


def replace_with_a_link(path: Path) -> None:
    other = path.with_name("other")
    path.rename(other)
    path.symlink_to(other)


@pytest.mark.parametrize("change", [damage, open_to_the_group, replace_with_a_link])
def test_a_changed_library_is_compiled_again(directory: Path, search_path: str, change: object) -> None:
    compiler = FakeCompiler()
    first = compile_library(directory=directory, search_path=search_path, runner=compiler)
    assert callable(change)
    change(first.path)
    second = compile_library(directory=directory, search_path=search_path, runner=compiler)
    assert second.path.read_bytes() == b"a library"
    assert not second.path.is_symlink()
    assert second.path.stat().st_mode & 0o777 == 0o700
    assert len(compiler.commands) == 2


def test_a_directory_that_was_open_to_others_is_emptied(directory: Path, search_path: str) -> None:
    compiler = FakeCompiler()
    compile_library(directory=directory, search_path=search_path, runner=compiler)
    directory.chmod(0o755)
    compile_library(directory=directory, search_path=search_path, runner=compiler)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert len(compiler.commands) == 2


def test_a_library_of_another_user(
    directory: Path, search_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_library(directory=directory, search_path=search_path, runner=FakeCompiler())
    monkeypatch.setattr(os, "geteuid", lambda: directory.stat().st_uid + 1)
    with pytest.raises(NotAvailable, match="is not a directory of this user"):
        compile_library(directory=directory, search_path=search_path, runner=FakeCompiler())


def test_a_link_in_place_of_the_directory(tmp_path: Path, search_path: str) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotAvailable, match="is not a directory of this user"):
        compile_library(directory=tmp_path / "link", search_path=search_path, runner=FakeCompiler())


@pytest.mark.parametrize("part", ["SOURCE", "FLAGS", "platform"])
def test_another_source_other_flags_or_another_platform_need_another_library(
    directory: Path, search_path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, part: str
) -> None:
    compiler = FakeCompiler()
    first = compile_library(directory=directory, search_path=search_path, runner=compiler)
    if part == "SOURCE":
        other = tmp_path / "other.c"
        other.write_bytes(compiled.SOURCE.read_bytes() + b"\n")
        monkeypatch.setattr(compiled, "SOURCE", other)
    elif part == "FLAGS":
        monkeypatch.setattr(compiled, "FLAGS", ("-std=c11", "-O2", "-fPIC", "-shared"))
    else:
        monkeypatch.setattr(sysconfig, "get_platform", lambda: "linux-riscv64")
    second = compile_library(directory=directory, search_path=search_path, runner=compiler)
    assert first.path != second.path
    assert len(compiler.commands) == 2


def cpuinfo_of(tmp_path: Path, flags: str) -> Path:
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor\t: 0\nmodel name\t: a processor\nflags\t\t: {flags}\n", encoding="utf-8")
    return path


def test_a_library_of_this_machine_is_for_its_processor(
    directory: Path, search_path: str, tmp_path: Path
) -> None:
    compiler = FakeCompiler()
    paths = [
        compile_library(
            directory=directory, search_path=search_path, runner=compiler, cpuinfo=cpuinfo_of(tmp_path, flags)
        ).path
        for flags in ("fpu sse2 avx2", "fpu sse2", "fpu sse2 avx2")
    ]
    assert paths[0] == paths[2] != paths[1]  # a restored directory cannot bring instructions that are missing
    assert ["-march=native" in command.argv for command in compiler.commands] == [True, True]


@pytest.mark.parametrize("cpuinfo", ["no-such-file", "of-another-architecture"])
def test_a_processor_without_known_features_gets_the_common_library(
    directory: Path, search_path: str, tmp_path: Path, cpuinfo: str
) -> None:
    (tmp_path / "of-another-architecture").write_text("Features\t: fp asimd\n", encoding="utf-8")
    compiler = FakeCompiler()
    compile_library(directory=directory, search_path=search_path, runner=compiler, cpuinfo=tmp_path / cpuinfo)
    assert "-march=native" not in compiler.commands[0].argv


def test_a_shipped_library_is_for_every_processor(directory: Path, search_path: str) -> None:
    directory.parent.mkdir()
    compiler = FakeCompiler()
    ship(search_path=search_path, runner=compiler, directory=directory)
    assert "-march=native" not in compiler.commands[0].argv


def test_no_compiler(directory: Path, tmp_path: Path) -> None:
    message = re.escape("no C compiler (cc, gcc, clang) is on PATH")
    with pytest.raises(NotAvailable, match=message) as raised:
        compile_library(directory=directory, search_path=str(tmp_path), runner=FakeCompiler())
    assert "apt-get install gcc" in raised.value.hint


def test_a_compiler_that_fails(directory: Path, search_path: str) -> None:
    compiler = FakeCompiler(returncode=1, output="exact_deflate.c:1: note\nerror: no stdint.h\n")
    with pytest.raises(NotAvailable, match=r"gcc failed \(exit status 1\): error: no stdint.h"):
        compile_library(directory=directory, search_path=search_path, runner=compiler)
    assert list(directory.iterdir()) == []


def test_a_compiler_that_writes_nothing(directory: Path, search_path: str) -> None:
    with pytest.raises(NotAvailable, match=r"gcc failed \(exit status 0\): no output"):
        compile_library(directory=directory, search_path=search_path, runner=FakeCompiler(library=b""))


def test_a_compiler_that_does_not_start(directory: Path, search_path: str) -> None:
    with pytest.raises(NotAvailable, match="cannot start"):
        compile_library(directory=directory, search_path=search_path, runner=NoStart())


def test_a_directory_that_cannot_be_written(tmp_path: Path, search_path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotAvailable, match="cannot compile exact_deflate in"):
        compile_library(
            directory=tmp_path / "file" / "private", search_path=search_path, runner=FakeCompiler()
        )


def test_a_library_that_does_not_load(directory: Path, search_path: str) -> None:
    with pytest.raises(NotAvailable, match="cannot load"):
        open_library(directory=directory, search_path=search_path, runner=FakeCompiler())


@pytest.mark.skipif(shutil.which("gcc", path=os.defpath) is None, reason="there is no gcc")
def test_a_library_with_other_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = compiled.SOURCE.read_text(encoding="utf-8")
    assert "TOO_FAR = 4096" in source
    wrong = tmp_path / "wrong.c"
    wrong.write_text(source.replace("TOO_FAR = 4096", "TOO_FAR = 4097"), encoding="utf-8")
    monkeypatch.setattr(compiled, "SOURCE", wrong)
    monkeypatch.setattr(compiled, "FLAGS", ("-std=c11", "-O0", "-fPIC", "-shared"))
    with pytest.raises(NotAvailable, match="gives other bytes than zlib for far"):
        open_library(directory=tmp_path / "private", search_path=os.defpath, runner=SubprocessRunner())


def test_the_default_directory_is_one_of_this_user() -> None:
    assert default_directory().name == f"exact-deflate-{os.geteuid()}"


def test_a_library_that_came_with_the_installation_is_used(directory: Path, search_path: str) -> None:
    shipped = directory.parent / "shipped"
    shipped.parent.mkdir()
    compiler = FakeCompiler()
    path = ship(search_path=search_path, runner=compiler, directory=shipped)
    made = compile_library(directory=directory, search_path="", runner=compiler, shipped=shipped)
    assert (made.path, len(compiler.commands)) == (path, 1)
    assert path.stat().st_mode & 0o777 == 0o755
    assert not directory.exists()


def test_a_changed_shipped_library_is_not_used(directory: Path, search_path: str) -> None:
    shipped = directory.parent / "shipped"
    shipped.parent.mkdir()
    damage(ship(search_path=search_path, runner=FakeCompiler(), directory=shipped))
    made = compile_library(
        directory=directory, search_path=search_path, runner=FakeCompiler(), shipped=shipped
    )
    assert made.path.parent == directory


def test_the_real_library_can_be_shipped_and_loaded(tmp_path: Path) -> None:
    path = ship(search_path=os.defpath, runner=SubprocessRunner(), directory=tmp_path)
    made = compile_library(
        directory=tmp_path / "unused", search_path="", runner=SubprocessRunner(), shipped=tmp_path
    )
    assert made.path == path
    assert Library.load(made).compressobj().flush() == zlib.compressobj(6, zlib.DEFLATED, -15).flush()

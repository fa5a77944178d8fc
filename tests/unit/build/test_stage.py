import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from factory.build.backend.native import NativeFrontEnd
from factory.build.recipe import lay_out, our_recipe
from factory.build.stage import (
    StageRequest,
    below,
    stage,
    stage_many,
    stage_skeleton,
)
from factory.build.template import bundled_template
from factory.core.digests import Sha256
from factory.core.errors import IntegrityError, UsageError
from factory.core.model import FileKind, Payload, PayloadFile
from factory.core.progress import SilentProgress
from factory.core.tags import CodexTag
from factory.core.targets import Platform, Target
from factory.release.payload import Layout, PackageSource
from factory.system.files import CannotWrite
from factory.system.process import SubprocessRunner
from tests.packages import executable, github_zst, npm_tarball, package_directory, release_files, zip_archive
from tests.toolchains import running_toolchain

TAG = CodexTag.parse("rust-v0.116.0-alpha.1")
LINUX: Mapping[str, bytes] = {
    "bin/codex": b"\x7fELF codex",
    "codex-package.json": b"{}\r\n",
    "codex-path/rg": b"\x7fELF rg",
    "codex-resources/voice/bin/codex-voice-host": b"\x7fELF voice",
}
WINDOWS: Mapping[str, bytes] = {
    "codex/codex-command-runner.exe": b"MZ runner",
    "codex/codex.exe": b"MZ codex",
    "path/rg.exe": b"MZ rg",
}


class Interrupted(IntegrityError):
    """The package is damaged in the middle."""


@dataclass(frozen=True)
class FakePackage:
    """A release package in memory that counts its reads."""

    path: Path
    files: Mapping[str, bytes]
    breaks_after: int = 99
    reads: list[Target] | None = None

    def extract(self, target: Target, *, place: Callable[[PurePosixPath], tuple[Path, ...]]) -> Payload:
        if self.reads is not None:
            self.reads.append(target)
        files = []
        for number, (name, content) in enumerate(self.files.items()):
            if number == self.breaks_after:
                raise Interrupted("damaged")
            for path in place(PurePosixPath(name)):
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as file:
                    file.write(content)
                path.chmod(0o4777)
            files.append(_payload_file(name, content))
        return Payload(target=target, files=tuple(files))


def _payload_file(name: str, content: bytes) -> PayloadFile:
    kinds = {b"\x7f": FileKind.ELF, b"M": FileKind.PE}
    return PayloadFile(
        path=PurePosixPath(name),
        mode=0o644,
        size_bytes=len(content),
        sha256=Sha256(hashlib.sha256(content).hexdigest()),
        kind=kinds.get(content[:1], FileKind.DATA),
    )


def request(destination: Path, tag: str = "manylinux_2_17_x86_64") -> StageRequest:
    recipe = our_recipe(Platform.parse(tag), template=bundled_template())
    return StageRequest(destination=destination, tag=TAG, recipe=recipe)


def tree(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def modes(directory: Path) -> dict[str, str]:
    paths = [directory, *sorted(directory.rglob("*"))]
    return {path.relative_to(directory).as_posix(): oct(path.stat().st_mode & 0o7777) for path in paths}


@pytest.fixture
def package(tmp_path: Path) -> FakePackage:
    return FakePackage(path=tmp_path / "package.tgz", files=LINUX)


@pytest.fixture
def strict_umask() -> Iterator[None]:
    former = os.umask(0o077)
    yield
    os.umask(former)


def test_a_stage_is_the_stamped_template_with_the_payload(tmp_path: Path, package: FakePackage) -> None:
    staged = stage(package, request(tmp_path / "stage"))

    template = {str(file.path): file.content for file in bundled_template().files}
    stamped = (
        template.pop("pyproject.toml")
        .replace(b'version = "0.0.0.dev0" # stamped', b'version = "0.116.0a1" # stamped')
        .replace(
            b'path = "hatch_build.py"\n', b'path = "hatch_build.py"\nplatform-tag = "manylinux_2_17_x86_64"\n'
        )
        .replace(b"sbom-files = [] #", b'sbom-files = ["sboms/openai-codex-cli-bin.cdx.json"] #')
    )
    assert staged.path == tmp_path / "stage"
    assert staged.tag == TAG
    assert staged.platform.tag == "manylinux_2_17_x86_64"
    made = tree(staged.path)
    sbom = json.loads(made.pop("sboms/openai-codex-cli-bin.cdx.json"))
    assert [component["bom-ref"] for component in sbom["components"]] == [
        "codex_cli_bin/bin/codex",
        "codex_cli_bin/codex-package.json",
        "codex_cli_bin/codex-path/rg",
    ]
    assert made == {
        **template,
        "pyproject.toml": stamped,
        "src/codex_cli_bin/bin/codex": b"\x7fELF codex",
        "src/codex_cli_bin/codex-package.json": b"{}\r\n",
        "src/codex_cli_bin/codex-path/rg": b"\x7fELF rg",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["stage"]


@pytest.mark.usefixtures("strict_umask")
def test_modes_depend_on_neither_the_umask_nor_the_package(tmp_path: Path, package: FakePackage) -> None:
    staged = stage(package, request(tmp_path / "stage"))

    assert modes(staged.path) == {
        ".": "0o755",
        "LICENSE": "0o644",
        "README.md": "0o644",
        "THIRD_PARTY_NOTICES.md": "0o644",
        "hatch_build.py": "0o644",
        "pyproject.toml": "0o644",
        "sboms": "0o755",
        "sboms/openai-codex-cli-bin.cdx.json": "0o644",
        "src": "0o755",
        "src/codex_cli_bin": "0o755",
        "src/codex_cli_bin/__init__.py": "0o644",
        "src/codex_cli_bin/__main__.py": "0o644",
        "src/codex_cli_bin/bin": "0o755",
        "src/codex_cli_bin/bin/codex": "0o755",
        "src/codex_cli_bin/codex-package.json": "0o644",
        "src/codex_cli_bin/codex-path": "0o755",
        "src/codex_cli_bin/codex-path/rg": "0o755",
        "src/codex_cli_bin/py.typed": "0o644",
    }


def test_a_windows_wheel_is_staged_on_any_host(tmp_path: Path) -> None:
    legacy = FakePackage(path=tmp_path / "package.tgz", files=WINDOWS)

    staged = stage(legacy, request(tmp_path / "stage", "win_amd64"))

    package = staged.path / "src/codex_cli_bin"
    assert sorted(path.name for path in (package / "bin").iterdir()) == [
        "codex-command-runner.exe",
        "codex.exe",
    ]
    assert b"\r" not in (package / "__init__.py").read_bytes()
    assert modes(package / "bin")["codex.exe"] == "0o755"


def test_a_package_is_read_once_for_two_platforms(tmp_path: Path) -> None:
    reads: list[Target] = []
    package = FakePackage(path=tmp_path / "package.tgz", files=LINUX, reads=reads)
    requests = [request(tmp_path / "many"), request(tmp_path / "musl", "musllinux_1_1_x86_64")]

    staged = stage_many(package, requests)

    many, musl = (tree(runtime.path) for runtime in staged.runtimes)
    assert reads == [Target.LINUX_X86_64]
    assert {path for path in many if many[path] != musl[path]} == {
        "pyproject.toml",
        "sboms/openai-codex-cli-bin.cdx.json",  # contains the name of the wheel
    }
    assert many.keys() == musl.keys()
    assert len(staged.payload.files) == 4


def test_platforms_of_two_targets_are_refused(tmp_path: Path, package: FakePackage) -> None:
    with pytest.raises(UsageError, match="one release package cannot contain the targets"):
        stage_many(package, [request(tmp_path / "one"), request(tmp_path / "two", "win_arm64")])


def test_an_earlier_stage_is_replaced(tmp_path: Path, package: FakePackage) -> None:
    former = stage(package, request(tmp_path / "stage", "musllinux_1_1_x86_64"))
    (former.path / "src/codex_cli_bin/bin/old").touch()
    (former.path / "dist").mkdir()

    staged = stage(package, request(tmp_path / "stage"))

    assert b"manylinux_2_17_x86_64" in (staged.path / "pyproject.toml").read_bytes()
    assert not (staged.path / "src/codex_cli_bin/bin/old").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["stage"]


def test_an_empty_directory_is_used(tmp_path: Path, package: FakePackage) -> None:
    (tmp_path / "stage").mkdir()

    assert stage(package, request(tmp_path / "stage")).path == tmp_path / "stage"


def _somebodys_files(destination: Path) -> None:
    destination.mkdir()
    (destination / "thesis.txt").touch()


def _template_itself(destination: Path) -> None:
    destination.mkdir()
    for file in bundled_template().files:
        (destination / file.path).parent.mkdir(parents=True, exist_ok=True)
        (destination / file.path).write_bytes(file.content)


def _other_project(destination: Path) -> None:
    destination.mkdir()
    (destination / "pyproject.toml").write_text('[project]\nname = "other"\n', encoding="utf-8")


def _damaged_project(destination: Path) -> None:
    destination.mkdir()
    (destination / "pyproject.toml").write_bytes(b"\xff[")


def _link_to_a_directory(destination: Path) -> None:
    destination.with_name("real").mkdir()
    destination.symlink_to("real")


@pytest.mark.parametrize(
    "occupy",
    [
        _somebodys_files,
        _template_itself,
        _other_project,
        _damaged_project,
        _link_to_a_directory,
        Path.touch,
    ],
)
def test_other_directories_are_never_replaced(
    tmp_path: Path, package: FakePackage, occupy: Callable[[Path], None]
) -> None:
    occupy(tmp_path / "stage")
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(UsageError, match="was not created by this command"):
        stage(package, request(tmp_path / "stage"))

    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("destination", "source"),
    [("same", "same"), ("package/stage", "package"), ("stage", "stage/package.tgz"), ("x/../p/s", "p")],
)
def test_overlapping_paths_are_refused(tmp_path: Path, destination: str, source: str) -> None:
    package = FakePackage(path=tmp_path / source, files=LINUX)

    with pytest.raises(UsageError, match="overlap"):
        stage(package, request(tmp_path / destination))


def test_a_damaged_package_leaves_the_earlier_stage(tmp_path: Path, package: FakePackage) -> None:
    stage(package, request(tmp_path / "stage"))
    before = tree(tmp_path)

    with pytest.raises(Interrupted):
        stage(FakePackage(path=package.path, files=LINUX, breaks_after=2), request(tmp_path / "stage"))

    assert tree(tmp_path) == before


def test_an_incomplete_package_leaves_no_stage(tmp_path: Path) -> None:
    package = FakePackage(path=tmp_path / "package.tgz", files={"codex-path/rg": b"\x7fELF"})

    with pytest.raises(IntegrityError, match="the release package of"):
        stage(package, request(tmp_path / "stage"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["__init__.py", "PY.TYPED", "bin/CODEX"])
def test_a_package_with_a_file_in_another_s_place_is_at_fault(tmp_path: Path, name: str) -> None:
    package = FakePackage(path=tmp_path / "package.tgz", files={**LINUX, name: b"x"})

    with pytest.raises(IntegrityError, match=f"cannot place {name} of the release package"):
        stage(package, request(tmp_path / "stage"))

    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_writable_is_an_error(tmp_path: Path, package: FakePackage) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(CannotWrite) as caught:
        stage(package, request(tmp_path / "file" / "stage"))

    assert caught.value.exit_code == 25


def test_a_skeleton_has_names_and_modes_and_empty_files(tmp_path: Path, package: FakePackage) -> None:
    whole = stage(package, request(tmp_path / "whole"))
    payload = package.extract(Target.LINUX_X86_64, place=lambda _: ())
    ordered = request(tmp_path / "skeleton")

    skeleton = stage_skeleton(ordered, lay_out(ordered.recipe, payload))

    assert modes(skeleton.path) == modes(whole.path)
    assert (skeleton.path / "src/codex_cli_bin/bin/codex").read_bytes() == b""
    assert (skeleton.path / "pyproject.toml").read_bytes() == (whole.path / "pyproject.toml").read_bytes()


def test_a_stage_builds_into_the_planned_wheel(tmp_path: Path) -> None:
    legacy = FakePackage(path=tmp_path / "package.tgz", files=WINDOWS)
    staged = stage(legacy, request(tmp_path / "stage", "win_amd64"))
    front_end = NativeFrontEnd(
        toolchain=running_toolchain(),
        runner=SubprocessRunner(),
        progress=SilentProgress(),
        host_env={},
        logs=tmp_path / "logs",
    )

    wheel = front_end.build(staged, scratch=tmp_path / "scratch", dist=tmp_path / "dist")

    assert wheel.name == "openai_codex_cli_bin-0.116.0a1-py3-none-win_amd64.whl"
    with zipfile.ZipFile(wheel.path) as archive:
        members = {
            info.filename: (info.create_system, oct(info.external_attr >> 16)) for info in archive.infolist()
        }
        assert archive.read("codex_cli_bin/bin/codex.exe") == b"MZ codex"
        assert {info.date_time for info in archive.infolist()} == {(2020, 2, 2, 0, 0, 0)}
    assert members == {
        "codex_cli_bin/__init__.py": (3, "0o100644"),
        "codex_cli_bin/__main__.py": (3, "0o100644"),
        "codex_cli_bin/py.typed": (3, "0o100644"),
        "codex_cli_bin/bin/codex-command-runner.exe": (3, "0o100755"),
        "codex_cli_bin/bin/codex.exe": (3, "0o100755"),
        "codex_cli_bin/codex-path/rg.exe": (3, "0o100755"),
        "openai_codex_cli_bin-0.116.0a1.dist-info/METADATA": (3, "0o644"),
        "openai_codex_cli_bin-0.116.0a1.dist-info/WHEEL": (3, "0o644"),
        "openai_codex_cli_bin-0.116.0a1.dist-info/licenses/LICENSE": (3, "0o644"),
        "openai_codex_cli_bin-0.116.0a1.dist-info/licenses/THIRD_PARTY_NOTICES.md": (3, "0o644"),
        "openai_codex_cli_bin-0.116.0a1.dist-info/sboms/openai-codex-cli-bin.cdx.json": (3, "0o100644"),
        "openai_codex_cli_bin-0.116.0a1.dist-info/RECORD": (3, "0o644"),
    }


SOURCES: Mapping[str, Callable[[Path], Path]] = {
    "npm tarball": lambda path: npm_tarball(path, {Target.WINDOWS_AARCH64: _windows_files()}),
    "tar.zst": lambda path: github_zst(path, _windows_files()),
    "zip": lambda path: zip_archive(path, _windows_files()),
    "directory": lambda path: package_directory(path, _windows_files()),
}


def _windows_files() -> Mapping[str, tuple[bytes, int]]:
    return release_files(Target.WINDOWS_AARCH64, TAG, Layout.PACKAGE, voice=True)


@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES.keys())
def test_every_kind_of_package_gives_the_same_stage(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    source = PackageSource.at(make(tmp_path / "source"))

    staged = stage(source, request(tmp_path / "stage", "win_arm64"))

    package = staged.path / "src/codex_cli_bin"
    assert {
        path: content for path, content in tree(package).items() if not path.endswith((".py", ".typed"))
    } == {path: content for path, (content, _) in _windows_files().items() if "/voice/" not in path}
    assert not list(package.rglob("*voice*"))


def test_an_executable_alone_can_be_staged(tmp_path: Path) -> None:
    content = executable(Target.WINDOWS_AARCH64, name="codex", tag=TAG)
    (tmp_path / "anything").write_bytes(content)

    source = PackageSource.at(tmp_path / "anything")
    staged = stage(source, request(tmp_path / "stage", "win_arm64"))

    assert tree(staged.path / "src/codex_cli_bin/bin") == {"codex.exe": content}


def test_a_package_directory_with_a_link_leaves_no_stage(tmp_path: Path) -> None:
    root = package_directory(tmp_path / "source", _windows_files())
    (root / "codex-path/link").symlink_to("rg.exe")

    with pytest.raises(IntegrityError):
        stage(PackageSource.at(root), request(tmp_path / "stage", "win_arm64"))

    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("path", ["/etc/evil", "../evil", "a/../../evil"])
def test_nothing_is_staged_outside_of_the_stage(path: str, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="cannot be staged: the path"):
        below(tmp_path, PurePosixPath(path))

"""Synthetic release packages of a few kilobytes, in every layout and archive format.

A package's files are a mapping from path to content and mode, which is written in the archive
formats of the channels. The same arguments give the same bytes.
"""

import gzip
import hashlib
import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from factory.core.tags import CodexTag
from factory.core.targets import Architecture, OperatingSystem, Target
from factory.release.payload import Layout
from tests.images import Elf, ElfMachine, ElfType, MachO, MachOCpu, MachOType, Pe, PeMachine, filler

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Files = Mapping[str, tuple[bytes, int]]
"""The files of a package: path below the target's root -> content and mode."""

TAG = CodexTag.parse("rust-v0.163.0")
"""The release of most tests."""

_NPM_TIME = 499162500
_CODEX_BYTES = 60_000
_COMPANION_BYTES = 9_000
_LIBRARY_BYTES = 3_000
_LEGACY = {
    "bin/": "codex/",
    "codex-path/": "path/",
    "codex-resources/codex-": "codex/codex-",
}


@cache
def executable(
    target: Target, *, name: str, tag: CodexTag = TAG, size_bytes: int = _COMPANION_BYTES
) -> bytes:
    """Return a program that contains its name, its target and the version.

    A Linux program is static, and writes ``codex-cli <version>`` when it runs.
    """
    seed = f"{name} {target} {tag.semver}"
    is_x86 = target.architecture is Architecture.X86_64
    match target.operating_system:
        case OperatingSystem.LINUX:
            machine = ElfMachine.X86_64 if is_x86 else ElfMachine.AARCH64
            says = f"codex-cli {tag.semver}\n".encode()
            return Elf(machine=machine, output=says, size_bytes=size_bytes, seed=seed).content()
        case OperatingSystem.MACOS:
            cpu = MachOCpu.X86_64 if is_x86 else MachOCpu.ARM64
            minimum = (10, 12, 0) if is_x86 else (11, 0, 0)
            size = size_bytes + 20_000
            return MachO(cpu=cpu, minimum_macos=minimum, size_bytes=size, seed=seed).content()
        case OperatingSystem.WINDOWS:
            return Pe(machine=_pe_machine(target), size_bytes=size_bytes, seed=seed).content()


@cache
def library(target: Target, *, name: str, tag: CodexTag = TAG) -> bytes:
    """Return a shared library; on Linux it requires glibc 2.34, as the voice runtime does."""
    seed = f"{name} {target} {tag.semver}"
    is_x86 = target.architecture is Architecture.X86_64
    match target.operating_system:
        case OperatingSystem.LINUX:
            return Elf(
                machine=ElfMachine.X86_64 if is_x86 else ElfMachine.AARCH64,
                type=ElfType.SHARED,
                soname=name,
                needed=("libc.so.6",),
                versions=(("libc.so.6", ("GLIBC_2.17", "GLIBC_2.34")),),
                size_bytes=_LIBRARY_BYTES,
                seed=seed,
            ).content()
        case OperatingSystem.MACOS:
            return MachO(
                cpu=MachOCpu.X86_64 if is_x86 else MachOCpu.ARM64,
                type=MachOType.DYLIB,
                minimum_macos=(14, 0, 0),
                install_name=f"@rpath/{name}",
                seed=seed,
            ).content()
        case OperatingSystem.WINDOWS:
            machine = _pe_machine(target)
            return Pe(machine=machine, is_dll=True, size_bytes=_LIBRARY_BYTES, seed=seed).content()


def release_files(
    target: Target, tag: CodexTag = TAG, layout: Layout = Layout.PACKAGE, *, voice: bool = False
) -> dict[str, tuple[bytes, int]]:
    """Return a release's files for a target, sorted by their paths below its root."""
    exe = target.executable_suffix
    files = {
        f"bin/codex{exe}": (executable(target, name="codex", tag=tag, size_bytes=_CODEX_BYTES), 0o755),
        f"codex-path/rg{exe}": (executable(target, name="rg", tag=tag), 0o755),
    }
    for name in _resources(target.operating_system):
        files[f"codex-resources/{name}"] = (executable(target, name=name, tag=tag), 0o755)
    if layout is Layout.LEGACY:
        mode = 0o644 if exe else 0o755
        return dict(sorted((_legacy_path(path), (content, mode)) for path, (content, _) in files.items()))
    host = "codex-code-mode-host"
    files[f"bin/{host}{exe}"] = (executable(target, name=host, tag=tag), 0o755)
    files["codex-package.json"] = (package_json(target, tag), 0o644)
    if voice:
        files |= _voice_files(target, tag)
    return dict(sorted(files.items()))


def package_json(target: Target, tag: CodexTag = TAG) -> bytes:
    """Return the ``codex-package.json`` of the package layout."""
    fields = {
        "layoutVersion": 1,
        "version": tag.semver,
        "target": target.value,
        "variant": "codex",
        "entrypoint": f"bin/codex{target.executable_suffix}",
        "resourcesDir": "codex-resources",
        "pathDir": "codex-path",
    }
    return json.dumps(fields, indent=2).encode() + b"\n"


def npm_tarball(path: Path, packages: Mapping[Target, Files], *, tag: CodexTag = TAG) -> Path:
    """Write an npm tarball; before 0.100.0 one had all targets, since then each has one."""
    outside = {
        "package/package.json": (json.dumps({"version": tag.semver}).encode(), 0o644),
        "package/README.md": (b"# A synthetic package\n", 0o644),
    }
    below = {
        f"package/vendor/{target}/{name}": file
        for target, files in packages.items()
        for name, file in files.items()
    }
    path.write_bytes(gzip.compress(tar_bytes(below | outside), 6, mtime=0))
    return path


def github_tarball(path: Path, files: Files) -> Path:
    """Write a ``codex-package-<target>.tar.gz``, which has no directory above the package's own."""
    path.write_bytes(gzip.compress(tar_bytes(files), 6, mtime=0))
    return path


def github_zst(path: Path, files: Files) -> Path:
    """Write a ``codex-package-<target>.tar.zst``."""
    path.write_bytes(zstd.compress(tar_bytes(files)))
    return path


def zip_archive(path: Path, files: Files) -> Path:
    """Write a package as a zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (content, mode) in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return path


def package_directory(path: Path, files: Files) -> Path:
    """Write a package's files below a directory, with their modes."""
    for name, (content, mode) in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(mode)
    return path


def release_directory(
    path: Path,
    tag: CodexTag = TAG,
    *,
    layout: Layout = Layout.PACKAGE,
    voice: bool = False,
    targets: Iterable[Target] = tuple(Target),
) -> Path:
    """Write a release's npm tarballs, ``codex-0.163.0-linux-x64.tgz`` and so on, and ``SHA256SUMS``."""
    path.mkdir(parents=True, exist_ok=True)
    lines = []
    for target in targets:
        name = f"codex-{tag.semver}-{target.npm_suffix}.tgz"
        files = release_files(target, tag, layout, voice=voice)
        tarball = npm_tarball(path / name, {target: files}, tag=tag)
        lines.append(f"{hashlib.sha256(tarball.read_bytes()).hexdigest()}  {name}\n")
    (path / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    return path


def bulky_directory(path: Path, *, mib: int) -> Path:
    """Write a release with one package that is slow to compress: about a second for 12 MiB."""
    path.mkdir(parents=True, exist_ok=True)
    target = Target.WINDOWS_X86_64
    files = release_files(target)
    content, mode = files["bin/codex.exe"]
    files["bin/codex.exe"] = (content + mib * filler(1 << 20, seed="bulk"), mode)
    package = gzip.compress(tar_bytes(files), 1, mtime=0)
    name = f"codex-package-{target}.tar.gz"
    (path / name).write_bytes(package)
    (path / "SHA256SUMS").write_text(f"{hashlib.sha256(package).hexdigest()}  {name}\n")
    return path


def tar_bytes(files: Files) -> bytes:
    """Return a tar archive of regular files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, (content, mode) in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(content), mode, _NPM_TIME
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def _pe_machine(target: Target) -> PeMachine:
    return PeMachine.AMD64 if target.architecture is Architecture.X86_64 else PeMachine.ARM64


def _resources(system: OperatingSystem) -> tuple[str, ...]:
    match system:
        case OperatingSystem.LINUX:
            return ("bwrap",)
        case OperatingSystem.MACOS:
            return ()
        case OperatingSystem.WINDOWS:
            return ("codex-command-runner.exe", "codex-windows-sandbox-setup.exe")


def _legacy_path(path: str) -> str:
    for prefix, former in _LEGACY.items():
        if path.startswith(prefix):
            return former + path.removeprefix(prefix)
    return path


def _voice_files(target: Target, tag: CodexTag) -> dict[str, tuple[bytes, int]]:
    root, exe = "codex-resources/voice", target.executable_suffix
    host = executable(target, name="codex-voice-host", tag=tag)
    if target.operating_system is OperatingSystem.LINUX:
        host = _glibc_program(target, tag)
    files = {
        f"{root}/bin/codex-voice-host{exe}": (host, 0o755),
        f"{root}/NOTICE.md": (b"# Notices\n", 0o644),
        f"{root}/licenses/LGPL-2.1.txt": (filler(800, seed="licence"), 0o644),
        f"{root}/manifest.json": (json.dumps({"appVersion": tag.semver}).encode(), 0o644),
    }
    for path in _voice_libraries(target.operating_system):
        content = library(target, name=path.rpartition("/")[2], tag=tag)
        files[f"{root}/{path}"] = (content, 0o644 if exe else 0o755)
    return files


def _voice_libraries(system: OperatingSystem) -> tuple[str, ...]:
    match system:
        case OperatingSystem.LINUX:
            return ("lib/libglib-2.0.so.0", "lib/gstreamer-1.0/libgstapp.so")
        case OperatingSystem.MACOS:
            return ("lib/libglib-2.0.0.dylib", "plugins/libgstapp.dylib")
        case OperatingSystem.WINDOWS:
            return ("bin/glib-2.0-0.dll", "bin/gstapp.dll")


def _glibc_program(target: Target, tag: CodexTag) -> bytes:
    is_x86 = target.architecture is Architecture.X86_64
    return Elf(
        machine=ElfMachine.X86_64 if is_x86 else ElfMachine.AARCH64,
        type=ElfType.SHARED,
        interpreter="/lib64/ld-linux-x86-64.so.2" if is_x86 else "/lib/ld-linux-aarch64.so.1",
        needed=("libglib-2.0.so.0", "libc.so.6"),
        versions=(("libc.so.6", ("GLIBC_2.34",)),),
        runpath="$ORIGIN/../lib",
        size_bytes=_COMPANION_BYTES,
        seed=f"codex-voice-host {target} {tag.semver}",
    ).content()

"""Read an SDK as its maintainers have it: a checkout, an sdist, or a published wheel."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import tomlkit
from packaging.metadata import Metadata

from factory.core.errors import UsageError
from factory.release.archives import (
    ArchiveLimits,
    Guard,
    PackageEntry,
    gzip_codec,
    inflated,
    tar_entries,
    zip_entries,
)

PROJECT_FILE = PurePosixPath("pyproject.toml")
_LIMITS = ArchiveLimits(max_total_bytes=200_000_000)
_LEFT_OUT_DIRECTORIES = frozenset(
    {
        ".git",
        ".hypothesis",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".tox",
        ".venv",
        "__pycache__",
        "build",
        "dist",
        "node_modules",
        "venv",
    }
)
_BACKEND = {"requires": ["hatchling"], "build-backend": "hatchling.build"}


class NoSdk(UsageError):
    """What was given is no SDK that can be staged."""

    hint = "Give the SDK's project directory, sdist (.tar.gz) or wheel (.whl), or openai-codex==VERSION."

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is no SDK: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkFile:
    """One file of a project."""

    path: PurePosixPath
    content: bytes
    mode: int


def read_sdk(path: Path) -> tuple[SdkFile, ...]:
    """Return an SDK's files, its project file among them; caches, environments and build output stay behind.

    A wheel has no project file; one is written from its METADATA, with hatchling as the
    backend, and its modules go below ``src``.

    Raises:
        NoSdk: It is none of the three, or has no project file.
        UnsafePackage: An archive holds what could write elsewhere.
        DamagedPackage: It does not hold together.
    """
    if path.is_dir():
        files = tuple(_directory_files(path))
    elif path.name.endswith(".tar.gz"):
        files = _without_top(path, _archive_files(path))
    elif path.suffix == ".whl":
        files = _project_of_wheel(path, _archive_files(path))
    else:
        raise NoSdk(
            path, "it is not there" if not path.exists() else "it is neither a directory nor an archive"
        )
    kept = tuple(file for file in files if not _is_left_out(file.path))
    if all(file.path != PROJECT_FILE for file in kept):
        raise NoSdk(path, f"it has no {PROJECT_FILE}")
    return kept


def _is_left_out(path: PurePosixPath) -> bool:
    """Whether a file is a by-product; ``src/<package>/bin`` is where old SDKs bundled a runtime."""
    folders = path.parts[:-1]
    is_bundled = folders[:1] == ("src",) and folders[2:3] == ("bin",)
    is_output = any(folder in _LEFT_OUT_DIRECTORIES or folder.endswith(".egg-info") for folder in folders)
    return is_bundled or is_output or path.suffix == ".pyc" or path == PurePosixPath("PKG-INFO")


def _directory_files(root: Path) -> Iterator[SdkFile]:
    for directory, folders, names in os.walk(root):
        here = Path(directory)
        inside = PurePosixPath(here.relative_to(root).as_posix())
        folders[:] = sorted(folder for folder in folders if not _is_left_out(inside / folder / "x"))
        for name in sorted(names):
            path = here / name
            if path.is_symlink() or not path.is_file():
                raise NoSdk(root, f"{path.relative_to(root)} is a link or no regular file")
            relative = PurePosixPath(path.relative_to(root).as_posix())
            yield SdkFile(path=relative, content=path.read_bytes(), mode=_mode(path.stat().st_mode))


def _archive_files(path: Path) -> tuple[SdkFile, ...]:
    guard = Guard(path.name, _LIMITS)
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
        except OSError as error:
            raise NoSdk(path, error.strerror or str(error)) from error
        entries: Iterable[PackageEntry] = (
            zip_entries(file, guard)
            if path.suffix == ".whl"
            else tar_entries(inflated(file, gzip_codec(), guard), guard)
        )
        return tuple(
            SdkFile(path=entry.path, content=b"".join(entry.chunks()), mode=_mode(entry.mode))
            for entry in entries
        )


def _mode(mode: int) -> int:
    return 0o755 if mode & 0o100 else 0o644


def _without_top(path: Path, files: tuple[SdkFile, ...]) -> tuple[SdkFile, ...]:
    tops = {file.path.parts[0] for file in files}
    if len(tops) != 1 or any(file.path.parent == PurePosixPath() for file in files):
        raise NoSdk(path, "an sdist has one directory at its top")
    return tuple(
        SdkFile(path=PurePosixPath(*file.path.parts[1:]), content=file.content, mode=file.mode)
        for file in files
    )


def _project_of_wheel(path: Path, files: tuple[SdkFile, ...]) -> tuple[SdkFile, ...]:
    infos = [file for file in files if file.path.match("*.dist-info/METADATA")]
    if len(infos) != 1:
        raise NoSdk(path, f"it has {len(infos)} METADATA files")
    try:
        metadata = Metadata.from_email(infos[0].content, validate=True)
    except ExceptionGroup as errors:
        raise NoSdk(path, f"its METADATA is not valid: {errors.exceptions[0]}") from errors
    modules = [file for file in files if not file.path.parts[0].endswith((".dist-info", ".data"))]
    packages = sorted({file.path.parts[0] for file in modules if len(file.path.parts) > 1})
    project = SdkFile(path=PROJECT_FILE, content=_project_file(metadata, packages), mode=0o644)
    readme = SdkFile(
        path=PurePosixPath("README.md"), content=(metadata.description or "").encode(), mode=0o644
    )
    moved = (
        SdkFile(path=PurePosixPath("src", file.path), content=file.content, mode=file.mode)
        for file in modules
    )
    return (project, readme, *moved)


def _project_file(metadata: Metadata, packages: Iterable[str]) -> bytes:
    """Say in a project file what METADATA says; what it does not say is left out."""
    project: dict[str, object] = {
        "name": metadata.name,
        "version": str(metadata.version),
        "readme": "README.md",
        "dependencies": [str(requirement) for requirement in metadata.requires_dist or ()],
    }
    optional = {
        "description": metadata.summary,
        "requires-python": None if metadata.requires_python is None else str(metadata.requires_python),
        "license": metadata.license_expression,
        "keywords": metadata.keywords,
        "classifiers": metadata.classifiers,
        "authors": [{"name": metadata.author}] if metadata.author else None,
        "urls": metadata.project_urls,
    }
    project.update({name: value for name, value in optional.items() if value})
    wheel = {"packages": [f"src/{package}" for package in packages]}
    document = {
        "build-system": _BACKEND,
        "project": project,
        "tool": {"hatch": {"build": {"targets": {"wheel": wheel}}}},
    }
    return tomlkit.dumps(document).encode()

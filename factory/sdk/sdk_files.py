"""Read the files of an SDK from a checkout, an sdist or a wheel."""

import os
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import tomlkit
from packaging.metadata import Metadata

from factory.core.digests import Sha256
from factory.core.errors import UsageError
from factory.manifest.acceptance import RequestedSdk
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
README_FILE = PurePosixPath("README.md")
_LIMITS = ArchiveLimits(max_total_bytes=200_000_000)
_LEFT_OUT_DIRECTORIES = frozenset(
    (
        *(".git", ".hypothesis", ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache", ".tox", ".venv"),
        *("__pycache__", "build", "dist", "node_modules", "venv"),
    )
)
_BACKEND = {"requires": ["hatchling"], "build-backend": "hatchling.build"}


class UnusableSdk(UsageError):
    """The given path is not an SDK that can be staged or tested."""

    hint = "Give the SDK's project directory, sdist (.tar.gz) or wheel (.whl), or openai-codex==VERSION."

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is not a usable SDK: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkFile:
    """One file of a project."""

    path: PurePosixPath
    content: bytes
    mode: int


def read_sdk(path: Path) -> tuple[SdkFile, ...]:
    """Return an SDK's files, without caches, virtual environments and build output.

    A wheel has no project file: one is generated from its METADATA, with hatchling as the
    backend, and its modules go below ``src``.

    Raises:
        UnusableSdk: It is not a checkout, sdist or wheel, or has no project file.
        IntegrityError: The archive is damaged, or a member would be written outside of it.
    """
    if path.is_dir():
        files = tuple(_directory_files(path))
    elif path.name.endswith(".tar.gz"):
        files = _without_top(path, _archive_files(path))
    elif path.suffix == ".whl":
        files = _project_of_wheel(path, _archive_files(path))
    else:
        raise UnusableSdk(
            path, "it is neither a directory nor an archive" if path.exists() else "it does not exist"
        )
    kept = tuple(file for file in files if not _is_left_out(file.path))
    if all(file.path != PROJECT_FILE for file in kept):
        raise UnusableSdk(path, f"it has no {PROJECT_FILE}")
    return kept


def requested_sdk(path: Path) -> RequestedSdk:
    """Return the name, the version and the digest of an SDK as it was given.

    Raises:
        UnusableSdk: It is not a checkout, sdist or wheel, or has no name.
        IntegrityError: The archive is damaged.
    """
    return identity_of(read_sdk(path), path)


def identity_of(files: Sequence[SdkFile], path: Path) -> RequestedSdk:
    """Return the name, the version and the digest of an SDK whose files were read from a path; see above."""
    project_file = next(file.content for file in files if file.path == PROJECT_FILE)
    try:
        project = tomllib.loads(project_file.decode("utf-8")).get("project", {})
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnusableSdk(path, f"{PROJECT_FILE} is not valid TOML ({error})") from error
    if not isinstance(project.get("name"), str):
        raise UnusableSdk(path, f"{PROJECT_FILE} has no project name")
    return RequestedSdk(
        name=project["name"],
        version=str(project.get("version", "")),
        sha256=_digest_of(files) if path.is_dir() else Sha256.of_file(path),
    )


def _digest_of(files: Iterable[SdkFile]) -> Sha256:
    """Return one digest for the files of a directory: their paths, lengths and contents."""
    ordered = sorted(files, key=lambda file: file.path)
    return Sha256.of(
        part for file in ordered for part in (f"{file.path} {len(file.content)}\n".encode(), file.content)
    )


def _is_left_out(path: PurePosixPath) -> bool:
    """Whether a file is not part of the source; old SDKs bundled a runtime in ``src/<package>/bin``."""
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
                raise UnusableSdk(root, f"{path.relative_to(root)} is not a regular file")
            relative = PurePosixPath(path.relative_to(root).as_posix())
            yield SdkFile(path=relative, content=path.read_bytes(), mode=_mode(path.stat().st_mode))


def _archive_files(path: Path) -> tuple[SdkFile, ...]:
    guard = Guard(path.name, _LIMITS)
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
        except OSError as error:
            raise UnusableSdk(path, error.strerror or str(error)) from error
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
        raise UnusableSdk(path, "an sdist must have one top-level directory")
    return tuple(replace(file, path=PurePosixPath(*file.path.parts[1:])) for file in files)


def _project_of_wheel(path: Path, files: tuple[SdkFile, ...]) -> tuple[SdkFile, ...]:
    infos = [file for file in files if file.path.match("*.dist-info/METADATA")]
    if len(infos) != 1:
        raise UnusableSdk(path, f"it has {len(infos)} METADATA files")
    try:
        metadata = Metadata.from_email(infos[0].content, validate=True)
    except ExceptionGroup as errors:
        raise UnusableSdk(path, f"its METADATA is not valid: {errors.exceptions[0]}") from errors
    modules = [file for file in files if not file.path.parts[0].endswith((".dist-info", ".data"))]
    packages = sorted({file.path.parts[0] for file in modules if len(file.path.parts) > 1})
    project = SdkFile(path=PROJECT_FILE, content=_project_file(metadata, packages), mode=0o644)
    description = (metadata.description or "").encode()
    readme = SdkFile(path=README_FILE, content=description, mode=0o644)
    return (project, readme, *(replace(file, path=PurePosixPath("src", file.path)) for file in modules))


def _project_file(metadata: Metadata, packages: Iterable[str]) -> bytes:
    """Return a project file with the fields of METADATA; absent fields are omitted."""
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

"""A bundle: one directory with all that a machine without a network needs to build and audit wheels.

It has the release packages, the wheels of the build tools, and the program with its dependencies. Every
file has a line in ``SHA256SUMS``, and a bundle is read only if all files match: so it is enough to
compare the digest of that one file with the one that was printed when the bundle was made.
"""

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from factory import __version__
from factory.build.toolchain import Lock, lock_for, locked_versions
from factory.core.digests import Digest, Sha256
from factory.core.errors import IntegrityError, UsageError
from factory.core.json_reader import JsonObject
from factory.core.model import ReleaseAsset
from factory.core.progress import Progress
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.release.channels import Channel
from factory.release.download import Downloader
from factory.system.files import WrongDigest, atomic_directory
from factory.wheels.fetch import DOWNLOADS

BUNDLE_NAME = "bundle.json"
CHECKSUMS_NAME = "SHA256SUMS"
SCHEMA_VERSION = 1
PROGRAM_LOCK = "requirements.txt"
_PACKAGES, _TOOLCHAIN, _PROGRAM = "packages", "toolchain", "program"
FetchWheels = Callable[[tuple[Lock, ...], Path], Path]
"""Downloads the wheels of some locks with an interpreter's pip; returns their directory."""
_LINE = re.compile(r"(?P<hex>[0-9a-f]{64})  (?P<path>[^\\\n]+)")
_FACTORY = "../factory-env/bin/factory"
_README = """\
# Codex {version}, for a machine without a network

Made by `factory bundle`. Run the commands in this directory, and write nothing into it.

Compare the digest of SHA256SUMS with the one that `factory bundle` printed. SHA256SUMS has those of all
other files.

    sha256sum SHA256SUMS
    sha256sum --check --quiet SHA256SUMS
{install}
Build the wheels, and audit one against the packages:

    {factory} wheels {version} --offline . --out ../dist
    {factory} audit --wheel ../dist/{version}/*{sample}.whl --no-index --offline . --out ../audit
"""
_INSTALL = """
Install the program. Its wheels are for Python {python} on the kind of machine that made the bundle
({system}).

    python{python} -m venv ../factory-env
    ../factory-env/bin/python -m pip install --no-index --no-deps --require-hashes \\
        --find-links program -r program/requirements.txt
    ../factory-env/bin/python -m pip install --no-index --no-deps program/{program}
"""
_HINT = "Make it again with 'factory bundle', or copy it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRequest:
    """What a bundle must have.

    Attributes:
        platforms: Only the packages of these platforms; None for all of the release.
        out: The directory of the bundle; an existing bundle is replaced.
        program: The wheel of this program, which is installed with its locked dependencies; None to
            leave the program out.
    """

    tag: CodexTag
    platforms: tuple[Platform, ...] | None
    out: Path
    program: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle in which every file has its digest; only `open_bundle` makes one."""

    directory: Path
    tag: CodexTag

    @property
    def packages(self) -> Path:
        """The directory of the release packages, with their checksums."""
        return self.directory / _PACKAGES

    @property
    def pip_env(self) -> dict[str, str]:
        """The variables that let pip install from the bundle only."""
        # pip splits the variable at spaces, which a URL does not have.
        links = (self.directory.absolute() / _TOOLCHAIN).as_uri()
        return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": links}

    @property
    def sha256(self) -> Sha256:
        """The digest of the checksums, and so of the whole bundle."""
        return Sha256.of_file(self.directory / CHECKSUMS_NAME)


def make_bundle(
    request: BundleRequest, channel: Channel, *, downloader: Downloader, fetch_wheels: FetchWheels
) -> Bundle:
    """Download all that a bundle needs, and write it in one step.

    Two bundles with equal contents have equal bytes: no time and no path of this machine is in them.

    Raises:
        UsageError: The directory exists and is not a bundle.
        UpstreamError: The channel lacks the release or a package.
        WheelsNotFetched: pip could not download a wheel of a lock.
        CannotWrite: The directory cannot be written.
    """
    _require_replaceable(request.out)
    assets = _assets(request, channel)
    paths = downloader.fetch_all(assets, jobs=DOWNLOADS)
    progress = downloader.progress
    with atomic_directory(request.out.absolute()) as draft:
        _add_packages(draft / _PACKAGES, assets, paths)
        _add_wheels(draft / _TOOLCHAIN, tuple(map(lock_for, locked_versions())), fetch_wheels, progress)
        if request.program is not None:
            _add_wheels(draft / _PROGRAM, (program_lock(),), fetch_wheels, progress)
            shutil.copyfile(request.program, draft / _PROGRAM / request.program.name)
        _write(draft / BUNDLE_NAME, _description(request.tag, assets))
        _write(draft / "README.md", _readme(request))
        _write(draft / CHECKSUMS_NAME, "".join(_checksum_lines(draft)))
    return Bundle(directory=request.out, tag=request.tag)


def open_bundle(directory: Path) -> Bundle:
    """Check every file of a bundle against its checksums.

    Raises:
        UsageError: The directory is not a bundle.
        IntegrityError: A file is missing, changed, not listed or not a regular file.
    """
    try:
        lines = (directory / CHECKSUMS_NAME).read_text("utf-8").splitlines()
        content = (directory / BUNDLE_NAME).read_bytes()
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(
            f"{directory} is not a bundle: {reason}", hint="Name a directory that 'factory bundle' made."
        ) from error
    expected = dict(_parse(line, directory) for line in lines)
    present = {path.relative_to(directory).as_posix(): path for path in _files(directory)}
    present.pop(CHECKSUMS_NAME)
    for name in sorted(expected.keys() ^ present.keys()):
        problem = "is missing" if name in expected else f"is not in {CHECKSUMS_NAME}"
        raise IntegrityError(f"{directory / name} {problem}", hint=_HINT)
    for name, path in present.items():
        actual = Sha256.of_file(path)
        if actual != expected[name]:
            raise WrongDigest(str(path), expected=expected[name].digest, actual=actual.digest)
    return Bundle(directory=directory, tag=_described_tag(content))


def program_lock() -> Lock:
    """Return the lock of this program's dependencies, from its wheel or from its checkout.

    Raises:
        UsageError: Neither has it.
    """
    package = Path(__file__).resolve().parents[1]
    for path in (package / f"_{PROGRAM_LOCK}", package.parent / PROGRAM_LOCK):
        if path.is_file():
            return Lock(name="requirements", content=path.read_bytes().replace(b"\r\n", b"\n"))
    raise UsageError(
        f"this installation has no {PROGRAM_LOCK}", hint="Leave the program out with --no-program."
    )


def _require_replaceable(out: Path) -> None:
    if out.exists() and not (out / BUNDLE_NAME).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} exists and is not a bundle", hint="Choose another --out.")


def _assets(request: BundleRequest, channel: Channel) -> tuple[ReleaseAsset, ...]:
    """Return the packages of the requested platforms, each once, in the order of the platform table."""
    released = channel.assets(request.tag)
    if request.platforms is None:
        return released.assets
    targets = dict.fromkeys(platform.target for platform in request.platforms)
    found = {target: released.for_target(target) for target in targets}
    for target, asset in found.items():
        if asset is None:
            raise UsageError(
                f"channel {released.channel} has no package of {released.tag} for {target}",
                hint="Leave its platforms out.",
            )
    return tuple(asset for asset in found.values() if asset is not None)


def _add_packages(directory: Path, assets: tuple[ReleaseAsset, ...], paths: tuple[Path, ...]) -> None:
    """Copy the packages, with the digests of their channel in the format of the directory channel."""
    directory.mkdir()
    by_file: dict[str, dict[str, Digest]] = {}
    for asset, path in zip(assets, paths, strict=True):
        shutil.copyfile(path, directory / asset.name)
        sums = f"{asset.digest.algorithm.value.upper()}SUMS"
        by_file.setdefault(sums, {})[asset.name] = asset.digest
    for sums, digests in by_file.items():
        _write(directory / sums, "".join(f"{digests[name].hex}  {name}\n" for name in sorted(digests)))


def _add_wheels(
    directory: Path, locks: tuple[Lock, ...], fetch_wheels: FetchWheels, progress: Progress
) -> None:
    """Copy the wheels of some locks, and the locks."""
    directory.mkdir()
    for lock in locks:
        with progress.task(f"wheels of {lock.name}"):
            fetched = fetch_wheels((lock,), Path(sys.executable))
        for path in sorted(fetched.iterdir()):
            shutil.copyfile(path, directory / path.name)


def _description(tag: CodexTag, assets: tuple[ReleaseAsset, ...]) -> str:
    packages = [
        {"target": asset.target.value, "name": asset.name, "purl": asset.purl, "digest": str(asset.digest)}
        for asset in assets
    ]
    document = {
        "schema_version": SCHEMA_VERSION,
        "tag": str(tag),
        "factory": __version__,
        "packages": packages,
    }
    return json.dumps(document, indent=2) + "\n"


def _described_tag(content: bytes) -> CodexTag:
    document = JsonObject.parse(content, where=BUNDLE_NAME)
    if document.integer("schema_version") != SCHEMA_VERSION:
        raise IntegrityError(
            f"the bundle has schema version {document.integer('schema_version')}, not {SCHEMA_VERSION}",
            hint="Make the bundle with this version of the factory.",
        )
    return CodexTag.parse(document.text("tag"))


def _readme(request: BundleRequest) -> str:
    values = {
        "version": request.tag.pep440,
        "python": ".".join(map(str, sys.version_info[:2])),
        "system": sys.platform,
        "sample": "win_amd64" if request.platforms is None else request.platforms[0].tag,
    }
    if request.program is None:
        return _README.format(install="", factory="factory", **values)
    install = _INSTALL.format(program=request.program.name, **values)
    return _README.format(install=install, factory=_FACTORY, **values)


def _checksum_lines(directory: Path) -> Iterator[str]:
    for path in _files(directory):
        yield f"{Sha256.of_file(path)}  {path.relative_to(directory).as_posix()}\n"


def _files(directory: Path) -> list[Path]:
    """Return the files of a directory; a link could lead to a file that changes later."""
    paths = sorted(directory.rglob("*"))
    for path in paths:
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise IntegrityError(f"{path} is not a regular file", hint=_HINT)
    return [path for path in paths if path.is_file()]


def _parse(line: str, directory: Path) -> tuple[str, Sha256]:
    match = _LINE.fullmatch(line)
    path = PurePosixPath(match["path"]) if match is not None else PurePosixPath("..")
    if match is None or path.is_absolute() or ".." in path.parts:
        raise IntegrityError(f"{directory / CHECKSUMS_NAME} has a malformed line: {line[:80]!r}", hint=_HINT)
    return match["path"], Sha256(match["hex"])


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")

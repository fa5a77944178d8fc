"""Find the wheels that ``factory verify`` is called with: files, directories and manifests."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from factory.build.template import PACKAGE
from factory.core.digests import Sha256
from factory.core.errors import UsageError
from factory.core.json_reader import MalformedJson
from factory.core.model import ChannelName
from factory.core.platform_tags import platform_of_tag
from factory.manifest.manifest import MANIFEST_NAME, Manifest, WheelRecord
from factory.verify.reading.contents import ExpectedWheel
from factory.verify.reading.read import cannot_read


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelInput:
    """A file that should be a wheel.

    Attributes:
        path: As the user named it.
        expected: The expected release and payload, if a manifest lists the wheel.
    """

    path: Path
    expected: ExpectedWheel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelGroup:
    """The wheels that one argument of the command names.

    Attributes:
        path: The manifest, the directory, or the wheel.
        files: The names of all files in the directory; None for a single wheel, which is not a release.
        promised: The SHA-256 of each wheel by its name, if there is a manifest.
    """

    path: Path
    wheels: tuple[WheelInput, ...]
    files: tuple[str, ...] | None = None
    promised: Mapping[str, Sha256] | None = None


def find_wheels(paths: Iterable[Path]) -> tuple[WheelGroup, ...]:
    """Find the wheels at some paths, each path once.

    A manifest, or a directory with a manifest, names all wheels in its directory. A directory without
    one names its wheels, too. Both are releases; a single wheel is not.

    Raises:
        UsageError: A path does not exist, or a directory has no wheel.
        MalformedJson: A manifest is not valid.
    """
    return tuple(_group(path) for path in dict.fromkeys(paths))


def file_size(path: Path) -> int:
    """Return the size of a file in bytes, as the weight of a job; 0 if the file is missing."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def expected_wheel(manifest: Manifest, record: WheelRecord) -> ExpectedWheel:
    """Return what a wheel must contain by its record in a manifest."""
    return ExpectedWheel(
        tag=manifest.tag,
        platform=platform_of_tag(record.platform),
        payload={str(file.path): file.sha256 for file in record.payload},
        left_out=tuple(f"{PACKAGE}/{left_out.source}" for left_out in record.left_out),
        asset=next((asset.purl for asset in manifest.assets if asset.digest == record.asset), ""),
        is_from_directory=manifest.channel is ChannelName.DIRECTORY,
    )


def _group(path: Path) -> WheelGroup:
    if path.is_dir() and path.suffix != ".whl":
        manifest = path / MANIFEST_NAME
        return _listed(manifest) if manifest.is_file() else _directory(path)
    if path.suffix == ".json":
        return _listed(path)
    return WheelGroup(path=path, wheels=(WheelInput(path=path),))


def _directory(path: Path) -> WheelGroup:
    files = _files(path)
    wheels = tuple(WheelInput(path=path / name) for name in files if name.endswith(".whl"))
    if not wheels:
        raise UsageError(
            f"there is no wheel in {path}",
            hint="Name wheels, a directory of wheels, or a manifest.json; 'factory wheels' writes to "
            "dist/<version>.",
        )
    return WheelGroup(path=path, wheels=wheels, files=files)


def _listed(path: Path) -> WheelGroup:
    try:
        manifest = Manifest.parse(path.read_bytes())
    except OSError as error:
        raise cannot_read(path, error) from error
    except ValueError as error:  # an unknown value of an enumeration
        raise MalformedJson(str(path), str(error)) from error
    files = _files(path.parent)
    records = {record.name: record for record in manifest.wheels}
    return WheelGroup(
        path=path,
        wheels=tuple(
            WheelInput(path=path.parent / name, expected=_expected(manifest, records.get(name)))
            for name in files
            if name.endswith(".whl")
        ),
        files=files,
        promised={record.name: record.sha256 for record in manifest.wheels},
    )


def _expected(manifest: Manifest, record: WheelRecord | None) -> ExpectedWheel | None:
    return None if record is None else expected_wheel(manifest, record)


def _files(directory: Path) -> tuple[str, ...]:
    try:
        return tuple(sorted(entry.name for entry in directory.iterdir()))
    except OSError as error:
        raise cannot_read(directory, error) from error

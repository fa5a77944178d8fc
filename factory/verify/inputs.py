"""What ``factory verify`` is pointed at: wheels, directories of wheels, and manifests."""

from collections.abc import Iterable
from pathlib import Path

from factory.build.template import PACKAGE
from factory.core.errors import UsageError
from factory.core.json_reader import MalformedJson
from factory.core.targets import Platform
from factory.manifest.manifest import MANIFEST_NAME, Manifest, WheelRecord
from factory.verify.examine import WheelGroup, WheelInput
from factory.verify.reading.contents import ExpectedWheel
from factory.verify.reading.read import cannot_read


class NothingToVerify(UsageError):
    """A directory has neither a manifest nor a wheel in it."""

    hint = (
        "Name wheels, a directory of wheels, or a manifest.json: 'factory wheels' writes to dist/<version>."
    )

    def __init__(self, directory: Path) -> None:
        super().__init__(f"there is no wheel in {directory}")


def find_wheels(paths: Iterable[Path]) -> tuple[WheelGroup, ...]:
    """Find the wheels that some paths name, each path once.

    A manifest, or a directory that has one, stands for the wheels it lists and for
    those beside it. A directory stands for all its wheels. Both are a release; a
    wheel named by itself is not.

    Raises:
        UsageError: A path is not there.
        NothingToVerify: A directory has no wheel.
        MalformedJson: A manifest is none.
    """
    return tuple(_group(path) for path in dict.fromkeys(paths))


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
        raise NothingToVerify(path)
    return WheelGroup(path=path, wheels=wheels, files=files)


def _listed(path: Path) -> WheelGroup:
    try:
        manifest = Manifest.parse(path.read_bytes())
    except OSError as error:
        raise cannot_read(path, error) from error
    except ValueError as error:  # a name that no enumeration has
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
    if record is None:
        return None
    return ExpectedWheel(
        tag=manifest.tag,
        platform=Platform.of_tag(record.platform),
        payload={str(file.path): file.sha256 for file in record.payload},
        left_out=tuple(f"{PACKAGE}/{left_out.source}" for left_out in record.left_out),
        asset=next((asset.purl for asset in manifest.assets if asset.digest == record.asset), ""),
    )


def _files(directory: Path) -> tuple[str, ...]:
    try:
        return tuple(sorted(entry.name for entry in directory.iterdir()))
    except OSError as error:
        raise cannot_read(directory, error) from error

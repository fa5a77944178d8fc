"""Fill a directory from which pip installs an SDK without an index."""

import shutil
import zipfile
from pathlib import Path

from packaging.metadata import Metadata
from packaging.utils import canonicalize_name

from factory.build.template import DISTRIBUTION
from factory.sdk.pip import Pip
from factory.sdk.sdk_files import UnusableSdk
from factory.system.files import atomic_directory


def fill_wheelhouse(destination: Path, *, runtime: Path, sdk: Path, pip: Pip, scratch: Path) -> str:
    """Write the SDK's wheel, the runtime's wheels and the SDK's other requirements to a new directory.

    The other requirements are those for the interpreter of ``pip``; an earlier directory is replaced.

    Returns:
        The SDK as a requirement, ``codex-wheel-factory-sdk==0.163.0``.

    Raises:
        UpstreamError: pip could not build the SDK or download a requirement.
        CannotWrite: The directory cannot be written.
    """
    wheel = pip.build(Path(shutil.copytree(sdk, scratch / "project")), scratch / "sdk")
    metadata = _metadata_of(wheel)
    others = [
        str(requirement)
        for requirement in metadata.requires_dist or ()
        if canonicalize_name(requirement.name) != DISTRIBUTION
    ]
    collected = scratch / "requirements"
    pip.collect(others, collected)
    with atomic_directory(destination.absolute()) as draft:
        for path in (wheel, *sorted(runtime.glob("*.whl")), *sorted(collected.iterdir())):
            shutil.copyfile(path, draft / path.name)
    return f"{metadata.name}=={metadata.version}"


def _metadata_of(wheel: Path) -> Metadata:
    try:
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            return Metadata.from_email(archive.read(name), validate=False)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise UnusableSdk(wheel, f"it is not a complete wheel: {error}") from error

"""Open published wheels as files: by ranges over the network, or downloaded whole if they differ."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from packageurl import PackageURL

from factory.audit.index import PublishedWheel
from factory.audit.remote_zip import Fetched, RangeRefused, RemoteSource
from factory.core.model import ArchiveFormat, Local, ReleaseAsset, Remote
from factory.core.targets import Target
from factory.system.files import move_file, writing
from factory.wheels.context import RunContext


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelFiles:
    """Opens published wheels.

    Attributes:
        scratch: The directory for downloaded wheels while they are read.
    """

    tools: RunContext
    scratch: Path

    @contextmanager
    def open(self, wheel: PublishedWheel, fetched: Fetched) -> Iterator[tuple[BinaryIO, int]]:
        """Open a wheel for random access, and yield the file and its size.

        If the server does not support ranges, the wheel is downloaded and its digest checked.

        Raises:
            FactoryError: The wheel cannot be downloaded.
        """
        match wheel.location:
            case Local(path=path):
                with path.open("rb") as local:
                    yield local, path.stat().st_size
            case Remote(url=url):
                source = RemoteSource(
                    client=self.tools.downloader.client,
                    url=url,
                    name=wheel.name,
                    size_bytes=wheel.size_bytes,
                    fetched=fetched,
                    retry=self.tools.downloader.retry,
                )
                try:
                    file, size_bytes = source.open()
                except RangeRefused:
                    with self.whole(wheel, fetched) as path, path.open("rb") as local:
                        yield local, path.stat().st_size
                    return
                with file:
                    yield file, size_bytes

    @contextmanager
    def whole(self, wheel: PublishedWheel, fetched: Fetched) -> Iterator[Path]:
        """Yield the path of a whole wheel under its own name, after checking its digest.

        A downloaded wheel is removed afterwards: the wheels of a project are tens of gigabytes.

        Raises:
            FactoryError: The wheel cannot be downloaded.
        """
        if isinstance(wheel.location, Local):
            yield wheel.location.path
            return
        asset = _asset(wheel)
        # A stopped audit can leave a wheel in the cache, and no later step checks its digest.
        path = self.tools.downloader.fetch(asset, stop=self.tools.stop, is_checked=True)
        fetched.size_bytes += path.stat().st_size
        place = self.scratch / wheel.name
        with writing(place):
            place.parent.mkdir(parents=True, exist_ok=True)
        move_file(path, place)
        try:
            yield place
        finally:
            place.unlink(missing_ok=True)


def _asset(wheel: PublishedWheel) -> ReleaseAsset:
    """Describe a wheel for the downloader, which ignores the target."""
    purl = PackageURL(
        type="pypi",
        name=wheel.name.split("-")[0].replace("_", "-"),
        version=wheel.version,
        qualifiers={"file_name": wheel.name},
    )
    return ReleaseAsset(
        target=Target.LINUX_X86_64,
        name=wheel.name,
        purl=purl.to_string(),
        digest=wheel.sha256.digest,
        size_bytes=wheel.size_bytes,
        format=ArchiveFormat.ZIP,
        location=wheel.location,
    )

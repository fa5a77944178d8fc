"""Published wheels as files: in parts over the network, whole only where a difference asks for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from packageurl import PackageURL

from factory.audit.index import PublishedWheel
from factory.audit.remote_zip import Fetched, RangeRefused, RemoteSource
from factory.core.model import ArchiveFormat, Local, ReleaseAsset, Remote
from factory.core.targets import Target
from factory.system.files import writing
from factory.wheels.context import RunContext


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelFiles:
    """Opens published wheels.

    Attributes:
        tools: The client, the store that downloads go to, and who is told of them.
        scratch: Holds downloaded wheels under their names as long as they are looked at.
    """

    tools: RunContext
    scratch: Path
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def open(self, wheel: PublishedWheel, fetched: Fetched) -> Iterator[tuple[BinaryIO, int]]:
        """Open a wheel for reading here and there, and tell its size.

        A server that gives no parts gives the whole file, by its promised digest.

        Raises:
            FactoryError: It cannot be had.
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
        """Give a whole wheel under its own name, checked against the promised digest.

        A downloaded one is removed afterwards: a project's history has tens of gigabytes.

        Raises:
            FactoryError: It cannot be had.
        """
        if isinstance(wheel.location, Local):
            yield wheel.location.path
            return
        asset = _asset(wheel)
        path = self.tools.downloader.fetch(asset, stop=self.tools.stop)
        fetched.size_bytes += path.stat().st_size
        place = self.scratch / wheel.name
        with writing(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
        try:
            yield place
        finally:
            place.unlink(missing_ok=True)


def _asset(wheel: PublishedWheel) -> ReleaseAsset:
    """Describe a wheel as something to be downloaded; its target has no say in that."""
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

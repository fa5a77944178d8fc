"""Set the zip host of a wheel: the system that wrote it, according to its central directory."""

import zipfile
from dataclasses import replace
from pathlib import Path

from factory.core.zip_records import parse_central_header
from factory.system.files import writing


def set_zip_host(wheel: Path, create_system: int) -> None:
    """Set the zip host of every entry in the central directory, in place.

    The backend writes the system that it runs on: 0 for Windows, 3 for others (APPNOTE 4.4.2). The
    recipe decides instead, so that any host can rebuild a wheel that was built on Windows. No other
    byte changes: only the central directory contains the value.

    Raises:
        CannotWrite: The file is not writable.
        zipfile.BadZipFile: It is not a zip archive.
    """
    with zipfile.ZipFile(wheel) as archive:
        entries = archive.infolist()
        start = archive.start_dir
    if all(entry.create_system == create_system for entry in entries):
        return
    with writing(wheel), wheel.open("r+b") as file:
        file.seek(start)
        raw = file.read()
        position = 0
        for _ in entries:
            found = parse_central_header(raw, position)
            if found is None:
                raise zipfile.BadZipFile(f"no directory entry at {start + position}")
            file.seek(start + position)
            file.write(replace(found[0], create_system=create_system).pack_central())
            position = found[1]

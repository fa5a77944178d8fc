"""Say in a wheel's zip directory which system it was written on."""

import zipfile
from dataclasses import replace
from pathlib import Path

from factory.core.zip_records import parse_central_header
from factory.system.files import writing


def set_zip_host(wheel: Path, create_system: int) -> None:
    """Write one zip host into every entry of the central directory, in place.

    The backend writes the system it runs on: 0 on Windows, 3 elsewhere (APPNOTE 4.4.2).
    The recipe decides it, so that wheels for Windows come out as a build on Windows makes
    them. No other byte changes: the value is in the central directory alone.

    Raises:
        CannotWrite: The file does not take it.
        zipfile.BadZipFile: It is no zip archive, which a backend does not make.
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

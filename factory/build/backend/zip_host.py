"""Say in a wheel's zip directory which system it was written on."""

import struct
import zipfile
from pathlib import Path

from factory.system.files import writing

_SIGNATURE = b"PK\x01\x02"
_FIXED_BYTES = 46
_LENGTHS = struct.Struct("<3H")
_LENGTHS_AT = 28
_HOST_AT = 5


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
        at = archive.start_dir
    if all(entry.create_system == create_system for entry in entries):
        return
    with writing(wheel), wheel.open("r+b") as file:
        for _ in entries:
            file.seek(at)
            header = file.read(_FIXED_BYTES)
            if header[:4] != _SIGNATURE:
                raise zipfile.BadZipFile(f"no directory entry at {at}")
            file.seek(at + _HOST_AT)
            file.write(bytes([create_system]))
            at += _FIXED_BYTES + sum(_LENGTHS.unpack_from(header, _LENGTHS_AT))

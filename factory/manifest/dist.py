"""The output directory of a release: verified wheels, their checksums and the manifest.

The manifest is written last, after all files that it lists. A killed run leaves at most a
scratch directory with a temporary name, which the next run removes; a wheel in the output
directory is always complete.
"""

import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from factory.build.sbom import SBOM_SUFFIX, read_sbom
from factory.core.digests import Sha256
from factory.core.errors import IntegrityError, UsageError
from factory.manifest.manifest import CHECKSUMS_NAME, MANIFEST_NAME, Manifest, WheelRecord
from factory.system.files import TEMPORARY_PREFIX, atomic_write, move_file, sweep_temporaries, writing
from factory.system.scratch import scratch_directory


class DistInUse(UsageError):
    """Another run uses the output directory."""

    hint = "Wait for the other run to end, or use another --out."

    def __init__(self, directory: Path) -> None:
        super().__init__(f"another run is using {directory}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dist:
    """The output directory of one release, ``dist/0.163.0``; it need not exist yet."""

    directory: Path

    @property
    def manifest_path(self) -> Path:
        """The path of the manifest."""
        return self.directory / MANIFEST_NAME

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Lock the output directory and yield a temporary directory on the same disk.

        Raises:
            DistInUse: Another process holds the lock.
            CannotWrite: The temporary directory cannot be created.
        """
        directory = self.directory.absolute()
        lock = FileLock(directory.with_name(f"{TEMPORARY_PREFIX}{directory.name}.lock"))
        with writing(directory):
            directory.parent.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except Timeout as error:
                raise DistInUse(directory) from error
        try:
            # Its name is not used again: if somebody removes the lock file, two runs do not share it.
            shutil.rmtree(directory.with_name(f"{TEMPORARY_PREFIX}{directory.name}"), ignore_errors=True)
            with scratch_directory(directory.parent, f"{TEMPORARY_PREFIX}{directory.name}-") as scratch:
                yield scratch
        finally:
            Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()

    def remove_leftovers(self) -> None:
        """Remove the scratch directory of a killed run, but not that of a running one."""
        leftovers = self.directory.absolute().parent.glob(f"{TEMPORARY_PREFIX}{self.directory.name}*")
        if any(leftovers):
            with suppress(DistInUse), self.scratch():
                pass

    def read_manifest(self) -> Manifest | None:
        """Return the manifest of an earlier run, or None if there is no readable one."""
        try:
            return Manifest.parse(self.manifest_path.read_bytes())
        except (OSError, IntegrityError):
            return None

    def update_manifest(self, change: Callable[[Manifest], Manifest]) -> None:
        """Replace the manifest with a changed one, while no other run uses the directory.

        Raises:
            DistInUse: Another run uses the directory.
            MalformedJson: The manifest is damaged.
            CannotWrite: The manifest cannot be written.
        """
        with self.scratch():
            manifest = change(Manifest.parse(self.manifest_path.read_bytes()))
            atomic_write(self.manifest_path, manifest.render().encode())

    def intact_wheels(self, records: Sequence[WheelRecord], *, jobs: int) -> tuple[WheelRecord, ...]:
        """Return the records of the wheels that still have the recorded size and SHA-256."""
        with ThreadPoolExecutor(max_workers=jobs) as pool:
            intact = pool.map(self._is_intact, records)
            return tuple(record for record, is_intact in zip(records, intact, strict=True) if is_intact)

    def _is_intact(self, record: WheelRecord) -> bool:
        path = self.directory / record.name
        try:
            return path.stat().st_size == record.size_bytes and Sha256.of_file(path) == record.sha256
        except OSError:
            return False

    def restore(self, manifest: Manifest) -> None:
        """Write the manifest, checksums and bills of materials again where they are missing or changed.

        Raises:
            CannotWrite: The directory is not writable, or the disk is full.
        """
        _write_changed(self.directory / CHECKSUMS_NAME, manifest.render_checksums().encode())
        with writing(self.directory):
            self._write_sboms({record.name for record in manifest.wheels})
        _write_changed(self.manifest_path, manifest.render().encode())

    def _write_sboms(self, wheels: Collection[str]) -> None:
        """Copy each wheel's bill of materials to a file, for scanners that do not open wheels."""
        for path in self.directory.glob(f"*.whl{SBOM_SUFFIX}"):
            path.unlink()
        for name in wheels:
            sbom = read_sbom(self.directory / name)
            if sbom is not None:
                _write_changed(self.directory / f"{name}{SBOM_SUFFIX}", sbom)

    def publish(self, manifest: Manifest, wheels: Sequence[Path]) -> None:
        """Move verified wheels in, write checksums and manifest, and remove every other wheel.

        Raises:
            CannotWrite: The directory is not writable, or the disk is full.
        """
        with writing(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True)
            self.manifest_path.unlink(missing_ok=True)
            for wheel in wheels:
                wheel.chmod(0o644)
                move_file(wheel, self.directory / wheel.name)
            kept = {record.name for record in manifest.wheels}
            for path in self.directory.glob("*.whl"):
                if path.name not in kept:
                    path.unlink()
            self._write_sboms(kept)
        sweep_temporaries(self.directory, before_s=float("inf"))
        atomic_write(self.directory / CHECKSUMS_NAME, manifest.render_checksums().encode())
        atomic_write(self.manifest_path, manifest.render().encode())


def _write_changed(path: Path, content: bytes) -> None:
    """Write a file unless it has the content already, so that a run with nothing to do writes nothing."""
    try:
        if path.read_bytes() == content:
            return
    except OSError:
        pass
    atomic_write(path, content)

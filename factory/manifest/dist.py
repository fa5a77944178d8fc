"""A release's output directory: verified wheels, their checksums, and the manifest that vouches for them.

The manifest is written last and decides what the directory holds. A run that is
killed leaves at most a scratch directory with a temporary name, which the next run
removes; no reader ever meets half a wheel.
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
from factory.core.errors import FactoryError, UsageError
from factory.manifest.manifest import CHECKSUMS_NAME, MANIFEST_NAME, Manifest, WheelRecord
from factory.system.files import TEMPORARY_PREFIX, atomic_write, sweep_temporaries, writing


class DistInUse(UsageError):
    """Another run writes into the same output directory."""

    hint = "Wait for the other run, or give another --out."

    def __init__(self, directory: Path) -> None:
        super().__init__(f"another run is writing {directory}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dist:
    """The output directory of one release.

    Attributes:
        directory: ``dist/0.163.0``.
    """

    directory: Path

    @property
    def manifest_path(self) -> Path:
        """Where the manifest is."""
        return self.directory / MANIFEST_NAME

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give a directory on the same disk, removed afterwards; one run at a time.

        Raises:
            DistInUse: Another process has it.
            CannotWrite: The place does not take files.
        """
        directory = self.directory.absolute()
        scratch = directory.with_name(f"{TEMPORARY_PREFIX}{directory.name}")
        lock = FileLock(directory.with_name(f"{TEMPORARY_PREFIX}{directory.name}.lock"))
        with writing(directory):
            directory.parent.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except Timeout as error:
                raise DistInUse(directory) from error
        try:
            shutil.rmtree(scratch, ignore_errors=True)
            with writing(scratch):
                scratch.mkdir()
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()

    def sweep(self) -> None:
        """Remove what a killed run left beside the directory; a run that is at work keeps its own."""
        left = self.directory.absolute().parent.glob(f"{TEMPORARY_PREFIX}{self.directory.name}*")
        if any(left):
            with suppress(DistInUse), self.scratch():
                pass

    def read_manifest(self) -> Manifest | None:
        """Return the manifest of an earlier run; one that cannot be read counts as none."""
        try:
            return Manifest.parse(self.manifest_path.read_bytes())
        except (OSError, FactoryError, ValueError):
            return None

    def amend(self, change: Callable[[Manifest], Manifest]) -> None:
        """Change the manifest as it is now, while no other run does.

        Raises:
            DistInUse: Another run is at work.
            MalformedJson: There is no whole manifest any more.
            CannotWrite: The place does not take files.
        """
        with self.scratch():
            manifest = change(Manifest.parse(self.manifest_path.read_bytes()))
            atomic_write(self.manifest_path, manifest.render().encode())

    def intact(self, records: Sequence[WheelRecord], *, jobs: int) -> tuple[WheelRecord, ...]:
        """Return those wheels whose bytes are still what the manifest says."""
        with ThreadPoolExecutor(max_workers=jobs) as pool:
            verdicts = pool.map(self._is_intact, records)
            return tuple(record for record, is_intact in zip(records, verdicts, strict=True) if is_intact)

    def _is_intact(self, record: WheelRecord) -> bool:
        path = self.directory / record.name
        try:
            return path.stat().st_size == record.size_bytes and Sha256.of_file(path) == record.sha256
        except OSError:
            return False

    def _lay_sboms_beside(self, wheels: Collection[str]) -> None:
        """Copy each wheel's bill of materials out of it, for scanners that do not open wheels."""
        for path in self.directory.glob(f"*.whl{SBOM_SUFFIX}"):
            if path.name.removesuffix(SBOM_SUFFIX) not in wheels:
                path.unlink()
        for name in wheels:
            sbom = read_sbom(self.directory / name)
            if sbom is not None:
                atomic_write(self.directory / f"{name}{SBOM_SUFFIX}", sbom)

    def publish(self, manifest: Manifest, wheels: Sequence[Path]) -> None:
        """Move verified wheels in, write what vouches for them, and remove every other wheel.

        Raises:
            CannotWrite: The place does not take files.
        """
        with writing(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True)
            self.manifest_path.unlink(missing_ok=True)
            for wheel in wheels:
                wheel.chmod(0o644)
                wheel.replace(self.directory / wheel.name)
            kept = {record.name for record in manifest.wheels}
            for path in self.directory.glob("*.whl"):
                if path.name not in kept:
                    path.unlink()
            self._lay_sboms_beside(kept)
        sweep_temporaries(self.directory, before_s=float("inf"))
        atomic_write(self.directory / CHECKSUMS_NAME, manifest.render_checksums().encode())
        atomic_write(self.manifest_path, manifest.render().encode())

"""Find out which executables this machine can start."""

import platform
import shutil
import sys
from pathlib import Path

from packaging.tags import platform_tags

from factory.cli.settings import Settings
from factory.core.targets import Architecture, OperatingSystem
from factory.system.host import Host, Libc, MuslRoot

_SYSTEMS = {
    "linux": OperatingSystem.LINUX,
    "darwin": OperatingSystem.MACOS,
    "win32": OperatingSystem.WINDOWS,
}
_ARCHITECTURES = {
    "x86_64": Architecture.X86_64,
    "amd64": Architecture.X86_64,
    "aarch64": Architecture.AARCH64,
    "arm64": Architecture.AARCH64,
}


def this_host(settings: Settings, *, musl_root: Path | None) -> Host:
    """Return this machine's processor, C library and emulators on ``PATH``."""
    search_path = settings.search_path
    system = _SYSTEMS.get(sys.platform)
    return Host(
        operating_system=system,
        architecture=_ARCHITECTURES.get(platform.machine().lower()),
        libc=_libc() if system is OperatingSystem.LINUX else None,
        python=Path(sys.executable),
        emulators={
            architecture: Path(found)
            for architecture in Architecture
            if (found := shutil.which(f"qemu-{architecture}-static", path=search_path))
        },
        musl_root=_musl_root(musl_root, search_path),
        env=settings.host_env,
    )


def _libc() -> Libc:
    """Ask `packaging`, which reads the interpreter's executable."""
    is_musl = any(tag.startswith("musllinux_") for tag in platform_tags())
    return Libc.MUSL if is_musl else Libc.GLIBC


def _musl_root(path: Path | None, search_path: str) -> MuslRoot | None:
    chroot = shutil.which("chroot", path=search_path)
    if path is None or chroot is None:
        return None
    return MuslRoot(path=path.absolute(), chroot=Path(chroot))

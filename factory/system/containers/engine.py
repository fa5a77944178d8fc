"""The interface to a container engine: its protocol, the values it takes and returns, and its errors."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from factory.core.errors import HostError

OWNER_LABEL = "codex-wheel-factory.owner"
"""The label of every container that the factory creates; its value is the run's token."""


def no_engine(reason: str) -> HostError:
    """Return the error for a missing engine."""
    return HostError(
        f"no container engine answers: {reason}",
        hint="Start Docker, or podman's socket service and name it in DOCKER_HOST; "
        "'--builder native' needs neither, and 'factory doctor' shows what this host has.",
    )


def engine_lost(doing: str, reason: str) -> HostError:
    """Return the error for an engine that answered earlier in this run, and no longer does."""
    return HostError(
        f"the container engine stopped answering while {doing}: {reason}",
        hint="Start it and run the same command again: the containers of this run are removed then.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineIdentity:
    """An engine's name and version, and the architecture that its programs run on.

    The architecture is spelled as in image configurations: ``amd64``, ``arm64``.
    """

    name: str
    architecture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image that an engine has.

    Attributes:
        id: The digest of its configuration, which identifies the image on every engine.
        architecture: The architecture of its programs, ``amd64`` or ``arm64``.
    """

    id: str
    architecture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A directory of this host inside a container."""

    source: Path
    target: PurePosixPath
    is_read_only: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerLimits:
    """The resources that a container may use.

    Attributes:
        scratch_bytes: The size of its scratch directory, which is in memory.
        memory_bytes: All memory, including the scratch directory; there is no swap.
        file_bytes: The size of any one file.
        processes: How many may run at a time.
        time_s: The time from its start.
    """

    scratch_bytes: int
    memory_bytes: int
    file_bytes: int
    processes: int
    time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """A container to run.

    Every container also has no network, a read-only root file system, no capabilities, and no
    way to gain privileges.

    Attributes:
        name: Must be unique.
        image: The image's id.
        argv: The program and its arguments; never a shell command line.
        env: Variables added to the image's own.
        user: ``uid:gid``.
        scratch: The only writable directory, in memory; the working directory is ``/``.
    """

    name: str
    image: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    user: str
    mounts: tuple[Mount, ...]
    scratch: PurePosixPath
    limits: ContainerLimits
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerState:
    """The state of a container.

    Attributes:
        exit_code: None while it runs.
        is_out_of_memory: Whether the kernel killed it, or a process in it, for using too much memory.
    """

    exit_code: int | None
    is_out_of_memory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedContainer:
    """A container that a run of the factory created, running or not.

    Attributes:
        owner: The token of that run.
    """

    id: str
    owner: str


class ContainerEngine(Protocol):
    """Runs containers.

    Every method raises `HostError` if the engine refuses or does not answer.
    """

    def identify(self) -> EngineIdentity:
        """Return the engine's name, version and architecture."""

    def find_image(self, reference: str) -> Image | None:
        """Return the image with a name, digest or id, or None."""

    def create(self, spec: ContainerSpec) -> str:
        """Create a container without starting it, and return its id."""

    def start(self, container: str) -> None:
        """Start a container."""

    def state(self, container: str) -> ContainerState:
        """Return a container's state."""

    def log(self, container: str) -> bytes:
        """Return a container's output, stdout and stderr."""

    def remove(self, container: str) -> None:
        """Kill and remove a container with its files; a missing container is no error."""

    def owned(self) -> tuple[OwnedContainer, ...]:
        """Return the containers that any run of the factory created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSetup:
    """The engine and the image for builds in containers.

    Attributes:
        open_engine: Connects to the engine; called only by runs that may use one.
        image: The image's name, digest or id.
    """

    open_engine: Callable[[], AbstractContextManager[ContainerEngine]]
    image: str

"""The seam to a container engine: orders and answers as values, and what can go wrong with it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from factory.core.errors import HostError

OWNER_LABEL = "codex-wheel-factory.owner"
"""On every container of ours: the token of the run that made it."""


class NoEngine(HostError):
    """No engine answers."""

    hint = (
        "Start Docker, or podman's socket service and name it in DOCKER_HOST; "
        "'--builder native' needs neither, and 'factory doctor' shows what this host has."
    )

    def __init__(self, reason: str) -> None:
        super().__init__(f"no container engine answers: {reason}")


class EngineForbidden(HostError):
    """An engine is there, and this user may not use it."""

    hint = (
        "Use a rootless engine and name its socket in DOCKER_HOST, or let an administrator admit you to the "
        "group of Docker's socket, which amounts to root."
    )

    def __init__(self, reason: str) -> None:
        super().__init__(f"this user may not use the container engine: {reason}")


class EngineLost(HostError):
    """The engine answered before and does not any more."""

    hint = "Start it and run the same command again: what is left of this run is removed then."

    def __init__(self, doing: str, reason: str) -> None:
        super().__init__(f"the container engine stopped answering while {doing}: {reason}")


class EngineRefused(HostError):
    """The engine answered that it will not do what was asked."""

    hint = "The engine must run on this machine and see its files; 'factory doctor' shows which one answers."

    def __init__(self, doing: str, reason: str) -> None:
        super().__init__(f"the container engine refused {doing}: {reason}")


class EngineFull(EngineRefused):
    """The engine's disk is full."""

    hint = "Free room on the engine's disk: 'docker system df' shows what takes it."


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineIdentity:
    """An engine, as it describes itself.

    Attributes:
        name: Docker or Podman, with its version.
        architecture: What its containers run on, as image configurations spell it: ``amd64``, ``arm64``.
    """

    name: str
    architecture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image that an engine has.

    Attributes:
        id: The digest of its configuration; it names this image and no other, wherever it lies.
        architecture: What its programs run on.
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
    """What a container may use.

    Attributes:
        scratch_bytes: Of its scratch, which lies in memory.
        memory_bytes: In all, the scratch included; there is no swap beyond it.
        file_bytes: In any one file.
        processes: At once.
        time_s: From its start.
    """

    scratch_bytes: int
    memory_bytes: int
    file_bytes: int
    processes: int
    time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """A container to run, whole.

    What is not here is the same for all: no network, a root file system that cannot be
    written, no capability, and no way to get a privilege.

    Attributes:
        name: Its name, which no other container has.
        image: The image's id.
        argv: The program and its arguments; never a shell line.
        env: Variables over the image's own.
        user: Who runs it, ``uid:gid``.
        mounts: What it sees of this host.
        scratch: Where it may write, in memory; its working directory is the root.
        limits: What it may use.
        labels: By which it is found again.
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
    """How a container stands.

    Attributes:
        exit_code: Its exit status once it has ended, else None.
        is_out_of_memory: Whether the kernel ended it, or a process in it, for its memory.
    """

    exit_code: int | None
    is_out_of_memory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedContainer:
    """A container of ours that an engine has, running or not.

    Attributes:
        id: Its id.
        owner: The token of the run that made it.
    """

    id: str
    owner: str


class ContainerEngine(Protocol):
    """What runs containers. Every method may raise `NoEngine`, `EngineForbidden` or `EngineLost`."""

    def identify(self) -> EngineIdentity:
        """Say what engine this is."""

    def find_image(self, reference: str) -> Image | None:
        """Return the image of a name, digest or id, or None."""

    def create(self, spec: ContainerSpec) -> str:
        """Make a container, not started, and return its id.

        Raises:
            EngineRefused: It cannot be made as ordered.
        """

    def start(self, container: str) -> None:
        """Start it.

        Raises:
            EngineRefused: Its program cannot be started.
        """

    def state(self, container: str) -> ContainerState:
        """Say how it stands."""

    def log(self, container: str) -> bytes:
        """Return what it has said, stdout and stderr."""

    def remove(self, container: str) -> None:
        """End it and remove it with all that it wrote; one that is gone is no error."""

    def owned(self) -> tuple[OwnedContainer, ...]:
        """Return all containers that any run of the factory made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSettings:
    """What a run needs for builds in containers.

    Attributes:
        open_engine: Connects to the engine; only a run that may use one calls it.
        image: The image's name, digest or id.
    """

    open_engine: Callable[[], AbstractContextManager[ContainerEngine]]
    image: str

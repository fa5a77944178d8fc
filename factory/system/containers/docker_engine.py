"""The real engine, on Docker's Python SDK: the one module that imports it.

podman's compatible socket answers the same calls. The SDK and not the command line,
because its errors are values, and because a killed command line leaves its container
running. What the SDK raises for a lost connection is an `OSError`, from requests.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import docker
from docker.constants import DEFAULT_NPIPE, DEFAULT_UNIX_SOCKET
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import LogConfig, Mount, Ulimit

from factory.system.containers.engine import (
    OWNER_LABEL,
    ContainerSpec,
    ContainerState,
    EngineForbidden,
    EngineFull,
    EngineIdentity,
    EngineLost,
    EngineRefused,
    Image,
    NoEngine,
    OwnedContainer,
)

_TIMEOUT_S = 60
_LOG_BYTES = "10m"
_SPACE = "no space left on device"


@contextmanager
def open_engine(environ: Mapping[str, str]) -> Iterator["DockerEngine"]:
    """Connect to the engine that ``DOCKER_HOST`` names, else to this host's own, until the context ends.

    Raises:
        NoEngine: None answers.
        EngineForbidden: This user may not use it.
    """
    try:
        _require_socket(environ)
        client = docker.DockerClient.from_env(environment=dict(environ), timeout=_TIMEOUT_S)
    except (DockerException, OSError) as error:
        reason = _reason(error)
        raise (EngineForbidden if "Permission denied" in reason else NoEngine)(reason) from error
    with closing(client):
        yield DockerEngine(client)


def _require_socket(environ: Mapping[str, str]) -> None:
    """Look before the SDK does: where nobody answers, it leaves a socket open."""
    default = DEFAULT_NPIPE if sys.platform == "win32" else DEFAULT_UNIX_SOCKET
    _, is_unix, path = (environ.get("DOCKER_HOST") or default).rpartition("unix://")
    if is_unix and not Path(path).exists():
        raise NoEngine(f"there is no {path}")


class DockerEngine:
    """A `ContainerEngine` on the SDK."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    def identify(self) -> EngineIdentity:
        """Say what engine this is."""
        with _translated("asked what it is"):
            said = self._client.version()
        component = (said.get("Components") or [{"Name": "Docker"}])[0]["Name"].removesuffix(" Engine")
        name = {"Engine": "Docker"}.get(component, component)
        return EngineIdentity(name=f"{name} {said['Version']}", architecture=said["Arch"])

    def find_image(self, reference: str) -> Image | None:
        """Return the image of a name, digest or id, or None."""
        with _translated(f"looking for image {reference}"):
            try:
                image = self._client.images.get(reference)
            except ImageNotFound:
                return None
        return Image(id=str(image.id), architecture=image.attrs["Architecture"])

    def create(self, spec: ContainerSpec) -> str:
        """Make a container, not started, and return its id."""
        scratch = str(spec.scratch)
        limits = spec.limits
        with _translated(f"making container {spec.name}"):
            container = self._client.containers.create(
                spec.image,
                entrypoint=list(spec.argv[:1]),
                command=list(spec.argv[1:]),
                name=spec.name,
                labels=dict(spec.labels),
                environment=dict(spec.env),
                user=spec.user,
                working_dir="/",  # were it the scratch, runc would take that one's mode from a directory
                network_mode="none",
                read_only=True,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                mounts=[
                    Mount(str(mount.target), str(mount.source), type="bind", read_only=mount.is_read_only)
                    for mount in spec.mounts
                ],
                tmpfs={scratch: f"size={limits.scratch_bytes},mode=1777,nosuid,nodev,noexec"},
                mem_limit=limits.memory_bytes,
                memswap_limit=limits.memory_bytes,
                pids_limit=limits.processes,
                ulimits=[
                    Ulimit(name="fsize", soft=limits.file_bytes, hard=limits.file_bytes),
                    Ulimit(name="core", soft=0, hard=0),
                ],
                log_config=LogConfig(type=LogConfig.types.JSON, config={"max-size": _LOG_BYTES}),
            )
        return str(container.id)

    def start(self, container: str) -> None:
        """Start it."""
        with _translated("starting a container"):
            self._client.api.start(container)

    def state(self, container: str) -> ContainerState:
        """Say how it stands."""
        with _translated("waiting for a container"):
            state = self._client.api.inspect_container(container)["State"]
        has_ended = state["Status"] in {"exited", "dead", "stopped"}
        return ContainerState(
            exit_code=int(state["ExitCode"]) if has_ended else None,
            is_out_of_memory=bool(state.get("OOMKilled")),
        )

    def log(self, container: str) -> bytes:
        """Return what it has said, stdout and stderr."""
        with _translated("reading a container's log"):
            return bytes(self._client.api.logs(container))

    def remove(self, container: str) -> None:
        """End it and remove it with all that it wrote; one that is gone is no error."""
        with _translated("removing a container"):
            try:
                self._client.api.remove_container(container, v=True, force=True)
            except NotFound:
                return

    def owned(self) -> tuple[OwnedContainer, ...]:
        """Return all containers that any run of the factory made."""
        with _translated("listing containers"):
            found = self._client.api.containers(all=True, filters={"label": OWNER_LABEL})
        return tuple(OwnedContainer(id=entry["Id"], owner=entry["Labels"][OWNER_LABEL]) for entry in found)


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except APIError as error:
        reason = _reason(error)
        raise (EngineFull if _SPACE in reason else EngineRefused)(doing, reason) from error
    except (DockerException, OSError) as error:
        raise EngineLost(doing, _reason(error)) from error


def _reason(error: Exception) -> str:
    """Say it in one line: the SDK wraps what the system said into several layers of text."""
    said = error.explanation if isinstance(error, APIError) and error.explanation else error
    return " ".join(str(said).split())

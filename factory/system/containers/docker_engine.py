"""A container engine on Docker's Python SDK; no other module imports the SDK.

podman's compatible socket answers the same calls. The SDK is used instead of the command line
because its errors are structured, and because killing the command line leaves the container
running. For a lost connection the SDK raises an `OSError`, which comes from requests.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import docker
from docker.constants import DEFAULT_NPIPE, DEFAULT_UNIX_SOCKET
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import LogConfig, Mount, Ulimit

from factory.core.errors import HostError
from factory.system.containers.engine import (
    OWNER_LABEL,
    ContainerSpec,
    ContainerState,
    EngineIdentity,
    Image,
    OwnedContainer,
    engine_lost,
    no_engine,
)

_TIMEOUT_S = 60
_LOG_BYTES = "10m"
_SPACE = "no space left on device"
_FULL_HINT = "Free space on the engine's disk: 'docker system df' shows what uses it."
_REFUSED_HINT = (
    "The engine must run on this machine and see its files; 'factory doctor' shows which one answers."
)


@contextmanager
def open_engine(environ: Mapping[str, str]) -> Iterator["DockerEngine"]:
    """Connect to the engine at ``DOCKER_HOST``, or to this host's default engine, until the context ends.

    Raises:
        HostError: No engine answers, or this user may not use it.
    """
    try:
        _require_socket(environ)
        client = docker.DockerClient.from_env(environment=dict(environ), timeout=_TIMEOUT_S)
    except (DockerException, OSError) as error:
        reason = _reason(error)
        raise (_forbidden(reason) if "Permission denied" in reason else no_engine(reason)) from error
    with closing(client):
        yield DockerEngine(client)


def _require_socket(environ: Mapping[str, str]) -> None:
    """Check that the socket exists, because the SDK leaks a socket if it cannot connect."""
    default = DEFAULT_NPIPE if sys.platform == "win32" else DEFAULT_UNIX_SOCKET
    _, is_unix, path = (environ.get("DOCKER_HOST") or default).rpartition("unix://")
    if is_unix and not Path(path).exists():
        raise no_engine(f"{path} does not exist")


def _forbidden(reason: str) -> HostError:
    return HostError(
        f"this user may not use the container engine: {reason}",
        hint="Use a rootless engine and name its socket in DOCKER_HOST, or ask an administrator to add you "
        "to the group of Docker's socket, which amounts to root.",
    )


class DockerEngine:
    """A `ContainerEngine` on the SDK."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    def identify(self) -> EngineIdentity:
        """Return the engine's name, version and architecture."""
        with _translated("reporting its version"):
            said = self._client.version()
        component = (said.get("Components") or [{"Name": "Docker"}])[0]["Name"].removesuffix(" Engine")
        name = {"Engine": "Docker"}.get(component, component)
        return EngineIdentity(name=f"{name} {said['Version']}", architecture=said["Arch"])

    def find_image(self, reference: str) -> Image | None:
        """Return the image with a name, digest or id, or None."""
        with _translated(f"looking for image {reference}"):
            try:
                image = self._client.images.get(reference)
            except ImageNotFound:
                return None
        return Image(id=str(image.id), architecture=image.attrs["Architecture"])

    def create(self, spec: ContainerSpec) -> str:
        """Create a container without starting it, and return its id."""
        scratch = str(spec.scratch)
        limits = spec.limits
        with _translated(f"creating container {spec.name}"):
            container = self._client.containers.create(
                spec.image,
                entrypoint=list(spec.argv[:1]),
                command=list(spec.argv[1:]),
                name=spec.name,
                labels=dict(spec.labels),
                environment=dict(spec.env),
                user=spec.user,
                # Docker would create the scratch path for this, and runc copy its mode to the tmpfs.
                working_dir="/",
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
        """Start a container."""
        with _translated("starting a container"):
            self._client.api.start(container)

    def state(self, container: str) -> ContainerState:
        """Return a container's state."""
        with _translated("waiting for a container"):
            state = self._client.api.inspect_container(container)["State"]
        has_ended = state["Status"] in {"exited", "dead", "stopped"}
        return ContainerState(
            exit_code=int(state["ExitCode"]) if has_ended else None,
            is_out_of_memory=bool(state.get("OOMKilled")),
        )

    def log(self, container: str) -> bytes:
        """Return a container's output, stdout and stderr."""
        with _translated("reading a container's log"):
            return bytes(self._client.api.logs(container))

    def remove(self, container: str) -> None:
        """Kill and remove a container with its files; a missing container is no error."""
        with _translated("removing a container"):
            try:
                self._client.api.remove_container(container, v=True, force=True)
            except NotFound:
                return

    def owned(self) -> tuple[OwnedContainer, ...]:
        """Return the containers that any run of the factory created."""
        with _translated("listing containers"):
            found = self._client.api.containers(all=True, filters={"label": OWNER_LABEL})
        return tuple(OwnedContainer(id=entry["Id"], owner=entry["Labels"][OWNER_LABEL]) for entry in found)


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except APIError as error:
        reason = _reason(error)
        raise HostError(
            f"the container engine failed while {doing}: {reason}",
            hint=_FULL_HINT if _SPACE in reason else _REFUSED_HINT,
        ) from error
    except (DockerException, OSError) as error:
        raise engine_lost(doing, _reason(error)) from error


def _reason(error: Exception) -> str:
    """Return the message in one line; the SDK adds several layers of text to it."""
    said = error.explanation if isinstance(error, APIError) and error.explanation else error
    return " ".join(str(said).split())

"""A strict fake of a container engine: each container must be the next one in the script."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from factory.build.deflate_check import REFERENCE_ANSWER
from factory.core.errors import HostError
from factory.system.containers.engine import (
    OWNER_LABEL,
    ContainerSpec,
    ContainerState,
    EngineIdentity,
    Image,
    OwnedContainer,
    engine_lost,
)

IMAGE = Image(id="sha256:" + "1a" * 32, architecture="amd64")
NAME = "codex-wheel-factory:local"
RUNNING = ContainerState(exit_code=None)
DONE = ContainerState(exit_code=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """The next container.

    Attributes:
        argv: The arguments it must have, in this order.
        states: The states returned one after another; the last one is repeated.
        log: Its output.
        effect: Called when it is started.
        refusals: The errors that the engine's methods raise, by name.
    """

    argv: tuple[str, ...] = ()
    states: tuple[ContainerState, ...] = (DONE,)
    log: bytes = b""
    effect: Callable[[ContainerSpec], None] = lambda spec: None  # noqa: ARG005
    refusals: Mapping[str, HostError] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Container:
    spec: ContainerSpec
    script: Scripted
    states: Iterator[ContainerState]


class FakeEngine:
    """Starts no process; `containers` has the containers that have not been removed."""

    def __init__(
        self, *script: Scripted, images: Mapping[str, Image] | None = None, architecture: str = "amd64"
    ) -> None:
        self._script = list(script)
        self._images = {NAME: IMAGE, IMAGE.id: IMAGE} if images is None else images
        self._architecture = architecture
        self._numbers = itertools.count(1)
        self.containers: dict[str, _Container] = {}
        self.specs: list[ContainerSpec] = []
        self.is_lost = False

    def identify(self) -> EngineIdentity:
        return EngineIdentity(name="Docker 20.10.24", architecture=self._architecture)

    def find_image(self, reference: str) -> Image | None:
        return self._images.get(reference)

    def create(self, spec: ContainerSpec) -> str:
        assert self._script, f"unscripted container: {spec.argv}"
        script = self._script.pop(0)
        arguments = iter(spec.argv)
        missing = [part for part in script.argv if part not in arguments]
        assert not missing, f"{spec.argv} lacks {missing}, or has them in another order"
        self._refuse(script, "create")
        assert spec.name not in {container.spec.name for container in self.containers.values()}
        states = itertools.chain(script.states, itertools.repeat(script.states[-1]))
        key = f"container-{next(self._numbers)}"
        self.containers[key] = _Container(spec=spec, script=script, states=states)
        self.specs.append(spec)
        return key

    def start(self, container: str) -> None:
        found = self.containers[container]
        self._refuse(found.script, "start")
        found.script.effect(found.spec)

    def state(self, container: str) -> ContainerState:
        self._refuse(self.containers[container].script, "state")
        return next(self.containers[container].states)

    def log(self, container: str) -> bytes:
        self._refuse(self.containers[container].script, "log")
        return self.containers[container].script.log

    def remove(self, container: str) -> None:
        self._check_connection("removing a container")
        self.containers.pop(container, None)

    def owned(self) -> tuple[OwnedContainer, ...]:
        self._check_connection("listing containers")
        return tuple(
            OwnedContainer(id=key, owner=container.spec.labels[OWNER_LABEL])
            for key, container in self.containers.items()
        )

    def assert_done(self) -> None:
        assert not self._script, f"never created: {[scripted.argv for scripted in self._script]}"

    def _refuse(self, script: Scripted, method: str) -> None:
        if method in script.refusals:
            self.is_lost = "stopped answering" in str(script.refusals[method])
            raise script.refusals[method]

    def _check_connection(self, doing: str) -> None:
        if self.is_lost:
            raise engine_lost(doing, "connection refused")


def probed(answer: str = str(REFERENCE_ANSWER)) -> Scripted:
    """Return the container that reports the deflate encoder of its interpreter."""
    said = {
        "executable": "/opt/factory/toolchains/x/bin/python",
        "implementation": "CPython",
        "python": "3.11.2",
        "name": "zlib",
        "version": "1.2.13",
        "answer": answer,
    }
    return Scripted(argv=("-I", "-c"), log=json.dumps(said).encode())


@contextmanager
def answering(engine: FakeEngine) -> Iterator[FakeEngine]:
    """Connect to the fake engine, as to a real one."""
    yield engine

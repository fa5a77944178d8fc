"""Where a run's builds happen: on this host or in a container, and why there."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from factory.build.backend.cibuildwheel import (
    CIBUILDWHEEL,
    CONTAINER_PYTHON,
    VIRTUALENV,
    CibuildwheelFrontEnd,
    ContainerSettings,
    Tools,
)
from factory.build.backend.docker import DockerFrontEnd, probe_image, toolchain_python
from factory.build.backend.front_end import FrontEnd
from factory.build.backend.native import NativeFrontEnd
from factory.build.builder import BuilderName, Engine
from factory.build.deflate_check import OtherDeflate, deflate_identity, require_reference_deflate
from factory.build.toolchain import Lock, Toolchain, lock_named
from factory.core.errors import HostError, UsageError
from factory.core.targets import Architecture
from factory.system.containers.cleanup import cleaning_up
from factory.system.containers.engine import OWNER_LABEL, ContainerEngine, Image, NoEngine
from factory.system.containers.images import require_image
from factory.system.parallel import Stopped
from factory.wheels.context import Client, RunContext
from factory.wheels.plan import WheelsRequest


class NoBuilder(HostError):
    """Neither a container nor this host can build."""

    hint = "Make the builder image with 'make image', or use an interpreter that links stock zlib."

    def __init__(self, container: HostError, host: HostError) -> None:
        super().__init__(f"there is nowhere to build: {container}; and {host}")


class AssemblerElsewhere(UsageError):
    """The assembler was asked for together with a container."""

    hint = "Leave --engine out, or use --check-engine to hold the assembler to the container's bytes."

    def __init__(self, builder: BuilderName) -> None:
        super().__init__(f"the assembler runs on this host only, not with --builder {builder}")


class NoClient(HostError):
    """The engine's command line is not there."""

    hint = "Install it (Debian: apt install docker.io), or use --builder docker, which does without."

    def __init__(self) -> None:
        super().__init__("cibuildwheel starts the docker program, and there is none on PATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildEnvironment:
    """Where the backend runs.

    Attributes:
        builder: Which kind of place it is.
        reason: Why this one.
        toolchain: The environment that has the backend; in a container its path is the container's.
        front_end: What builds a stage there.
        image: The id of the container's image, if there is one.
    """

    builder: BuilderName
    reason: str
    toolchain: Toolchain
    front_end: FrontEnd
    image: str | None = None


_ARCHITECTURES = {"amd64": Architecture.X86_64, "arm64": Architecture.AARCH64}
"""As image configurations spell them."""

EnvironmentOpener: TypeAlias = Callable[[Lock, RunContext], AbstractContextManager[BuildEnvironment]]
"""Prepares an environment for as long as the context lasts; its own reason is why it can be used at all."""


def engine_at(request: WheelsRequest, builder: BuilderName) -> Engine:
    """Return what lays wheels out: the assembler is this host's, a container has the backend alone.

    Raises:
        AssemblerElsewhere: The assembler was asked for in a container.
    """
    if builder is BuilderName.NATIVE:
        return request.engine or Engine.ASSEMBLER
    if request.engine is Engine.ASSEMBLER:
        raise AssemblerElsewhere(builder)
    return Engine.BACKEND


@contextmanager
def open_build_environment(
    request: WheelsRequest, lock: Lock, context: RunContext
) -> Iterator[BuildEnvironment]:
    """Prepare the place that the request names, or the best that there is, and say which it is.

    Raises:
        NoBuilder: There is none.
        HostError: The one that was named cannot be used.
    """
    with ExitStack() as stack:
        if request.builder is BuilderName.AUTO:
            environment = _choose(request, lock, context, stack)
        else:
            engine_at(request, request.builder)
            environment = stack.enter_context(ENVIRONMENTS[request.builder](lock, context))
            environment = replace(environment, reason="asked for")
        image = f", image {environment.image}" if environment.image else ""
        context.tell(f"builder: {environment.builder}{image} ({environment.reason})")
        yield environment


def _choose(request: WheelsRequest, lock: Lock, context: RunContext, stack: ExitStack) -> BuildEnvironment:
    """Take a container where there is one: only there is the deflate encoder pinned."""
    if request.engine is Engine.ASSEMBLER:
        environment = stack.enter_context(open_native(lock, context))
        return replace(environment, reason="the assembler was asked for, which runs on this host")
    try:
        return stack.enter_context(open_docker(lock, context))
    except Stopped:
        raise
    except HostError as error:
        lacking = error
    try:
        environment = stack.enter_context(open_native(lock, context))
    except OtherDeflate as error:
        raise NoBuilder(lacking, error) from error
    # What follows the colon is of this host and this hour, and a manifest holds neither.
    return replace(environment, reason=str(lacking).partition(": ")[0])


@contextmanager
def open_native(lock: Lock, context: RunContext) -> Iterator[BuildEnvironment]:
    """Build on this host.

    Raises:
        OtherDeflate: Its deflate encoder is not the reference.
    """
    toolchain = prepare_toolchain(lock, context)
    yield BuildEnvironment(
        builder=BuilderName.NATIVE,
        reason="this host's deflate encoder is the reference",
        toolchain=toolchain,
        front_end=NativeFrontEnd(
            toolchain=toolchain,
            runner=context.runner,
            progress=context.progress,
            host_env=context.host_env,
            logs=_logs(context),
        ),
    )


@contextmanager
def open_docker(lock: Lock, context: RunContext) -> Iterator[BuildEnvironment]:
    """Build in containers of the builder image; when the context ends, none is left.

    Raises:
        HostError: No engine answers, or the image is not there or is not fit for the lock.
    """
    with _opened_image(toolchain_python(lock), lock, context) as opened:
        yield BuildEnvironment(
            builder=BuilderName.DOCKER,
            reason=opened.reason,
            toolchain=opened.toolchain,
            front_end=DockerFrontEnd(
                image=opened.image,
                toolchain=opened.toolchain,
                engine=opened.engine,
                owner=opened.owner,
                progress=context.progress,
                stop=context.stop,
                logs=_logs(context),
            ),
            image=opened.image.id,
        )


@contextmanager
def open_cibuildwheel(lock: Lock, context: RunContext) -> Iterator[BuildEnvironment]:
    """Build in containers of the builder image that cibuildwheel starts; when the context ends, none is left.

    Raises:
        HostError: No engine answers, its command line is not there, or the image is not there or not fit.
        BuildError: pip did not bring cibuildwheel, or what it needs in its container.
    """
    client = context.client
    if client is None or shutil.which("docker", path=client.env.get("PATH", "")) is None:
        raise NoClient
    with _opened_image(CONTAINER_PYTHON, lock, context) as opened:
        yield BuildEnvironment(
            builder=BuilderName.CIBUILDWHEEL,
            reason=opened.reason,
            toolchain=opened.toolchain,
            front_end=CibuildwheelFrontEnd(
                tools=_cibuildwheel_tools(lock, client, context),
                settings=ContainerSettings(
                    image=opened.image.id,
                    architecture=_ARCHITECTURES[opened.image.architecture],
                    env=client.env,
                    label=f"{OWNER_LABEL}={opened.owner}",
                ),
                runner=context.runner,
                progress=context.progress,
                tell=context.tell,
                logs=_logs(context),
            ),
            image=opened.image.id,
        )


def _cibuildwheel_tools(lock: Lock, client: Client, context: RunContext) -> Tools:
    toolchain = context.toolchain_for(lock_named(CIBUILDWHEEL))
    wheels = client.fetch_wheels((lock, lock_named(VIRTUALENV)), toolchain.python)
    return Tools(toolchain=toolchain, backend=lock, wheels=wheels)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenedImage:
    """An engine with an image that is fit, and the run that its containers belong to."""

    engine: ContainerEngine
    owner: str
    image: Image
    toolchain: Toolchain

    @property
    def reason(self) -> str:
        return f"{self.engine.identify().name} answers and has the image"


@contextmanager
def _opened_image(python: PurePosixPath, lock: Lock, context: RunContext) -> Iterator[_OpenedImage]:
    """Connect to the engine, and let the image's interpreter answer for its encoder."""
    containers = context.containers
    if containers is None:
        raise NoEngine("this run was given none")
    with (
        containers.open_engine() as engine,
        cleaning_up(engine, context.cache.root / "containers") as owner,
    ):
        image = require_image(engine, containers.image)
        interpreter = probe_image(
            python, image=image, lock=lock, owner=owner, engine=engine, stop=context.stop
        )
        require_reference_deflate(interpreter.deflate, whose="the image's Python")
        toolchain = Toolchain(python=Path(python), interpreter=interpreter, lock=lock)
        yield _OpenedImage(engine=engine, owner=owner, image=image, toolchain=toolchain)


ENVIRONMENTS: Mapping[BuilderName, EnvironmentOpener] = {
    BuilderName.NATIVE: open_native,
    BuilderName.DOCKER: open_docker,
    BuilderName.CIBUILDWHEEL: open_cibuildwheel,
}
"""How each builder but ``auto`` is prepared."""


def prepare_toolchain(lock: Lock, context: RunContext) -> Toolchain:
    """Make the locked environment on this host, and let both encoders answer for themselves.

    The assembler deflates with this process's zlib, the backend with the toolchain's.

    Raises:
        OtherDeflate: One of them is not the reference.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:  # each takes its time, and they do not need each other
        making = pool.submit(context.toolchain_for, lock)
        try:
            require_reference_deflate(deflate_identity())
            toolchain = making.result()
        except BaseException:
            context.stop.set()
            raise
    require_reference_deflate(toolchain.interpreter.deflate)
    return toolchain


def _logs(context: RunContext) -> Path:
    return context.cache.root / "logs"

"""Open the environment that builds the wheels of a run: this host, or containers."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from factory.build.backend.cibuildwheel import (
    CIBUILDWHEEL,
    CONTAINER_PYTHON,
    VIRTUALENV,
    CibuildwheelContainer,
    CibuildwheelFrontEnd,
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
from factory.system.containers.engine import OWNER_LABEL, ContainerEngine, Image, no_engine
from factory.system.containers.images import require_image
from factory.system.parallel import Stopped
from factory.wheels.context import RunContext
from factory.wheels.plan import WheelsPlan

_ARCHITECTURES = {"amd64": Architecture.X86_64, "arm64": Architecture.AARCH64}
"""By the names that image configurations have for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildEnvironment:
    """What builds the wheels of a run.

    Attributes:
        engine: The requested one, or the builder's default; a container has the backend only.
        reason: Why this builder was chosen.
        toolchain: The environment with the backend; in a container its path is the container's.
        front_end: Builds a staged runtime with the backend.
        image: The id of the container image; None on this host.
    """

    builder: BuilderName
    engine: Engine = Engine.BACKEND
    reason: str = ""
    toolchain: Toolchain
    front_end: FrontEnd
    image: str | None = None


@contextmanager
def open_build_environment(plan: WheelsPlan, context: RunContext) -> Iterator[BuildEnvironment]:
    """Open the requested environment, or choose one, and report which it is.

    Raises:
        UsageError: The assembler was requested for a container.
        HostError: The requested environment is not usable, or none is.
    """
    with ExitStack() as stack:
        environment = _open(plan, context, stack)
        if environment.builder is BuilderName.NATIVE:
            environment = replace(environment, engine=plan.request.engine or Engine.ASSEMBLER)
        image = f", image {environment.image}" if environment.image else ""
        context.report(f"builder: {environment.builder}{image} ({environment.reason})")
        yield environment


def _open(plan: WheelsPlan, context: RunContext, stack: ExitStack) -> BuildEnvironment:
    builder = plan.request.builder
    if builder is BuilderName.AUTO:
        return _choose(plan, context, stack)
    if builder is not BuilderName.NATIVE and plan.request.engine is Engine.ASSEMBLER:
        raise UsageError(
            f"the assembler runs on this host only, not with --builder {builder}",
            hint="Omit --engine, or use --check-engine to compare the bytes of assembler and container.",
        )
    environment = stack.enter_context(OPENERS[builder](plan.lock, context))
    return replace(environment, reason="asked for")


def _choose(plan: WheelsPlan, context: RunContext, stack: ExitStack) -> BuildEnvironment:
    """Choose a container if possible: only the image pins the deflate encoder."""
    if plan.request.engine is Engine.ASSEMBLER:
        environment = stack.enter_context(open_native(plan.lock, context))
        return replace(environment, reason="the assembler was asked for, which runs on this host")
    try:
        return stack.enter_context(open_docker(plan.lock, context))
    except Stopped:
        raise
    except HostError as error:
        no_container = error
    try:
        environment = stack.enter_context(open_native(plan.lock, context))
    except OtherDeflate as error:
        raise HostError(
            f"no usable builder: {no_container}; and {error}",
            hint="Make the builder image with 'make image', or use an interpreter that links stock zlib.",
        ) from error
    # The text after the colon depends on the host and the time, which a manifest must not contain.
    return replace(environment, reason=str(no_container).partition(": ")[0])


@contextmanager
def open_native(lock: Lock, context: RunContext) -> Iterator[BuildEnvironment]:
    """Build on this host.

    Raises:
        OtherDeflate: The deflate encoder of this host is not the reference encoder.
    """
    toolchain = prepare_toolchain(lock, context)
    front_end = NativeFrontEnd(
        toolchain=toolchain,
        runner=context.runner,
        progress=context.progress,
        host_env=context.host_env,
        logs=context.logs,
    )
    yield BuildEnvironment(builder=BuilderName.NATIVE, toolchain=toolchain, front_end=front_end)


@contextmanager
def open_docker(lock: Lock, context: RunContext) -> Iterator[BuildEnvironment]:
    """Build in containers of the builder image, and remove them at the end.

    Raises:
        HostError: There is no container engine, no image, or the image does not match the lock.
    """
    with _opened_image(toolchain_python(lock), lock, context) as opened:
        yield BuildEnvironment(
            builder=BuilderName.DOCKER,
            reason=f"{opened.engine.identify().name} answers and has the image",
            toolchain=opened.toolchain,
            front_end=DockerFrontEnd(
                image=opened.image,
                toolchain=opened.toolchain,
                engine=opened.engine,
                owner=opened.owner,
                progress=context.progress,
                stop=context.stop,
                logs=context.logs,
            ),
            image=opened.image.id,
        )


@contextmanager
def open_cibuildwheel(lock: Lock, context: RunContext) -> Iterator[BuildEnvironment]:
    """Build in containers of the builder image that cibuildwheel starts, and remove them at the end.

    Raises:
        HostError: There is no container engine, no docker program, no image, or the image does
            not match the lock.
        BuildError: pip could not download cibuildwheel or the wheels that its container needs.
    """
    client = context.client
    if client is None or shutil.which("docker", path=client.env.get("PATH", "")) is None:
        raise HostError(
            "cibuildwheel starts the docker program, which is not on PATH",
            hint="Install it (Debian: apt install docker.io), or use --builder docker.",
        )
    with _opened_image(CONTAINER_PYTHON, lock, context) as opened:
        toolchain = context.toolchain_for(lock_named(CIBUILDWHEEL))
        wheels = client.fetch_wheels((lock, lock_named(VIRTUALENV)), toolchain.python)
        yield BuildEnvironment(
            builder=BuilderName.CIBUILDWHEEL,
            toolchain=opened.toolchain,
            front_end=CibuildwheelFrontEnd(
                tools=Tools(toolchain=toolchain, backend=lock, wheels=wheels),
                container=CibuildwheelContainer(
                    image=opened.image.id,
                    architecture=_ARCHITECTURES[opened.image.architecture],
                    env=client.env,
                    label=f"{OWNER_LABEL}={opened.owner}",
                ),
                runner=context.runner,
                progress=context.progress,
                report=context.report,
                logs=context.logs,
            ),
            image=opened.image.id,
        )


OPENERS: Mapping[BuilderName, Callable[[Lock, RunContext], AbstractContextManager[BuildEnvironment]]] = {
    BuilderName.NATIVE: open_native,
    BuilderName.DOCKER: open_docker,
    BuilderName.CIBUILDWHEEL: open_cibuildwheel,
}
"""How each builder is opened; ``auto`` chooses one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenedImage:
    """A container engine with a usable image, and the owner of the containers that it starts."""

    engine: ContainerEngine
    owner: str
    image: Image
    toolchain: Toolchain


@contextmanager
def _opened_image(python: PurePosixPath, lock: Lock, context: RunContext) -> Iterator[_OpenedImage]:
    """Connect to the engine, and check the deflate encoder of the image's interpreter."""
    containers = context.containers
    if containers is None:
        raise no_engine("this run has none configured")
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


def prepare_toolchain(lock: Lock, context: RunContext) -> Toolchain:
    """Make the locked environment on this host, and check both deflate encoders.

    The assembler compresses with the encoder of the run, the backend with the toolchain's zlib. If the
    toolchain has another zlib, the assembler compresses the backend's members again.

    Raises:
        OtherDeflate: The encoder of the run is zlib, and one of the two is not the reference one.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:  # both are slow and independent of each other
        making = pool.submit(context.toolchain_for, lock)
        try:
            encoder = context.encoders.current()
            if encoder.is_zlib:
                require_reference_deflate(deflate_identity())
            toolchain = making.result()
        except BaseException:
            context.stop.set()
            raise
    if encoder.is_zlib:
        require_reference_deflate(toolchain.interpreter.deflate)
    return toolchain

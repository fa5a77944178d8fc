"""The container engine and the builder image that the environment and the options name."""

from contextlib import AbstractContextManager
from functools import partial

from factory.cli.settings import Settings
from factory.system.containers.engine import ContainerEngine, ContainerSettings

DEFAULT_IMAGE = "codex-wheel-factory:local"
"""What ``make image`` makes."""


def containers_of(settings: Settings) -> ContainerSettings:
    """Return what builds in containers need; the engine is not asked yet."""
    return ContainerSettings(
        open_engine=partial(_open_engine, settings), image=settings.image or DEFAULT_IMAGE
    )


def _open_engine(settings: Settings) -> AbstractContextManager[ContainerEngine]:
    from factory.system.containers.docker_engine import open_engine  # noqa: PLC0415 - the SDK is slow to import

    return open_engine(settings.environ)

"""The container engine and the builder image that docker tests use: the caller's, or none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from factory.core.errors import HostError
from factory.system.containers.docker_engine import DockerEngine, open_engine
from factory.system.containers.images import require_image

IMAGE = os.environ.get("FACTORY_IMAGE", "codex-wheel-factory:local")
ENGINE = {"DOCKER_HOST": os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"), "FACTORY_IMAGE": IMAGE}
"""What a child of a test needs to find them; `tests.children.factory` hides them otherwise."""


@contextmanager
def required_engine() -> Iterator[DockerEngine]:
    """Connect to the engine, which must have the image; skip the test with the reason where it is not so."""
    try:
        with open_engine(os.environ) as found:
            require_image(found, IMAGE)
            yield found
    except HostError as error:
        pytest.skip(f"{error}; .ci/docker-engine starts an engine, 'make image' makes the image")

"""Find the builder image that a run should use."""

from factory.core.errors import HostError
from factory.system.containers.engine import ContainerEngine, Image


def require_image(engine: ContainerEngine, reference: str) -> Image:
    """Return the image with a reference, if its programs run on this engine.

    Raises:
        HostError: The image is missing, has another digest than the reference, or is for another
            architecture.
    """
    image = engine.find_image(reference)
    if image is None:
        raise _missing(engine, reference)
    identity = engine.identify()
    if image.architecture != identity.architecture:
        raise HostError(
            f"image {reference} is for {image.architecture}, but the engine runs {identity.architecture}",
            hint="Build the image on a machine of the engine's architecture: 'make image'.",
        )
    return image


def _missing(engine: ContainerEngine, reference: str) -> HostError:
    name, at, _ = reference.partition("@")
    other = engine.find_image(name) if at else None
    if other is None:
        return HostError(
            f"the container engine has no image {reference}",
            hint="Build it with 'make image' in a checkout, or choose another one with --image.",
        )
    return HostError(
        f"the container engine's image {name} is not {reference}: its id is {other.id}",
        hint="Pull the image by its digest, or leave the digest out of --image to accept any.",
    )

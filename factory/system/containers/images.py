"""The builder image of an engine: there, the one that was meant, and fit to run."""

from factory.core.errors import HostError
from factory.system.containers.engine import ContainerEngine, EngineIdentity, Image


class ImageMissing(HostError):
    """The engine has no image of that name."""

    hint = "Make it with 'make image', or name another one with --image."

    def __init__(self, reference: str) -> None:
        super().__init__(f"the container engine has no image {reference}")


class OtherImage(HostError):
    """The engine has an image of that name, and it is not the one with that digest."""

    hint = "Pull the image by its digest, or leave the digest out of --image where any of that name will do."

    def __init__(self, reference: str, seen: Image) -> None:
        super().__init__(f"the container engine has another image than {reference}: its id is {seen.id}")


class WrongArchitecture(HostError):
    """The image's programs do not run on this engine."""

    hint = "Make the image on a machine of the engine's architecture: 'make image'."

    def __init__(self, reference: str, image: Image, engine: EngineIdentity) -> None:
        super().__init__(
            f"image {reference} is for {image.architecture}, and the engine runs {engine.architecture}"
        )


def require_image(engine: ContainerEngine, reference: str) -> Image:
    """Return the image of a reference.

    Raises:
        ImageMissing: There is none.
        OtherImage: There is one of the name, with another digest.
        WrongArchitecture: It does not run on this engine.
    """
    image = engine.find_image(reference)
    if image is None:
        name, at, _ = reference.partition("@")
        named = engine.find_image(name) if at else None
        raise ImageMissing(reference) if named is None else OtherImage(reference, named)
    identity = engine.identify()
    if image.architecture != identity.architecture:
        raise WrongArchitecture(reference, image, identity)
    return image

"""A wheel to audit, and what is left of it when a step fails: the reason why it was not rebuilt."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeVar

from factory.audit.index import PublishedWheel
from factory.audit.project_file import NotInferable
from factory.audit.published import UnreadableWheel
from factory.audit.remote_zip import Fetched
from factory.audit.verdict import ChainLink, InferredFacts, TrustedText
from factory.build.recipe import Recipe
from factory.core.digests import Sha256
from factory.core.errors import BuildError, FactoryError
from factory.release.channels import NotOnChannel
from factory.system.parallel import Stopped

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedWheel:
    """One wheel to audit.

    Attributes:
        wheel: A file of the index, or a local one.
        reference: The wheel from which the recipe is inferred: the same one, or, for a local file,
            the wheel that the index lists under that name.
        fetched: Counts the bytes that were read of the wheel.
    """

    wheel: PublishedWheel
    reference: PublishedWheel
    fetched: Fetched = field(default_factory=Fetched, compare=False)

    @property
    def weight(self) -> int:
        """How much work the wheel is; the largest is started first."""
        return self.wheel.size_bytes or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inferred:
    """An inferred recipe, and what was read to infer it."""

    recipe: Recipe
    facts: InferredFacts
    chain: tuple[ChainLink, ...]
    trust_base: tuple[TrustedText, ...]


class FailureKind(Enum):
    """What failed: a wheel is read whole if its own content can be the reason."""

    OUTSIDE = auto()
    """The channel, the network or this machine."""
    BUILD = auto()
    """The rebuild: this machine can be the reason, or something that the wheel claims."""
    NO_PAYLOAD = auto()
    """The channel does not have the release package."""
    NO_RECIPE = auto()
    """The wheel does not show how it was built."""
    UNREADABLE = auto()
    """The wheel is not an archive that can be read safely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a step failed."""

    reason: str
    kind: FailureKind = FailureKind.OUTSIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRebuilt:
    """A wheel that could not be rebuilt, or not compared with its rebuild.

    Attributes:
        audited: The wheel.
        failure: Why.
        inferred: The recipe, if the failure came after it was inferred.
        rebuilt: The digest of the rebuilt wheel, if the failure came after the build.
    """

    audited: AuditedWheel
    failure: Failure
    inferred: Inferred | None = None
    rebuilt: Sha256 | None = None


def attempt(action: Callable[[], ResultT]) -> ResultT | Failure:
    """Call a function and return why it failed, if it did: one wheel's failure must not end the audit.

    Raises:
        Stopped: The run was interrupted; that is no property of the wheel.
    """
    try:
        return action()
    except Stopped:
        raise
    except NotInferable as error:
        return Failure(reason=str(error), kind=FailureKind.NO_RECIPE)
    except UnreadableWheel as error:
        return Failure(reason=str(error), kind=FailureKind.UNREADABLE)
    except BuildError as error:
        return Failure(reason=str(error), kind=FailureKind.BUILD)
    except NotOnChannel as error:
        return Failure(reason=str(error), kind=FailureKind.NO_PAYLOAD)
    except FactoryError as error:
        return Failure(reason=str(error))

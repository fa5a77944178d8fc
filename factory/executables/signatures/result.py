"""What reading a signature gives: a `SignatureResult`, or `InvalidSignature`."""

from dataclasses import dataclass

from factory.core.errors import IntegrityError
from factory.core.trust_level import Level, Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureResult:
    """The verified or rejected signature of a file.

    Attributes:
        reason: One sentence: what was verified, or what is wrong.
    """

    level: Level
    reason: str
    signature: Signature


class InvalidSignature(IntegrityError):
    """A signature is not valid or cannot be decoded; the reader of its scheme turns this into a result."""

    hint = "Compare the file with the one in the release package: it was changed after signing."

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownRoot(InvalidSignature):
    """A certificate chain that does not end in a pinned root; it may be valid for others."""

    def __init__(self) -> None:
        super().__init__("its certificate chain does not end in a root that is pinned here")

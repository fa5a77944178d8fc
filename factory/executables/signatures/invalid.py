"""The one way in which a signature fails."""

from factory.core.errors import IntegrityError


class InvalidSignature(IntegrityError):
    """A signature does not hold, or cannot be read; the reader of its scheme makes a level of it."""

    hint = "Compare the file with the release package's: whoever changed it did not sign it again."

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

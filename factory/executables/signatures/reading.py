"""What one reader of signatures says of one file."""

from dataclasses import dataclass

from factory.core.trust_level import Level, Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A signature that is there, judged by the reader of its scheme.

    Attributes:
        level: What it is worth.
        reason: One sentence: what was verified, or what is wrong.
        signature: What it says.
    """

    level: Level
    reason: str
    signature: Signature

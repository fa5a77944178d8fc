"""The objects that every step of an audit uses."""

from dataclasses import dataclass, field
from pathlib import Path

from factory.release.channels import Channel
from factory.verify.baseline.baseline import Baseline
from factory.verify.baseline.executables import ExecutableIndex, NoExecutables
from factory.wheels.context import RunContext

CACHE_LIMIT_BYTES = 8_000_000_000
"""One release has 1 GB of packages; the whole history has 25 GB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditContext:
    """The objects that every step of an audit uses.

    Attributes:
        tools: The same tools that build our own wheels.
        channel: Where release packages are downloaded from.
        scratch: An existing directory for rebuilt wheels; each release's wheels are removed after it.
        baseline: What wheels legitimately contain; the empty one knows no text and no generator.
        executables: Names executables of other releases and targets.
        cache_limit_bytes: The size to which packages and compressed members are pruned after each release.
    """

    tools: RunContext
    channel: Channel
    scratch: Path
    baseline: Baseline = field(default_factory=Baseline)
    executables: ExecutableIndex = field(default_factory=NoExecutables)
    cache_limit_bytes: int = CACHE_LIMIT_BYTES
